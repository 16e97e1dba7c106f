//! The runtime tables against every row of the pinned facts, parsed here only with `split`.
//!
//! An oracle is a parameter: [`check`] takes any facts text of a release in the tables.

use std::collections::HashMap;
use std::error::Error;

use cpuid_tables::{
    Bit, CpuidWord, Feature, Leaf, LinuxRelease, Location, LookupError, MsrFeature, Named, QemuRelease,
    Register, Subleaf, Word, lookup,
};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

fn number(text: &str) -> Result<u32, Box<dyn Error>> {
    Ok(match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16)?,
        None => text.parse()?,
    })
}

fn small(text: &str) -> Result<u8, Box<dyn Error>> {
    Ok(text.parse()?)
}

fn register([leaf, subleaf, register]: [&str; 3]) -> Result<CpuidWord, Box<dyn Error>> {
    let named = Register::ALL.into_iter().find(|known| known.name() == register).ok_or("no register")?;
    let subleaf = if subleaf == "-" { 0 } else { number(subleaf)? };
    Ok(CpuidWord::new(Leaf(number(leaf)?), Subleaf(subleaf), named))
}

fn known(location: Location) -> Result<Feature, Box<dyn Error>> {
    Feature::at(location).ok_or_else(|| format!("{location} is not a feature").into())
}

fn shown(flag: &str) -> Option<&str> {
    (flag != "-").then_some(flag)
}

fn includes(found: Result<Named, LookupError>, test: impl Fn(Named) -> bool) -> bool {
    match found {
        Ok(bit) => test(bit),
        Err(LookupError::Ambiguous(all)) => all.iter().any(test),
        Err(_) => false,
    }
}

/// Checks each row of a facts text, and returns the number of rows checked.
fn check(text: &str) -> Result<usize, Box<dyn Error>> {
    let rows = || text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect());
    let first: Vec<&str> = rows().next().ok_or("empty")?;
    let mut words: HashMap<&str, Option<CpuidWord>> = HashMap::new();
    let mut checked = 0;
    for row in rows() {
        let row: Vec<&str> = row;
        let done = match first.as_slice() {
            ["linux-release", name] => {
                linux_row(LinuxRelease::find(name).ok_or("unknown release")?, &row, &mut words)
            }
            ["qemu-release", name] => {
                qemu_row(QemuRelease::find(name).ok_or("unknown release")?, &row, &mut words)
            }
            _ => Err("no release".into()),
        };
        checked += usize::from(done.map_err(|error| format!("{row:?}: {error}"))?);
    }
    Ok(checked)
}

fn linux_row<'a>(
    release: LinuxRelease,
    row: &[&'a str],
    words: &mut HashMap<&'a str, Option<CpuidWord>>,
) -> Result<bool, Box<dyn Error>> {
    match *row {
        ["linux-word", name, word, "-", "-", "-"] => {
            words.insert(name, None);
            assert_eq!(release.word_name(Word(word.parse()?)), Some(name));
        }
        ["linux-word", name, word, leaf, subleaf, reg] => {
            words.insert(name, Some(register([leaf, subleaf, reg])?));
            assert_eq!(release.word_name(Word(word.parse()?)), Some(name));
        }
        ["linux-feature", name, word, bit, flag] => {
            let (word, bit) = (Word(word.parse()?), Bit(small(bit)?));
            assert_eq!(release.flag_at(word, bit), shown(flag));
            let found = release.feature_at(word, bit);
            assert!(includes(found, |bit| match bit {
                Named::Feature(bit) => bit.linux_macro(release) == Some(name),
                Named::Software(bit) => bit.linux_macro() == name,
                _ => false,
            }));
            assert!(shown(flag).is_none_or(|flag| release.flag(flag) == found));
            assert!(includes(lookup(name), |bit| includes(found, |found| found == bit)));
        }
        ["linux-bug", _, word, bit, flag] => {
            assert_eq!(release.bug_flag_at(Word(word.parse()?), Bit(small(bit)?)), shown(flag));
        }
        ["linux-vmx", _, word, bit, flag] => {
            assert_eq!(release.vmx_flag_at(Word(word.parse()?), Bit(small(bit)?)), shown(flag));
        }
        ["linux-scattered", name, leaf, subleaf, reg, bit] => {
            let bit = known(register([leaf, subleaf, reg])?.bit(Bit(small(bit)?)))?;
            assert_eq!(bit.linux_macro(release), Some(name));
        }
        ["kvm-feature" | "kvm-translate", name, leaf, bit] => {
            let word = words.get(leaf).copied().flatten().ok_or("no such word")?;
            let bit = known(word.bit(Bit(small(bit)?)))?;
            assert_eq!(bit.linux_macro(release), Some(name));
            assert_eq!(bit.kvm_word(release).map(|word| word.leaf), Some(leaf));
        }
        ["kvm-cap", _, kind, name] => return kvm_cap(release, kind, name),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Checks only that a row of KVM names a known feature; kvm.rs checks the treatment.
fn kvm_cap(release: LinuxRelease, kind: &str, name: &str) -> Result<bool, Box<dyn Error>> {
    if name.starts_with("BIT(") {
        return Ok(false);
    }
    let mut named = Feature::all().filter(|bit| bit.linux_macro(release) == Some(name)).peekable();
    assert!(named.peek().is_some(), "not recorded");
    let not_advertised = matches!(kind, "VENDOR_F" | "RUNTIME_F" | "clear");
    assert!(not_advertised || named.any(|bit| bit.kvm(release).may_be_advertised()));
    Ok(true)
}

fn qemu_row<'a>(
    release: QemuRelease,
    row: &[&'a str],
    words: &mut HashMap<&'a str, Option<CpuidWord>>,
) -> Result<bool, Box<dyn Error>> {
    match *row {
        ["qemu-word", name, _, "cpuid", leaf, subleaf, reg] => {
            words.insert(name, Some(register([leaf, subleaf, reg])?));
        }
        // A bit's location among MSRs is looked up by its name below.
        ["qemu-word", name, _, "msr", _] => {
            words.insert(name, None);
        }
        ["qemu-bit", word_name, bit, name] => match words.get(word_name).ok_or("no such word")? {
            Some(register) => {
                let feature = known(register.bit(Bit(small(bit)?)))?;
                assert_eq!(feature.qemu_name(release), Some(name));
                assert_eq!(feature.qemu_word(release).map(|word| word.name), Some(word_name));
                assert!(includes(lookup(name), |found| found == Named::Feature(feature)));
            }
            None => {
                // QEMU has one name for bits 25 and 41 of MSR 0x48c.
                let bit = Bit(small(bit)?);
                assert!(includes(lookup(name), |found| match found {
                    Named::Msr(found) => {
                        found.bit() == bit
                            && MsrFeature::at(found.msr().bit(bit)) == Some(found)
                            && found.qemu_name(release) == Some(name)
                            && found.qemu_word(release).map(|word| word.name) == Some(word_name)
                    }
                    _ => false,
                }));
            }
        },
        _ => return Ok(false),
    }
    Ok(true)
}

#[test]
fn every_row_of_the_pinned_facts_is_in_the_tables() -> TestResult {
    if !common::pinned("every_row_of_the_pinned_facts_is_in_the_tables") {
        return Ok(());
    }
    for (name, text) in cpuid_gen::pinned() {
        let checked = check(text)?;
        let at_least = if name.starts_with("linux-") { 700 } else { 350 };
        assert!(checked >= at_least, "{name}: only {checked} rows checked");
    }
    Ok(())
}
