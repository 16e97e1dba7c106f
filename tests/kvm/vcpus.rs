//! Tables of vCPUs: the parts that differ between vCPUs, KVM's changes, and KVM's refusals; on a fake and a real
//! vCPU.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;

use cpuid_tables::host::Host;
use cpuid_tables::kvm::{
    Change, Changes, CpuidBuffer, CpuidVcpu, DYNAMIC_COMPONENTS, Device, Errno, Guest, KvmSystem, Mode,
    VcpuError, VcpuTable, Vcpus, permitted_guest_components, request_guest_components,
};
use cpuid_tables::{
    ApicLayout, CpuidEntry, CpuidRead, CpuidTable, Leaf, OwnNumber, Registers, RunState, Subleaf, feature,
};
use kvm_bindings::{CpuId, kvm_cpuid_entry2, kvm_xcrs};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;
type Entries = Vec<kvm_cpuid_entry2>;

/// A vCPU that stores the given table, changed by a function, or refuses it with an error number.
struct Fake {
    stored: RefCell<Entries>,
    change: fn(&mut Entries) -> Result<(), i32>,
}

impl Fake {
    fn new(change: fn(&mut Entries) -> Result<(), i32>) -> Fake {
        Fake { stored: RefCell::default(), change }
    }
}

impl CpuidVcpu for Fake {
    fn set_cpuid2(&self, table: &CpuId) -> Result<(), Errno> {
        let mut entries = table.as_slice().to_vec();
        (self.change)(&mut entries).map_err(Errno)?;
        self.stored.replace(entries);
        Ok(())
    }

    fn get_cpuid2(&self, into: &mut CpuidBuffer) -> Result<(), Errno> {
        into.fill(&self.stored.borrow());
        Ok(())
    }
}

/// Entries by vCPU number, which is the APIC id.
type ByVcpu = BTreeMap<u32, Vec<CpuidEntry>>;

/// The recorded cases, by their command lines.
fn recorded() -> Result<BTreeMap<String, ByVcpu>, Box<dyn Error>> {
    let mut cases: BTreeMap<String, ByVcpu> = BTreeMap::new();
    let mut case = String::new();
    for line in include_str!("topologies.txt").lines().skip(1) {
        if let Some(name) = line.strip_prefix("# ") {
            name.clone_into(&mut case);
            continue;
        }
        let (vcpu, rest) = line.strip_prefix("vcpu").and_then(|rest| rest.split_once(' ')).ok_or("a vCPU")?;
        let numbers = rest.split(' ').map(|number| u32::from_str_radix(number, 16));
        let numbers: Vec<u32> = numbers.collect::<Result<_, _>>()?;
        let [function, index, flags, registers @ ..] = &numbers[..] else {
            return Err("seven numbers".into());
        };
        let entry = CpuidEntry {
            function: Leaf(*function),
            index: Subleaf(*index),
            flags: *flags,
            registers: <[u32; 4]>::try_from(registers)?.into(),
        };
        cases.entry(case.clone()).or_default().entry(vcpu.parse()?).or_default().push(entry);
    }
    Ok(cases)
}

#[test]
fn every_vcpu_table_derives_from_every_other() -> TestResult {
    let cases = recorded()?;
    assert_eq!(cases.len(), 4);
    for (case, vcpus) in cases {
        assert!(vcpus.len() >= 6, "{case}");
        // AMD's dies are not visible in leaf 0xB, and QEMU numbers cores within a die.
        let dies = ApicLayout { core_shift: 1, core_width: 1, node_shift: 3 };
        let has_dies = case.contains("EPYC") && case.contains("dies=2");
        for base in vcpus.values() {
            let layout = if has_dies { dies } else { ApicLayout::from_cpuid(&base[..]) };
            let mut ours = Vcpus::with_layout(base, layout)?;
            for (&id, expected) in &vcpus {
                let fake = Fake::new(|_| Ok(()));
                let changes = ours.set(&fake, id)?;
                assert!(changes.is_empty());
                let set: Vec<CpuidEntry> = changes.stored().collect();
                for (set, expected) in set.iter().zip(expected) {
                    assert!(set.same_answer(expected), "{case}, vCPU {id}: {set:x?}, QEMU {expected:x?}");
                }
                assert_eq!(set.len(), expected.len());
                let mut table = CpuidTable::from_entries(base)?;
                table.set_apic_id(id, &layout);
                assert_eq!(*table, set, "without KVM");
                assert_eq!(table.apic_id(), Some(id));
            }
        }
    }
    Ok(())
}

#[test]
fn layouts_from_tables() {
    let levels = [
        CpuidEntry::indexed(Leaf(0xb), Subleaf(0), Registers::new(2, 4, 0x100, 0)),
        CpuidEntry::indexed(Leaf(0xb), Subleaf(1), Registers::new(7, 96, 0x201, 0)),
    ];
    let layout = ApicLayout::from_cpuid(&levels[..]);
    assert_eq!(layout, ApicLayout { core_shift: 2, core_width: 5, node_shift: 7 });
    let amd = [
        CpuidEntry::new(Leaf(0x8000_0008), Registers::new(0, 0, 0x6000, 0)),
        CpuidEntry::new(Leaf(0x8000_001e), Registers::new(0, 0x100, 0, 0)),
    ];
    assert_eq!(ApicLayout::from_cpuid(&amd[..]), ApicLayout { core_shift: 1, core_width: 5, node_shift: 6 });
    let old = [CpuidEntry::new(Leaf(1), Registers::new(0, 6 << 16, 0, feature::HT.mask()))];
    assert_eq!(ApicLayout::from_cpuid(&old[..]), ApicLayout { core_shift: 0, core_width: 3, node_shift: 3 });
    assert_eq!(ApicLayout::from_cpuid(&[][..] as &[CpuidEntry]), ApicLayout::default());
    assert_eq!(layout.number(OwnNumber::Core, 0xfff), 31);
    assert_eq!(layout.number(OwnNumber::Node, 0xfff), 31);
    // Invalid values do not overflow.
    let odd = ApicLayout { core_shift: 31, core_width: 32, node_shift: 63 };
    assert_eq!((odd.number(OwnNumber::Core, u32::MAX), odd.number(OwnNumber::Node, u32::MAX)), (1, 0));
}

fn base() -> Vec<CpuidEntry> {
    vec![
        CpuidEntry::new(Leaf(0), Registers::new(0xd, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
        CpuidEntry::new(
            Leaf(1),
            Registers::new(0x806f8, 0x0010_0800, feature::OSXSAVE.mask(), feature::APIC.mask()),
        ),
        CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, feature::AVX2.mask(), 0, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(0), Registers::new(7, 832, 832, 0)),
        CpuidEntry::new(Leaf(0x8000_0008), Registers::new(0x3030, 0, 0, 0)),
    ]
}

#[test]
fn large_ids_are_truncated_to_the_field() -> TestResult {
    let mut entries = base();
    entries.push(CpuidEntry::indexed(Leaf(0xb), Subleaf(5), Registers::ZERO));
    let mut vcpus = Vcpus::new(&entries)?;
    let table = vcpus.table(0x1234).as_slice();
    assert_eq!(table[1].ebx, 0x3410_0800);
    assert_eq!(table[5].edx, 0x1234);
    assert_eq!(vcpus.table(0).as_slice()[1].ebx, 0x0010_0800, "nothing is left of the one before");
    Ok(())
}

#[test]
fn changes_of_kvm_are_named() -> TestResult {
    let mut vcpus = Vcpus::new(&base())?;
    let fake = Fake::new(|entries| {
        entries[1].ecx &= !feature::OSXSAVE.mask();
        entries[1].edx |= 1 << 10;
        entries[2].ebx = 0;
        entries[3].ebx = 576;
        entries[4].eax |= 0x39 << 16;
        Ok(())
    });
    let changes = vcpus.set(&fake, 3)?;
    let all: Vec<String> = changes.iter().map(|change| change.to_string()).collect();
    assert_eq!(
        all,
        [
            "CPUID.(EAX=1,ECX=0):ECX[27] OSXSAVE: 0x0, given 0x1 (expected: follows CR4.OSXSAVE)",
            "CPUID.(EAX=1,ECX=0):EDX[10]: 0x1, given 0x0",
            "CPUID.(EAX=7,ECX=0):EBX[5] AVX2: 0x0, given 0x1",
            "CPUID.(EAX=0xD,ECX=0):EBX[31:0] xsave_sz_xcr0: 0x240, given 0x340 (expected: the size for the current XCR0)",
            "CPUID.(EAX=0x80000008,ECX=0):EAX[23:16] guest_phys_addr_bits: 0x39, given 0x0",
        ]
    );
    assert_eq!(changes.unexpected().count(), 3);
    assert!(!changes.is_empty());
    // A second vCPU is compared with its own table.
    let plain = Fake::new(|_| Ok(()));
    assert!(vcpus.set(&plain, 4)?.is_empty());
    assert_eq!(plain.stored.borrow()[1].ebx, 0x0410_0800);
    vcpus.set_only(&plain, 5)?;
    assert_eq!(plain.stored.borrow()[1].ebx, 0x0510_0800);
    Ok(())
}

#[test]
fn paravirtual_features_are_expected_in_any_range() -> TestResult {
    for leaf in [0x4000_0001, 0x4000_0101] {
        let mut vcpus = Vcpus::new(&[CpuidEntry::new(Leaf(leaf), Registers::new(0xff, 0, 0, 0))])?;
        let fake = Fake::new(|entries| {
            entries[0].eax &= !feature::KVM_FEATURE_PV_UNHALT.mask() & !1;
            Ok(())
        });
        let changes = vcpus.set(&fake, 0)?;
        let all: Vec<(bool, String)> =
            changes.iter().map(|all| (all.is_expected(), all.to_string())).collect();
        assert_eq!(all.len(), 2);
        assert!(!all[0].0 && all[1].0, "{all:?}");
        assert!(all[1].1.contains("[7] KVM_FEATURE_PV_UNHALT: 0x0, given 0x1"), "{all:?}");
    }
    Ok(())
}

#[test]
fn omitted_and_added_entries_are_changes() -> TestResult {
    let mut vcpus = Vcpus::new(&base())?;
    let fake = Fake::new(|entries| {
        entries.remove(2);
        entries.push(kvm_cpuid_entry2 { function: 0x4000_0000, ..Default::default() });
        entries[1].ebx ^= 0x100;
        Ok(())
    });
    let changes = vcpus.set(&fake, 0)?;
    let all: Vec<String> = changes.iter().map(|change| change.to_string()).collect();
    assert_eq!(
        all,
        [
            "CPUID.(EAX=1,ECX=0):EBX[15:8] clflush_size: 0x9, given 0x8",
            "the entry CPUID.(EAX=7,ECX=0), flags 0x1: left out",
            "the entry CPUID.(EAX=0x40000000,ECX=0), flags 0x0: added",
        ]
    );
    assert!(matches!(changes.iter().nth(1), Some(Change::Entry { given: Some(_), stored: None })));
    let none: &[kvm_cpuid_entry2] = &[];
    assert!(Changes::between(none, none).is_empty());
    assert_eq!(Changes::between(none, none).iter().count(), 0);
    Ok(())
}

#[test]
fn too_many_entries_are_an_error() {
    let many: Vec<CpuidEntry> = (0..300).map(|leaf| CpuidEntry::new(Leaf(leaf), Registers::ZERO)).collect();
    let error = Vcpus::new(&many).err();
    assert_eq!(error, Some(VcpuError::TooMany { count: 300, first: Some(many[256]) }));
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        text.contains("300 entries, but KVM accepts only 256: the entry CPUID.(EAX=0x100) is the first"),
        "{text}"
    );
    assert!(Vcpus::new(&many[..256]).is_ok());
}

#[test]
fn refusals_name_the_entry() -> TestResult {
    let refuse = |number: fn(&mut Entries) -> Result<(), i32>, entries: &[CpuidEntry]| {
        Vcpus::new(entries).and_then(|mut vcpus| vcpus.set(&Fake::new(number), 0).map(|_| ())).err()
    };
    let text = |error: Option<VcpuError>| error.map(|error| error.to_string()).unwrap_or_default();
    let error = text(refuse(|_| Err(libc::E2BIG), &base()));
    assert!(error.starts_with("KVM refuses 5 entries as too many (E2BIG): before Linux 5.11"), "{error}");

    let mut wide = base();
    wide[4].registers.eax = 0x3930;
    assert_eq!(
        refuse(|_| Err(libc::EINVAL), &wide),
        Some(VcpuError::Set(Errno(libc::EINVAL))),
        "57 bits are fine"
    );
    wide[4].registers.eax = 0x4030;
    let error = text(refuse(|_| Err(libc::EINVAL), &wide));
    assert_eq!(
        error,
        "the entry CPUID.(EAX=0x80000008) gives linear addresses 64 bits, but KVM accepts only 48, 57 and 0 (EINVAL)"
    );

    let mut tiles = base();
    tiles[3].registers.eax |= u32::try_from(DYNAMIC_COMPONENTS)?;
    let error = refuse(|_| Err(libc::EPERM), &tiles);
    if permitted_guest_components().unwrap_or(0) & DYNAMIC_COMPONENTS == 0 {
        assert_eq!(error, Some(VcpuError::NotPermitted { entry: tiles[3], components: DYNAMIC_COMPONENTS }));
        assert!(text(error).contains("the entry CPUID.(EAX=0xD,ECX=0) has XSAVE components 0x40000"));
    }
    assert_eq!(refuse(|_| Err(libc::EPERM), &base()), Some(VcpuError::Set(Errno(libc::EPERM))));
    let error = text(refuse(|_| Err(libc::EBADF), &base()));
    assert!(error.starts_with("KVM_SET_CPUID2 failed: Bad file descriptor"), "{error}");
    Ok(())
}

#[test]
fn after_the_first_run_only_the_same_table_is_accepted() -> TestResult {
    let mut vcpus = Vcpus::new(&base())?;
    // As in Linux: the table stays, and CR4.OSXSAVE is set by now.
    let fake = Fake::new(|_| Err(libc::EINVAL));
    let mut stored = vcpus.table(2).as_slice().to_vec();
    stored[1].ecx = 0;
    stored[2].ebx = 0;
    fake.stored.replace(stored);
    let error = vcpus.set(&fake, 2).err().ok_or("refused")?.to_string();
    assert!(
        error.starts_with("the vCPU has run: after its first KVM_RUN it accepts only the table that it has")
    );
    assert!(
        error.ends_with("the first difference: CPUID.(EAX=7,ECX=0):EBX[5] AVX2: 0x0, given 0x1"),
        "{error}"
    );
    Ok(())
}

#[test]
fn tables_of_any_origin_can_be_set() -> TestResult {
    let mut setter = VcpuTable::new()?;
    let plain = Fake::new(|_| Ok(()));
    // Several tables in turn, longer and shorter ones.
    for entries in [base(), base()[..2].to_vec(), Vec::new(), base()] {
        let changes = setter.set(&plain, &entries)?;
        assert!(changes.is_empty());
        assert_eq!(changes.stored().collect::<Vec<_>>(), entries, "nothing is each vCPU's own here");
    }
    let many = vec![CpuidEntry::ZERO; 257];
    assert!(matches!(setter.set(&plain, &many), Err(VcpuError::TooMany { count: 257, .. })));
    let mut wide = base();
    wide[4].registers.eax = 0x2030;
    let error = setter.set_only(&Fake::new(|_| Err(libc::EINVAL)), &wide);
    assert_eq!(error, Err(VcpuError::AddressWidth { entry: wide[4], width: 32 }));
    Ok(())
}

#[test]
fn copies_have_room_for_any_table() -> TestResult {
    let mut setter = VcpuTable::new()?;
    let plain = Fake::new(|_| Ok(()));
    let few = &base()[..1];
    setter.set(&plain, few)?;
    let mut copy = setter.try_clone()?;
    let all: Vec<CpuidEntry> =
        (0..256).map(|leaf| CpuidEntry::new(Leaf(leaf), Registers::new(leaf, leaf, leaf, leaf))).collect();
    let changes = copy.set(&plain, &all)?;
    assert!(changes.is_empty());
    assert_eq!(changes.stored().collect::<Vec<_>>(), all);
    let mut vcpus = Vcpus::new(few)?;
    vcpus.set(&plain, 3)?;
    let mut copy = vcpus.try_clone()?;
    // A vCPU that has more entries than it was given.
    let full = Fake::new(|entries| {
        entries.resize(256, kvm_cpuid_entry2::default());
        Ok(())
    });
    assert_eq!(copy.set(&full, 3)?.iter().count(), 255);
    Ok(())
}

#[test]
fn real_vcpu_accepts_its_table() -> TestResult {
    let device = match Device::open() {
        Ok(device) => device,
        Err(error) => {
            common::refused("kvm_vcpus::real_vcpu_accepts_its_table", &error.to_string());
            return Ok(());
        }
    };
    let supported = device.supported_cpuid()?;
    let mut vcpus = Vcpus::new(&supported)?;
    let vm = device.kvm().create_vm()?;
    for id in [0, 1, 5] {
        let vcpu = vm.create_vcpu(id.into())?;
        let changes = vcpus.set(&vcpu, id)?;
        let stored: Vec<CpuidEntry> = changes.stored().collect();
        assert_eq!(stored.registers(Leaf(1), Subleaf(0)).map(|Registers { ebx, .. }| ebx >> 24), Some(id));
        let unexpected: Vec<String> = changes.unexpected().map(|change| change.to_string()).collect();
        if id == 0 {
            common::say(&format!("this KVM changes {} parts that it is not expected to", unexpected.len()));
        }
        // On VMX and SVM, KVM changes only the bits that it always updates; a table read back is accepted unchanged.
        let again = Vcpus::new(&stored)?.set(&vcpu, id)?.iter().count();
        assert_eq!(again, 0, "a table that was read back stays");
    }
    // A table that KVM refuses.
    let vcpu = vm.create_vcpu(9)?;
    let mut wide = supported.clone();
    let at = wide.iter().position(|entry| entry.function == Leaf(0x8000_0008)).ok_or("KVM has that leaf")?;
    wide[at].registers.eax = 0x4030;
    let error = Vcpus::new(&wide)?.set(&vcpu, 9).err();
    assert_eq!(error, Some(VcpuError::AddressWidth { entry: wide[at], width: 64 }));
    Ok(())
}

#[test]
fn real_vcpu_refuses_another_table_after_running() -> TestResult {
    let Ok(device) = Device::open() else {
        common::refused("kvm_vcpus::real_vcpu_refuses_another_table_after_running", common::NO_KVM);
        return Ok(());
    };
    let supported = device.supported_cpuid()?;
    let mut guest = Guest::new(&device, &supported, Mode::Real)?;
    let stored = guest.stored().clone();
    let mut other = stored.clone();
    other[1].registers.eax ^= 1;
    assert_eq!(other[1].function, Leaf(1));
    assert!(Vcpus::new(&other)?.set(&guest, 0).is_ok(), "it has not run yet");
    Vcpus::new(&stored)?.set(&guest, 0)?;
    assert_eq!(guest.ask(&[(Leaf(1), Subleaf(0))])?, [stored[1].registers]);
    assert!(Vcpus::new(&stored)?.set(&guest, 0)?.is_empty(), "the table that it has is accepted");
    match Vcpus::new(&other)?.set(&guest, 0).err() {
        Some(VcpuError::HasRun { first }) => {
            let text = first.to_string();
            assert!(text.starts_with("CPUID.(EAX=1,ECX=0):EAX[3:0] stepping: "), "{text}");
        }
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}

#[test]
fn real_vcpu_table_follows_its_state() -> TestResult {
    let Ok(device) = Device::open() else {
        common::refused("kvm_vcpus::real_vcpu_table_follows_its_state", common::NO_KVM);
        return Ok(());
    };
    let host = Host::this_machine()?;
    let vm = device.kvm().create_vm()?;
    let vcpu = vm.create_vcpu(0)?;
    let stored: Vec<CpuidEntry> = Vcpus::new(&host.supported)?.set(&vcpu, 0)?.stored().collect();
    // Without an APIC in KVM the VMM maintains its enable bit.
    let reset = RunState { apic: None, ..RunState::RESET };
    let predicted = |state: RunState| {
        let mut table = stored.clone();
        state.update(&mut table, &host.instruction[..]);
        table
    };
    assert_eq!(predicted(reset), stored, "KVM has put there what we put there");

    let mut buffer = CpuidBuffer::new()?;
    let mut now = || -> Result<Vec<CpuidEntry>, Box<dyn Error>> {
        CpuidVcpu::get_cpuid2(&vcpu, &mut buffer).map_err(|errno| errno.to_string())?;
        Ok(Changes::between(&[], buffer.entries()).stored().collect())
    };
    let mut sregs = vcpu.get_sregs()?;
    sregs.cr4 |= 1 << 18;
    vcpu.set_sregs(&sregs)?;
    let osxsave = RunState { osxsave: Some(true), ..reset };
    assert_eq!(now()?, predicted(osxsave), "CR4.OSXSAVE");

    let mut xcrs = kvm_xcrs { nr_xcrs: 1, ..Default::default() };
    for xcr0 in [3, 7, 0xe7].into_iter().filter(|xcr0| stored.xcr0() & xcr0 == *xcr0) {
        xcrs.xcrs[0].value = xcr0;
        vcpu.set_xcrs(&xcrs)?;
        assert_eq!(now()?, predicted(RunState { xcr0, ..osxsave }), "XCR0 {xcr0:#x}");
        common::say(&format!("XCR0 {xcr0:#x}: an area of {} bytes", stored.xsave_size(xcr0, false)));
    }
    Ok(())
}

#[test]
fn guest_components_can_be_requested() {
    // Nothing to request.
    assert_eq!(request_guest_components(0xe7), Ok(()));
    match permitted_guest_components() {
        Ok(components) => assert_eq!(components & 3, 3, "x87 and SSE are everyone's"),
        Err(error) => common::say(&format!("components that guests may be given: {error}")),
    }
}
