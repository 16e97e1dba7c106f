//! `kvm_hyperv_properties[]` of kvm.c: the CPUID bits that each `hv-*` property sets, and the properties that it
//! requires. Before 4.1 there is no table.
//!
//! The table is indexed by `HYPERV_FEAT_*`, the bits of `hyperv_features`, whose names are in `x86_cpu_properties[]`.
//! A location is a feature word (`.fw`) before 6.1 and a CPUID register (`.func`, `.reg`) since. QEMU also sets a few
//! bits that belong to no single property (`HV_HYPERCALL_AVAILABLE` since 6.1).
//!
//! The function that goes through the table states further requirements in code: a condition with one property that is enabled
//! and another one that is not, which ends in an error.

use super::reader::Reader;
use crate::c::declare::{close, find_function, find_table, inside, split_commas};
use crate::c::expand::expand;
use crate::c::expr::{Environment, evaluate};
use crate::c::init::{Init, parse_list};
use crate::c::lexer::Token;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuHyperv, QemuHypervDep, QemuSource};
use crate::location::{Leaf, Register};
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The field of `X86CPU` whose bits are the table's indices.
const FIELD: &str = "hyperv_features";

/// The functions that check the properties: since 7.0, since 6.1, and before.
pub(super) const CHECKS: [&str; 3] =
    ["kvm_hyperv_expand_features", "hyperv_expand_features", "hyperv_handle_properties"];

/// The function that says whether a property is enabled.
const IS_ENABLED: &str = "hyperv_feat_enabled";

impl<'a> Reader<'a, '_> {
    /// Reads the table in `unit`, kvm.c.
    pub(super) fn hyperv(&mut self, unit: &Unit<'a>) {
        let Some((open, at)) = find_table(unit, "kvm_hyperv_properties") else {
            let whole = self.sources.span(unit.file, 0, 0);
            self.diagnostics.error(
                whole,
                "this file does not define `kvm_hyperv_properties[]`, which QEMU has since 4.1",
            );
            return;
        };
        let named = self.facts.properties.iter().any(|row| row.field.as_deref() == Some(FIELD));
        // No row can be read without the properties; their absence was already reported.
        if !named && self.diagnostics.has_errors() {
            return;
        }
        let read = self.hyperv_table(unit, open, at);
        if let Some((rows, deps)) = self.diagnostics.take(read) {
            self.facts.hyperv = rows;
            self.facts.hyperv_deps = deps;
            let read = self.hyperv_code_deps(unit);
            self.facts.hyperv_code_deps = self.diagnostics.take(read).flatten();
            if self.facts.hyperv_code_deps.is_none() && !self.diagnostics.has_errors() {
                let message =
                    format!("no function here checks the properties: expected {}", CHECKS.join(", "));
                self.diagnostics.warning(at, message);
            }
        }
    }

    /// The requirements in the code of the functions; `None` if there is none of them.
    fn hyperv_code_deps(&self, unit: &Unit<'a>) -> Result<Option<Vec<QemuHypervDep>>> {
        let mut found: Option<Vec<QemuHypervDep>> = None;
        for name in CHECKS {
            let Some((body, at)) = find_function(unit, name)? else { continue };
            let environment = Environment::new(&self.preprocessor.macros, unit.moment(at), &self.names);
            let deps = found.get_or_insert_default();
            for (index, _) in body.iter().enumerate().filter(|(_, token)| token.is_ident("if")) {
                deps.extend(self.hyperv_condition(&body[index + 1..], &environment)?);
            }
        }
        Ok(found)
    }

    /// The requirements that an `if` states, from its `(` on.
    fn hyperv_condition(
        &self,
        tokens: &[Token<'a>],
        environment: &Environment<'_, 'a>,
    ) -> Result<Vec<QemuHypervDep>> {
        if !tokens.first().is_some_and(|open| open.is("(")) {
            return Ok(Vec::new());
        }
        let end = close(tokens, 0)?;
        let then = match &tokens[end + 1..] {
            block @ [open, ..] if open.is("{") => inside(block, 0)?,
            statement => statement.split(|token| token.is(";")).next().unwrap_or_default(),
        };
        // The later functions return false, the earlier ones set a bit of the result.
        if !then.iter().any(|token| token.is_ident("return") || token.is("|=")) {
            return Ok(Vec::new());
        }
        let condition = &tokens[1..end];
        let calls = condition.iter().enumerate().filter(|(_, token)| token.is_ident(IS_ENABLED));
        let (mut enabled, mut missing) = (Vec::new(), Vec::new());
        for (index, name) in calls {
            let is_negated = index > 0 && condition[index - 1].is("!");
            let of = if is_negated { &mut missing } else { &mut enabled };
            of.push((inside(condition, index + 1)?, name.span));
        }
        if enabled.is_empty() || missing.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(or) = condition.iter().find(|token| token.is("||")) {
            return Err(Diagnostic::error(or.span, "cannot tell which property this condition requires"));
        }
        let property = |(arguments, at): &(&[Token<'a>], Span)| -> Result<String> {
            let [_, feature] = split_commas(arguments)[..] else {
                return Err(Diagnostic::error(*at, "expected a CPU and a property"));
            };
            self.hyperv_property(evaluate(feature, *at, environment)?.as_u64(), *at)
        };
        let mut deps = Vec::new();
        for one in &enabled {
            for other in &missing {
                deps.push(QemuHypervDep { property: property(one)?, needs: property(other)?, at: one.1 });
            }
        }
        Ok(deps)
    }

    fn hyperv_table(
        &self,
        unit: &Unit<'a>,
        open: usize,
        at: Span,
    ) -> Result<(Vec<QemuHyperv>, Vec<QemuHypervDep>)> {
        let macros = &self.preprocessor.macros;
        let tokens = expand(inside(&unit.tokens, open)?, macros, unit.moment(at))?;
        let environment = Environment::new(macros, unit.moment(at), &self.names);
        let (mut rows, mut deps) = (Vec::new(), Vec::new());
        for (index, row) in parse_list(&tokens, at)?.elements(64, &environment)? {
            let fields = row.fields(&["desc", "flags", "dependencies", "skip_passthrough"])?;
            let property = self.hyperv_property(index, row.at)?;
            if let Some(flags) = fields.get("flags") {
                for flag in flags.value.items()? {
                    rows.push(self.hyperv_flag(&property, flag, &environment)?);
                }
            }
            if let Some(needs) = fields.get("dependencies") {
                let mask = needs.value.integer(&environment)?.as_u64();
                let at = self.field_place(unit, row, "dependencies").unwrap_or(row.at);
                for bit in (0..64).filter(|bit| mask >> bit & 1 == 1) {
                    let property = property.clone();
                    deps.push(QemuHypervDep { property, needs: self.hyperv_property(bit, at)?, at });
                }
            }
        }
        Ok((rows, deps))
    }

    /// The property that sets this bit of the field.
    fn hyperv_property(&self, bit: u64, at: Span) -> Result<String> {
        let sets = |of: &&crate::facts::QemuProperty| {
            of.field.as_deref() == Some(FIELD) && of.bit.is_some_and(|known| u64::from(known.0) == bit)
        };
        let property = self.facts.properties.iter().find(sets);
        property
            .map(|property| property.name.clone())
            .ok_or_else(|| Diagnostic::error(at, format!("no property sets bit {bit} of `{FIELD}`")))
    }

    fn hyperv_flag(
        &self,
        property: &str,
        flag: &Init<'_, 'a>,
        environment: &Environment<'_, 'a>,
    ) -> Result<QemuHyperv> {
        let fields = flag.fields(&["fw", "func", "reg", "bits"])?;
        let field = |name: &str| {
            let missing = || Diagnostic::error(flag.at, format!("these bits have no `{name}`"));
            fields.get(name).map(|field| field.value).ok_or_else(missing)
        };
        let (leaf, register) = if fields.contains_key("fw") {
            self.hyperv_word(field("fw")?, environment)?
        } else {
            let func = field("func")?;
            let leaf = u32::try_from(func.integer(environment)?.number())
                .map_err(|_| Diagnostic::error(func.at, "this is not a leaf"))?;
            (Leaf(leaf), self.register(field("reg")?, environment)?)
        };
        let bits = field("bits")?;
        let mask = u32::try_from(bits.integer(environment)?.as_u64())
            .map_err(|_| Diagnostic::error(bits.at, "these bits do not fit into a register"))?;
        Ok(QemuHyperv { property: property.to_owned(), leaf, register, mask, at: flag.at })
    }

    /// The register of a feature word.
    fn hyperv_word(
        &self,
        word: &Init<'_, 'a>,
        environment: &Environment<'_, 'a>,
    ) -> Result<(Leaf, Register)> {
        let index = word.integer(environment)?.number();
        let known = self.facts.words.iter().find(|known| i128::from(known.index.0) == index);
        match known.map(|known| known.source) {
            Some(QemuSource::Cpuid { leaf, register, .. }) => Ok((leaf, register)),
            _ => Err(Diagnostic::error(word.at, format!("feature word {index} is not a CPUID register"))),
        }
    }
}
