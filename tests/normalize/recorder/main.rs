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
use fake::{E, HOST};
use kvm_bindings::{CpuId, kvm_cpuid_entry2};
fn read(path: &str) -> Vec<E> {
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
fn kvm(e: &[E]) -> CpuId {
    CpuId::from_entries(
        &e.iter()
            .map(|e| kvm_cpuid_entry2 {
                function: e[0],
                index: e[1],
                flags: e[2],
                eax: e[3],
                ebx: e[4],
                ecx: e[5],
                edx: e[6],
                padding: [0; 3],
            })
            .collect::<Vec<_>>(),
    )
    .unwrap()
}
fn back(c: &CpuId) -> Vec<E> {
    c.as_slice().iter().map(|e| [e.function, e.index, e.flags, e.eax, e.ebx, e.ecx, e.edx]).collect()
}
type Opt = std::collections::BTreeMap<String, String>;
fn n(o: &Opt, k: &str, d: u32) -> u32 {
    o.get(k).map_or(d, |v| v.parse().unwrap())
}
fn run(vmm: &str, sup: &[E], o: &Opt, index: u32) -> Result<Vec<E>, String> {
    let vcpus = n(o, "vcpus", 1);
    match vmm {
        "firecracker" => {
            let mut c = fc::Cpuid::try_from(kvm(sup)).map_err(|e| format!("{e:?}"))?;
            let smt = n(o, "smt", 0) == 1;
            c.normalize(index as u8, vcpus as u8, u8::from(vcpus > 1 && smt))
                .map_err(|e| format!("{e:?}"))?;
            Ok(back(&CpuId::try_from(c).map_err(|e| format!("{e:?}"))?))
        }
        "libkrun" => {
            let mut c = kvm(sup);
            let s = lk::VmSpec::new(index as u8, vcpus as u8, n(o, "smt", 0) == 1, n(o, "nested", 0) == 1)
                .map_err(|e| format!("{e:?}"))?;
            lk::filter_cpuid(&mut c, &s).map_err(|e| format!("{e:?}"))?;
            Ok(back(&c))
        }
        "dragonball" => {
            let mut c = kvm(sup);
            let l = [
                VpmuFeatureLevel::Disabled,
                VpmuFeatureLevel::LimitedlyEnabled,
                VpmuFeatureLevel::FullyEnabled,
            ][n(o, "vpmu", 0) as usize];
            let s = db::VmSpec::new(
                index as u8,
                vcpus as u8,
                n(o, "threads", 1) as u8,
                n(o, "cores", 1) as u8,
                n(o, "dies", 1) as u8,
                l,
            )
            .map_err(|e| format!("{e:?}"))?;
            db::process_cpuid(&mut c, &s).map_err(|e| format!("{e:?}"))?;
            Ok(back(&c))
        }
        "crosvm" => {
            let mut c = shim_cv::CpuId {
                cpu_id_entries: sup
                    .iter()
                    .map(|e| shim_cv::CpuIdEntry {
                        function: e[0],
                        index: e[1],
                        flags: e[2],
                        cpuid: std::arch::x86_64::CpuidResult { eax: e[3], ebx: e[4], ecx: e[5], edx: e[6] },
                    })
                    .collect(),
            };
            let ctx = cv::CpuIdContext {
                vcpu_id: index as usize,
                vcpu_count: vcpus as usize,
                x2apic: true,
                tsc_deadline_timer: n(o, "tsc-deadline", 1) == 1,
                apic_frequency: 1_000_000_000,
                tsc_frequency: o.get("tsc-hz").map(|v| v.parse().unwrap()),
                cpu_config: shim_cv::CpuConfigX86_64 {
                    host_cpu_topology: false,
                    enable_hwp: n(o, "hwp", 0) == 1,
                    no_smt: n(o, "no-smt", 0) == 1,
                    itmt: n(o, "itmt", 0) == 1,
                    hybrid_type: None,
                    nested: if n(o, "nested", 0) == 1 {
                        shim_cv::NestedMode::Auto
                    } else {
                        shim_cv::NestedMode::Off
                    },
                },
                cpuid_count: fake::__cpuid_count,
                cpuid: fake::__cpuid,
            };
            cv::filter_cpuid(&mut c, &ctx);
            Ok(c.cpu_id_entries
                .iter()
                .map(|e| [e.function, e.index, e.flags, e.cpuid.eax, e.cpuid.ebx, e.cpuid.ecx, e.cpuid.edx])
                .collect())
        }
        "cloud-hypervisor" => {
            use shim::*;
            let r = fake::__cpuid(0);
            let vendor = match (r.ebx, r.edx, r.ecx) {
                (0x756e6547, ..) => CpuVendor::Intel,
                (0x68747541, 0x69746e65, 0x444d4163) => CpuVendor::AMD,
                _ => CpuVendor::Unknown,
            };
            struct H(Vec<CpuIdEntry>, CpuVendor);
            impl Hypervisor for H {
                fn get_supported_cpuid(&self) -> std::result::Result<Vec<CpuIdEntry>, ()> {
                    Ok(self.0.clone())
                }
                fn get_cpu_vendor(&self) -> CpuVendor {
                    self.1
                }
            }
            struct V(Option<u32>, std::cell::RefCell<Vec<CpuIdEntry>>);
            impl Vcpu for V {
                fn tsc_khz(&self) -> std::result::Result<Option<u32>, ()> {
                    Ok(self.0)
                }
                fn set_cpuid2(&self, c: &[CpuIdEntry]) -> std::result::Result<(), ()> {
                    *self.1.borrow_mut() = c.to_vec();
                    Ok(())
                }
            }
            let h = H(
                sup.iter()
                    .map(|e| CpuIdEntry {
                        function: e[0],
                        index: e[1],
                        flags: e[2],
                        eax: e[3],
                        ebx: e[4],
                        ecx: e[5],
                        edx: e[6],
                    })
                    .collect(),
                vendor,
            );
            let hv = n(o, "hyperv", 0) == 1;
            let c = ch::generate_common_cpuid(
                &h,
                &CpuidConfig {
                    phys_bits: n(o, "phys-bits", 46) as u8,
                    kvm_hyperv: hv,
                    amx: n(o, "amx", 0) == 1,
                    profile: CpuProfile::Host,
                },
            )
            .map_err(|e| format!("{e:?}"))?;
            let v = V(o.get("tsc-khz").map(|v| v.parse().unwrap()), Default::default());
            let t = |k| n(o, k, 1) as u16;
            ch::configure_vcpu(
                &v,
                index,
                c,
                hv,
                vendor,
                (t("threads"), t("cores"), t("dies"), t("packages")),
                n(o, "nested", 0) == 1,
            )
            .map_err(|e| format!("{e:?}"))?;
            let c = v.1.into_inner();
            Ok(c.iter().map(|e| [e.function, e.index, e.flags, e.eax, e.ebx, e.ecx, e.edx]).collect())
        }
        _ => panic!("{vmm}"),
    }
}
/// Reads cases, `VMM host option=number...`, and prints `case` with the case, then each vCPU's entries or why not.
const INDEXED: [u32; 16] =
    [4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x1f, 0x23, 0x24, 0x8000_001d];
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    for line in
        std::io::stdin().lines().map(|l| l.unwrap()).filter(|l| !l.trim().is_empty() && !l.starts_with('#'))
    {
        let mut w = line.split_whitespace();
        let (vmm, host) = (w.next().unwrap().to_owned(), w.next().unwrap());
        let o: Opt = w
            .map(|p| {
                let (a, b) = p.split_once('=').unwrap();
                (a.into(), b.into())
            })
            .collect();
        let mut sup = read(&format!("{dir}/{host}.supported"));
        // KVM lists every leaf up to the highest, dumps only those that are not zero.
        if n(&o, "fill", 0) == 1 {
            for base in [0u32, 0x8000_0000] {
                let Some(max) = sup.iter().find(|e| e[0] == base).map(|e| e[3]) else { continue };
                for leaf in base..=max {
                    if !sup.iter().any(|e| e[0] == leaf) {
                        sup.push([leaf, 0, u32::from(INDEXED.contains(&leaf)), 0, 0, 0, 0]);
                    }
                }
            }
            sup.sort_by_key(|e| e[0]);
        }
        let mut cpu = read(&format!("{dir}/{host}.host"));
        // An older KVM, which lists less, on a host with power management.
        if n(&o, "bare", 0) == 1 {
            sup.retain(|e| e[0] != 0x8000_001d && e[0] != 0x8000_001e);
            for e in &mut sup {
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
        HOST.with(|h| *h.borrow_mut() = cpu);
        let count = if vmm == "cloud-hypervisor" {
            ["threads", "cores", "dies", "packages"].iter().map(|k| n(&o, k, 1)).product()
        } else {
            n(&o, "vcpus", 1)
        };
        println!("case {line}");
        for index in 0..count {
            match std::panic::catch_unwind(|| run(&vmm, &sup, &o, index)) {
                Ok(Ok(e)) => {
                    for x in e {
                        println!(
                            "{index} {:x} {:x} {:x} {:x} {:x} {:x} {:x}",
                            x[0], x[1], x[2], x[3], x[4], x[5], x[6]
                        );
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
}
