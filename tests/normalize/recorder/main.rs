//! Runs the CPUID code of other VMMs on a recorded host: tests/normalize/record builds it, README.md explains it.
#![allow(dead_code, unused_imports, unused_unsafe, clippy::all, unused_mut)]
mod ch;
mod cv;
mod db;
mod fake;
#[path = "fc/mod.rs"]
pub mod fc;
mod lk;
mod shim;
mod shim_cv;
mod vmms;
pub mod cpu_config {
    pub mod x86_64 {
        pub use crate::fc as cpuid;
    }
}
mod arch {
    pub mod x86_64 {
        pub mod generated {
            #[allow(non_upper_case_globals)]
            pub mod msr_index {
                macro_rules! c { ($($n:ident),*) => { $(pub const $n: u32 = 0;)* } }
                c!(
                    MSR_IA32_BNDCFGS,
                    MSR_IA32_CR_PAT,
                    MSR_MTRRdefType,
                    MSR_MTRRfix4K_C0000,
                    MSR_MTRRfix4K_C8000,
                    MSR_MTRRfix4K_D0000,
                    MSR_MTRRfix4K_D8000,
                    MSR_MTRRfix4K_E0000,
                    MSR_MTRRfix4K_E8000,
                    MSR_MTRRfix4K_F0000,
                    MSR_MTRRfix4K_F8000,
                    MSR_MTRRfix16K_80000,
                    MSR_MTRRfix16K_A0000,
                    MSR_MTRRfix64K_00000
                );
            }
        }
    }
}
mod logger {
    macro_rules! warn_ {
        ($($t:tt)*) => {{}};
    }
    pub(crate) use warn_ as warn;
}
mod vmm_config {
    pub mod machine_config {
        pub const MAX_SUPPORTED_VCPUS: u8 = 32;
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VpmuFeatureLevel {
    Disabled,
    LimitedlyEnabled,
    FullyEnabled,
}
use fake::{Entry, HOST};
/// The options of a case, by name.
pub struct Options<'a>(std::collections::BTreeMap<&'a str, &'a str>);
impl Options<'_> {
    /// A number; the default if the case does not state it.
    pub fn number(&self, name: &str, default: u32) -> u32 {
        self.stated(name).unwrap_or(default)
    }
    /// A number that the case states.
    pub fn stated<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.0.get(name).map(|value| value.parse().ok().unwrap())
    }
    /// True for 1.
    pub fn is_set(&self, name: &str) -> bool {
        self.number(name, 0) == 1
    }
}
/// The entries of a host's file, with or without a vCPU before them.
fn read(path: &str) -> Vec<Entry> {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .filter(|l| !l.starts_with('#') && !l.trim().is_empty())
        .map(|l| {
            let mut w: Vec<&str> = l.split_whitespace().collect();
            if w.len() == 8 {
                w.remove(0);
            }
            let v: Vec<u32> = w.iter().map(|x| u32::from_str_radix(x, 16).unwrap()).collect();
            v.try_into().unwrap()
        })
        .collect()
}
/// The leaves whose index counts.
const INDEXED: [u32; 16] =
    [4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x1f, 0x23, 0x24, 0x8000_001d];
/// Reads cases, `VMM host option=number...`, and prints `case` with the case, then each vCPU's entries or why not.
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    for line in std::io::stdin().lines().map(|l| l.unwrap()) {
        if !line.trim().is_empty() && !line.starts_with('#') {
            record(&dir, &line);
        }
    }
}
fn record(dir: &str, line: &str) {
    let mut words = line.split_whitespace();
    let (vmm, host) = (words.next().unwrap(), words.next().unwrap());
    let options = Options(words.map(|word| word.split_once('=').unwrap()).collect());
    let mut supported = read(&format!("{dir}/{host}.supported"));
    let mut cpu = read(&format!("{dir}/{host}.host"));
    if options.is_set("fill") {
        fill(&mut supported);
    }
    if options.is_set("bare") {
        reduce(&mut supported, &mut cpu);
    }
    HOST.with(|h| *h.borrow_mut() = cpu);
    println!("case {line}");
    for index in 0..vmms::count(vmm, &options) {
        match std::panic::catch_unwind(|| vmms::run(vmm, &supported, &options, index)) {
            Ok(Ok(entries)) => {
                for [function, index_of, flags, eax, ebx, ecx, edx] in entries {
                    println!("{index} {function:x} {index_of:x} {flags:x} {eax:x} {ebx:x} {ecx:x} {edx:x}");
                }
            }
            Ok(Err(why)) => {
                println!("{index} refused {}", why.replace(|c: char| !c.is_ascii_graphic(), "_"));
                break;
            }
            Err(_) => {
                println!("{index} panicked");
                break;
            }
        }
    }
}
/// KVM lists every leaf up to the highest; dumps list only those that are not zero.
fn fill(supported: &mut Vec<Entry>) {
    for base in [0u32, 0x8000_0000] {
        let Some(max) = supported.iter().find(|e| e[0] == base).map(|e| e[3]) else { continue };
        for leaf in base..=max {
            if !supported.iter().any(|e| e[0] == leaf) {
                supported.push([leaf, 0, u32::from(INDEXED.contains(&leaf)), 0, 0, 0, 0]);
            }
        }
    }
    supported.sort_by_key(|e| e[0]);
}
/// An older KVM, which lists less, on a host with power management.
fn reduce(supported: &mut Vec<Entry>, cpu: &mut [Entry]) {
    supported.retain(|e| e[0] != 0x8000_001d && e[0] != 0x8000_001e);
    for e in supported {
        match e[0] {
            1 => {
                e[4] &= 0xff;
                e[5] &= !(1 << 31 | 1 << 24 | 1 << 21);
                e[6] &= !(1 << 12);
            }
            0x8000_0005 | 0x8000_0006 => e[3..].fill(0),
            _ => {}
        }
    }
    for e in cpu.iter_mut().filter(|e| e[0] == 6) {
        e[3] |= 0x4580;
        e[5] |= 8;
    }
}
