//! A CPU model of the tables or of a program.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::machine::MachineRef;
use crate::bits::location::WordSource;
use crate::bits::qemu_cpu::DefaultVersion;
use crate::models::cache::Caches;
use crate::models::cpu_model::{AskedName, CpuModel};

/// A CPU model that a program states.
#[derive(Clone, Debug)]
pub(crate) struct StatedModel {
    pub(crate) name: String,
    /// The definition before any version's properties.
    pub(crate) base: StatedDefinition,
    /// From 1 on.
    pub(crate) versions: Vec<StatedVersion>,
}

/// A version of a model.
#[derive(Clone, Debug)]
pub(crate) struct StatedVersion {
    pub(crate) alias: Option<String>,
    pub(crate) definition: StatedDefinition,
}

/// What a model defines: as [`CpuModel`]'s accessors.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatedDefinition {
    pub(crate) level: u32,
    pub(crate) xlevel: u32,
    pub(crate) family: u32,
    pub(crate) model: u32,
    pub(crate) stepping: u32,
    pub(crate) model_id: String,
    pub(crate) avx10: u8,
    pub(crate) masks: Vec<(WordSource, u64)>,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) caches: Option<Caches>,
}

impl StatedModel {
    /// Its name, its versions' names and their aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + use<'_> {
        let versions = (1..).zip(&self.versions).flat_map(|(number, version): (u16, _)| {
            [Some(format!("{}-v{number}", self.name)), version.alias.clone()].into_iter().flatten()
        });
        [self.name.clone()].into_iter().chain(versions)
    }
}

/// A model in one of its versions, with the name by which it was requested.
#[derive(Clone, Copy)]
pub(crate) enum Model<'p> {
    /// From the tables.
    Table(CpuModel),
    /// From a program.
    Stated(Asked<'p>),
}

/// A program's model in a version; 0 is the base.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'p> {
    model: &'p StatedModel,
    version: u16,
    name: AskedName,
}

impl<'p> Asked<'p> {
    /// A model without a version: 1, until a machine type selects another.
    pub(crate) fn plain(model: &'p StatedModel) -> Asked<'p> {
        Asked { model, version: 1, name: AskedName::Plain }
    }

    fn last(self) -> u16 {
        u16::try_from(self.model.versions.len()).unwrap_or(u16::MAX)
    }

    fn stated(self) -> Option<&'p StatedVersion> {
        self.model.versions.get(usize::from(self.version.checked_sub(1)?))
    }

    fn alias(self) -> Option<&'p str> {
        self.stated()?.alias.as_deref()
    }

    fn definition(self) -> &'p StatedDefinition {
        self.stated().map_or(&self.model.base, |version| &version.definition)
    }

    fn versions(self) -> impl Iterator<Item = Asked<'p>> {
        (1..=self.last()).map(move |version| Asked { version, name: AskedName::Version, ..self })
    }

    /// The version with this name, or alias, or the model itself.
    fn called(self, name: &str) -> Option<Asked<'p>> {
        if name == self.model.name {
            return Some(self);
        }
        self.versions().find_map(|version| {
            if version.alias() == Some(name) {
                return Some(Asked { name: AskedName::Alias, ..version });
            }
            (version.to_string() == name).then_some(version)
        })
    }

    fn for_machine(self, machine: MachineRef<'_>) -> Asked<'p> {
        let version = match (self.name, machine.default_version()) {
            (AskedName::Version | AskedName::Alias, _) => self.version,
            (AskedName::Plain, DefaultVersion::Legacy) => 0,
            (AskedName::Plain, DefaultVersion::Latest) => self.last(),
            (AskedName::Plain, DefaultVersion::Version(version)) => {
                u16::try_from(version).unwrap_or(u16::MAX).min(self.last())
            }
        };
        Asked { version, ..self }
    }
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name, self.alias()) {
            (AskedName::Plain, _) => f.write_str(&self.model.name),
            (AskedName::Alias, Some(alias)) => f.write_str(alias),
            (AskedName::Alias | AskedName::Version, _) => write!(f, "{}-v{}", self.model.name, self.version),
        }
    }
}

/// `$table` for a model of the tables, `$stated` for the definition that a program states.
macro_rules! either {
    ($self:ident, $table:ident => $of_table:expr, $definition:ident => $of_program:expr) => {
        match $self {
            Model::Table($table) => $of_table,
            Model::Stated(asked) => {
                let $definition = asked.definition();
                $of_program
            }
        }
    };
}

impl<'p> Model<'p> {
    /// The model, or version, with this name.
    pub(crate) fn called(self, name: &str) -> Option<Model<'p>> {
        match self {
            Model::Table(model) => model.called(name).map(Model::Table),
            Model::Stated(asked) => asked.called(name).map(Model::Stated),
        }
    }

    /// True if it was requested by this name.
    pub(crate) fn is_called(self, name: &str) -> bool {
        match self {
            Model::Table(model) => model.is_called(name),
            Model::Stated(asked) => asked.to_string() == name,
        }
    }

    /// The version that a machine type selects for a model without one.
    pub(crate) fn for_machine(self, machine: MachineRef<'_>) -> Model<'p> {
        match (self, machine) {
            (Model::Table(model), MachineRef::Table(machine)) => Model::Table(model.for_machine(machine)),
            (Model::Table(model), MachineRef::Stated(_)) => Model::Table(model),
            (Model::Stated(asked), machine) => Model::Stated(asked.for_machine(machine)),
        }
    }

    /// Its versions, oldest first.
    pub(crate) fn versions(self) -> Vec<Model<'p>> {
        match self {
            Model::Table(model) => model.versions().map(Model::Table).collect(),
            Model::Stated(asked) => asked.versions().map(Model::Stated).collect(),
        }
    }

    /// 0 is the base.
    pub(crate) fn version_number(self) -> u16 {
        match self {
            Model::Table(model) => model.version_number(),
            Model::Stated(asked) => asked.version,
        }
    }

    /// The name without a version.
    pub(crate) fn name(self) -> &'p str {
        match self {
            Model::Table(model) => model.name(),
            Model::Stated(asked) => &asked.model.name,
        }
    }

    pub(crate) fn alias(self) -> Option<&'p str> {
        match self {
            Model::Table(model) => model.alias(),
            Model::Stated(asked) => asked.alias(),
        }
    }

    /// The model of the tables.
    pub(crate) fn of_table(self) -> Option<CpuModel> {
        match self {
            Model::Table(model) => Some(model),
            Model::Stated(_) => None,
        }
    }

    pub(crate) fn level(self) -> u32 {
        either!(self, table => table.level(), definition => definition.level)
    }

    pub(crate) fn xlevel(self) -> u32 {
        either!(self, table => table.xlevel(), definition => definition.xlevel)
    }

    pub(crate) fn family(self) -> u32 {
        either!(self, table => table.family().into(), definition => definition.family)
    }

    pub(crate) fn model_number(self) -> u32 {
        either!(self, table => table.model_number().into(), definition => definition.model)
    }

    pub(crate) fn stepping(self) -> u32 {
        either!(self, table => table.stepping().into(), definition => definition.stepping)
    }

    pub(crate) fn model_id(self) -> &'p str {
        either!(self, table => table.model_id(), definition => &definition.model_id)
    }

    pub(crate) fn avx10_version(self) -> u8 {
        either!(self, table => table.avx10_version(), definition => definition.avx10)
    }

    pub(crate) fn caches(self) -> Option<Caches> {
        either!(self, table => table.caches(), definition => definition.caches)
    }

    /// Each non-zero word with its source.
    pub(crate) fn masks(self) -> impl Iterator<Item = (WordSource, u64)> + use<'p> {
        let (table, stated) =
            either!(self, table => (Some(table), &[][..]), definition => (None, definition.masks.as_slice()));
        table.into_iter().flat_map(CpuModel::masks).chain(stated.iter().copied())
    }

    /// Other properties, in order.
    pub(crate) fn properties(self) -> impl Iterator<Item = (&'p str, &'p str)> {
        let (table, stated) = either!(
            self, table => (Some(table), &[][..]), definition => (None, definition.properties.as_slice())
        );
        let stated = stated.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // The names of the tables are static.
        let of_table = table.into_iter().flat_map(CpuModel::properties);
        of_table.map(|(name, value)| -> (&'p str, &'p str) { (name, value) }).chain(stated)
    }
}

impl fmt::Display for Model<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Model::Table(model) => model.fmt(f),
            Model::Stated(asked) => asked.fmt(f),
        }
    }
}
