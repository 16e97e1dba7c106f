//! Bits in lines that QEMU and libvirt print, with or without a log's prefix.
//!
//! QEMU writes a bit of a feature word as `CPUID.0DH:EAX.xsavec [bit 1]`, since 10.1 as
//! `CPUID[eax=0Dh,ecx=01h].EAX.xsavec [bit 1]`, and a bit of an MSR as `MSR(48DH).vmx-posted-intr [bit 7]`
//! (`feature_word_description` of target/i386/cpu.c). The form before 10.1 omits the subleaf: there the name decides which
//! bit is meant, and the location is used only if the name is not known.

use alloc::vec::Vec;

use super::Place;
use super::bare_name::bare_name;
use crate::bits::feature::Feature;
use crate::bits::location::{Bit, CpuidWord, Register, Subleaf};
use crate::bits::lookup::{LookupError, Named};
use crate::bits::msr_feature::MsrFeature;

/// A bit of a feature word in a line of QEMU output.
struct Mention<'t> {
    /// `pni|sse3` in old releases.
    name: Option<&'t str>,
    place: Place,
    /// False if the form omits the subleaf.
    has_subleaf: bool,
}

/// A bit that a line names.
#[cfg_attr(not(feature = "show"), expect(dead_code, reason = "`show` reads lines"))]
pub(crate) struct InLine {
    /// The bits that it may be.
    pub(crate) bits: Vec<Named>,
    /// Its location, if the line states one.
    pub(crate) place: Option<Place>,
}

/// The bits that a line names, in the line's order.
#[cfg_attr(not(feature = "show"), expect(dead_code, reason = "`show` reads lines"))]
pub(crate) fn bits_in(line: &str) -> Vec<InLine> {
    let mentions = mentions(line);
    if mentions.is_empty() {
        return listed(line).into_iter().map(|bits| InLine { bits, place: None }).collect();
    }
    mentions.iter().map(|found| InLine { bits: found.bits(), place: Some(found.place) }).collect()
}

/// The bit, if a line names a location in one of QEMU's feature words, and it is one bit.
pub(super) fn only_bit_in(line: &str) -> Result<Named, LookupError> {
    match mentions(line).as_slice() {
        [mention] => match mention.bits().as_slice() {
            [bit] => Ok(*bit),
            _ => Err(LookupError::Unknown),
        },
        _ => Err(LookupError::Unknown),
    }
}

/// Texts after which a line lists feature names.
static MARKERS: &[&str] = &[
    "features:",
    "feature:",
    "requested flag '",
    "name='",
    "name=\"",
    "cpu.",
    "property '.",
    "cpu feature flag:",
    "cpu feature ",
    "cpu feature: ",
    "cpu flags:",
    "not present on the cpu:",
    "hyperv '",
    "cpuid bits:",
    "cpu flag:",
    "following flags:",
    "features :",
    // VMware's names.
    "'cpuid.",
    "found: cpuid.",
    ".cpuid.",
];

/// Names after a marker of a line.
pub(crate) struct List<'t> {
    pub(crate) names: Vec<&'t str>,
    /// True for names separated by commas, each of which is a name; other words may belong to the message.
    pub(crate) has_commas: bool,
}

/// The maximum length of a feature's or property's name.
const LONGEST: usize = 64;

/// The bits by name alone: `missing features: hle,rtm`. Without commas, the words before the first unknown one.
fn listed(line: &str) -> Vec<Vec<Named>> {
    let known = |list: List<'_>| -> Vec<Vec<Named>> {
        let all = list.names.into_iter().map(all_named);
        if list.has_commas {
            all.filter(|bits| !bits.is_empty()).collect()
        } else {
            all.take_while(|bits| !bits.is_empty()).collect()
        }
    };
    lists_in(line).into_iter().flat_map(known).collect()
}

/// The words after each marker of a line, the first of which are names of features or properties.
pub(crate) fn lists_in(line: &str) -> Vec<List<'_>> {
    let folded = line.to_ascii_lowercase();
    let (mut all, mut from) = (Vec::new(), 0);
    for (at, _) in line.char_indices() {
        if at < from {
            continue;
        }
        let Some(marker) = MARKERS.iter().find(|marker| folded[at..].starts_with(**marker)) else { continue };
        let begin = at + marker.len();
        let (list, length) = list(&line[begin..]);
        from = begin + length;
        // QEMU's words for a bit are not a name: they may be cut off.
        let is_place = !list.has_commas && list.names.first().is_some_and(|name| is_place(name));
        all.extend((!list.names.is_empty() && !is_place).then_some(list));
    }
    all
}

/// The names at the start of a text, and their length: `hle, rtm and so on`, `'x2apic' [0x00200000]`, `pae cmov`.
fn list(text: &str) -> (List<'_>, usize) {
    const QUOTES: [char; 3] = [' ', '\'', '"'];
    let (mut names, mut rest, mut has_commas) = (Vec::new(), text, false);
    loop {
        let word = rest.trim_start_matches(QUOTES);
        // At most the length of a name: otherwise a long word would be searched once for each marker in it.
        let ends = |(_, c): &(usize, char)| [',', ' ', '\'', '"', '=', '\n'].contains(c);
        let mut within = word.char_indices().take(LONGEST + 1);
        let Some(end) = within.find(ends).map(|(at, _)| at).or((word.len() <= LONGEST).then_some(word.len()))
        else {
            break;
        };
        let name = word[..end].trim_end_matches(['.', ';']);
        if name.is_empty() {
            break;
        }
        names.push(name);
        rest = &word[end..];
        let after = rest.trim_start_matches(['\'', '"']);
        // Words with spaces between them, of which a comma ends one, are a sentence.
        if after.starts_with(',') && !has_commas && names.len() > 1 {
            break;
        }
        if let Some(more) = after.strip_prefix(',') {
            (rest, has_commas) = (more, true);
            continue;
        }
        // After a list with commas and after a closing quote, the message's own words follow.
        if has_commas || !after.starts_with(' ') || after.len() < rest.len() {
            break;
        }
    }
    (List { names, has_commas }, text.len() - rest.len())
}

fn mentions(line: &str) -> Vec<Mention<'_>> {
    const BIT: &str = "[bit ";
    let (mut all, mut from) = (Vec::new(), 0);
    while let Some(at) = line[from..].find(BIT).map(|found| from + found) {
        let end = line[at..].find(']').map_or(line.len(), |found| at + found + 1);
        let start = ["CPUID", "MSR("].into_iter().filter_map(|word| line[from..at].rfind(word)).max();
        all.extend(start.and_then(|start| mention(&line[from + start..end], at - from - start)));
        from = end;
    }
    all
}

/// `CPUID.0DH:EAX.xsavec [bit 1]`; the bit's bracket is at this byte.
fn mention(text: &str, bit: usize) -> Option<Mention<'_>> {
    let mut place = text.parse().ok()?;
    let head = text[..bit].trim_end();
    let after = match place {
        Place::MsrBit(_) => head.find(')').map(|at| at + 1),
        _ => Register::ALL.iter().filter_map(|register| after_register(head, *register)).min(),
    };
    let name = after.and_then(|at| head[at..].strip_prefix('.')).filter(|name| !name.is_empty());
    let has_subleaf = text.contains("ecx=") || text.contains("ECX=");
    if let Place::Bits(word, ..) = &mut place {
        // QEMU has one feature word of leaf 0xD's ECX: that of IA32_XSS.
        if !has_subleaf && (word.leaf.0, word.register) == (0xd, Register::Ecx) {
            word.subleaf = Subleaf(1);
        }
    }
    Some(Mention { name, place, has_subleaf })
}

pub(super) fn after_register(head: &str, register: Register) -> Option<usize> {
    let at = head.match_indices(register.name()).map(|(at, _)| at);
    let mut at = at.filter(|&at| head[..at].ends_with([':', '.']));
    at.next().map(|at| at + register.name().len())
}

impl Mention<'_> {
    /// The bits with this name, nearest to the location; if the name is not known, the bit at the location.
    fn bits(&self) -> Vec<Named> {
        let names = self.name.into_iter().flat_map(|name| name.split('|'));
        let mut named: Vec<Named> = names.flat_map(all_named).collect();
        named.dedup();
        if named.is_empty() {
            return self.at_place();
        }
        let here: Vec<Named> = named.iter().copied().filter(|bit| self.is_at(*bit)).collect();
        if here.is_empty() { named } else { here }
    }

    fn is_at(&self, named: Named) -> bool {
        match (named, self.place) {
            (Named::Feature(feature), Place::Bits(word, low, _)) => self.fits(feature, word, low),
            (Named::Msr(feature), Place::MsrBit(at)) => feature.location() == at,
            _ => false,
        }
    }

    fn fits(&self, feature: Feature, word: CpuidWord, bit: Bit) -> bool {
        let at = feature.location();
        let subleaf = !self.has_subleaf || at.word.subleaf == word.subleaf;
        (at.word.leaf, at.word.register, at.bit) == (word.leaf, word.register, bit) && subleaf
    }

    fn at_place(&self) -> Vec<Named> {
        match self.place {
            Place::Bits(word, low, _) => {
                if let Some(feature) = Feature::at(word.bit(low)) {
                    return alloc::vec![Named::Feature(feature)];
                }
                // In another subleaf: the bit that a different release gives this name.
                let other = |feature: &Feature| self.name.is_some() && self.fits(*feature, word, low);
                Feature::all().filter(other).map(Named::Feature).collect()
            }
            Place::MsrBit(at) => MsrFeature::at(at).map(Named::Msr).into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

/// True for QEMU's words for a bit, or their beginning: not a name.
pub(super) fn is_place(word: &str) -> bool {
    let after = word.strip_prefix("CPUID").or_else(|| word.strip_prefix("MSR"));
    after.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '(']))
}

/// Everything that a name refers to; a hardware bit is preferred to a software-defined one.
pub(super) fn all_named(name: &str) -> Vec<Named> {
    let all: Vec<Named> = match bare_name(name.trim()) {
        Ok(bit) => alloc::vec![bit],
        Err(LookupError::Ambiguous(all)) => all.iter().collect(),
        Err(LookupError::Unknown) => return Vec::new(),
    };
    let hardware = |bit: &Named| matches!(bit, Named::Feature(_) | Named::Msr(_));
    if all.iter().any(hardware) { all.into_iter().filter(hardware).collect() } else { all }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::{InLine, bits_in};
    use crate::bits::lookup::Named;

    fn places(line: &str) -> Vec<String> {
        let place = |bit: &Named| match bit {
            Named::Feature(bit) => bit.location().to_string(),
            Named::Msr(bit) => bit.location().to_string(),
            other => other.name().to_string(),
        };
        let places = |found: &InLine| found.bits.iter().map(place).collect::<Vec<_>>().join(" ");
        bits_in(line).iter().map(places).collect()
    }

    #[test]
    fn the_name_decides_where_the_form_has_no_subleaf() {
        if !crate::naming::pinned() {
            return;
        }
        for (line, place) in [
            ("CPUID.0DH:EAX.xsaves [bit 3]", "CPUID.(EAX=0xD,ECX=1):EAX[3]"),
            ("CPUID.07H:EAX.avx512-bf16 [bit 5]", "CPUID.(EAX=7,ECX=1):EAX[5]"),
            ("CPUID.07H:EDX.avx10 [bit 19]", "CPUID.(EAX=7,ECX=1):EDX[19]"),
            ("CPUID.07H:EDX.bhi-ctrl [bit 4]", "CPUID.(EAX=7,ECX=2):EDX[4]"),
            ("CPUID.01H:ECX.sse4.1|sse4_1 [bit 19]", "CPUID.(EAX=1,ECX=0):ECX[19]"),
            ("CPUID.40000001H:EAX.kvmclock [bit 3]", "CPUID.(EAX=0x40000001,ECX=0):EAX[3]"),
            ("CPUID.07H:EBX.no-such-name [bit 5]", "CPUID.(EAX=7,ECX=0):EBX[5]"),
            ("CPUID.07H:EBX [bit 5]", "CPUID.(EAX=7,ECX=0):EBX[5]"),
            ("CPUID[eax=07h,ecx=01h].EAX.no-such-name [bit 4]", "CPUID.(EAX=7,ECX=1):EAX[4]"),
            ("MSR(48BH).no-such-name [bit 1]", "MSR 0x48b[1]"),
        ] {
            assert_eq!(places(line), [place], "{line}");
        }
    }

    #[test]
    fn a_log_s_words_may_be_around_it() {
        if !crate::naming::pinned() {
            return;
        }
        let line = r#"{"component":"launcher","msg":"2024 qemu-kvm: warning: host doesn't support requested feature: MSR(490H).vmx-entry-load-perf-global-ctrl [bit 13]\nwarning: TCG doesn't support requested feature: CPUID.01H:ECX.pcid [bit 17]"}"#;
        assert_eq!(places(line), ["MSR 0x490[13]", "CPUID.(EAX=1,ECX=0):ECX[17]"]);
        let line = "the CPU is incompatible: Host CPU does not provide required features: hle, rtm and so on";
        assert_eq!(places(line), ["CPUID.(EAX=7,ECX=0):EBX[4]", "CPUID.(EAX=7,ECX=0):EBX[11]"]);
        let line = "warning: host cpuid 0000_0001 lacks requested flag 'x2apic' [0x00200000]";
        assert_eq!(places(line), ["CPUID.(EAX=1,ECX=0):ECX[21]"]);
        let line = "can't apply global host-x86_64-cpu.pcid=on: Property 'host-x86_64-cpu.pcid' not found";
        assert_eq!(places(line)[0], "CPUID.(EAX=1,ECX=0):ECX[17]");
        assert!(places("a line [bit of nothing] é [bit 5]").is_empty());
    }
}
