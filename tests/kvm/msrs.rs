//! MSRs of vCPUs: set, read back, and refused; on a fake and a real vCPU.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::os::fd::OwnedFd;

use cpuid_tables::guest::GuestCpuid;
use cpuid_tables::host::Host;
use cpuid_tables::kvm::{Device, Errno, KvmError, KvmSystem, MsrError, MsrVcpu, RawVcpu, Vcpus, set_msrs};
use cpuid_tables::{Msr, MsrValue};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

/// A vCPU whose KVM has some MSRs, and allows some bits of each.
struct Fake {
    stored: RefCell<BTreeMap<Msr, u64>>,
    /// Bits that KVM keeps at 0 silently, and bits that it refuses.
    dropped: u64,
    refused: u64,
    /// An MSR that can be set and not read.
    hidden: Msr,
}

impl MsrVcpu for Fake {
    fn set_msrs(&self, msrs: &[MsrValue]) -> Result<usize, Errno> {
        let mut stored = self.stored.borrow_mut();
        for (at, given) in msrs.iter().enumerate() {
            match stored.get_mut(&given.msr) {
                Some(value) if given.value & self.refused == 0 => *value = given.value & !self.dropped,
                _ => return Ok(at),
            }
        }
        Ok(msrs.len())
    }

    fn get_msrs(&self, msrs: &[Msr]) -> Result<Vec<u64>, Errno> {
        let stored = self.stored.borrow();
        Ok(msrs.iter().map_while(|msr| stored.get(msr).filter(|_| *msr != self.hidden)).copied().collect())
    }
}

fn fake(dropped: u64, refused: u64) -> Fake {
    let msrs = [0x10, 0x3a, 0x48, 0x10a, 0x485].map(|msr| (Msr(msr), 0));
    Fake { stored: RefCell::new(msrs.into()), dropped, refused, hidden: Msr(0x48) }
}

fn msr(msr: u32, value: u64) -> MsrValue {
    MsrValue { msr: Msr(msr), value }
}

#[test]
fn differences_are_named_by_msr_and_bit() {
    let given = [msr(0x10, 5), msr(0x3a, 1), msr(0x48, 2), msr(0x10a, 0x2b), msr(0x485, 7), msr(0x3a, 4)];
    let changes = set_msrs(&fake(1, 1 << 63), &given).expect("KVM accepts them");
    let text: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "MSR 0x10: 0x4, given 0x5 (expected: the time stamp counter runs)",
            "MSR 0x48: KVM does not return it, given 0x2",
            "MSR 0x10a: 0x2a, given 0x2b (bit 0, RDCTL_NO)",
            "MSR 0x485: 0x6, given 0x7",
        ]
    );
    assert_eq!(changes.iter().filter(|change| change.expected.is_none()).count(), 3);
    let named = changes[2].bits().map(|(bit, feature)| (bit.0, feature.is_some())).collect::<Vec<_>>();
    assert_eq!(named, [(0, true)]);
}

#[test]
fn a_refused_msr_is_named() {
    let refused = set_msrs(&fake(0, 1 << 6), &[msr(0x3a, 1), msr(0x10a, 0x40), msr(0x485, 1)]);
    let given = msr(0x10a, 0x40);
    assert_eq!(refused, Err(MsrError::Refused { given, current: Some(0) }));
    let text = refused.expect_err("it is refused").to_string();
    assert!(text.starts_with("KVM refuses the value: MSR 0x10a: 0x0, given 0x40 (bit 6,"), "{text}");
    let unknown = set_msrs(&fake(0, 0), &[msr(0x999, 1)]).expect_err("no such MSR").to_string();
    assert!(unknown.starts_with("KVM does not have MSR 0x999 for this vCPU (given 0x1)"), "{unknown}");
}

#[test]
fn guests_msrs_are_accepted_by_this_machine_s_kvm() -> TestResult {
    if !common::recent("guests_msrs_are_accepted_by_this_machine_s_kvm") {
        return Ok(());
    }
    let name = "guests_msrs_are_accepted_by_this_machine_s_kvm";
    let Ok(device) = Device::open() else {
        common::skipped(name, common::NO_KVM);
        return Ok(());
    };
    let guest = GuestCpuid::builder().model("qemu64").host(Host::this_machine()?).build()?;
    let msrs: Vec<MsrValue> = guest.msrs().collect();
    assert!(msrs.len() > 50, "{msrs:?}");
    let vm = device.kvm().create_vm()?;
    let vcpu = vm.create_vcpu(0)?;
    let mut vcpus = Vcpus::from_base(guest.base())?;
    match vcpus.set_with_msrs(&vcpu, 0, &msrs) {
        Ok((_, changes)) => {
            let other: Vec<String> =
                changes.iter().filter(|change| change.expected.is_none()).map(ToString::to_string).collect();
            common::say(&format!("{} MSRs set, {} differ: {other:?}", msrs.len(), other.len()));
        }
        Err(error) => common::refused(name, &error.to_string()),
    }
    Ok(())
}

#[test]
fn devices_and_vcpus_of_any_owner_are_used() -> TestResult {
    let Ok(kvm) = File::options().read(true).write(true).open("/dev/kvm") else {
        common::skipped("devices_and_vcpus_of_any_owner_are_used", common::NO_KVM);
        return Ok(());
    };
    let (opened, duplicate) = (Device::open()?, Device::from_duplicate(&kvm)?);
    let owned = Device::from_fd(OwnedFd::from(kvm))?;
    let taken = Device::from(kvm_ioctls::Kvm::new()?);
    let supported = opened.supported_cpuid()?;
    for device in [&duplicate, &owned, &taken] {
        assert_eq!(device.supported_cpuid()?, supported);
        assert_eq!(device.saved_msrs()?, opened.saved_msrs()?);
    }
    let vm = owned.kvm().create_vm()?;
    let (one, other) = (vm.create_vcpu(0)?, vm.create_vcpu(1)?);
    let mut vcpus = Vcpus::new(&supported)?;
    let direct = vcpus.set(&one, 0)?.iter().count();
    assert_eq!(vcpus.set(&RawVcpu::new(&other), 0)?.iter().count(), direct);
    let null = File::open("/dev/null")?;
    assert!(matches!(Device::from_duplicate(&null), Err(KvmError::Version(_))));
    Ok(())
}
