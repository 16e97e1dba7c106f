//! Generates `cpuid.rs` from your own kernel and QEMU, named by MY_LINUX and MY_QEMU as trees or facts files; from the pinned
//! releases without them.

use std::{env, fs, path::Path};

use cpuid_gen::{diagnostic::Diagnostics, generate_standalone, input, model::Model, source::Sources};

fn main() {
    println!("cargo::rerun-if-env-changed=MY_LINUX");
    println!("cargo::rerun-if-env-changed=MY_QEMU");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (linux, qemu) = (env::var_os("MY_LINUX"), env::var_os("MY_QEMU"));
    let (linux, qemu) = (linux.as_deref().map(Path::new), qemu.as_deref().map(Path::new));
    let (linux, qemu) = input::pinned_or(&mut sources, linux, qemu, &mut diagnostics);
    let published = input::published(&mut sources, &mut diagnostics);
    let (model, found) = Model::merge_published(&linux, &qemu, &published);
    diagnostics.extend(found);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    let file = generate_standalone(&model).expect("constants");
    let folder = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&folder).join(file.name), file.text).expect("OUT_DIR can be written");
}
