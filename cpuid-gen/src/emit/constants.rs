//! One documented constant for each bit, and deprecated ones after their successors.

use super::docs;
use super::layout::{Layout, number};
use super::rust::Rust;
use crate::model::{KernelBit, Model};

/// `feature.rs`: a feature's number is its slot.
pub(super) fn features(model: &Model, layout: &Layout) -> Rust {
    let mut out = Rust::new();
    for (at, (feature, &slot)) in model.features.iter().zip(&layout.slots).enumerate() {
        constant(&mut out, "Feature", &feature.constant, slot, &docs::feature(model, at, feature));
        former(&mut out, "Feature", &feature.constant, &feature.former);
    }
    out
}

/// `software.rs`, `bug.rs`, `vmx.rs`: a bit's number is its index.
pub(super) fn kernel_bits(model: &Model, ty: &str, bits: &[KernelBit]) -> Rust {
    let line = match ty {
        "Bug" => "`bugs`",
        "VmxFeature" => "`vmx flags`",
        _ => "`flags`",
    };
    let mut out = Rust::new();
    for (index, bit) in bits.iter().enumerate() {
        constant(&mut out, ty, &bit.constant, number(index), &docs::kernel_bit(model, line, bit));
    }
    out
}

/// `msr.rs`: a bit's number is its index.
pub(super) fn msr(model: &Model) -> Rust {
    let mut out = Rust::new();
    for (index, bit) in model.msr.iter().enumerate() {
        constant(&mut out, "MsrFeature", &bit.constant, number(index), &docs::msr(model, index, bit));
        former(&mut out, "MsrFeature", &bit.constant, &bit.former);
    }
    out
}

fn constant(out: &mut Rust, ty: &str, name: &str, number: u16, doc: &str) {
    out.put(format_args!("#[doc = {doc:?}]\npub const {name}: crate::{ty} = crate::{ty}({number});\n"));
}

/// Former names of a constant.
fn former(out: &mut Rust, ty: &str, name: &str, former: &[String]) {
    for old in former {
        let (doc, note) = (format!(" Upstream calls it [`{name}`] now."), format!("renamed to `{name}`"));
        out.put(format_args!("#[doc = {doc:?}]\n#[deprecated(note = {note:?})]\n"));
        out.put(format_args!("pub const {old}: crate::{ty} = {name};\n"));
    }
}
