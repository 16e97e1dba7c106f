//! The machine types and default properties in `cpu_models.rs`.

use super::caches::cache;
use super::error::GenerateError;
use super::layout::{fits, number};
use super::pools::Pools;
use super::rust::{Rust, option, slice_of_rows};
use crate::model::Model;
use crate::model::board::{Board, CompatProperty, DefaultProperty, MachineType};
use crate::ordered::sort_by;
use crate::vocabulary::cpu_model::DefaultVersion;

/// Boards by release, and the rows of compatibility properties that their machine types refer to.
pub(super) fn tables<'m>(
    model: &'m Model,
    pools: &mut Pools<'m>,
) -> Result<(Vec<String>, Vec<String>), GenerateError> {
    let all = model.qemu.iter().flat_map(|release| &release.board.machines);
    let compat = Compat::new(all);
    fits("compatibility properties", compat.all.len(), usize::from(u16::MAX))?;
    let boards = model.qemu.iter().map(|release| board(&release.board, &compat, pools)).collect();
    let row = |row: &&'m CompatProperty| {
        let [of, property, value] = [&row.of, &row.property, &row.value].map(|text| pools.strings.id(text));
        format!("CompatRow {{ of: {of}, property: {property}, value: {value} }}")
    };
    Ok((boards, compat.all.iter().map(row).collect()))
}

fn board<'m>(board: &'m Board, compat: &Compat<'m>, pools: &mut Pools<'m>) -> String {
    let mut machines = Vec::new();
    for machine in &board.machines {
        machines.push(machine_row(machine, compat, pools));
    }
    let kvm_defaults = defaults(&board.kvm_defaults, pools);
    let tcg_defaults = defaults(&board.tcg_defaults, pools);
    let aliases = board.aliases.iter().map(|(name, target)| (name.as_str(), Some(target.as_str())));
    let aliases = pools.pairs(aliases);
    let legacy_caches = legacy_caches(board, pools);
    let properties = properties(board, pools);
    let mut out = Rust::new();
    out.put(format_args!("Board {{\nmachines: {},\n", slice_of_rows(&machines)));
    let lists = [("kvm_defaults", kvm_defaults), ("tcg_defaults", tcg_defaults), ("aliases", aliases)];
    for (name, list) in lists {
        out.put(format_args!("{name}: {list},\n"));
    }
    let descriptors = cache_descriptors(board);
    let rows =
        [("legacy_caches", legacy_caches), ("cache_descriptors", descriptors), ("properties", properties)];
    for (name, rows) in rows {
        out.put(format_args!("{name}: {},\n", slice_of_rows(&rows)));
    }
    out.put(format_args!("}}"));
    out.text
}

fn defaults<'m>(all: &'m [DefaultProperty], pools: &mut Pools<'m>) -> u16 {
    pools.pairs(all.iter().map(|(property, value)| (property.as_str(), value.as_deref())))
}

fn machine_row<'m>(machine: &'m MachineType, compat: &Compat<'m>, pools: &mut Pools<'m>) -> String {
    let version = match machine.default_version {
        DefaultVersion::Legacy => "Legacy".to_owned(),
        DefaultVersion::Version(version) => format!("Version({version})"),
        DefaultVersion::Latest => "Latest".to_owned(),
    };
    let kvm_defaults = defaults(&machine.kvm_defaults, pools);
    let name = pools.strings.id(&machine.name);
    let (start, count) = (compat.start(&machine.compat), number(machine.compat.len()));
    let compat = format!("compat_start: {start}, compat_count: {count}");
    format!(
        "MachineRow {{ name: {name}, default_version: DefaultVersion::{version}, {compat}, kvm_defaults: {kvm_defaults} }}"
    )
}

fn legacy_caches<'m>(board: &'m Board, pools: &mut Pools<'m>) -> Vec<String> {
    let mut rows = Vec::new();
    for legacy in &board.legacy_caches {
        let slot = match legacy.slot {
            Some(slot) => format!("Some(CacheSlot::{slot:?})"),
            None => "None".to_owned(),
        };
        let name = pools.strings.id(&legacy.name);
        let cache = cache(&legacy.cache, pools);
        rows.push(format!("LegacyCacheRow {{ name: {name}, slot: {slot}, cache: {cache} }}"));
    }
    rows
}

fn cache_descriptors(board: &Board) -> Vec<String> {
    let mut rows = Vec::new();
    for row in &board.cache_descriptors {
        let (byte, kind, level, size) = (row.byte, row.kind, row.level, row.size);
        let lines = format!("line_size: {}, associativity: {}", row.line_size, row.associativity);
        let kind = format!("CacheKind::{kind:?}");
        rows.push(format!(
            "CacheDescriptor {{ byte: {byte:#x}, kind: {kind}, level: {level}, size: {size}, {lines} }}"
        ));
    }
    rows
}

fn properties<'m>(board: &'m Board, pools: &mut Pools<'m>) -> Vec<String> {
    let mut rows = Vec::new();
    for property in &board.properties {
        let (name, kind) = (pools.strings.id(&property.name), pools.strings.id(&property.kind));
        let field = pools.strings.optional(property.field.as_deref());
        let bit = property.bit.map(|bit| format!("Bit({})", bit.0));
        let bit = option(bit.as_ref().map(|bit| bit as _));
        let default = pools.strings.optional(property.default.as_deref());
        rows.push(format!(
            "PropertyRow {{ name: {name}, kind: {kind}, field: {field}, bit: {bit}, default: {default} }}"
        ));
    }
    rows
}

/// Compatibility properties of all machine types, one after another. A machine type starts with its base's
/// properties, so most lists are a prefix of another and take no space.
struct Compat<'m> {
    all: Vec<&'m CompatProperty>,
}

impl<'m> Compat<'m> {
    fn new(machines: impl Iterator<Item = &'m MachineType>) -> Compat<'m> {
        let mut lists: Vec<&'m [CompatProperty]> = machines.map(|machine| &*machine.compat).collect();
        // The longest first. Stable, so that the result is deterministic.
        sort_by(&mut lists, |a, b| b.len().cmp(&a.len()));
        let mut starts: Vec<&'m [CompatProperty]> = Vec::new();
        for list in lists {
            if !starts.iter().any(|longer| longer.starts_with(list)) {
                starts.push(list);
            }
        }
        Compat { all: starts.into_iter().flatten().collect() }
    }

    /// The start of a list.
    fn start(&self, list: &[CompatProperty]) -> u16 {
        if list.is_empty() {
            return 0;
        }
        let found = self.all.windows(list.len()).position(|window| window.iter().copied().eq(list));
        found.map_or(0, number)
    }
}
