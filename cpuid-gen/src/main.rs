//! temporary
#![allow(clippy::print_stdout, clippy::print_stderr)]
use cpuid_gen::{diagnostic::Diagnostics, facts, source::Sources};
fn main() {
    let root = std::env::args().nth(1).unwrap_or_default();
    let mut sources = Sources::new();
    let mut d = Diagnostics::new();
    let path: &std::path::Path = root.as_ref();
    let text = if path.join("arch").is_dir() {
        if std::env::args().nth(2).is_some() {
            let tree = cpuid_gen::linux::Tree::open(&mut sources, path, &mut d);
            tree.map(|tree| {
                cpuid_gen::linux::capflags::of_tree(&sources, &tree).unwrap_or_else(|e| e.render(&sources))
            })
        } else {
            cpuid_gen::linux::read_tree(&mut sources, path, &mut d).map(|f| facts::write_linux(&f))
        }
    } else {
        cpuid_gen::qemu::read_tree(&mut sources, path, &mut d).map(|f| facts::write_qemu(&f))
    };
    d.sort();
    eprint!("{}", d.render(&sources));
    print!("{}", text.unwrap_or_default());
}
