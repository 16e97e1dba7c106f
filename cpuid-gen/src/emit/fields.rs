//! `field.rs`: a module for each leaf, with a constant for each field and a list of the fields in cpuid.csv; then
//! `LEAVES`, the lists of all leaves.

use super::docs;
use super::error::{GenerateError, check_name};
use super::rust::Rust;
use crate::location::{FieldPlace, Leaf};
use crate::model::{Field, Model};
use crate::ordered::Set;
use crate::published::{PublishedBit, PublishedConstant};

/// All fields, by leaf.
pub(super) fn constants(model: &Model) -> Result<Rust, GenerateError> {
    let former = || model.former_fields.iter().filter_map(place);
    let names = model.fields.iter().map(|field| &field.name).chain(former().map(|(_, name)| name));
    for name in names {
        check_name(name)?;
    }
    let mut leaves: Set<Leaf> = model.fields.iter().map(|field| field.place.leaf).collect();
    leaves.extend(former().map(|(place, _)| place.leaf));
    let mut out = Rust::new();
    let mut lists = String::new();
    for leaf in leaves {
        let number = leaf.0;
        let fields: Vec<&Field> = model.fields.iter().filter(|field| field.place.leaf == leaf).collect();
        if !fields.is_empty() {
            lists.push_str(&format!("leaf_{number:x}::ALL, "));
        }
        let about = format!(" Fields of leaf {}.", Leaf(number));
        out.put(format_args!("#[doc = {about:?}]\npub mod leaf_{number:x} {{\nuse crate::Register::*;\nuse crate::bits::field::constant as of;\n"));
        module(&mut out, model, &fields);
        for constant in &model.former_fields {
            if let Some((place, name)) = place(constant).filter(|(place, _)| place.leaf == leaf) {
                former_constant(&mut out, constant, place, name);
            }
        }
        out.put(format_args!("}}\n"));
    }
    let what = "#[doc = \" By leaf; none is empty.\"]";
    out.put(format_args!("{what}\npub(crate) static LEAVES: &[&[crate::Field]] = &[{lists}];\n"));
    Ok(out)
}

/// The place of a published field, and its short name.
fn place(constant: &PublishedConstant) -> Option<(&FieldPlace, &String)> {
    match &constant.bit {
        PublishedBit::Field(place, name) => Some((place, name)),
        _ => None,
    }
}

fn module(out: &mut Rust, model: &Model, fields: &[&Field]) {
    let mut names = String::new();
    for field in fields {
        out.put(format_args!("#[doc = {:?}]\n", docs::field(model, field)));
        constant(out, &field.constant, &field.place, &field.name);
        names.push_str(&format!("{}, ", field.constant));
    }
    out.put(format_args!("#[doc = \" All of them, by subleaves, register and bits.\"]\n"));
    out.put(format_args!("pub static ALL: &[crate::Field] = &[{names}];\n"));
}

fn former_constant(out: &mut Rust, constant: &PublishedConstant, place: &FieldPlace, name: &str) {
    match &constant.successor {
        Some(now) => {
            let (doc, note) = (format!(" cpuid.csv has [`{now}`] now."), format!("replaced by `{now}`"));
            out.put(format_args!("#[doc = {doc:?}]\n#[deprecated(note = {note:?})]\n"));
        }
        None => {
            let doc = format!(" `{place}`, `{name}`. No release of these tables describes it.");
            out.put(format_args!("#[doc = {doc:?}]\n"));
        }
    }
    self::constant(out, &constant.name, place, name);
}

fn constant(out: &mut Rust, constant: &str, place: &FieldPlace, name: &str) {
    let FieldPlace { leaf, first, last, register, low, high } = place;
    let (leaf, first, last, low, high) = (leaf.0, first.0, last.0, low.0, high.0);
    out.put(format_args!(
        "pub const {constant}: crate::Field = of({leaf:#x}, {first}..={last}, {register:?}, {low}..={high}, {name:?});\n"
    ));
}
