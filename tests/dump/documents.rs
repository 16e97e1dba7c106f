//! XML, JSON and TOML: libvirt, Firecracker, propolis, QEMU, and this crate's JSON.

use cpuid_tables::dump::{self, Format};
use cpuid_tables::{CpuidEntry, Feature, Leaf, QemuRelease, Registers, Subleaf, feature};

use crate::formats::{fails, fails_as, file, guest, one, read, text_of_one, without_flags};

use crate::common;

#[test]
fn libvirt() {
    assert_eq!(one(file("libvirt.xml"), Format::Libvirt).entries, without_flags(&guest()));
    // As in libvirt's feature map: a feature is a CPU that describes one register.
    let map = "<cpus>\n  <feature name='avx2'>\n    <cpuid eax_in='7' ecx_in='0' ebx='0x20'/>\n    <alias name='a'/></feature>\n\
               <feature name='rdctl-no'><msr index='0x10a' edx='0x00000000' eax='0x00000001'/></feature></cpus>";
    let cpu = one(map, Format::Libvirt);
    assert_eq!(cpu.name.as_deref(), Some("avx2"));
    assert_eq!(cpu.entries, [CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0))]);
    assert_eq!(cpu.known(0), Registers::new(0, u32::MAX, 0, 0));
    let two = "<cpuid eax_in='0x1' eax='0x1' ebx='0x2' ecx='0x3' edx='0x4'/>\n<cpuid eax_in='0x2' eax='0x1' ebx='0' ecx='0' edx='0'/>";
    assert_eq!(one(two, Format::Libvirt).entries.len(), 2);

    // A comment of many lines is scanned once; an unterminated one is too long.
    let lines = "\n-- >".repeat(100_000);
    let commented = format!("<!-->{lines}\n--\n-->\n<cpudata>\n<cpuid\neax_in='1'\neax='>'/>");
    assert!(fails(&commented).starts_with("line 100005: `eax_in='1' eax='>'` is not libvirt: "));
    assert_eq!(
        fails(&format!("\n<!--{}", lines.repeat(4))),
        "line 2: longer than 1048576 bytes, which no dump of CPUID is"
    );

    let attributes = "expected the attributes eax_in, ecx_in, eax, ebx, ecx and edx with a number of 32 bits each, such as 0x1f";
    assert_eq!(
        fails("<cpudata>\n<cpuid eax_in='0x1' eax='0x123456789'/>\n</cpudata>"),
        format!("line 2: `eax_in='0x1' eax='0x123456789'` is not libvirt: {attributes}")
    );
    assert_eq!(
        fails("<cpudata>\n<cpuid eax='0x1'/></cpudata>"),
        format!("line 2: `eax='0x1'` is not libvirt: {attributes}")
    );
    assert_eq!(
        fails_as(Format::Libvirt, "<domain>\n</domain>"),
        "line 1: `domain` is not libvirt: expected an element of libvirt's CPU data or map of features: cpudata, cpus, \
         feature, alias, cpuid or msr"
    );
    assert_eq!(
        fails("<cpudata>\n</cpus>"),
        "line 2: `</cpus>` is not libvirt: this element is not the one that is open"
    );
    assert_eq!(
        fails("<cpudata>\n<cpuid"),
        "line 2: `<cpuid` is not libvirt: the input ends before this does"
    );
}

#[test]
fn firecracker() {
    let template = r#"{
  "kvm_capabilities": ["!56"],
  "cpuid_modifiers": [
    {
      "leaf": "0x7", "subleaf": "0b0", "flags": 1,
      "modifiers": [
        { "register": "ebx", "bitmap": "0bxxxxxxxx_xxxxxxxx_xxxxxxxx_xx1x0xxx" },
        { "register": "edx", "bitmap": "0b00000000000000000000000000000011" }
      ]
    }
  ],
  "msr_modifiers": [{ "addr": "0x10a", "bitmap": "0b0" }]
}"#;
    let fingerprint = format!("{{\"firecracker_version\": \"1.4.0\",\n\"guest_cpu_config\": {template}}}");
    for text in [template, &fingerprint] {
        let cpu = one(text, Format::Firecracker);
        assert_eq!(cpu.entries, [CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 3))]);
        assert_eq!(cpu.known(0), Registers::new(0, 0x28, 0, u32::MAX));
        let written = text_of_one(Format::Firecracker, &cpu);
        let value: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(value, dump::firecracker_template(&cpu));
        assert_eq!(one(written, Format::Firecracker), cpu);
        let open = dump::write(Vec::new(), Format::CpuidR, &[cpu]).unwrap_err();
        assert_eq!(open.to_string(), "cpuid-r tells every bit of a register, and entry 0 leaves some open");
    }
    for (from, to, message) in [
        (
            "ebx",
            "rbx",
            "line 7: `{ \"register\": \"rbx\", \"bitmap\": \"0bxxxxxxxx_xxxxxxxx_xxxxxxxx_xx1x0xxx\" }` is not firecracker: unknown variant `rbx`",
        ),
        (
            "xx1x0xxx",
            "xx1x0xx",
            "is not firecracker: invalid value: string \"0bxxxxxxxx_xxxxxxxx_xxxxxxxx_xx1x0xx\", expected `0b` and 32 of `0`, `1` and `x`",
        ),
        (
            "edx",
            "ebx",
            "line 1: `\"leaf\": \"0x7\"` is not firecracker: expected each register once in the modifiers of a leaf",
        ),
        (
            "\"0x7\"",
            "\"0x1ffffffff\"",
            "expected a number of 32 bits, or one in a text: decimal, `0x...` or `0b...`",
        ),
    ] {
        let found = fails(&template.replace(from, to));
        assert!(found.contains(message), "{found}");
    }
    assert_eq!(
        fails_as(Format::Firecracker, "{\"a\": 1}"),
        "line 1: `{` is not firecracker: expected an object with `cpuid_modifiers`, or with `guest_cpu_config` that has them"
    );
}

#[test]
fn propolis() {
    let config = "[main]\nname = \"x\"\ncpuid_profile = \"milan\"\n\n[cpuid.milan]\nvendor = \"amd\"\n\
                  \"0\" = [0x10, 0x68747541, 0x444d4163, 0x69746e65]\n\"7\" = [0x0, 0x0, 0x0, 0x0]\n\
                  \"7-0\" = [0x0, 0x2014_01a9, 0, 0b11]\n1 = [8589199, 67584, 0xf6d83203, 0x178bfbff]\n\
                  \"7-1\" = [0, 0, 0, 7]\n[cpuid.other]\nvendor = \"intel\"\na = [1, 2, 3, 4]\n";
    let dump = read(config);
    assert_eq!(dump.format, Format::Propolis);
    assert_eq!(
        dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect::<Vec<_>>(),
        [Some("milan"), Some("other")]
    );
    // The entry for all subleaves would hide the others from KVM if it came first.
    assert_eq!(
        dump.cpus[0].entries,
        [
            CpuidEntry::new(Leaf(0), Registers::new(0x10, 0x6874_7541, 0x444d_4163, 0x6974_6e65)),
            CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x2014_01a9, 0, 3)),
            CpuidEntry::new(Leaf(1), Registers::new(0x83_0f8f, 0x1_0800, 0xf6d8_3203, 0x178b_fbff)),
            CpuidEntry::indexed(Leaf(7), Subleaf(1), Registers::new(0, 0, 0, 7)),
            CpuidEntry::new(Leaf(7), Registers::ZERO),
        ]
    );
    assert_eq!(dump.cpus[1].entries, [CpuidEntry::new(Leaf(10), Registers::new(1, 2, 3, 4))]);
    let written = text_of_one(Format::Propolis, &dump.cpus[0]);
    assert_eq!(one(written, Format::Propolis), dump.cpus[0]);

    let value = "expected `[eax, ebx, ecx, edx]`, each a number of 32 bits";
    for (line, expected) in [
        ("\"1\" = [1, 2, 3]", value),
        ("\"1\" = [1, 2, 3, -4]", value),
        ("\"1\" = [1, 2, 3, 0x100000000]", value),
        ("\"1x\" = [1, 2, 3, 4]", "expected `vendor`, `\"LEAF\"` or `\"LEAF-SUBLEAF\"` in hexadecimal"),
        ("vendor = \"via\"", "expected `vendor = \"amd\"` or `vendor = \"intel\"`"),
    ] {
        assert_eq!(
            fails(&format!("[cpuid.a]\n{line}\n")),
            format!("line 2: `{line}` is not propolis: {expected}")
        );
    }
    assert_eq!(
        fails("[cpuid.a]\n\"1\" = [1, 2, 3, 4]\n"),
        "line 1: `[cpuid.a]` is not propolis: expected `vendor = \"amd\"` or `vendor = \"intel\"`"
    );
    assert_eq!(fails("[cpuid.a]\nb = = 3\n").split(" is not propolis").next(), Some("line 2: `b = = 3`"));
}

/// QEMU's monitor and QMP output for a model match the tables.
#[test]
fn qemu() {
    if !common::pinned("qemu") {
        return;
    }
    let qemu = QemuRelease::find("10.0").unwrap();
    // The feature that TCG removes from every model: `vme`.
    let off = |word, bit| {
        qemu.tcg_defaults().any(|(name, value)| {
            let feature = Feature::from_qemu_name(name).unwrap();
            value == Some("off") && feature.location().word == word && feature.mask() == bit
        })
    };
    let dump = read(file("qemu-model.json"));
    assert_eq!(dump.format, Format::QemuModel);
    assert_eq!(
        dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect::<Vec<_>>(),
        [Some("EPYC-Milan-v2"), Some("base")]
    );
    for (cpu, name) in dump.cpus.iter().zip(["EPYC-Milan-v2", "SapphireRapids-v3"]) {
        let model = qemu.cpu_model(name).unwrap();
        let mut features = 0;
        for (at, entry) in cpu.entries.iter().enumerate() {
            let known = cpu.known(at);
            for word in entry.words() {
                let (value, known) = (entry.register(word.register), known[word.register]);
                let is_feature = |bit: &u32| {
                    Feature::all().any(|feature| feature.location().word == word && feature.mask() == *bit)
                };
                for bit in (0..32).map(|bit| 1 << bit).filter(|bit| known & bit != 0).filter(is_feature) {
                    let is = |feature: Feature| feature.location().word == word && feature.mask() == bit;
                    let expected = match () {
                        // Every CPU has it; QEMU sets it when it creates one.
                        () if is(feature::HYPERVISOR) => bit,
                        () if off(word, bit) => 0,
                        () => model.word(word) & bit,
                    };
                    assert_eq!(value & bit, expected, "{name} {word} {bit:#x}");
                    features += 1;
                }
            }
        }
        assert!(features > 200, "{name}: {features}");
        let find = |leaf| cpu.entries.iter().find(|entry| entry.function == Leaf(leaf)).unwrap();
        assert_eq!(find(1).registers.eax, model.signature());
        let Registers { ebx, ecx, edx, .. } = find(0).registers;
        assert_eq!([ebx, edx, ecx], model.vendor_registers());
        let brand: Vec<u32> =
            (0x8000_0002..0x8000_0005).flat_map(|leaf| find(leaf).registers.to_array()).collect();
        assert_eq!(brand, model.brand_registers());
    }
    let full = &dump.cpus[0];
    assert_eq!(full.entries[0].registers.eax, qemu.cpu_model("EPYC-Milan-v2").unwrap().level());

    let cpu = one(file("qemu-monitor.txt"), Format::QemuMonitor);
    let milan = qemu.cpu_model("EPYC-Milan").unwrap();
    let seven =
        cpu.entries.iter().position(|entry| (entry.function, entry.index) == (Leaf(7), Subleaf(0))).unwrap();
    assert_eq!(cpu.known(seven), Registers::new(0, u32::MAX, u32::MAX, u32::MAX));
    // TCG has fewer features than the model.
    let ebx = cpu.entries[seven].registers.ebx;
    assert!(ebx != 0 && ebx & !milan.word(cpu.entries[seven].words()[1]) == 0, "{ebx:#x}");
}

#[test]
fn qemu_faults() {
    let word = r#"{"cpuid-register": "EBX", "cpuid-input-eax": 6, "features": 1}"#;
    let through_qmp = format!("{{\"return\": [{word}]}}");
    let hmp_through_qmp = format!("{{\"return\": {:?}}}", format!("[\r\n {word}\r\n]"));
    for text in [format!("[{word}]"), through_qmp, hmp_through_qmp] {
        let cpu = one(text, Format::QemuMonitor);
        assert_eq!(cpu.entries, [CpuidEntry::new(Leaf(6), Registers::new(0, 1, 0, 0))]);
        assert_eq!(cpu.known(0), Registers::new(0, u32::MAX, 0, 0));
    }
    assert_eq!(
        fails(&format!("[{word}, {word}]")),
        "line 1: `cpuid-register` is not qemu-monitor: expected each register of a leaf once in a list"
    );
    let wrong = fails(&format!("\n[{}]", word.replace("EBX", "RBX")));
    assert!(wrong.starts_with("line 2: ") && wrong.contains("unknown variant `RBX`"), "{wrong}");
    let wrong = fails(r#"{"return": {"model": {"props": {"avx2": true}}}}"#);
    assert_eq!(wrong, "line 1: `\"model\"` is not qemu-model: missing field `name`");
}

#[test]
fn json() {
    let text = "{\"number\": 3, \"name\": \"a \\\"b\\\"\",\n \"entries\": [{\"function\": 7, \"index\": \"0x1\", \"flags\": 1, \"eax\": \"10\", \
                \"ebx\": 0, \"ecx\": \"0xff\", \"edx\": 4294967295, \"known\": [3, 2, 15, 4]},\n {\"function\": \"0x1\", \"eax\": 1, \"ebx\": 2, \
                \"ecx\": 3, \"edx\": 4}]} {\"entries\": []}\n";
    let dump = read(text);
    assert_eq!((dump.format, dump.cpus.len()), (Format::Json, 2));
    let cpu = &dump.cpus[0];
    assert_eq!((cpu.number, cpu.name.as_deref()), (Some(3), Some("a \"b\"")));
    assert_eq!(
        cpu.entries,
        [
            CpuidEntry::indexed(Leaf(7), Subleaf(1), Registers::new(2, 0, 15, 4)),
            CpuidEntry::new(Leaf(1), Registers::new(1, 2, 3, 4))
        ]
    );
    assert_eq!((cpu.known(0), cpu.known(1)), (Registers::new(3, 2, 15, 4), Registers::MAX));
    assert_eq!(read(crate::formats::text(Format::Json, &dump.cpus)).cpus, dump.cpus);
    assert_eq!(
        fails("\n{\"entries\": [\n{\"function\": \"0xg\", \"eax\": 1}]}"),
        "line 3: `{\"function\": \"0xg\", \"eax\": 1}]}` is not a table in JSON: invalid value: string \"0xg\", expected a number of 32 \
         bits, or one in a text: decimal, `0x...` or `0b...` at column 18"
    );
    assert!(
        fails("{\"entries\": [{\"function\": \"+1\", \"eax\": 1}]}").contains("invalid value: string \"+1\"")
    );
    assert!(fails("{\"entries\": [{\"fun\": 1}]}").contains("unknown field `fun`"));
    assert_eq!(
        fails("{\"entries\": []}\n{\"entries\": ["),
        "line 2: `{\"entries\": [` is not a table in JSON: the JSON document that begins in this line is not closed"
    );
    assert_eq!(
        fails("{\"entries\": []}\nx"),
        "line 2: `x` is not a table in JSON: expected `{`, which begins a JSON object"
    );
}
