//! `why` on made-up machines: every layer that may withhold a feature.

use cpuid_tables::show::{
    Machine, Nearest, RunningKvm, RunningLinux, Says, Story, Who, config_options, feature_named,
    kernel_parameters, why,
};
use cpuid_tables::{
    CpuidEntry, Feature, FeatureSet, Leaf, LinuxRelease, Named, QemuRelease, Registers, feature, lookup,
    software,
};

use crate::common;

/// A table with these features and the highest possible maxima.
fn table(features: &[Feature]) -> Vec<CpuidEntry> {
    let mut entries = vec![
        CpuidEntry::new(Leaf(0), Registers::new(0x24, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
        CpuidEntry::new(Leaf(0x8000_0000), Registers::new(0x8000_0026, 0, 0, 0)),
    ];
    for (word, value) in
        features.iter().copied().collect::<FeatureSet>().words().filter(|(_, value)| *value != 0)
    {
        let at = entries.iter().position(|entry| entry.answers(word.leaf, word.subleaf));
        let at = at.unwrap_or_else(|| {
            entries.push(CpuidEntry::indexed(word.leaf, word.subleaf, Registers::ZERO));
            entries.len() - 1
        });
        *entries[at].register_mut(word.register) = value;
    }
    entries
}

/// A kernel with these flags.
fn linux(release: &str, flags: &str, command_line: &str, config: Option<&str>) -> RunningLinux {
    let cpuinfo = format!("processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n\n");
    RunningLinux::read(release, &cpuinfo, command_line, config).unwrap()
}

/// AVX2 and all of its dependencies.
fn avx2() -> Vec<Feature> {
    feature::AVX2.needs().into_iter().chain([feature::AVX2]).collect()
}

const AVX2_FLAGS: &str = "fpu fxsr xsave avx avx2";

fn machine(cpu: &[Feature], linux: RunningLinux, kvm: &[Feature]) -> Machine {
    let kvm = RunningKvm { supported: table(kvm), ..RunningKvm::default() };
    Machine { cpuid: Some(table(cpu)), linux: Some(linux), kvm: Some(kvm), ..Machine::default() }
}

fn explain(feature: Feature, machine: &Machine) -> Story {
    why(Named::Feature(feature), machine, None)
}

fn says(story: &Story, who: Who) -> Says {
    story.steps.iter().find(|step| step.who == who).map_or(Says::Nothing, |step| step.says)
}

fn text(story: &Story, who: Who) -> &str {
    &story.steps.iter().find(|step| step.who == who).unwrap().text
}

#[test]
fn no_layer_withholds_it() {
    if !common::recent("no_layer_withholds_it") {
        return;
    }
    let story = explain(feature::AVX2, &machine(&avx2(), linux("7.3.4", AVX2_FLAGS, "", None), &avx2()));
    for who in [Who::Cpu, Who::Linux, Who::Kvm, Who::Qemu, Who::Needs] {
        assert_eq!(says(&story, who), Says::Yes, "{who:?}: {story}");
    }
    assert_eq!(text(&story, Who::Linux), "7.3.4 shows avx2 in /proc/cpuinfo");
    assert_eq!(story.verdict, "Nothing withholds avx2: a guest here can have it.");
}

#[test]
fn processor_withholds_it() {
    let story =
        explain(feature::AVX2, &machine(&[feature::AVX], linux("7.3.4", "avx", "", None), &[feature::AVX]));
    assert_eq!(
        story.verdict,
        "The processor withholds avx2: the processor does not have it, or the firmware has disabled it."
    );
    assert_eq!(text(&story, Who::Linux), "7.3.4 would show it as avx2, but does not");
    assert!(text(&story, Who::Kvm).contains("it offers it only if the host has it"), "{story}");
}

#[test]
fn missing_leaf_is_explained() {
    let mut machine = machine(&[], linux("7.3.4", "fpu", "", None), &[]);
    machine.cpuid = Some(vec![CpuidEntry::new(Leaf(0), Registers::new(0x16, 0, 0, 0))]);
    let story = explain(feature::AVX10_128, &machine);
    assert_eq!(text(&story, Who::Cpu), "CPUID ends at leaf 0x16, below the feature's leaf 0x24");
}

#[test]
fn hypervisor_withholds_it() {
    let mut machine = machine(&[feature::HYPERVISOR], linux("6.18.44", "hypervisor", "", None), &[]);
    let signature =
        CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d));
    machine.cpuid.as_mut().unwrap().push(signature);
    let story = explain(feature::VMX, &machine);
    assert_eq!(
        story.verdict,
        "This machine's hypervisor (KVMKVMKVM) withholds vmx: it hides the bit, or its own processor lacks it."
    );
}

#[test]
fn clearcpuid_accepts_name_number_and_location() {
    let at = feature::AVX2.linux_word(LinuxRelease::NEWEST).unwrap();
    for value in
        ["avx2".to_owned(), format!("smap,{}", at.number()), format!("{}:{},smap", at.word.0, at.bit.0)]
    {
        let line = format!("quiet clearcpuid={value} ro");
        let kvm = [feature::AVX, feature::XSAVE, feature::FXSR, feature::FPU];
        let story = explain(
            feature::AVX2,
            &machine(&avx2(), linux("7.3.4", "fpu fxsr xsave avx", &line, None), &kvm),
        );
        assert_eq!(
            story.verdict, "Linux withholds avx2: clearcpuid= on its command line clears it.",
            "{value}"
        );
        assert!(text(&story, Who::Kvm).contains("it offers it only if the host's kernel uses it"), "{story}");
    }
}

#[test]
fn cleared_dependency_is_the_reason() {
    if !common::recent("cleared_dependency_is_the_reason") {
        return;
    }
    let of =
        |line: &str| explain(feature::AVX2, &machine(&avx2(), linux("7.3.4", "fpu fxsr", line, None), &[]));
    assert_eq!(
        of("clearcpuid=xsave").verdict,
        "Linux withholds avx2: clearcpuid= on its command line clears xsave, on which it depends."
    );
    assert_eq!(
        of("noxsave").verdict,
        "Linux withholds avx2: noxsave on its command line clears xsave, on which it depends."
    );
    assert_eq!(of("quiet").verdict, "Linux withholds avx2: it depends on avx, which is not shown either.");
}

#[test]
fn kernel_parameter_is_the_reason() {
    if !common::recent("kernel_parameter_is_the_reason") {
        return;
    }
    let story =
        explain(feature::LA57, &machine(&[feature::LA57], linux("7.3.4", "fpu", "no5lvl", None), &[]));
    assert_eq!(story.verdict, "Linux withholds la57: no5lvl on its command line clears it.");
}

#[test]
fn kernel_configuration_is_the_reason() {
    if !common::recent("kernel_configuration_is_the_reason") {
        return;
    }
    let of =
        |config| explain(feature::UMIP, &machine(&[feature::UMIP], linux("7.3.4", "fpu", "", config), &[]));
    assert_eq!(
        of(Some("CONFIG_X86=y\n# CONFIG_X86_UMIP is not set\n")).verdict,
        "Linux withholds umip: this kernel is built without CONFIG_X86_UMIP."
    );
    assert!(!of(Some("CONFIG_X86_UMIP=y\n")).verdict.contains("CONFIG_X86_UMIP"));
    assert!(of(None).verdict.contains("it may be built without CONFIG_X86_UMIP; or "), "{}", of(None));
}

#[test]
fn firmware_may_have_locked_it() {
    let story = explain(feature::VMX, &machine(&[feature::VMX], linux("7.3.4", "fpu", "", None), &[]));
    assert!(story.verdict.contains("the firmware may have locked VMX (MSR IA32_FEATURE_CONTROL)"), "{story}");
}

#[test]
fn flag_without_a_quoted_name_is_hidden() {
    if !common::recent("flag_without_a_quoted_name_is_hidden") {
        return;
    }
    let all = [feature::SPEC_CTRL];
    let story = explain(feature::SPEC_CTRL, &machine(&all, linux("7.3.4", "fpu", "", None), &all));
    assert_eq!(
        text(&story, Who::Linux),
        "the header gives X86_FEATURE_SPEC_CTRL no quoted name, so /proc/cpuinfo hides it"
    );
    assert_eq!(
        story.verdict,
        "Nothing withholds spec-ctrl: a guest here can have it, although /proc/cpuinfo does not show it."
    );
}

#[test]
fn feature_in_a_kvm_word_is_not_in_cpuinfo() {
    if !common::pinned("feature_in_a_kvm_word_is_not_in_cpuinfo") {
        return;
    }
    let all: Vec<Feature> = feature::AVX10_256.needs().into_iter().chain([feature::AVX10_256]).collect();
    let story = explain(feature::AVX10_256, &machine(&all, linux("7.3.4", "fpu", "", None), &all));
    assert_eq!(
        text(&story, Who::Linux),
        "X86_FEATURE_AVX10_256 is a bit that only KVM has, so /proc/cpuinfo never shows it"
    );
    assert_eq!(says(&story, Who::Kvm), Says::Yes);
}

#[test]
fn feature_unknown_to_linux_has_no_flag() {
    let one = Feature::all().find(|feature| feature.linux_releases().next().is_none()).unwrap();
    let story = explain(one, &machine(&[one], linux("7.3.4", "fpu", "", None), &[one]));
    assert!(text(&story, Who::Linux).starts_with("no known release has a macro for it"), "{story}");
}

#[test]
fn scattered() {
    let newest = LinuxRelease::NEWEST;
    let is_scattered = |feature: &Feature| {
        let word = feature.linux_word(newest).and_then(|at| newest.word_name(at.word));
        word.is_some_and(|word| word.contains("LNX")) && feature.flag(newest).is_some()
    };
    let one = Feature::all().find(is_scattered).unwrap();
    let flag = one.flag(newest).unwrap();
    let story = explain(one, &machine(&[one], linux("7.3.4", flag, "", None), &[]));
    assert!(text(&story, Who::Linux).contains("(scattered: kept in its own word CPUID_LNX_"), "{story}");
}

#[test]
fn software_feature_is_decided_by_linux() {
    let all = Machine { linux: Some(linux("7.3.4", "rep_good", "", None)), ..Machine::default() };
    let of = |bit| why(Named::Software(bit), &all, None).verdict;
    assert_eq!(of(software::REP_GOOD), "Nothing withholds REP_GOOD: only Linux decides, and it has set it.");
    assert_eq!(
        of(software::XTOPOLOGY),
        "Linux withholds XTOPOLOGY: no CPUID bit announces it; only Linux decides."
    );
    let hidden = cpuid_tables::SoftwareFeature::all().find(|bit| {
        bit.known_to_linux(LinuxRelease::NEWEST)
            && LinuxRelease::ALL.into_iter().all(|r| bit.flag(r).is_none())
    });
    assert_eq!(
        of(hidden.unwrap()),
        format!("Only Linux decides about {}, and it does not show whether it is set.", hidden.unwrap())
    );
}

#[test]
fn kernel_configuration_disables_a_software_feature() {
    if !common::pinned("kernel_configuration_disables_a_software_feature") {
        return;
    }
    let of = |config| {
        let linux = Some(linux("7.3.4", "fpu", "", config));
        let bit = lookup("X86_FEATURE_USER_SHSTK").unwrap();
        why(bit, &Machine { linux, ..Machine::default() }, None).verdict
    };
    let without = "Linux withholds USER_SHSTK: this kernel is built without CONFIG_X86_USER_SHADOW_STACK.";
    assert_eq!(of(Some("CONFIG_X86=y\n")), without);
    assert_ne!(of(Some("CONFIG_X86_USER_SHADOW_STACK=y\n")), without);
    // Renamed between releases: either name keeps it.
    for option in ["PAGE_TABLE_ISOLATION", "MITIGATION_PAGE_TABLE_ISOLATION"] {
        let config = format!("CONFIG_{option}=y\n");
        let linux = Some(linux("7.3.4", "fpu", "", Some(&config)));
        let story = why(Named::Software(software::PTI), &Machine { linux, ..Machine::default() }, None);
        assert_eq!(story.verdict, "Linux withholds PTI: no CPUID bit announces it; only Linux decides.");
    }
}

#[test]
fn former_software_feature_is_explained() {
    if !common::pinned("former_software_feature_is_explained") {
        return;
    }
    let (oldest, newest) = (LinuxRelease::ALL[0], LinuxRelease::NEWEST);
    let gone = cpuid_tables::SoftwareFeature::all()
        .find(|bit| bit.known_to_linux(oldest) && !bit.known_to_linux(newest))
        .unwrap();
    let all = Machine { linux: Some(linux(newest.name(), "fpu", "", None)), ..Machine::default() };
    let verdict = why(Named::Software(gone), &all, None).verdict;
    assert_eq!(verdict, format!("Linux withholds {gone}: Linux {newest} does not know it."));
}

#[test]
fn bugs_vmx_flags_and_msrs() {
    if !common::recent("bugs_vmx_flags_and_msrs") {
        return;
    }
    let all = Machine { linux: Some(linux("7.3.4", "fpu", "", None)), ..Machine::default() };
    let of = |name: &str| why(lookup(name).unwrap(), &all, None);
    assert_eq!(says(&of("X86_BUG_SPECTRE_V1"), Who::Linux), Says::Yes);
    assert_eq!(says(&of("X86_BUG_CPU_MELTDOWN"), Who::Linux), Says::No);
    assert_eq!(says(&of("VMX_FEATURE_EPT"), Who::Linux), Says::No);
    let model = QemuRelease::NEWEST.cpu_model("EPYC-Milan");
    let msr = why(lookup("taa-no").unwrap(), &all, model);
    assert_eq!(msr.verdict, "The model withholds TAA_NO: EPYC-Milan-v1 does not have it.");
}

#[test]
fn kvm_withholds_it() {
    if !common::recent("kvm_withholds_it") {
        return;
    }
    let known = [feature::PCONFIG];
    let story = explain(feature::PCONFIG, &machine(&known, linux("7.3.4", "pconfig", "", None), &[]));
    assert!(story.verdict.starts_with("KVM withholds pconfig: "), "{story}");
    assert!(
        story.verdict.contains("does not advertise it") || story.verdict.contains("does not know it"),
        "{story}"
    );
}

#[test]
fn nested_virtualization_can_be_off() {
    if !common::pinned("nested_virtualization_can_be_off") {
        return;
    }
    let mut host = machine(&[feature::SVM], linux("7.3.4", "svm", "", None), &[]);
    let verdict = |host: &Machine| explain(feature::SVM, host).verdict;
    assert!(verdict(&host).contains("kvm_amd decides"), "{}", verdict(&host));
    host.kvm.as_mut().unwrap().nested = Some(false);
    assert_eq!(verdict(&host), "KVM withholds svm: the parameter nested of kvm_intel or kvm_amd is off.");
}

#[test]
fn missing_dependency_in_kvm_is_the_reason() {
    if !common::recent("missing_dependency_in_kvm_is_the_reason") {
        return;
    }
    let kvm = [feature::XSAVE, feature::FXSR, feature::FPU];
    let story = explain(feature::AVX2, &machine(&avx2(), linux("7.3.4", AVX2_FLAGS, "", None), &kvm));
    assert_eq!(story.verdict, "KVM withholds avx2: it does not support avx, on which the feature depends.");
}

#[test]
fn kvm_provides_features_that_the_processor_lacks() {
    let of = |kvm: RunningKvm| {
        let linux = Some(linux("7.3.4", "fpu", "", None));
        explain(
            feature::X2APIC,
            &Machine { cpuid: Some(table(&[])), linux, kvm: Some(kvm), ..Machine::default() },
        )
    };
    let supported = of(RunningKvm { supported: table(&[feature::X2APIC]), ..RunningKvm::default() });
    assert_eq!(
        supported.verdict,
        "Nothing withholds x2apic: a guest here can have it, although /proc/cpuinfo does not show it."
    );
    let emulated =
        RunningKvm { supported: table(&[]), emulated: table(&[feature::X2APIC]), ..RunningKvm::default() };
    assert!(text(&of(emulated), Who::Kvm).contains("KVM_GET_EMULATED_CPUID"));
}

#[test]
fn kvms_own_leaf() {
    if !common::recent("kvms_own_leaf") {
        return;
    }
    let own = feature_named("kvm-pv-eoi").unwrap();
    let story = explain(own, &machine(&[], linux("7.3.4", "fpu", "", None), &[own]));
    assert_eq!(
        story.verdict,
        "Nothing withholds kvm-pv-eoi: a guest here can have it, although /proc/cpuinfo does not show it."
    );
    assert!(!text(&story, Who::Kvm).contains("no known release"), "{story}");
}

#[test]
fn missing_dependency_withholds_it() {
    if !common::recent("missing_dependency_withholds_it") {
        return;
    }
    let without = [feature::AVX2, feature::XSAVE, feature::FXSR, feature::FPU];
    let story = explain(feature::AVX2, &machine(&avx2(), linux("7.3.4", AVX2_FLAGS, "", None), &without));
    assert_eq!(
        story.verdict,
        "A missing dependency withholds avx2: it needs avx, missing in what KVM supports."
    );
}

#[test]
fn qemu_and_the_model() {
    let no_name = |feature: &Feature| {
        feature.qemu_releases().next().is_none()
            && feature.needs().is_empty()
            && feature.flag(LinuxRelease::NEWEST).is_some()
    };
    let one = Feature::all().find(no_name).unwrap();
    let flag = one.flag(LinuxRelease::NEWEST).unwrap();
    let story = explain(one, &machine(&[one], linux("7.3.4", flag, "", None), &[one]));
    assert!(story.verdict.starts_with("Only QEMU withholds "), "{story}");
    let all = machine(&avx2(), linux("7.3.4", AVX2_FLAGS, "", None), &avx2());
    let model = QemuRelease::NEWEST.cpu_model("Nehalem");
    let story = why(Named::Feature(feature::AVX2), &all, model);
    assert_eq!(story.verdict, "Only the model withholds avx2: Nehalem-v1 does not have it.");
}

#[test]
fn unqueried_layers_are_named() {
    let story = explain(feature::AVX2, &Machine::default());
    assert_eq!(story.verdict, "No queried layer withholds avx2; KVM was not queried.");
    assert!(story.steps.iter().filter(|step| step.text.starts_with("not queried")).count() == 3, "{story}");
}

#[test]
fn kernel_between_known_releases_uses_the_older() {
    if !common::pinned("kernel_between_known_releases_uses_the_older") {
        return;
    }
    let near = Nearest::find("6.8.0-31-generic");
    assert_eq!(near.below.map(LinuxRelease::name), LinuxRelease::find("6.1").map(LinuxRelease::name));
    assert_eq!(near.above.map(LinuxRelease::name), LinuxRelease::find("6.12").map(LinuxRelease::name));
    assert_eq!(Nearest::find("5.14.0-427.el9").release(), LinuxRelease::ALL[0]);
    assert_eq!(Nearest::find("99.1").release(), LinuxRelease::NEWEST);
    // A flag that the older release lacks is found by its name in the newer one.
    let newer = Feature::all().find(|feature| {
        feature.flag(LinuxRelease::ALL[0]).is_none() && feature.flag(LinuxRelease::NEWEST).is_some()
    });
    let newer = newer.unwrap();
    let flag = newer.flag(LinuxRelease::NEWEST).unwrap();
    let shown = explain(newer, &machine(&[newer], linux("6.2.0", flag, "", None), &[]));
    assert_eq!(says(&shown, Who::Linux), Says::Yes, "{shown}");
    let hidden = explain(newer, &machine(&[newer], linux("6.2.0", "fpu", "", None), &[]));
    assert_eq!(says(&hidden, Who::Linux), Says::Nothing, "{hidden}");
}

#[test]
fn every_explanation_ends_in_a_sentence() {
    let machines = [
        Machine::default(),
        machine(&[], linux("6.6.1", "fpu", "", None), &[]),
        machine(&Feature::all().collect::<Vec<_>>(), linux("7.3.4", "fpu", "", None), &[]),
    ];
    let all =
        Feature::all().map(Named::Feature).chain(cpuid_tables::SoftwareFeature::all().map(Named::Software));
    for bit in all {
        for machine in &machines {
            let story = why(bit, machine, None);
            assert!(
                story.verdict.ends_with('.')
                    && [" withholds ", " decides about ", ": there is nothing to switch on"]
                        .iter()
                        .any(|part| story.verdict.contains(part)),
                "{story}"
            );
            assert!(!story.verdict.contains(".."), "{story}");
        }
    }
}

/// The options are those in the facts, each once.
#[test]
fn configuration_options_match_the_facts() {
    let mut wanted = std::collections::BTreeSet::new();
    for release in ["6.1", "6.12", "7.3"] {
        let path = format!("{}/upstream/linux-{release}.tsv", env!("CARGO_MANIFEST_DIR"));
        let facts = std::fs::read_to_string(&path).unwrap();
        for row in facts.lines().filter_map(|line| line.strip_prefix("linux-config\tdisabled\t")) {
            let (name, condition) = row.split_once('\t').unwrap();
            let set = !condition.starts_with('!');
            wanted.insert((name.to_owned(), condition.trim_start_matches('!').to_owned(), set));
        }
    }
    let ours: std::collections::BTreeSet<(String, String, bool)> = config_options()
        .map(|option| (option.linux_macro.to_owned(), option.option.to_owned(), option.disables_when_set))
        .collect();
    assert_eq!(ours, wanted);
    assert_eq!(config_options().count(), wanted.len());
}

#[test]
fn parameters_clear_known_features() {
    if !common::pinned("parameters_clear_known_features") {
        return;
    }
    for (parameter, name) in kernel_parameters() {
        assert!(Feature::from_linux_macro(name).is_ok(), "{parameter}: {name}");
    }
    assert!(kernel_parameters().map(|(parameter, _)| parameter).is_sorted());
}

#[test]
fn bits_that_the_guest_enables_are_not_withheld() {
    if !common::recent("bits_that_the_guest_enables_are_not_withheld") {
        return;
    }
    let with = [feature::XSAVE, feature::PKU, feature::FXSR, feature::FPU];
    for (bit, of) in [
        (feature::OSXSAVE, "the guest's CR4.OSXSAVE"),
        (feature::OSPKE, "the guest's CR4.PKE"),
        (feature::APIC, "the enable bit of the guest's IA32_APIC_BASE"),
    ] {
        let story = explain(bit, &machine(&with, linux("7.3.4", "fpu fxsr xsave pku", "", None), &with));
        assert_eq!(story.available, Some(true), "{story}");
        assert!(story.verdict.contains(&format!(": it mirrors {of}, and KVM updates it")), "{story}");
    }
    let story = explain(feature::OSPKE, &machine(&[], linux("7.3.4", "fpu", "", None), &[]));
    assert_eq!(story.available, Some(false));
    assert!(story.verdict.contains("which the guest cannot set: The processor withholds pku"), "{story}");
}
