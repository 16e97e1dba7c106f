//! Machine types of the 64-bit PC, in pc_piix.c, pc_q35.c, isapc.c (10.2) and microvm.c, and the CPU properties that
//! they set.
//!
//! Invariants:
//!
//! - A machine type is a registered `TypeInfo` whose parent is the machine class of the PC or of x86. Since 10.1,
//!   machine types older than six years are compiled, but not registered; they have no rows. xenfv needs Xen and has
//!   none.
//! - A machine type's compatibility properties are its base's, followed by its own: the options function of a version
//!   first calls that of the next newer version. QEMU applies the list in order, so later properties win. Within one
//!   version, the properties of all machines (`hw_compat_*`) precede the PC's (`pc_compat_*`). They apply after a
//!   model's own values and before the values in `-cpu`.
//! - Only properties of CPUs have rows: those of `x86_64-cpu` and of a model's own type, `EPYC-x86_64-cpu`. The
//!   interrupt controller (`apic`), `kvmclock` and host bridges are separate devices, whose properties are ignored.
//! - `x86_cpu_change_kvm_default`, which old machine types call at start-up, is a row of type `kvm-default`. It changes
//!   KVM's default properties, which apply before all compatibility properties.
//! - A version that no class function sets is 0, the base definition, since the PC's class is zero-initialized (isapc).

use std::cell::RefCell;
use std::collections::HashMap;

use super::board::{Board, Code};
use super::board_code::{Class, Runner, Started};
use super::globals::{CPU_TYPE, Global};
use super::other_files::MachineFiles;
use super::reader::Reader;
use crate::c::expand::expand;
use crate::c::init::parse_list;
use crate::diagnostic::Diagnostic;
use crate::facts::{DefaultVersion, QemuCompat, QemuCompatList, QemuListLength, QemuMachine};
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The suffix of machine types' QOM names.
const SUFFIX: &str = "-machine";

/// The parent classes of the PC's machine types.
const PARENTS: [&str; 2] = ["generic-pc-machine", "x86-machine"];

/// A machine type as its functions define it.
struct Machine {
    name: String,
    /// False if this release no longer registers it.
    registered: bool,
    class: Class,
    started: Started,
    at: Span,
}

impl<'a> Reader<'a, '_> {
    /// Reads all machine types.
    pub(super) fn machines(&mut self, files: &MachineFiles) {
        let mut versions = false;
        for header in &files.headers {
            let unit = self.read(*header);
            versions |= *header == files.pc_header
                && unit.tokens.iter().any(|token| token.is_ident("default_cpu_version"));
        }
        let mut shared = HashMap::new();
        for file in &files.shared {
            let unit = self.read(*file);
            let board = Board::new(&unit, &self.preprocessor.macros, self.diagnostics);
            self.list_lengths(board.lengths);
            shared.extend(board.tables);
        }
        for file in &files.boards {
            let unit = self.preprocessor.read(*file, self.diagnostics);
            let mut board = Board::new(&unit, &self.preprocessor.macros, self.diagnostics);
            self.list_lengths(std::mem::take(&mut board.lengths));
            if let Some(found) = self.board(&board, &shared) {
                if found.is_empty() {
                    let whole = self.sources.span(*file, 0, 0);
                    self.diagnostics.error(whole, "this file defines no machine type of the PC");
                }
                self.machine_rows(&found, versions);
            }
        }
    }

    /// The machine types of one file; `None` if one of them has an error, since others may be based on it.
    fn board(&mut self, board: &Board<'a>, shared: &HashMap<String, Code<'a>>) -> Option<Vec<Machine>> {
        let macros = &self.preprocessor.macros;
        let (harmless, read, lengths) = (RefCell::default(), RefCell::default(), RefCell::default());
        let registers = board.registers();
        let runner = Runner { board, shared, macros, names: &self.names, registers, harmless, read, lengths };
        let (mut found, mut whole) = (Vec::new(), board.whole);
        for (variable, code) in &board.types {
            let machine = self.diagnostics.take(runner.machine(variable, code));
            whole &= machine.is_some();
            found.extend(machine.flatten());
        }
        let lengths = runner.lengths.into_inner();
        self.list_lengths(lengths);
        whole.then_some(found)
    }

    /// Keeps lengths of other lists for `verify`. The rows of the whole list are read.
    fn list_lengths(&mut self, lengths: Vec<QemuListLength>) {
        for QemuListLength { list, of, at } in &lengths {
            let message =
                format!("`{list}` is used with the length of `{of}`: all rows of `{list}` are read");
            self.diagnostics.warning(*at, message);
        }
        self.facts.list_lengths.extend(lengths);
    }

    fn machine_rows(&mut self, machines: &[Machine], versions: bool) {
        for machine in machines.iter().filter(|machine| machine.registered) {
            let base = base(machine, machines);
            if let Some((row, own)) = self.diagnostics.take(rows(machine, base, versions)) {
                self.facts.machines.push(row);
                let known = base.map_or(0, |base| base.class.lists.len());
                let lists = machine.class.lists.iter().skip(known);
                self.facts.compat_lists.extend(lists.map(|(list, at)| QemuCompatList {
                    machine: machine.name.clone(),
                    list: list.clone(),
                    at: *at,
                }));
                for global in own.iter().filter(|global| !is_type(&global.of)) {
                    let message =
                        format!("`{}` is the type of no CPU: its model must end with a hyphen", global.of);
                    self.diagnostics.warning(global.at, message);
                }
                self.facts.compat.extend(own.into_iter().map(|global| QemuCompat {
                    machine: machine.name.clone(),
                    of: global.of,
                    property: global.property,
                    value: global.value,
                    at: global.at,
                }));
            }
        }
    }
}

impl<'a> Runner<'_, 'a> {
    /// The machine type of a `TypeInfo`; `None` for another type.
    fn machine(&self, variable: &str, code: &Code<'a>) -> Result<Option<Machine>> {
        let tokens = expand(&code.tokens, self.macros, code.moment)?;
        let info = parse_list(&tokens, code.at)?;
        let fields = info.paths()?;
        let parent = fields.get("parent").and_then(|parent| parent.string().ok()).flatten();
        if !parent.is_some_and(|parent| PARENTS.contains(&parent.as_str())) || fields.contains_key("abstract")
        {
            return Ok(None);
        }
        let missing = |field: &str| Diagnostic::error(code.at, format!("this machine type has no `{field}`"));
        let name = fields.get("name").ok_or_else(|| missing("name"))?;
        let name = name.string()?.unwrap_or_default();
        let Some(name) = name.strip_suffix(SUFFIX).filter(|name| !name.is_empty()) else {
            return Err(Diagnostic::error(code.at, format!("`{name}` is not a valid machine type name")));
        };
        let [function] = fields.get("class_init").ok_or_else(|| missing("class_init"))?.scalar()? else {
            return Err(missing("class_init"));
        };
        let class = self.class(&function.text, code.at)?;
        let mut started = Started::default();
        if let Some(init) = &class.init {
            self.started(init, &mut started)?;
        }
        let registered = self.registered(variable, code.at)?;
        Ok(Some(Machine { name: name.to_owned(), registered, class, started, at: code.at }))
    }

    /// True if a type is registered: a function that runs when QEMU starts registers it, and does not return earlier.
    fn registered(&self, variable: &str, at: Span) -> Result<bool> {
        let function = self.registers.get(variable);
        let function =
            function.ok_or_else(|| Diagnostic::error(at, format!("no function registers `{variable}`")))?;
        Ok(!self.returns_early(&function.tokens, function.moment)?)
    }
}

/// True for all types but those of a model without a hyphen.
fn is_type(of: &str) -> bool {
    of.strip_suffix(CPU_TYPE).is_none_or(|model| model.is_empty() || model.ends_with('-'))
}

/// The machine type whose options function this one's calls first.
fn base<'m>(machine: &Machine, machines: &'m [Machine]) -> Option<&'m Machine> {
    let inner = machine.class.followed.iter().skip(1);
    let mut bases = inner.filter_map(|name| {
        machines.iter().find(|other| other.name != machine.name && other.class.followed.first() == Some(name))
    });
    bases.next()
}

/// The rows of a machine type: the type itself, and the properties it adds to its base's.
fn rows(machine: &Machine, base: Option<&Machine>, versions: bool) -> Result<(QemuMachine, Vec<Global>)> {
    let empty: &[Global] = &[];
    let (globals, changes) = base.map_or((empty, empty), |base| (&base.class.globals, &base.started.changes));
    let mut own = added(&machine.class.globals, globals, machine)?.to_vec();
    own.extend_from_slice(added(&machine.started.changes, changes, machine)?);
    let default_version = match machine.started.version.or(machine.class.version) {
        None => versions.then_some(DefaultVersion::Legacy),
        Some((version, at)) => Some(default_version(version, at)?),
    };
    let (name, base) = (machine.name.clone(), base.map(|base| base.name.clone()));
    Ok((QemuMachine { name, default_version, base, at: machine.at }, own))
}

/// The properties after the base's.
fn added<'g>(all: &'g [Global], base: &[Global], machine: &Machine) -> Result<&'g [Global]> {
    let differs =
        base.iter().enumerate().find(|(at, known)| !all.get(*at).is_some_and(|row| row.same(known)));
    match differs {
        None => Ok(&all[base.len()..]),
        Some((_, known)) => {
            let message = format!("`{}` does not start with the properties of its base", machine.name);
            Err(Diagnostic::error(machine.at, message)
                .with_label(known.at, "this property of the base is missing"))
        }
    }
}

/// `CPU_VERSION_LATEST` is -1 and `CPU_VERSION_LEGACY` is 0 in every release that has them.
fn default_version(version: i128, at: Span) -> Result<DefaultVersion> {
    match version {
        -1 => Ok(DefaultVersion::Latest),
        0 => Ok(DefaultVersion::Legacy),
        _ => u32::try_from(version)
            .map(DefaultVersion::Version)
            .map_err(|_| Diagnostic::error(at, format!("{version} is not a version of CPU models"))),
    }
}
