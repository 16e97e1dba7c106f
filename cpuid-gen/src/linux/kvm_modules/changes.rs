//! The statements that change a capability: calls, and before 5.7 assignments to an entry's registers.

use super::{Reached, Result, Walk};
use crate::c::declare::{inside, split_commas};
use crate::c::expr::evaluate;
use crate::c::lexer::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::facts::{Condition, KvmModuleCap, ModuleAction};
use crate::linux::kvm_conditions::feature_of;
use crate::linux::reader::Reader;
use crate::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf};
use crate::source::Span;

/// Calls that change one feature.
const CHANGES: [(&str, ModuleAction); 3] = [
    ("kvm_cpu_cap_set", ModuleAction::Set),
    ("kvm_cpu_cap_check_and_set", ModuleAction::SetIfHost),
    ("kvm_cpu_cap_clear", ModuleAction::Clear),
];

/// How all names of functions of capabilities start, and the only one that changes nothing.
const CALLS: &str = "kvm_cpu_cap_";
const QUERY: &str = "kvm_cpu_cap_has";

impl<'a> Walk<'_, 'a, '_> {
    /// A statement without others inside.
    pub(super) fn simple(&mut self, tokens: &[Token<'a>], reached: &Reached) -> Result<()> {
        if let [call, open, .., close] = tokens {
            let whole = open.is("(") && close.is(")");
            if let Some((_, action)) = CHANGES.iter().find(|(name, _)| whole && call.is_ident(name)) {
                let feature = feature_of(inside(tokens, 1)?);
                let name = feature.ok_or_else(|| {
                    Diagnostic::error(call.span, "expected one X86_FEATURE_* macro in this call")
                })?;
                return self.add(*action, name, reached, call.span);
            }
            if whole && call.is_ident("cpuid") {
                return self.whole_leaf(tokens, reached);
            }
            if let Some((body, at)) = self.changing(&call.text)?.filter(|_| whole) {
                self.walked.insert(at);
                self.block(&body, reached)?;
                return Ok(());
            }
        }
        match tokens {
            // Values of fields and changes of counters are not features.
            [entry, arrow, _, operator, ..]
                if entry.is_ident("entry") && arrow.is("->") && operator.is("=") =>
            {
                Ok(())
            }
            [entry, arrow, register, operator, rest @ ..] if entry.is_ident("entry") && arrow.is("->") => {
                self.entry(register, operator, rest, reached)
            }
            [first, ..] => {
                let message =
                    format!("cannot tell which capability the statement at `{}` changes", first.text);
                Err(Diagnostic::error(first.span, message))
            }
            [] => Ok(()),
        }
    }

    /// `entry->ecx |= bit(X86_FEATURE_VMX)` and `entry->ecx &= ~F(X2APIC)`.
    fn entry(
        &mut self,
        register: &Token<'a>,
        operator: &Token<'a>,
        rest: &[Token<'a>],
        reached: &Reached,
    ) -> Result<()> {
        let (action, list) = match rest {
            [tilde, list @ ..] if operator.is("&=") && tilde.is("~") => (ModuleAction::Clear, list),
            _ if operator.is("|=") => (ModuleAction::Set, rest),
            _ => return Err(Diagnostic::error(operator.span, "expected `|=`, or `&= ~`, and features")),
        };
        let location = register.text.to_ascii_uppercase().parse::<Register>().ok().zip(reached.leaf);
        let Some((register, leaf)) = location else {
            return Err(Diagnostic::error(register.span, "cannot tell which register this is"));
        };
        let word = CpuidWord { leaf, subleaf: Subleaf(0), register };
        for part in list.split(|token| token.is("|")) {
            if let Some(name) = feature_of(part) {
                self.add(action, name, reached, operator.span)?;
                continue;
            }
            let environment = self.reader.environment_now();
            let mask = evaluate(part, operator.span, &environment)?.number();
            for bit in (0..32).filter(|bit| mask >> bit & 1 == 1) {
                let name = self.reader.macro_at(word.bit(Bit(bit))).ok_or_else(|| {
                    Diagnostic::error(operator.span, format!("bit {bit} of {word} has no macro"))
                })?;
                self.add(action, name, reached, operator.span)?;
            }
        }
        Ok(())
    }

    /// `cpuid(LEAF, &entry->eax, ...)`: the guest gets the host's leaf.
    fn whole_leaf(&mut self, tokens: &[Token<'a>], reached: &Reached) -> Result<()> {
        let at = tokens[0].span;
        let arguments = split_commas(inside(tokens, 1)?);
        let leaf = self.reader.leaf_number(arguments.first().copied().unwrap_or_default(), at)?;
        for name in self.reader.macros_of(leaf) {
            self.add(ModuleAction::SetIfHost, name, reached, at)?;
        }
        Ok(())
    }

    /// Records a change. Its condition must be one that the facts' text can hold.
    fn add(&mut self, action: ModuleAction, name: String, reached: &Reached, at: Span) -> Result<()> {
        let condition = (reached.when != Condition::Always).then(|| reached.when.to_string());
        if let Some(text) = &condition {
            let again = Condition::of_module(text, at)?;
            if again.to_string() != *text {
                return Err(Diagnostic::error(at, format!("cannot write the condition `{text}`")));
            }
        }
        let module = self.module;
        self.reader.facts.kvm_modules.push(KvmModuleCap { module, action, name, condition, at });
        Ok(())
    }
}

impl<'a> Reader<'a, '_> {
    /// The value of an expression that is a leaf.
    pub(in crate::linux) fn leaf_number(&self, tokens: &[Token<'a>], at: Span) -> Result<Leaf> {
        let value = evaluate(tokens, at, &self.environment_now())?.number();
        u32::try_from(value).map(Leaf).map_err(|_| Diagnostic::error(at, format!("{value} is not a leaf")))
    }

    /// The macros with their hardware locations.
    fn located(&self) -> impl Iterator<Item = (&str, Location)> {
        let facts = &self.facts;
        let in_words = facts.features.iter().filter_map(|feature| {
            let word = facts.words.iter().find(|word| word.word == feature.word)?.location?;
            Some((feature.name.as_str(), word.bit(feature.bit)))
        });
        in_words.chain(facts.scattered.iter().map(|row| (row.name.as_str(), row.location)))
    }

    fn macro_at(&self, location: Location) -> Option<String> {
        self.located().find(|(_, at)| *at == location).map(|(name, _)| name.to_owned())
    }

    fn macros_of(&self, leaf: Leaf) -> Vec<String> {
        self.located().filter(|(_, at)| at.word.leaf == leaf).map(|(name, _)| name.to_owned()).collect()
    }
}

/// A call that changes a capability, or one that is not known.
pub(super) fn is_change(token: &Token<'_>) -> bool {
    token.kind == Kind::Ident && token.text.starts_with(CALLS) && token.text != QUERY
}
