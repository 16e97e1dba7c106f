//! The word and bit of each property.
//!
//! There are two sources. With every property on, TCG warns about each property that it lacks, with its word and bit. For the
//! others, the words of a CPU (`feature-words` and `filtered-features`) show which bits are set: run K turns on the properties
//! whose number has bit K, so that the runs in which a bit is set give its property's number.

use serde_json::{Value, json};

use super::answer::{list, text};
use super::stated::NamedBit;
use super::{Answers, ProgramError, Qemu};
use crate::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf, WordSource};
use crate::ordered::{Map, Set};

/// The masks of XSAVE components, whose bits no property names: code sets them from other features.
const COMPONENTS: [CpuidWord; 4] = [
    CpuidWord { leaf: Leaf(0xd), subleaf: Subleaf(0), register: Register::Eax },
    CpuidWord { leaf: Leaf(0xd), subleaf: Subleaf(0), register: Register::Edx },
    CpuidWord { leaf: Leaf(0xd), subleaf: Subleaf(1), register: Register::Ecx },
    CpuidWord { leaf: Leaf(0xd), subleaf: Subleaf(1), register: Register::Edx },
];

/// The places of these properties. TCG clears KVM's own features before it can show them, so they have none.
pub(super) fn locate(qemu: &dyn Qemu, names: &[String]) -> Result<Vec<NamedBit>, ProgramError> {
    let all = run(qemu, names.iter())?;
    let warned = all.stderr.lines().filter_map(warned);
    let mut found: Set<NamedBit> = warned.filter(|bit| names.contains(&bit.name)).collect();
    let mut numbers: Map<(WordSource, u8), usize> = Map::new();
    // Numbers start at 1, so that each has a bit.
    for k in (0..usize::BITS).take_while(|k| (names.len() + 1) >> k != 0) {
        let chosen = names.iter().enumerate().filter(|(at, _)| (at + 1) >> k & 1 != 0).map(|(_, name)| name);
        for place in set_bits(&run(qemu, chosen)?)? {
            *numbers.or_default(place) |= 1 << k;
        }
    }
    for ((source, bit), number) in numbers {
        let name = number.checked_sub(1).and_then(|at| names.get(at));
        if let Some(name) = name {
            found.insert(NamedBit { name: name.clone(), source, bit: Bit(bit) });
        }
    }
    Ok(found.into_iter().collect())
}

/// A CPU with these properties, and no others.
fn run<'n>(qemu: &dyn Qemu, names: impl Iterator<Item = &'n String>) -> Result<Answers, ProgramError> {
    // Without a PMU, newer releases drop features that need one.
    let mut cpu = "base,pmu=on".to_owned();
    names.for_each(|name| cpu += &format!(",{name}=on"));
    let words = |property: &str| {
        json!({"execute": "qom-get",
            "arguments": {"path": "/machine/unattached/device[0]", "property": property}})
    };
    let commands = [words("feature-words"), words("filtered-features")];
    qemu.run(&["-machine", "pc", "-accel", "tcg", "-cpu", &cpu], &commands)
}

/// The bits of CPUID words that are set, or were and are filtered.
fn set_bits(answers: &Answers) -> Result<Set<(WordSource, u8)>, ProgramError> {
    let mut all = Set::new();
    for answer in &answers.returns {
        for word in list("qom-get", answer)? {
            let number =
                |name: &str| word.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
            let register = text(word, "cpuid-register").and_then(register);
            let (Some(leaf), Some(features), Some(register)) =
                (number("cpuid-input-eax"), number("features"), register)
            else {
                return Err(ProgramError::Answer {
                    command: "qom-get".to_owned(),
                    missing: "cpuid-input-eax",
                });
            };
            let subleaf = Subleaf(number("cpuid-input-ecx").unwrap_or(0));
            let word = CpuidWord { leaf: Leaf(leaf), subleaf, register };
            if COMPONENTS.contains(&word) {
                continue;
            }
            let source = WordSource::Cpuid(word);
            all.extend((0..32).filter(|bit| features >> bit & 1 != 0).map(|bit| (source, bit)));
        }
    }
    Ok(all)
}

fn register(name: &str) -> Option<Register> {
    Register::ALL.into_iter().find(|register| register.to_string().eq_ignore_ascii_case(name))
}

/// The place in a warning: `CPUID.07H:EBX.hle [bit 4]`, since 10.1 `CPUID[eax=07h,ecx=00h].EBX.hle [bit 4]`;
/// `MSR(48BH).vmx-ept [bit 1]`.
fn warned(line: &str) -> Option<NamedBit> {
    let (before, bit) = line.trim_end().strip_suffix(']')?.rsplit_once(" [bit ")?;
    let bit = Bit(bit.parse().ok()?);
    let place = before.rsplit_once(": ").map_or(before, |(_, place)| place);
    let hex = |digits: &str| u32::from_str_radix(digits.trim_end_matches(['h', 'H']), 16).ok();
    if let Some(rest) = place.strip_prefix("MSR(") {
        let (msr, name) = rest.split_once(").")?;
        return Some(NamedBit { name: name.to_owned(), source: WordSource::Msr(Msr(hex(msr)?)), bit });
    }
    let (leaf, subleaf, rest) = if let Some(rest) = place.strip_prefix("CPUID[eax=") {
        let (inputs, rest) = rest.split_once("].")?;
        let (leaf, subleaf) = inputs.split_once(",ecx=").unwrap_or((inputs, "0"));
        (hex(leaf)?, hex(subleaf)?, rest)
    } else {
        // The old form has no subleaf; the words give it.
        return None;
    };
    let (name, name_of_bit) = rest.split_once('.')?;
    let source = CpuidWord { leaf: Leaf(leaf), subleaf: Subleaf(subleaf), register: register(name)? };
    Some(NamedBit { name: name_of_bit.to_owned(), source: WordSource::Cpuid(source), bit })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::warned;
    use crate::location::{Bit, Msr, WordSource};

    #[test]
    fn warnings_state_places() {
        let bit = |line: &str| warned(line).map(|bit| (bit.source.to_string(), bit.bit.0, bit.name));
        assert_eq!(
            bit("x: warning: it lacks: CPUID[eax=07h,ecx=01h].EDX.zap [bit 3]"),
            Some(("CPUID.(EAX=7,ECX=1):EDX".to_owned(), 3, "zap".to_owned()))
        );
        assert_eq!(bit("x: it lacks: CPUID[eax=80000008h].EBX.zap [bit 9]").unwrap().1, 9);
        let msr = warned("x: warning: it lacks: MSR(48BH).zap-more [bit 22]").unwrap();
        assert_eq!(
            (msr.source, msr.bit, msr.name.as_str()),
            (WordSource::Msr(Msr(0x48b)), Bit(22), "zap-more")
        );
        for other in ["", "x: warning: something", "x: CPUID.07H:EBX.zap [bit 4]", "x: MSR(zz).zap [bit 1]"] {
            assert_eq!(warned(other), None, "{other}");
        }
    }
}
