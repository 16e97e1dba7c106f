//! What kvm-intel and kvm-amd add to KVM's capabilities and remove from them: `vmx_set_cpu_caps` and
//! `svm_set_cpu_caps`, and before 5.7 `vmx_set_supported_cpuid` and `svm_set_supported_cpuid`.
//!
//! Statements are followed as C does: nested conditions, branches that return, switches over the leaf (before 5.7),
//! and calls of functions of the same module that change capabilities. Other statements have no effect on CPUID and
//! are skipped. A change in any other form is an error, and so is a change in a function that is never called.

mod changes;

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;

use crate::c::MAX_DEPTH;
use crate::c::declare::{find_function, inside};
use crate::c::lexer::{Kind, Token};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{Condition, KvmModule};
use crate::linux::c_statements::{condition_end, next_statement};
use crate::linux::kvm_conditions::{Conditions, MAX_STEPS, is_leaf, step};
use crate::linux::reader::Reader;
use crate::linux::tree::Tree;
use crate::location::Leaf;
use crate::source::Span;
use changes::is_change;

/// The functions with which a module starts, of any release.
const STARTS: [(KvmModule, [&str; 2]); 2] = [
    (KvmModule::Intel, ["vmx_set_cpu_caps", "vmx_set_supported_cpuid"]),
    (KvmModule::Amd, ["svm_set_cpu_caps", "svm_set_supported_cpuid"]),
];

/// Whether the statement after a statement is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Breaks,
    Returns,
}

/// A module's files, and what was found so far.
struct Walk<'r, 'a, 'd> {
    reader: &'r mut Reader<'a, 'd>,
    module: KvmModule,
    units: Vec<Rc<Unit<'a>>>,
    /// The functions that were followed, by the place of their names.
    walked: HashSet<Span>,
    depth: usize,
    /// The steps that are left.
    steps: Cell<usize>,
}

/// Under which condition a statement is reached, and for which leaf.
#[derive(Clone)]
struct Reached {
    when: Condition,
    leaf: Option<Leaf>,
}

type Result<T> = std::result::Result<T, Diagnostic>;

impl<'a> Reader<'a, '_> {
    /// Reads both modules, and the parameters on which their capabilities depend.
    pub(in crate::linux) fn kvm_modules(&mut self, tree: &Tree) {
        if tree.modules.iter().all(|(module, _)| *module == KvmModule::Kvm) {
            return;
        }
        let files: Vec<(KvmModule, Rc<Unit<'a>>)> =
            tree.modules.iter().map(|(module, file)| (*module, self.module_unit(*module, *file))).collect();
        self.module_params(&files);
        for (module, starts) in STARTS {
            let units: Vec<_> =
                files.iter().filter(|(of, _)| *of == module).map(|(_, unit)| unit.clone()).collect();
            if units.is_empty() {
                continue;
            }
            let walk = Walk {
                reader: self,
                module,
                units,
                walked: HashSet::new(),
                depth: 0,
                steps: Cell::new(MAX_STEPS),
            };
            if let Err(error) = walk.run(&starts) {
                self.diagnostics.push(error);
            }
        }
        self.only_used_params();
    }

    /// A file of a module: of KVM itself only its declarations.
    fn module_unit(&mut self, module: KvmModule, file: crate::source::FileId) -> Rc<Unit<'a>> {
        match module {
            KvmModule::Kvm => Rc::new(self.preprocessor.read_declarations(file, self.diagnostics)),
            KvmModule::Intel | KvmModule::Amd => self.read(file),
        }
    }
}

impl<'a> Walk<'_, 'a, '_> {
    fn run(mut self, starts: &[&str]) -> Result<()> {
        let mut found = false;
        for start in starts {
            let Some((body, at)) = self.function(start)? else { continue };
            found = true;
            self.walked.insert(at);
            self.block(&body, &Reached { when: Condition::Always, leaf: None })?;
        }
        if !found {
            let whole = self.reader.sources.span(self.units[0].file, 0, 0);
            let message = format!("this file has neither `{}` nor `{}`", starts[0], starts[1]);
            return Err(Diagnostic::error(whole, message));
        }
        self.all_walked()
    }

    /// The body of a function of this module, and the place of its name.
    fn function(&self, name: &str) -> Result<Option<(Vec<Token<'a>>, Span)>> {
        for unit in &self.units {
            if let Some((body, at)) = find_function(unit, name)? {
                return Ok(Some((body.to_vec(), at)));
            }
        }
        Ok(None)
    }

    /// Requires that every function that changes a capability was followed.
    fn all_walked(&self) -> Result<()> {
        for unit in &self.units {
            let (mut depth, mut name) = (0usize, None);
            for (index, token) in unit.tokens.iter().enumerate() {
                let next = |punct: &str| unit.tokens.get(index + 1).is_some_and(|next| next.is(punct));
                if token.is("{") {
                    depth += 1;
                } else if token.is("}") {
                    depth = depth.saturating_sub(1);
                } else if depth == 0 && token.kind == Kind::Ident && next("(") {
                    name = Some(token.span);
                } else if depth > 0
                    && is_change(token)
                    && !name.is_some_and(|name| self.walked.contains(&name))
                {
                    let message =
                        format!("`{}` in a function that the set-up of capabilities never calls", token.text);
                    return Err(Diagnostic::error(token.span, message));
                }
            }
        }
        Ok(())
    }

    /// True if these tokens change a capability, call a function that does, or leave the function.
    fn matters(&self, tokens: &[Token<'a>]) -> Result<bool> {
        for (index, token) in tokens.iter().enumerate() {
            let next = |punct: &str| tokens.get(index + 1).is_some_and(|next| next.is(punct));
            if is_change(token)
                || token.is_ident("return")
                || token.is_ident("entry") && next("->")
                || token.kind == Kind::Ident && next("(") && self.changing(&token.text)?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A function of this module without arguments whose body changes capabilities.
    fn changing(&self, name: &str) -> Result<Option<(Vec<Token<'a>>, Span)>> {
        if !name.ends_with("_cpu_caps") {
            return Ok(None);
        }
        Ok(self.function(name)?.filter(|(body, _)| body.iter().any(is_change)))
    }

    /// Follows statements; the condition of those after a branch that returns is the branch's opposite.
    fn block(&mut self, tokens: &[Token<'a>], reached: &Reached) -> Result<Flow> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let at = tokens
                .first()
                .map_or_else(|| self.reader.sources.span(self.units[0].file, 0, 0), |token| token.span);
            return Err(Diagnostic::error(at, format!("statements nest deeper than {MAX_DEPTH}")));
        }
        let (mut rest, mut reached) = (tokens, reached.clone());
        let mut flow = Flow::On;
        while !rest.is_empty() && flow == Flow::On {
            let (statement, after) = next_statement(rest)?;
            rest = after;
            flow = self.statement(statement, &mut reached)?;
        }
        self.depth -= 1;
        Ok(flow)
    }

    fn statement(&mut self, tokens: &[Token<'a>], reached: &mut Reached) -> Result<Flow> {
        let Some(first) = tokens.first() else { return Ok(Flow::On) };
        step(&self.steps, first.span)?;
        match first.text.as_ref() {
            "return" => return Ok(Flow::Returns),
            "break" => return Ok(Flow::Breaks),
            _ if !self.matters(tokens)? && !ends_a_case(tokens) => return Ok(Flow::On),
            "{" => return self.block(inside(tokens, 0)?, reached),
            "if" => return self.branch(tokens, reached),
            "switch" => return self.switch(tokens, reached),
            "for" | "while" | "do" | "goto" => {
                let message = format!("cannot tell how often this `{}` changes capabilities", first.text);
                return Err(Diagnostic::error(first.span, message));
            }
            _ => {}
        }
        self.simple(tokens, reached)?;
        Ok(Flow::On)
    }

    fn branch(&mut self, tokens: &[Token<'a>], reached: &mut Reached) -> Result<Flow> {
        let end = condition_end(tokens)?;
        let mut leaf = reached.leaf;
        let conditions =
            Conditions { reader: self.reader, module: self.module, units: &self.units, steps: &self.steps };
        let condition = conditions.read(&tokens[2..end], tokens[0].span, &mut leaf)?;
        let (then, other) = next_statement(&tokens[end + 1..])?;
        let when = |condition: Condition| Condition::all([reached.when.clone(), condition]);
        let inner = Reached { when: when(condition.clone()), leaf };
        let first = self.block(then, &inner)?;
        let mut second = Flow::On;
        if let Some((keyword, other)) = other.split_first().filter(|(keyword, _)| keyword.is_ident("else")) {
            if leaf != reached.leaf {
                let message = "an `else` after a condition about the leaf";
                return Err(Diagnostic::error(keyword.span, message));
            }
            second = self.block(other, &Reached { when: when(condition.clone().negated()), leaf })?;
        }
        if leaf != reached.leaf && first != Flow::On {
            let message = "a branch about the leaf that leaves the function";
            return Err(Diagnostic::error(tokens[0].span, message));
        }
        match (first, second) {
            (Flow::On, Flow::On) => {}
            (Flow::On, _) => reached.when = when(condition),
            (_, Flow::On) => reached.when = when(condition.negated()),
            (both, _) => return Ok(both),
        }
        Ok(Flow::On)
    }

    /// `switch (func) { case 1: ... }`.
    fn switch(&mut self, tokens: &[Token<'a>], reached: &Reached) -> Result<Flow> {
        let end = condition_end(tokens)?;
        if !is_leaf(&tokens[2..end]) {
            let message = "only a switch over the leaf can change capabilities";
            return Err(Diagnostic::error(tokens[0].span, message));
        }
        if let Some(leaves) = tokens.iter().find(|token| token.is_ident("return")) {
            return Err(Diagnostic::error(leaves.span, "a switch over the leaf that leaves the function"));
        }
        let mut cases: Vec<Reached> = Vec::new();
        let mut rest = inside(tokens, end + 1)?;
        while let Some(first) = rest.first() {
            if first.is_ident("case") || first.is_ident("default") {
                let colon = rest.iter().position(|token| token.is(":")).unwrap_or(rest.len() - 1);
                let leaf = match &rest[1..colon.max(1)] {
                    [] => None,
                    value => Some(self.reader.leaf_number(value, first.span)?),
                };
                cases.push(Reached { leaf, ..reached.clone() });
                rest = &rest[colon + 1..];
                continue;
            }
            let (statement, after) = next_statement(rest)?;
            rest = after;
            let mut flow = Flow::On;
            for case in &mut cases {
                flow = self.statement(statement, case)?;
            }
            if flow != Flow::On {
                cases.clear();
            }
        }
        Ok(Flow::On)
    }
}

/// An `if` that can end the case of a switch.
fn ends_a_case(tokens: &[Token<'_>]) -> bool {
    tokens[0].is_ident("if") && tokens.iter().any(|token| token.is_ident("break"))
}
