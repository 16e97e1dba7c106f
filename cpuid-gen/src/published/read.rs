//! The reader of `constants.tsv`. Rows are tab-separated like those of facts; the first column is the module.

use super::list::{Published, PublishedBit, PublishedConstant};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::columns::{Columns, rows};
use crate::location::{CpuidWord, FieldPlace, Location};
use crate::ordered::Map;
use crate::source::{FileId, Sources, Span};

impl Published {
    /// Reads a list of constants. Every faulty row is a diagnostic, and the result is then `None`.
    pub fn read(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<Published> {
        let (mut found, mut list) = (Diagnostics::new(), Published::default());
        let mut places = Vec::new();
        for columns in rows(sources, file) {
            if let Err(diagnostic) = row(columns, &mut list, &mut places) {
                found.push(diagnostic);
            }
        }
        check(&list, &places, &mut found);
        let good = !found.has_errors();
        diagnostics.append(found);
        good.then_some(list)
    }
}

fn row(mut c: Columns<'_>, list: &mut Published, places: &mut Vec<Span>) -> Result<(), Diagnostic> {
    let (kind, at) = c.text("KIND")?;
    if kind == "releases" {
        list.linux = c.optional("LINUX")?.unwrap_or_default();
        list.qemu = c.optional("QEMU")?.unwrap_or_default();
        return c.end();
    }
    let name = c.name("NAME")?;
    let bit = match kind {
        "feature" => PublishedBit::Feature(location(&mut c)?),
        "msr" => PublishedBit::Msr(c.msr()?, c.bit(63)?),
        "software" => PublishedBit::Software,
        "bug" => PublishedBit::Bug,
        "vmx" => PublishedBit::Vmx,
        "field" => field(&mut c)?,
        _ => {
            let message = format!("`{kind}` is not a row of a list of constants");
            let help = "expected releases, feature, msr, software, bug, vmx or field";
            return Err(Diagnostic::error(at, message).with_help(help));
        }
    };
    let renames = matches!(bit, PublishedBit::Feature(_) | PublishedBit::Msr(..) | PublishedBit::Field(..));
    let successor = if renames { c.optional("SUCCESSOR")? } else { None };
    c.end()?;
    list.constants.push(PublishedConstant { bit, name, successor });
    places.push(at);
    Ok(())
}

fn location(c: &mut Columns<'_>) -> Result<Location, Diagnostic> {
    let word = CpuidWord { leaf: c.leaf()?, subleaf: c.subleaf()?, register: c.register()? };
    Ok(Location { word, bit: c.bit(31)? })
}

fn field(c: &mut Columns<'_>) -> Result<PublishedBit, Diagnostic> {
    let place = FieldPlace {
        leaf: c.leaf()?,
        first: c.subleaf()?,
        last: c.subleaf()?,
        register: c.register()?,
        low: c.bit(31)?,
        high: c.bit(31)?,
    };
    if place.first > place.last || place.low > place.high {
        return Err(c.error("the end of the field is before its start"));
    }
    Ok(PublishedBit::Field(place, c.name("FIELD")?))
}

/// Checks that names are unique in their module, that a bit has one constant that is not deprecated, and that
/// successors exist and have the same bit.
fn check(list: &Published, places: &[Span], found: &mut Diagnostics) {
    let mut names: Map<(String, &str), usize> = Map::new();
    for (index, constant) in list.constants.iter().enumerate() {
        let module = constant.bit.module();
        if let Some(first) = names.insert((module, &constant.name), index) {
            let message = format!("duplicate constant `{}` in a module", constant.name);
            let diagnostic = Diagnostic::error(places[index], message);
            found.push(diagnostic.with_label(places[first], "first here"));
        }
    }
    let mut current: Map<&PublishedBit, usize> = Map::new();
    for (index, constant) in list.constants.iter().enumerate() {
        if constant.successor.is_some() || !is_one_bit(&constant.bit) {
            continue;
        }
        if let Some(first) = current.insert(&constant.bit, index) {
            let other = &list.constants[first].name;
            let message =
                format!("`{}` and `{other}` have the same bit: one must succeed the other", constant.name);
            let diagnostic = Diagnostic::error(places[index], message);
            found.push(diagnostic.with_label(places[first], "the other constant"));
        }
    }
    for (constant, &at) in list.constants.iter().zip(places) {
        let Some(successor) = &constant.successor else { continue };
        let known = names.get(&(constant.bit.module(), successor.as_str()));
        let Some(&index) = known.filter(|&&index| list.constants[index].successor.is_none()) else {
            let message = format!("the successor `{successor}` is not a current constant of its module");
            found.push(Diagnostic::error(at, message));
            continue;
        };
        let bit = &list.constants[index].bit;
        if is_one_bit(&constant.bit) && *bit != constant.bit {
            let message = format!("the successor `{successor}` has another bit, {bit}");
            found.push(Diagnostic::error(at, message).with_label(places[index], "the successor"));
        }
    }
}

/// True for a single bit at a fixed place: macros have no place, and a field's place can be corrected.
fn is_one_bit(bit: &PublishedBit) -> bool {
    matches!(bit, PublishedBit::Feature(_) | PublishedBit::Msr(..))
}
