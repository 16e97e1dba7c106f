//! The reader of a QEMU tree: `feature_word_info[]` and the tables it uses, default properties, machine types and the
//! properties of `-cpu`.
//!
//! It reads three layouts: names as pointers to arrays (2.5), inline `[32]` with `.cpuid_eax` and similar
//! fields (2.6 to 3.1), and inline `[64]` with `.cpuid = {...}` or `.msr = {...}` (4.0 and later).
//!
//! ```no_run
//! use cpuid_gen::{diagnostic::Diagnostics, facts::write_qemu, qemu::read_tree, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let facts = read_tree(&mut sources, "qemu-tree".as_ref(), &mut diagnostics);
//! match facts.filter(|_| !diagnostics.has_errors()) {
//!     Some(facts) => print!("{}", write_qemu(&facts)),
//!     None => eprint!("{}", diagnostics.render(&sources)),
//! }
//! ```

mod board;
mod board_code;
mod caches;
mod constants;
mod cpu_models;
mod defaults;
mod deps;
mod feature_words;
mod globals;
mod hyperv;
mod machines;
mod other_files;
mod properties;
mod property_name;
mod reader;
mod statements;
mod tree;

use std::path::Path;
use std::thread;

use crate::c::Type;
use crate::c::declare::{find_enum, find_enum_starting};
use crate::c::preprocess::{Preprocessor, Unit};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::QemuFacts;
use crate::source::{FileId, Sources};

use other_files::OtherFiles;
use reader::Reader;
use tree::Tree;

/// Reads the facts of the tree at `root`. Errors are in `diagnostics`; the result is `None` if nothing could be read,
/// and complete only if there is no error.
pub fn read_tree(sources: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<QemuFacts> {
    let first = sources.next_id();
    let tree = Tree::open(sources, root, diagnostics)?;
    let prelude = Preprocessor::add_prelude(sources);
    let (release, at) = tree::release(sources, tree.version, diagnostics)?;
    let others = OtherFiles::open(sources, root, (&tree, first), (&release, at), diagnostics)?;
    let facts = QemuFacts::new(release, at);
    let (sources, empty) = (&*sources, facts.clone());
    // Machine types take as long as everything else and only share the headers with it, so each thread reads the
    // headers.
    thread::scope(|scope| {
        let machines = scope.spawn(|| machine_types(sources, prelude, empty, &tree, &others));
        let mut facts = read_files(sources, prelude, facts, (&tree, &others), diagnostics);
        let panicked =
            |_| Err(Diagnostic::general("the reader of machine types panicked: this is a bug in cpuid-gen"));
        if let Some((found, of_machines)) = diagnostics.take(machines.join().or_else(panicked)) {
            (facts.machines, facts.compat) = (found.machines, found.compat);
            (facts.compat_lists, facts.list_lengths) = (found.compat_lists, found.list_lengths);
            diagnostics.append(of_machines);
        }
        Some(facts)
    })
}

/// Reads all files except those of machine types.
fn read_files(
    sources: &Sources,
    prelude: FileId,
    facts: QemuFacts,
    (tree, others): (&Tree, &OtherFiles),
    diagnostics: &mut Diagnostics,
) -> QemuFacts {
    let mut reader = Reader::new(sources, prelude, facts, diagnostics);
    let header = reader.headers(tree, others);
    reader.constants(&header);
    let internal = tree.internal.map(|file| reader.read(file));
    let source = reader.preprocessor.read_functions(tree.source, &properties::FUNCTIONS, reader.diagnostics);
    reader.feature_words(&source, internal.as_ref().unwrap_or(&source));
    reader.feature_type = cpu_models::feature_type(&header).unwrap_or(Type::UINT);
    reader.caches(&source);
    reader.cpu_models(&source);
    reader.legacy_caches(&source);
    reader.cache_descriptors(&source);
    reader.deps(&source);
    reader.xsave(&source, &header);
    reader.properties(&source);
    reader.others(&source, others);
    reader.facts
}

/// Reads the machine types, and returns their diagnostics.
fn machine_types(
    sources: &Sources,
    prelude: FileId,
    facts: QemuFacts,
    tree: &Tree,
    others: &OtherFiles,
) -> (QemuFacts, Diagnostics) {
    // The other thread reports errors in the headers.
    let (mut of_headers, mut diagnostics) = (Diagnostics::new(), Diagnostics::new());
    let Some(files) = &others.machines else { return (facts, diagnostics) };
    let mut reader = Reader::new(sources, prelude, facts, &mut of_headers);
    reader.headers(tree, others);
    reader.diagnostics = &mut diagnostics;
    reader.machines(files);
    (reader.facts, diagnostics)
}

impl<'a> Reader<'a, '_> {
    /// Reads the headers whose macros all other files use, and returns cpu.h.
    fn headers(&mut self, tree: &Tree, others: &OtherFiles) -> Unit<'a> {
        for file in tree.before.iter().chain(&others.qom).chain([&others.version]) {
            self.read(*file);
        }
        let header = self.read(tree.header);
        self.enums(&header);
        header
    }

    /// Reads the remaining files.
    fn others(&mut self, source: &Unit<'a>, files: &OtherFiles) {
        let [kvm, tcg] = [files.kvm_cpu, files.tcg_cpu].map(|file| file.map(|file| self.read(file)));
        self.defaults(source, kvm.as_ref(), tcg.as_ref());
        if let Some(hyperv) = files.hyperv {
            self.read(hyperv);
        }
        if let Some(kvm) = files.kvm {
            let kvm = self.preprocessor.read_functions(kvm, &hyperv::CHECKS, self.diagnostics);
            self.hyperv(&kvm);
        }
    }

    /// Reads the registers' enum, unless they are macros, and `enum FeatureWord`.
    fn enums(&mut self, header: &Unit<'a>) {
        let macros = &self.preprocessor.macros;
        find_enum_starting(header, "R_EAX", macros, &mut self.names, self.diagnostics);
        let words = find_enum(header, "FeatureWord", macros, &mut self.names, self.diagnostics);
        match words {
            Some(words) => {
                self.words = words.into_iter().filter(|word| word.name != "FEATURE_WORDS").collect()
            }
            None => {
                let whole = self.sources.span(header.file, 0, 0);
                self.diagnostics
                    .error(whole, "this file does not define `enum FeatureWord`, which QEMU has since 1.4");
            }
        }
    }
}
