//! The part of `cpu_models.rs` that tells what surrounds the models: machine types and defaults.

use proc_macro2::TokenStream;
use quote::quote;

use super::GenerateError;
use super::cpu_models::{cache, kind, slice};
use super::layout::{fits, number};
use super::pools::Pools;
use super::tables::short;
use crate::facts::{CacheSlot, DefaultVersion};
use crate::model::Model;
use crate::model::board::{Board, CompatProperty, DefaultProperty, MachineType};

/// Boards by release, and the rows of compatibility properties that their machine types point into.
pub(super) fn tables<'m>(
    model: &'m Model,
    pools: &mut Pools<'m>,
) -> Result<(Vec<TokenStream>, Vec<[u64; 3]>), GenerateError> {
    let all = model.qemu.iter().flat_map(|release| &release.board.machines);
    let compat = Compat::new(all);
    fits("compatibility properties", compat.all.len(), usize::from(u16::MAX))?;
    let boards = model.qemu.iter().map(|release| board(&release.board, &compat, pools)).collect();
    let row = |row: &&'m CompatProperty| {
        [&row.of, &row.property, &row.value].map(|text| u64::from(pools.strings.id(text)))
    };
    Ok((boards, compat.all.iter().map(row).collect()))
}

fn board<'m>(board: &'m Board, compat: &Compat<'m>, pools: &mut Pools<'m>) -> TokenStream {
    let machines: Vec<[u64; 5]> =
        board.machines.iter().map(|machine| machine_row(machine, compat, pools)).collect();
    let machines = slice("numbers", &machines);
    let kvm_defaults = defaults(&board.kvm_defaults, pools);
    let tcg_defaults = defaults(&board.tcg_defaults, pools);
    let aliases = board.aliases.iter().map(|(name, target)| (name.as_str(), Some(target.as_str())));
    let aliases = pools.pairs(aliases);
    let legacy_caches = legacy_caches(board, pools);
    let cache_descriptors = cache_descriptors(board);
    let properties = properties(board, pools);
    let [kvm_defaults, tcg_defaults, aliases] = [kvm_defaults, tcg_defaults, aliases].map(short);
    quote! {
        Board {
            machines: #machines, kvm_defaults: #kvm_defaults, tcg_defaults: #tcg_defaults, aliases: #aliases,
            legacy_caches: #legacy_caches, cache_descriptors: #cache_descriptors, properties: #properties,
        }
    }
}

fn defaults<'m>(all: &'m [DefaultProperty], pools: &mut Pools<'m>) -> u16 {
    pools.pairs(all.iter().map(|(property, value)| (property.as_str(), value.as_deref())))
}

/// Name, default version, first compatibility property and their number, list of KVM's defaults.
fn machine_row<'m>(machine: &'m MachineType, compat: &Compat<'m>, pools: &mut Pools<'m>) -> [u64; 5] {
    let version = match machine.default_version {
        DefaultVersion::Legacy => 0,
        DefaultVersion::Version(version) => version.into(),
        DefaultVersion::Latest => u16::MAX.into(),
    };
    let kvm_defaults = defaults(&machine.kvm_defaults, pools);
    let name = pools.strings.id(&machine.name);
    let (start, count) = (compat.start(&machine.compat), number(machine.compat.len()));
    [name.into(), version, start.into(), count.into(), kvm_defaults.into()]
}

/// Of each: variable, slot with 1 added, cache.
fn legacy_caches<'m>(board: &'m Board, pools: &mut Pools<'m>) -> TokenStream {
    let mut rows = Vec::new();
    for legacy in &board.legacy_caches {
        let slot = legacy.slot.and_then(|slot| CacheSlot::ALL.iter().position(|(known, _)| *known == slot));
        let slot = slot.map_or(0, |at| number(at) + 1);
        let name = pools.strings.id(&legacy.name);
        rows.push([name, slot, cache(&legacy.cache, pools)].map(u64::from));
    }
    slice("numbers", &rows)
}

fn cache_descriptors(board: &Board) -> TokenStream {
    let rows = board.cache_descriptors.iter().map(|row| {
        let numbers = [row.level, row.size, row.line_size, row.associativity];
        let [level, size, line_size, associativity] = numbers.map(u64::from);
        [row.byte.into(), kind(row.kind), level, size, line_size, associativity]
    });
    let rows: Vec<[u64; 6]> = rows.collect();
    slice("longs", &rows)
}

/// Of each: name, kind, field, bit with 1 added, default.
fn properties<'m>(board: &'m Board, pools: &mut Pools<'m>) -> TokenStream {
    let mut rows = Vec::new();
    for property in &board.properties {
        let (name, kind) = (pools.strings.id(&property.name), pools.strings.id(&property.kind));
        let field = pools.strings.optional(property.field.as_deref());
        let bit = property.bit.map_or(0, |bit| u16::from(bit.0) + 1);
        let default = pools.strings.optional(property.default.as_deref());
        rows.push([name, kind, field, bit, default].map(u64::from));
    }
    slice("numbers", &rows)
}

/// Compatibility properties of all machine types, one after another. A machine type begins with what its base has, so
/// that most lists are the beginning of another's and need no room of their own.
struct Compat<'m> {
    all: Vec<&'m CompatProperty>,
}

impl<'m> Compat<'m> {
    fn new(machines: impl Iterator<Item = &'m MachineType>) -> Compat<'m> {
        let mut lists: Vec<&'m [CompatProperty]> = machines.map(|machine| &*machine.compat).collect();
        // The longest first; stable, so that the result is always the same.
        lists.sort_by_key(|list| std::cmp::Reverse(list.len()));
        let mut starts: Vec<&'m [CompatProperty]> = Vec::new();
        for list in lists {
            if !starts.iter().any(|longer| longer.starts_with(list)) {
                starts.push(list);
            }
        }
        Compat { all: starts.into_iter().flatten().collect() }
    }

    /// Where a list starts.
    fn start(&self, list: &[CompatProperty]) -> u16 {
        if list.is_empty() {
            return 0;
        }
        let found = self.all.windows(list.len()).position(|window| window.iter().copied().eq(list));
        found.map_or(0, number)
    }
}
