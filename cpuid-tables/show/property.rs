//! QEMU's properties of `-cpu` that are neither features nor Hyper-V's enlightenments, such as `host-phys-bits`.
//!
//! Names, types and defaults are the tables' of each release. `properties.tsv` says what each decides, for people; a property that
//! it lacks, of a release that it does not know, has no such line.

use alloc::string::String;
use alloc::vec::Vec;

use super::about::{Span, spans};
use super::enlightenment::is_hyperv;
use super::styled::{Style, Styled};
use crate::bits::name_hash::fold_eq;
use crate::bits::release::QemuRelease;
use crate::models::machine::CpuProperty;

static MEANINGS: &str = include_str!("properties.tsv");

/// A property of `-cpu` that is not a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it decides, where that is known.
    pub meaning: Option<&'static str>,
    /// Its type and default, by release.
    pub releases: Vec<Span<QemuRelease, PropertyType>>,
}

/// The type and the default of a property in a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropertyType {
    /// QEMU's type: `bool`, `uint32`, ...
    pub kind: &'static str,
    /// The default, if the table has one; models, machine types and accelerators may set another.
    pub default: Option<&'static str>,
}

/// The rows: names, and what they decide.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    MEANINGS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

/// True for a property that this module explains.
fn is_other(property: &CpuProperty) -> bool {
    property.field.is_none_or(|field| !is_hyperv(field))
}

/// The property that a name or a second name stands for.
pub(super) fn named(name: &str) -> Option<Property> {
    let newest_first = || QemuRelease::ALL.into_iter().rev();
    let known = |release: QemuRelease| {
        let alias = release.aliases().find(|(alias, _)| fold_eq(alias, name)).map(|(_, property)| property);
        let mut properties = release.cpu_properties().filter(is_other);
        properties.find(|property| alias == Some(property.name) || fold_eq(property.name, name))
    };
    let name = newest_first().find_map(known)?.name;
    let in_release = |release: QemuRelease| {
        let property = release.cpu_properties().find(|property| property.name == name)?;
        Some(PropertyType { kind: property.kind, default: property.default })
    };
    let meaning = rows().find(|(known, _)| *known == name).map(|(_, meaning)| meaning);
    Some(Property { name, meaning, releases: spans(QemuRelease::ALL, in_release) })
}

impl Property {
    /// A heading with what it decides, and its type and default by release.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        text.line(Style::Heading, format_args!("{}: a property of QEMU's -cpu, not a feature", self.name));
        if let Some(meaning) = self.meaning {
            text.plain(format_args!("  decides    {meaning}\n"));
        }
        for span in &self.releases {
            let PropertyType { kind, default } = span.what;
            let default = default.map(|default| alloc::format!(", default {}", shown(kind, default)));
            text.plain(format_args!(
                "  QEMU       {kind}{}; {}\n",
                default.unwrap_or_default(),
                span.releases()
            ));
        }
        text
    }
}

/// A default as `-cpu` takes it; the highest number stands for one that is not set.
fn shown(kind: &str, default: &'static str) -> String {
    match (kind, default) {
        ("bool", "true") => "on".into(),
        ("bool", "false") => "off".into(),
        ("uint32", "4294967295") | ("int32", "-1") => "not set".into(),
        _ => default.into(),
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::{is_other, rows};
    use crate::bits::release::QemuRelease;

    #[test]
    fn every_property_of_the_pinned_releases_has_a_meaning() {
        if !crate::naming::pinned() {
            return;
        }
        let explained: BTreeSet<&str> = rows().map(|(name, _)| name).collect();
        let properties = QemuRelease::ALL.into_iter().flat_map(QemuRelease::cpu_properties);
        let known: BTreeSet<&str> = properties.filter(is_other).map(|one| one.name).collect();
        assert_eq!(explained, known);
        assert!(rows().all(|(_, meaning)| !meaning.is_empty() && !meaning.contains('\t')));
    }
}
