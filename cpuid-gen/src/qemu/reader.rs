//! The state of reading a QEMU tree.

use std::collections::{BTreeMap, HashMap};

use crate::c::declare::Enumerator;
use crate::c::preprocess::{Preprocessor, Unit};
use crate::c::{Type, Value};
use crate::diagnostic::Diagnostics;
use crate::facts::{QemuCache, QemuFacts};
use crate::source::{FileId, Sources};

/// The reader's state.
pub(super) struct Reader<'a, 'd> {
    pub(super) sources: &'a Sources,
    pub(super) preprocessor: Preprocessor<'a>,
    pub(super) names: HashMap<String, Value>,
    /// `enum FeatureWord` without the count at its end.
    pub(super) words: Vec<Enumerator>,
    /// The element type of `FeatureWordArray`.
    pub(super) feature_type: Type,
    /// Variables of type `CPUCaches`.
    pub(super) caches: BTreeMap<String, Vec<QemuCache>>,
    pub(super) facts: QemuFacts,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl<'a, 'd> Reader<'a, 'd> {
    pub(super) fn new(
        sources: &'a Sources,
        prelude: FileId,
        facts: QemuFacts,
        diagnostics: &'d mut Diagnostics,
    ) -> Self {
        let preprocessor = Preprocessor::new(sources, prelude, diagnostics);
        Reader {
            sources,
            preprocessor,
            names: HashMap::new(),
            words: Vec::new(),
            feature_type: Type::UINT,
            caches: BTreeMap::new(),
            facts,
            diagnostics,
        }
    }

    pub(super) fn read(&mut self, file: FileId) -> Unit<'a> {
        self.preprocessor.read_declarations(file, self.diagnostics)
    }
}
