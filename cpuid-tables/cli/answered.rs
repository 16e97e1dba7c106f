//! What a guest reads at a leaf that its table has no entry for, and why.

use cpuid_tables::show::{DecodedEntry, Style, Styled, decode};
use cpuid_tables::{
    Answer, AnsweredBy, CpuidEntry, CpuidRead, Leaf, Lookup, Registers, Subleaf, find_entry, kvm_answer,
};
use serde_json::{Value, json};

/// A leaf and subleaf without an entry, and KVM's answer.
pub(crate) struct Answered {
    leaf: Leaf,
    subleaf: Subleaf,
    answer: Answer,
    why: String,
}

/// What KVM answers for each of these of which a table has no entry; nothing without leaf 0, which a whole table has.
pub(crate) fn answered(table: &[CpuidEntry], asked: &[(Leaf, Option<Subleaf>)]) -> Vec<Answered> {
    if find_entry(table, Leaf::BASIC, Subleaf(0)).is_none() {
        return Vec::new();
    }
    let has = |leaf: Leaf, subleaf: Option<Subleaf>| {
        table
            .iter()
            .any(|entry| entry.function == leaf && subleaf.is_none_or(|subleaf| entry.answers(leaf, subleaf)))
    };
    let missing = asked.iter().filter(|(leaf, subleaf)| !has(*leaf, *subleaf));
    missing.map(|&(leaf, subleaf)| Answered::new(table, leaf, subleaf.unwrap_or(Subleaf(0)))).collect()
}

impl Answered {
    fn new(table: &[CpuidEntry], leaf: Leaf, subleaf: Subleaf) -> Answered {
        let answer = kvm_answer(table, leaf, subleaf, Lookup::Guest);
        Answered { leaf, subleaf, answer, why: why(table, leaf, subleaf, &answer) }
    }

    /// As the guest takes it: decoded as the leaf that it asked for.
    fn decoded(&self) -> Option<DecodedEntry> {
        decode(&[CpuidEntry::new(self.leaf, self.answer.registers)]).into_iter().next()
    }

    /// The reason, then the answer as the guest takes it.
    pub(crate) fn styled(&self) -> Styled {
        let mut text = Styled::new();
        let Registers { eax, ebx, ecx, edx } = self.answer.registers;
        text.line(
            Style::Heading,
            format_args!("{:#010x}.{}: no entry; KVM answers {}", self.leaf.0, self.subleaf, self.why),
        );
        text.plain(format_args!("  EAX {eax:#010x}  EBX {ebx:#010x}  ECX {ecx:#010x}  EDX {edx:#010x}\n"));
        if let Some(decoded) = self.decoded().filter(|_| !self.answer.registers.is_zero()) {
            text.plain("  a guest that takes it for the leaf itself sees:\n").append(&decoded.styled());
        }
        text
    }

    /// `leaf`, `subleaf`, `reason` and the registers.
    pub(crate) fn to_json(&self) -> Value {
        let hex = |value: u32| format!("{value:#010x}");
        let Registers { eax, ebx, ecx, edx } = self.answer.registers;
        json!({
            "leaf": hex(self.leaf.0),
            "subleaf": self.subleaf.0,
            "reason": self.why,
            "eax": hex(eax),
            "ebx": hex(ebx),
            "ecx": hex(ecx),
            "edx": hex(edx),
        })
    }
}

/// Why, as the end of "KVM answers ...".
fn why(table: &[CpuidEntry], leaf: Leaf, subleaf: Subleaf, answer: &Answer) -> String {
    let vendor = table.vendor().map(|vendor| vendor.to_string()).unwrap_or_default();
    let highest = Leaf(if answer.leaf == leaf { basic(table) } else { answer.leaf.0 });
    let redirected = || {
        format!(
            "as for leaf {highest}, the highest basic one: the leaf is out of range, and the vendor is {vendor}"
        )
    };
    match answer.by {
        AnsweredBy::Entry(_) => "by an entry".to_owned(),
        AnsweredBy::HighestBasic(_) => redirected(),
        AnsweredBy::LevelOne(_) if answer.leaf != leaf => format!("{}; {}", redirected(), levels(subleaf)),
        AnsweredBy::LevelOne(_) => levels(subleaf),
        AnsweredBy::None if answer.leaf != leaf => {
            format!(
                "zeros: out of range, it is taken for leaf {highest}, the highest basic one, which has no such entry"
            )
        }
        AnsweredBy::None => format!("zeros, as {vendor}'s processors do for a leaf that they lack"),
    }
}

/// The highest basic leaf.
fn basic(table: &[CpuidEntry]) -> u32 {
    find_entry(table, Leaf::BASIC, Subleaf(0)).map_or(0, |entry| entry.registers.eax)
}

fn levels(subleaf: Subleaf) -> String {
    format!("as beyond the last level: ECX is the subleaf ({subleaf}), EDX the x2APIC id")
}
