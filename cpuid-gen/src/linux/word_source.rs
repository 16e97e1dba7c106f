//! Where the registers of the kernel's capability words come from: one of three sources, which nothing else knows of.
//!
//! - Since 4.6, `enum cpuid_leafs` names each word after its register.
//! - Before, comments of cpufeature.h state each word's function.
//! - A kernel without both has leaf_types.h: x86-cpuid-db's series of patches is to replace `x86_capability[]` by tables of
//!   these leaf types. What the series says of words is in the changelog of x86-cpuid-db 3.0, whose leaf types Linux has
//!   since 7.3: the `X86_FEATURE` words stay, each is one register of a leaf type, bit by bit, and those that Linux defines
//!   itself are the registers of the leaf 0x4c780001 in order. So a word's register is the one that has the word's names at
//!   the word's bits, in the leaf that the comment above the word states, whatever the form of the kernel's own map of words.

use std::collections::BTreeMap;

use super::reader::Reader;
use super::tree::Tree;
use super::words::word_comments;
use crate::c::preprocess::Unit;
use crate::c::{Type, Value};
use crate::diagnostic::Diagnostic;
use crate::facts::{CpuidField, LinuxFlag, LinuxWord};
use crate::leaf_name;
use crate::location::{CpuidWord, Leaf, Register, Word};
use crate::source::{FileId, Sources};

/// The leaf in which x86-cpuid-db describes the features that Linux defines itself ("Lx" in ASCII).
const LINUX_FEATURES: Leaf = Leaf(0x4c78_0001);

/// The source of a tree's words.
enum WordSource {
    /// `enum cpuid_leafs`, in this file.
    Enum(FileId),
    /// leaf_types.h.
    LeafTypes(FileId),
    /// Comments in the header of the features.
    Comments,
}

impl WordSource {
    fn of(tree: &Tree, sources: &Sources) -> WordSource {
        // The header of kernels before 4.6, which had C code beside the features.
        let old = sources[tree.features].path.ends_with("cpufeature.h");
        match (tree.leafs, tree.leaf_types.filter(|_| !old)) {
            (Some(file), _) => WordSource::Enum(file),
            (None, Some(file)) => WordSource::LeafTypes(file),
            (None, None) => WordSource::Comments,
        }
    }
}

impl<'a> Reader<'a, '_> {
    /// Reads the kernel's words, after its features.
    pub(super) fn words(&mut self, tree: &Tree, features: &Unit<'a>) {
        match WordSource::of(tree, self.sources) {
            WordSource::Enum(file) => {
                let unit = self.read(file);
                self.leaf_enum(&unit, "cpuid_leafs");
            }
            WordSource::LeafTypes(file) => {
                let unit = self.read(file);
                self.leaf_types(&unit);
                self.words_of_leaf_types(tree, features);
            }
            WordSource::Comments => self.words_without_names(features),
        }
    }

    fn words_of_leaf_types(&mut self, tree: &Tree, features: &Unit<'a>) {
        let comments = word_comments(self.sources, features);
        let Some(comments) = self.diagnostics.take(comments) else { return };
        let fields = std::mem::take(&mut self.facts.leaf_fields);
        let users: Vec<FileId> = tree.reverse_cpuid.into_iter().chain([tree.kvm_cpuid]).collect();
        for index in 0..self.facts.count("NCAPINTS").unwrap_or(0) {
            let own: Vec<&LinuxFlag> =
                self.facts.features.iter().filter(|feature| feature.word.0 == index).collect();
            // Vendors reserve words, so that their modules stay compatible.
            let Some(first) = own.first() else { continue };
            let (at, comment) = (first.at, comments.get(usize::from(index)).copied().flatten());
            let leaf = comment.map(|(_, function)| function.map_or(LINUX_FEATURES, Leaf));
            let taken =
                |register: &CpuidWord| self.facts.words.iter().any(|word| word.location == Some(*register));
            let Some(word) = register_of(&own, &fields, leaf).filter(|register| !taken(register)) else {
                let message = format!("no register of leaf_types.h has the names of word {index}");
                let help = "expected `enum cpuid_leafs`, or a leaf type with the same names at the same bits";
                self.diagnostics.push(Diagnostic::error(at, message).with_help(help));
                continue;
            };
            let used = |name: &str| users.iter().any(|file| self.sources[*file].text.contains(name));
            let name = name_of(word, used);
            self.names.insert(name.clone(), Value::new(i128::from(index), Type::INT));
            self.facts.words.push(LinuxWord { name, word: Word(index), location: Some(word), at });
        }
        for word in &mut self.facts.words {
            word.location = word.location.filter(|location| location.leaf != LINUX_FEATURES);
        }
        self.facts.leaf_fields = fields;
    }
}

/// The register with the most of a word's names at their bits, if no other one has as many. It must be of the leaf that the
/// comment above the word states; without a comment, there must be fewer other names at the word's bits.
fn register_of(word: &[&LinuxFlag], fields: &[CpuidField], leaf: Option<Leaf>) -> Option<CpuidWord> {
    let folded = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let names: BTreeMap<u8, String> =
        word.iter().map(|feature| (feature.bit.0, folded(&feature.name))).collect();
    // Same names, and others.
    let mut found: BTreeMap<CpuidWord, (usize, usize)> = BTreeMap::new();
    let bits = fields.iter().filter(|field| field.low == field.high && field.first == field.last);
    for field in bits.filter(|field| leaf.is_none_or(|leaf| leaf == field.leaf)) {
        let Some(name) = names.get(&field.low.0) else { continue };
        let register = CpuidWord::new(field.leaf, field.first, field.register);
        let (same, other) = found.entry(register).or_default();
        *(if *name == folded(&field.name) { same } else { other }) += 1;
    }
    let most = found.values().map(|(same, _)| *same).max().filter(|most| *most > 0)?;
    let mut best = found.iter().filter(|(_, (same, _))| *same == most);
    let (register, (same, other)) = best.next()?;
    (best.next().is_none() && (leaf.is_some() || same > other)).then_some(*register)
}

/// A word's name: of the names that the kernel has given to words so far, the one that is used.
fn name_of(word: CpuidWord, used: impl Fn(&str) -> bool) -> String {
    if word.leaf == LINUX_FEATURES {
        let register = [Register::Eax, Register::Ebx, Register::Ecx, Register::Edx];
        let register = register.iter().position(|register| *register == word.register).unwrap_or(0);
        return format!("CPUID_LNX_{}", word.subleaf.0 as usize * 4 + register + 1);
    }
    let (long, short) = (leaf_name::to_linux(word, true), leaf_name::to_linux(word, false));
    if used(&long) { long } else { short }
}
