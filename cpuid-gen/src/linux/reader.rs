//! The state of reading a Linux tree, and what all tables need: units, environments and values of macros.

use std::collections::HashMap;
use std::rc::Rc;

use crate::c::Value;
use crate::c::declare::Enumerator;
use crate::c::expr::{Environment, evaluate};
use crate::c::macros::Define;
use crate::c::preprocess::{Preprocessor, Unit};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{KvmParam, LinuxFacts};
use crate::source::{FileId, Sources, Span};

/// A parameter of one of KVM's modules, and the variable that holds it.
pub(super) struct Param {
    pub(super) fact: KvmParam,
    pub(super) variable: String,
}

/// The reader's state.
pub(super) struct Reader<'a, 'd> {
    pub(super) sources: &'a Sources,
    pub(super) preprocessor: Preprocessor<'a>,
    /// The files read so far, for those with several tables.
    pub(super) units: HashMap<FileId, Rc<Unit<'a>>>,
    /// Enumerators of all enums read so far.
    pub(super) names: HashMap<String, Value>,
    /// Enumerators of the register enum.
    pub(super) registers: Vec<Enumerator>,
    pub(super) facts: LinuxFacts,
    /// The parameters of KVM's modules, including those that no capability depends on.
    pub(super) params: Vec<Param>,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl<'a, 'd> Reader<'a, 'd> {
    pub(super) fn new(
        sources: &'a Sources,
        prelude: FileId,
        facts: LinuxFacts,
        diagnostics: &'d mut Diagnostics,
    ) -> Self {
        let preprocessor = Preprocessor::new(sources, prelude, diagnostics);
        Reader {
            sources,
            preprocessor,
            units: HashMap::new(),
            names: HashMap::new(),
            registers: Vec::new(),
            facts,
            params: Vec::new(),
            diagnostics,
        }
    }

    pub(super) fn read(&mut self, file: FileId) -> Rc<Unit<'a>> {
        let (preprocessor, diagnostics) = (&mut self.preprocessor, &mut *self.diagnostics);
        let unit = self.units.entry(file).or_insert_with(|| Rc::new(preprocessor.read(file, diagnostics)));
        Rc::clone(unit)
    }

    pub(super) fn environment(&self, unit: &Unit<'a>, at: Span) -> Environment<'_, 'a> {
        Environment::new(&self.preprocessor.macros, unit.moment(at), &self.names)
    }

    /// The environment after everything read so far.
    pub(super) fn environment_now(&self) -> Environment<'_, 'a> {
        Environment::new(&self.preprocessor.macros, self.preprocessor.macros.now(), &self.names)
    }

    /// The value of a macro's replacement.
    pub(super) fn value_of(&self, define: &Define<'a>) -> Result<i128, Diagnostic> {
        let name = &define.name;
        if define.params.is_some() {
            return Err(Diagnostic::error(
                name.span,
                format!("`{}` has parameters: expected a number", name.text),
            ));
        }
        if define.body.is_empty() {
            return Err(Diagnostic::error(
                name.span,
                format!("the definition of `{}` is empty: expected a number", name.text),
            ));
        }
        Ok(evaluate(&define.body, name.span, &self.environment_now())?.number())
    }
}
