//! The readers of witnesses: other projects that define the bits of CPUID. One file for each upstream format.
//!
//! | project | files | what is read |
//! |---|---|---|
//! | Xen | cpufeatureset.h, gen-cpuid.py, vmcs.h | names, dependencies, VMX capabilities |
//! | libvirt | src/cpu_map/x86_*.xml | names, MSRs, the signatures of CPU models |
//! | FreeBSD | specialreg.h | names |
//! | LLVM, GCC | cpuid.h | names |
//!
//! The project is recognized by the files of its tree. Anything that is not understood is an error at its place: an incompletely
//! read witness would produce false findings about the other projects.
//!
//! ```no_run
//! use cpuid_gen::{diagnostic::Diagnostics, facts::write_witness, source::Sources, witness::read_tree};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let facts = read_tree(&mut sources, "xen-tree".as_ref(), &mut diagnostics);
//! match facts.filter(|_| !diagnostics.has_errors()) {
//!     Some(facts) => print!("{}", write_witness(&facts)),
//!     None => eprint!("{}", diagnostics.render(&sources)),
//! }
//! ```

mod compilers;
mod families;
mod freebsd;
mod libvirt;
mod python;
mod reader;
mod tree;
mod xen;
mod xml;

use std::path::Path;

use crate::diagnostic::Diagnostics;
use crate::facts::{Witness, WitnessFacts};
use crate::source::Sources;

use reader::Reader;
use tree::WitnessTree;

/// Reads the facts of the tree at `root`. Errors are in `diagnostics`; the result is `None` if nothing could be read,
/// and complete only if there is no error.
pub fn read_tree(sources: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<WitnessFacts> {
    let tree = WitnessTree::open(sources, root, diagnostics)?;
    read(sources, &tree, diagnostics)
}

/// Like `read_tree`, for a tree whose files have been found.
fn read(sources: &mut Sources, tree: &WitnessTree, diagnostics: &mut Diagnostics) -> Option<WitnessFacts> {
    let configuration = reader::configuration(sources);
    let (release, at) = tree.release(sources, diagnostics)?;
    let facts = WitnessFacts::new(tree.project, release, at);
    let mut reader = Reader::new(sources, configuration, facts, diagnostics);
    match tree.project {
        Witness::Xen => xen::read(&mut reader, tree),
        Witness::Libvirt => libvirt::read(&mut reader, tree),
        Witness::FreeBsd => freebsd::read(&mut reader, tree),
        Witness::Llvm | Witness::Gcc => compilers::read(&mut reader, tree),
    }
    if reader.facts.bits.is_empty() && !reader.diagnostics.has_errors() {
        reader.diagnostics.error(at, "no bits found: these files are not the ones that name them");
    }
    Some(reader.facts)
}
