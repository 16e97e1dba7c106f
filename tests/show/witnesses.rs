//! `find` knows every name that the witnesses have for a bit.

use std::collections::BTreeSet;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::records::BitPlace;
use cpuid_gen::input;
use cpuid_gen::source::Sources;
use cpuid_tables::Named;
use cpuid_tables::show::{Found, find};

use crate::common;

/// Names that `find` has at another bit only, each with the reason.
const ELSEWHERE: [(&str, &str, &str); 18] = [
    ("NODE_ID", "FreeBSD", "a field of leaf 0x8000001E in cpuid.csv"),
    ("TM", "FreeBSD", "thermal monitor in leaf 1"),
    ("STIBP", "FreeBSD", "Intel's bit"),
    ("SSBD", "FreeBSD", "Intel's bit"),
    ("SSB_NO", "FreeBSD", "the bit of IA32_ARCH_CAPABILITIES"),
    ("IBPB", "FreeBSD", "AMD's bit"),
    ("HDC", "FreeBSD", "the bit of IA32_XSS"),
    ("VID", "FreeBSD", "Linux's VMX flag, virtual interrupt delivery"),
    ("LZCNT", "GCC", "GCC's mistake"),
    ("CLZERO", "GCC", "GCC's mistake"),
    ("WBNOINVD", "GCC", "GCC's mistake"),
    ("AMX_COMPLEX", "GCC", "GCC's mistake"),
    ("PREFETCHI", "GCC", "AMD's bit in Linux and QEMU"),
    ("PREFETCHI", "LLVM", "AMD's bit in Linux and QEMU"),
    ("PREFETCHI", "Xen", "AMD's bit in Linux and QEMU"),
    ("PKU", "LLVM", "LLVM's mistake"),
    ("PTWRITE", "LLVM", "LLVM's mistake"),
    ("SSB_NO", "Xen", "the bit of IA32_ARCH_CAPABILITIES"),
];

/// The bits that a text means, in the notation of facts.
fn places(name: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for found in find(name) {
        match found {
            Found::Bit(about) => match about.named {
                Named::Feature(feature) => all.extend([feature.location().to_string()]),
                Named::Msr(feature) => all.extend([feature.location().to_string()]),
                _ => {}
            },
            Found::Field(field) => {
                let place = field.place();
                for subleaf in place.first.0..=place.last.0.min(place.first.0 + 64) {
                    all.insert(format!(
                        "CPUID.(EAX={},ECX={subleaf}):{}[{}]",
                        place.leaf, place.register, place.low.0
                    ));
                }
            }
            Found::MsrBit(bit, _) => all.extend([bit.to_string()]),
            Found::Register(..) | Found::Leaf(..) | _ => {}
        }
    }
    all
}

#[test]
fn find_knows_every_name_of_the_witnesses() {
    if !common::pinned("find_knows_every_name_of_the_witnesses") {
        return;
    }
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let mut missing = Vec::new();
    for facts in input::pinned_witnesses(&mut sources, &mut diagnostics) {
        for bit in &facts.bits {
            let (project, place) = (facts.project.name(), bit.place.to_string());
            let known = places(&bit.name);
            if !known.contains(&place) {
                let kind = if let BitPlace::Msr(_) = bit.place { "msr" } else { "cpuid" };
                missing.push(format!("{kind}\t{}\t{project}\t{place}\t{known:?}", bit.name));
            }
        }
    }
    let judged = |row: &String| {
        ELSEWHERE.iter().any(|(name, project, _)| row.contains(&format!("\t{name}\t{project}\t")))
    };
    let judgements = missing.iter().filter(|row| judged(row)).count();
    missing.retain(|row| !judged(row));
    assert!(missing.is_empty(), "{}\n{}", missing.len(), missing.join("\n"));
    assert_eq!(judgements, ELSEWHERE.len(), "a judgement is not needed");
}
