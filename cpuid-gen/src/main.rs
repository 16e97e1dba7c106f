//! temporary
#![allow(clippy::print_stdout, clippy::print_stderr)]
use cpuid_gen::{diagnostic::Diagnostics, facts, source::Sources};
fn main() {
    let root = std::env::args().nth(1).unwrap_or_default();
    let mut sources = Sources::new();
    let mut d = Diagnostics::new();
    let f = cpuid_gen::linux::read_tree(&mut sources, root.as_ref(), &mut d);
    d.sort();
    eprint!("{}", d.render(&sources));
    if let Some(f) = f {
        print!("{}", facts::write_linux(&f));
    }
}
