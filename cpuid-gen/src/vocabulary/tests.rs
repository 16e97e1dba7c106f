use super::location::{
    Bit, CpuidPlace, CpuidWord, Leaf, Location, Msr, Place, Register, Subleaf, Word, WordBit,
};
use super::release_order::ReleaseOrder;

#[test]
fn every_way_of_writing_a_place() {
    let ebx = CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx);
    let avx2 = Some(Place::Bits(ebx, Bit(5), Bit(5)));
    for text in [
        "7.0.ebx[5]",
        "7.ebx[5]",
        "0x7.0.EBX[5]",
        "7.0:ebx[5]",
        "CPUID.(EAX=7,ECX=0):EBX[5]",
        "(eax=7, ecx=0):ebx[5]",
        "CPUID.(EAX=07H,ECX=0H):EBX.AVX2[bit 5]",
        "CPUID.07H:EBX.avx2 [bit 5]",
        "CPUID.07H.0H:EBX[5]",
        "CPUID[eax=07h,ecx=00h].EBX.avx2 [bit 5]",
        "Fn0000_0007_EBX[5]",
        "CPUID Fn0000_0007_EBX_x0[5]",
    ] {
        assert_eq!(text.parse().ok(), avx2, "{text}");
    }
    let eax = CpuidWord::new(Leaf(0x8000_001d), Subleaf(2), Register::Eax);
    for text in ["0x8000001d.2.eax[4:0]", "Fn8000_001D_EAX_x2[4:0]", "8000001Dh.2.eax[bits 0-4]"] {
        assert_eq!(text.parse().ok(), Some(Place::Bits(eax, Bit(0), Bit(4))), "{text}");
    }
    assert_eq!("7.0.ebx".parse().ok(), Some(Place::Register(ebx)));
    assert_eq!("CPUID.(EAX=7,ECX=0):EBX = 0x21".parse().ok(), Some(Place::Value(ebx, 0x21)));
    assert_eq!("0x80000008".parse().ok(), Some(Place::Leaf(Leaf(0x8000_0008), None)));
    assert_eq!("Fn8000_0008".parse().ok(), Some(Place::Leaf(Leaf(0x8000_0008), None)));
    assert_eq!("0xd.1".parse().ok(), Some(Place::Leaf(Leaf(0xd), Some(Subleaf(1)))));
    assert_eq!("13".parse().ok(), Some(Place::Leaf(Leaf(13), None)));
    let bit = WordBit { word: Word(9), bit: Bit(5) };
    assert_eq!("( 9*32+ 5)".parse().ok(), Some(Place::LinuxBit(bit)));
    assert_eq!("MSR 0x10a[8]".parse().ok(), Some(Place::MsrBit(Msr(0x10a).bit(Bit(8)))));
    assert_eq!("0x48c[41]".parse().ok(), Some(Place::MsrBit(Msr(0x48c).bit(Bit(41)))));
}

#[test]
fn a_register_s_value_needs_no_subleaf() {
    for (text, register) in [
        ("1.ecx=0x7eda320b", Register::Ecx),
        ("0x1.ECX = 0x7eda320b", Register::Ecx),
        ("CPUID.01H:ECX=7eda320bh", Register::Ecx),
        ("1.eax=0x7eda320b", Register::Eax),
    ] {
        let word = CpuidWord::new(Leaf(1), Subleaf(0), register);
        assert_eq!(text.parse().ok(), Some(Place::Value(word, 0x7eda_320b)), "{text}");
    }
    let ecx = CpuidWord::new(Leaf(7), Subleaf(1), Register::Ecx);
    for text in ["eax=7,ecx=1:ecx=5", "7.1.ecx=5", "7,1:ecx=5"] {
        assert_eq!(text.parse().ok(), Some(Place::Value(ecx, 5)), "{text}");
    }
}

#[test]
fn every_way_of_writing_an_msr() {
    for text in ["MSR 0x48e", "msr(48EH)", "MSR(0x48e)", "MSR(48Eh)", "msr:0x48e", "MSR 1166", "MSR0000_048E"]
    {
        assert_eq!(text.parse().ok(), Some(Place::Msr(Msr(0x48e))), "{text}");
    }
    assert_eq!("MSRC001_0015".parse().ok(), Some(Place::Msr(Msr(0xc001_0015))));
    for text in ["MSR(10AH).taa-no [bit 8]", "MSR(10Ah).taa-no [bit 8]", "MSR(10AH) [bit 8]", "MSR 10Ah[8]"] {
        assert_eq!(text.parse().ok(), Some(Place::MsrBit(Msr(0x10a).bit(Bit(8)))), "{text}");
    }
    for text in ["MSR 0x48e=0xfff9fffe04006172", "MSR(48EH) = FFF9FFFE04006172h"] {
        assert_eq!(text.parse().ok(), Some(Place::MsrValue(Msr(0x48e), 0xfff9_fffe_0400_6172)), "{text}");
    }
}

#[test]
fn what_is_no_place() {
    for text in [
        "",
        "avx2",
        "sse4.1",
        "7.0.ebx[32]",
        "7.0.eex[1]",
        "7.0.ebx[",
        "7.0.ebx=",
        "7.0.ebx=+5",
        "(eax=7",
        "7.",
        "fn",
        "fn8000_zz",
        "9*32+32",
        "x*32+1",
        "msr",
        "msr[1]",
        "msr 0x48ex",
        "msr 0x48e=",
        "msr 0x48e=0x10000000000000000",
        "msr 0x48e[bit 64]",
        "msr 0x48e)taa-no[8]",
        "msrc001_001",
        "0x48c[64]",
        "7.0.ebx]5[",
        "0x",
        "h",
        "cpuid",
        "1ffffffffh",
        "7.0.ebx+5",
        "é",
        "7.0.é",
        "7.0.eé",
    ] {
        assert_eq!(text.parse::<Place>().ok(), None, "{text:?}");
    }
}

#[test]
fn what_is_printed_is_read_again() {
    for text in ["CPUID.(EAX=7,ECX=0):EBX", "CPUID.(EAX=0x8000001D,ECX=12):EDX"] {
        assert_eq!(text.parse::<CpuidWord>().map(|word| word.to_string()).as_deref(), Ok(text));
        let bit = format!("{text}[31]");
        assert_eq!(bit.parse::<Location>().map(|bit| bit.to_string()), Ok(bit));
    }
    assert_eq!("MSR 0x48c[41]".parse(), Ok(Place::MsrBit(Msr(0x48c).bit(Bit(41)))));
    assert_eq!(Msr(0x48c).bit(Bit(41)).to_string(), "MSR 0x48c[41]");
    assert!("7.0.ebx".parse::<Location>().is_err() && "7.0.ebx[5]".parse::<CpuidWord>().is_err());
}

#[test]
fn what_is_printed_is_parsed_as_the_same_place() {
    let word = CpuidWord::new(Leaf(0x8000_001d), Subleaf(3), Register::Ecx);
    for (place, text) in [
        (Place::Leaf(Leaf(7), None), "CPUID.(EAX=7)"),
        (Place::Leaf(Leaf(0xd), Some(Subleaf(1))), "CPUID.(EAX=0xD,ECX=1)"),
        (Place::Register(word), "CPUID.(EAX=0x8000001D,ECX=3):ECX"),
        (Place::Bits(word, Bit(5), Bit(5)), "CPUID.(EAX=0x8000001D,ECX=3):ECX[5]"),
        (Place::Bits(word, Bit(8), Bit(11)), "CPUID.(EAX=0x8000001D,ECX=3):ECX[11:8]"),
        (Place::Value(word, 0x21), "CPUID.(EAX=0x8000001D,ECX=3):ECX=0x21"),
        (Place::LinuxBit(WordBit { word: Word(9), bit: Bit(5) }), "9*32+5"),
        (Place::Msr(Msr(0x10a)), "MSR 0x10a"),
        (Place::MsrBit(Msr(0x48c).bit(Bit(41))), "MSR 0x48c[41]"),
        (Place::MsrValue(Msr(0x10a), 0x69), "MSR 0x10a=0x69"),
    ] {
        assert_eq!(place.to_string(), text);
        assert_eq!(text.parse(), Ok(place));
    }
}

#[test]
fn bits_of_a_place_are_runs_from_the_highest() {
    let place = |bits| CpuidPlace { leaf: Leaf(1), subleaf: None, register: Some(Register::Eax), bits };
    for (bits, text) in [
        (0, "CPUID.(EAX=1):EAX"),
        (1, "CPUID.(EAX=1):EAX[0]"),
        (0x0fff_0f00, "CPUID.(EAX=1):EAX[27:16, 11:8]"),
        (0x8000_0005, "CPUID.(EAX=1):EAX[31, 2, 0]"),
        (u32::MAX, "CPUID.(EAX=1):EAX[31:0]"),
    ] {
        assert_eq!(place(bits).to_string(), text);
    }
}

fn ascends(releases: &[&str]) -> bool {
    releases.is_sorted_by(|a, b| ReleaseOrder::new(a) < ReleaseOrder::new(b))
}

#[test]
fn releases_ascend_by_number() {
    assert!(ascends(&["4.4.302", "6.1", "6.1.9", "6.1.10", "6.1.192", "6.9.1", "6.12.117", "10.2.2"]));
}

#[test]
fn release_candidates_ascend_by_number_and_precede_their_release() {
    assert!(ascends(&["7.2.22", "7.3-rc1", "7.3-rc2", "7.3-rc10", "7.3", "7.3.1-rc1", "7.3.1"]));
    assert!(ascends(&["7.3.0-rc2", "7.3.0-rc2-next", "7.3.0-rc10", "7.3", "7.3.0"]));
}

#[test]
fn what_a_distribution_adds_does_not_change_the_age() {
    assert!(ascends(&["6.1.0-28-amd64", "6.1.1", "6.12.5", "6.12.5+", "6.12.6", "6.12.117-custom", "6.13"]));
    assert!(ascends(&["5.15.167", "5.15.167.4-microsoft-standard-WSL2", "5.15.168"]));
}

#[test]
fn text_that_is_not_a_number_is_newest() {
    assert!(ascends(&["7.3", "7.3-custom", "7.x", "", "devel"]));
}
