//! `kvm_hyperv_properties[]` of kvm.c: the CPUID bits that each `hv-*` property sets, and the properties that it
//! requires. Before 4.1 there is no table.
//!
//! The table is indexed by `HYPERV_FEAT_*`, the bits of `hyperv_features`, whose names are in `x86_cpu_properties[]`.
//! A location is a feature word (`.fw`) before 6.1 and a CPUID register (`.func`, `.reg`) since. QEMU also sets a few
//! bits that belong to no single property (`HV_HYPERCALL_AVAILABLE` since 6.1).

use super::reader::Reader;
use crate::c::declare::{find_table, inside};
use crate::c::expand::expand;
use crate::c::expr::Environment;
use crate::c::init::{Init, parse_list};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuHyperv, QemuHypervDep, QemuSource};
use crate::location::{Leaf, Register};
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The field of `X86CPU` whose bits are the table's indices.
const FIELD: &str = "hyperv_features";

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
        }
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
                for bit in (0..64).filter(|bit| mask >> bit & 1 == 1) {
                    let (property, at) = (property.clone(), needs.value.at);
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
