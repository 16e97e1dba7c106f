//! The reader of a Linux tree, with one file for each upstream table.
//!
//! Files have moved between releases; [`Tree`] has their paths. All files are read with one set of macros, in the
//! order in which the kernel's own files include each other.
//!
//! ```no_run
//! use cpuid_gen::{diagnostic::Diagnostics, facts::write_linux, linux::read_tree, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let facts = read_tree(&mut sources, "linux-tree".as_ref(), &mut diagnostics);
//! match facts.filter(|_| !diagnostics.has_errors()) {
//!     Some(facts) => print!("{}", write_linux(&facts)),
//!     None => eprint!("{}", diagnostics.render(&sources)),
//! }
//! ```

mod c_statements;
pub mod capflags;
mod comment_words;
mod cpufeatures;
mod cpuid_csv;
mod deps;
mod feature_masks;
mod flag_lines;
mod kconfig;
mod kvm_caps;
mod kvm_conditions;
mod kvm_modules;
mod kvm_overrides;
mod kvm_para;
mod kvm_verbs;
mod leaf_types;
mod module_params;
mod msr_bits;
mod reader;
mod release;
mod reverse_cpuid;
mod rows;
mod scattered;
mod tree;
mod variants;
mod word_source;
mod words;

use std::path::Path;

use crate::c::preprocess::Preprocessor;
use crate::diagnostic::Diagnostics;
use crate::facts::{ConfigKind, LinuxFacts};
use crate::source::Sources;

use reader::Reader;
pub use tree::Tree;

/// Reads the facts of the tree at `root`. Errors are in `diagnostics`; the result is `None` if nothing could be read,
/// and complete only if there is no error.
pub fn read_tree(sources: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<LinuxFacts> {
    let tree = Tree::open(sources, root, diagnostics)?;
    read(sources, &tree, diagnostics)
}

/// Like [`read_tree`], for a tree whose files have been found.
pub fn read(sources: &mut Sources, tree: &Tree, diagnostics: &mut Diagnostics) -> Option<LinuxFacts> {
    let prelude = Preprocessor::add_prelude(sources);
    let (release, at) = release::read(sources, tree.makefile, diagnostics)?;
    let mut reader = Reader::new(sources, prelude, LinuxFacts::new(release, at), diagnostics);
    reader.headers(tree);
    reader.kvm(tree);
    reader.tables(tree);
    // After scattered.c, which names bits that KVM states by number.
    reader.capabilities(tree);
    reader.kvm_modules(tree);
    reader.numbers(tree);
    reader.configs(tree);
    if let Some(file) = tree.cpuid_csv {
        reader.cpuid_csv(file);
    }
    if let Some(file) = tree.leaf_types.filter(|_| reader.facts.leaf_fields.is_empty()) {
        let unit = reader.read(file);
        reader.leaf_types(&unit);
    }
    Some(reader.facts)
}

impl Reader<'_, '_> {
    /// Reads words, features, bugs and VMX flags.
    fn headers(&mut self, tree: &Tree) {
        let features = self.read(tree.features);
        self.counts(&features, &["NCAPINTS", "NBUGINTS"]);
        self.features(tree, &features);
        if let Some(file) = tree.vmx {
            let unit = self.read(file);
            self.counts(&unit, &["NVMXINTS"]);
            self.vmx_features(tree, &unit);
        }
        if let Some(file) = tree.registers {
            let unit = self.read(file);
            self.register_enum(&unit);
        }
        self.words(tree, &features);
    }

    /// Reads KVM's words, locations, features and capabilities.
    fn kvm(&mut self, tree: &Tree) {
        if let Some(file) = tree.kvm_leafs {
            let unit = self.read(file);
            self.leaf_enum(&unit, "kvm_only_cpuid_leafs");
        }
        match tree.reverse_cpuid {
            Some(file) => {
                let unit = self.read(file);
                self.reverse_cpuid(&unit);
                self.kvm_features(&unit);
                self.translations(&unit);
            }
            None => self.locations_from_names(),
        }
    }

    /// Reads what KVM advertises.
    fn capabilities(&mut self, tree: &Tree) {
        let unit = self.read(tree.kvm_cpuid);
        self.kvm_caps(&unit);
        self.kvm_overrides(&unit);
    }

    /// Reads the tables of `arch/x86/kernel/cpu`.
    fn tables(&mut self, tree: &Tree) {
        let unit = self.read(tree.scattered);
        self.scattered(&unit);
        if let Some(file) = tree.deps {
            let unit = self.read(file);
            self.deps(&unit);
        }
    }

    /// Reads bits that are not the CPU's: those of KVM's own leaf and of MSRs. Their headers come last, since no
    /// other table needs their macros.
    fn numbers(&mut self, tree: &Tree) {
        if let Some(file) = tree.kvm_para {
            let unit = self.read(file);
            self.kvm_para(&unit);
        }
        if let Some(file) = tree.msr_index {
            let unit = self.read(file);
            self.msr_bits(&unit);
        }
    }

    /// Reads what kernel configurations fix.
    fn configs(&mut self, tree: &Tree) {
        if let Some(file) = tree.required {
            self.feature_masks(file, "REQUIRED_MASK", ConfigKind::Required);
        }
        if let Some(file) = tree.disabled {
            self.feature_masks(file, "DISABLED_MASK", ConfigKind::Disabled);
        }
        if let Some(file) = tree.kconfig {
            self.kconfig(file);
        }
    }
}
