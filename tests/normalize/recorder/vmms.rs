//! Each VMM's code, called as the VMM calls it.

use crate::fake::{self, Entry};
use crate::shim::{CpuIdEntry, CpuProfile, CpuVendor, CpuidConfig, Hypervisor, Vcpu};
use crate::{Options, VpmuFeatureLevel, ch, cv, db, fc, lk, shim_cv};
use kvm_bindings::{CpuId, kvm_cpuid_entry2};

type Made = Result<Vec<Entry>, String>;

/// The number of vCPUs of a case.
pub fn count(vmm: &str, options: &Options) -> u32 {
    match vmm {
        "cloud-hypervisor" => {
            ["threads", "cores", "dies", "packages"].iter().map(|level| options.number(level, 1)).product()
        }
        _ => options.number("vcpus", 1),
    }
}

/// The table of one vCPU, or why the VMM refuses.
pub fn run(vmm: &str, supported: &[Entry], options: &Options, index: u32) -> Made {
    match vmm {
        "firecracker" => firecracker(supported, options, index),
        "libkrun" => libkrun(supported, options, index),
        "dragonball" => dragonball(supported, options, index),
        "crosvm" => crosvm(supported, options, index),
        "cloud-hypervisor" => cloud_hypervisor(supported, options, index),
        _ => panic!("{vmm}"),
    }
}

fn to_kvm(entries: &[Entry]) -> CpuId {
    let entry = |&[function, index, flags, eax, ebx, ecx, edx]: &Entry| kvm_cpuid_entry2 {
        function,
        index,
        flags,
        eax,
        ebx,
        ecx,
        edx,
        padding: [0; 3],
    };
    CpuId::from_entries(&entries.iter().map(entry).collect::<Vec<_>>()).unwrap()
}

fn from_kvm(entries: &CpuId) -> Vec<Entry> {
    entries.as_slice().iter().map(|e| [e.function, e.index, e.flags, e.eax, e.ebx, e.ecx, e.edx]).collect()
}

fn refusal(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn firecracker(supported: &[Entry], options: &Options, index: u32) -> Made {
    let vcpus = options.number("vcpus", 1);
    let mut cpuid = fc::Cpuid::try_from(to_kvm(supported)).map_err(refusal)?;
    let threads = u8::from(vcpus > 1 && options.is_set("smt"));
    cpuid.normalize(index as u8, vcpus as u8, threads).map_err(refusal)?;
    Ok(from_kvm(&CpuId::try_from(cpuid).map_err(refusal)?))
}

fn libkrun(supported: &[Entry], options: &Options, index: u32) -> Made {
    let vcpus = options.number("vcpus", 1) as u8;
    let (smt, nested) = (options.is_set("smt"), options.is_set("nested"));
    let spec = lk::VmSpec::new(index as u8, vcpus, smt, nested).map_err(refusal)?;
    let mut cpuid = to_kvm(supported);
    lk::filter_cpuid(&mut cpuid, &spec).map_err(refusal)?;
    Ok(from_kvm(&cpuid))
}

fn dragonball(supported: &[Entry], options: &Options, index: u32) -> Made {
    let levels =
        [VpmuFeatureLevel::Disabled, VpmuFeatureLevel::LimitedlyEnabled, VpmuFeatureLevel::FullyEnabled];
    let number = |name| options.number(name, 1) as u8;
    let vpmu = levels[options.number("vpmu", 0) as usize];
    let [vcpus, threads, cores, dies] = ["vcpus", "threads", "cores", "dies"].map(number);
    let spec = db::VmSpec::new(index as u8, vcpus, threads, cores, dies, vpmu).map_err(refusal)?;
    let mut cpuid = to_kvm(supported);
    db::process_cpuid(&mut cpuid, &spec).map_err(refusal)?;
    Ok(from_kvm(&cpuid))
}

fn crosvm(supported: &[Entry], options: &Options, index: u32) -> Made {
    let nested = if options.is_set("nested") { shim_cv::NestedMode::Auto } else { shim_cv::NestedMode::Off };
    let context = cv::CpuIdContext {
        vcpu_id: index as usize,
        vcpu_count: options.number("vcpus", 1) as usize,
        x2apic: true,
        tsc_deadline_timer: options.number("tsc-deadline", 1) == 1,
        apic_frequency: 1_000_000_000,
        tsc_frequency: options.stated("tsc-hz"),
        cpu_config: shim_cv::CpuConfigX86_64 {
            host_cpu_topology: false,
            enable_hwp: options.is_set("hwp"),
            no_smt: options.is_set("no-smt"),
            itmt: options.is_set("itmt"),
            hybrid_type: None,
            nested,
        },
        cpuid_count: fake::__cpuid_count,
        cpuid: fake::__cpuid,
    };
    let mut cpuid =
        shim_cv::CpuId { cpu_id_entries: supported.iter().map(|entry| (*entry).into()).collect() };
    cv::filter_cpuid(&mut cpuid, &context);
    Ok(cpuid.cpu_id_entries.into_iter().map(Entry::from).collect())
}

/// KVM on the recorded host.
struct System(Vec<CpuIdEntry>, CpuVendor);
impl Hypervisor for System {
    fn get_supported_cpuid(&self) -> Result<Vec<CpuIdEntry>, ()> {
        Ok(self.0.clone())
    }
    fn get_cpu_vendor(&self) -> CpuVendor {
        self.1
    }
}

/// A vCPU with its frequency, which keeps the table that it is given.
struct Kept(Option<u32>, std::cell::RefCell<Vec<CpuIdEntry>>);
impl Vcpu for Kept {
    fn tsc_khz(&self) -> Result<Option<u32>, ()> {
        Ok(self.0)
    }
    fn set_cpuid2(&self, table: &[CpuIdEntry]) -> Result<(), ()> {
        *self.1.borrow_mut() = table.to_vec();
        Ok(())
    }
}

fn vendor() -> CpuVendor {
    let leaf = fake::__cpuid(0);
    match (leaf.ebx, leaf.edx, leaf.ecx) {
        (0x756e6547, ..) => CpuVendor::Intel,
        (0x68747541, 0x69746e65, 0x444d4163) => CpuVendor::AMD,
        _ => CpuVendor::Unknown,
    }
}

fn cloud_hypervisor(supported: &[Entry], options: &Options, index: u32) -> Made {
    let system = System(supported.iter().map(|entry| (*entry).into()).collect(), vendor());
    let kvm_hyperv = options.is_set("hyperv");
    let config = CpuidConfig {
        phys_bits: options.number("phys-bits", 46) as u8,
        kvm_hyperv,
        amx: options.is_set("amx"),
        profile: CpuProfile::Host,
    };
    let common = ch::generate_common_cpuid(&system, &config).map_err(refusal)?;
    let vcpu = Kept(options.stated("tsc-khz"), Default::default());
    let level = |name| options.number(name, 1) as u16;
    let topology = (level("threads"), level("cores"), level("dies"), level("packages"));
    let nested = options.is_set("nested");
    ch::configure_vcpu(&vcpu, index, common, kvm_hyperv, vendor(), topology, nested).map_err(refusal)?;
    Ok(vcpu.1.into_inner().into_iter().map(Entry::from).collect())
}
