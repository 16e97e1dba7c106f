//! Spans of a text, and the styles of the output.

use cpuid_tables::show::{Machine, Style, Styled, compare, decode, find, why};
use cpuid_tables::{CpuidEntry, Leaf, Named, Registers, Subleaf, feature};

/// The spans in a style.
fn in_style(text: &Styled, style: Style) -> Vec<&str> {
    text.spans().filter(|(other, _)| *other == style).map(|(_, span)| span).collect()
}

#[test]
fn neighbours_differ_and_none_is_empty() {
    let mut text = Styled::new();
    assert!(text.is_empty());
    text.push(Style::Good, "").plain("a").plain("").plain("b").push(Style::Good, 1).push(Style::Good, 2);
    let mut whole = Styled::new();
    whole.line(Style::Heading, "h").append(&text);
    let spans: Vec<(Style, &str)> = whole.spans().collect();
    assert_eq!(spans, [(Style::Heading, "h"), (Style::Plain, "\nab"), (Style::Good, "12")]);
    assert_eq!((whole.to_string().as_str(), whole.count_lines()), ("h\nab12", 1));
}

#[test]
fn unknown_bits_are_a_doubt_wherever_they_are() {
    // On the register's own line, and after fields.
    let table = [
        CpuidEntry::new(Leaf(0x7777), Registers::new(1, 0, 0, 0)),
        CpuidEntry::indexed(Leaf(4), Subleaf(0), Registers::new(0, 0, 0, 1 << 31)),
    ];
    let decoded = decode(&table);
    let own_line = decoded[0].styled();
    assert_eq!(in_style(&own_line, Style::Heading), ["0x00007777: undescribed leaf"]);
    assert_eq!(in_style(&own_line, Style::Doubt), ["unknown bits: 0 (0x00000001)"]);
    assert!(own_line.to_string().contains("  EAX 0x00000001  unknown bits: 0 (0x00000001)\n"), "{own_line}");
    assert_eq!(in_style(&decoded[1].styled(), Style::Doubt), ["unknown bits: 31 (0x80000000)"]);
    for entry in &decoded {
        assert_eq!(entry.styled().to_string(), entry.to_string());
    }
}

#[test]
fn a_comparison_has_a_style_for_each_side() {
    let leaf_7 = |ebx, edx| CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, ebx, 0, edx));
    let (avx2, bmi1) = (feature::AVX2.mask(), feature::BMI1.mask());
    let found = compare(&[leaf_7(avx2, 0)], &[leaf_7(bmi1, 1)]);
    let text = found[0].styled();
    assert_eq!(in_style(&text, Style::Heading), ["0x00000007.0: features"]);
    assert_eq!(in_style(&text, Style::Error), ["- EBX[5]  avx2"]);
    assert_eq!(in_style(&text, Style::Good), ["+ EBX[3]  bmi1"]);
    assert!(in_style(&text, Style::Doubt)[0].starts_with("~ EDX"), "{text}");
    assert_eq!(text.to_string(), found[0].to_string());
}

#[test]
fn a_story_has_a_style_for_each_answer() {
    let leaf_7 = CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, feature::AVX2.mask(), 0, 0));
    let machine = Machine { cpuid: Some(vec![leaf_7]), ..Machine::default() };
    let yes = why(Named::Feature(feature::AVX2), &machine, None).styled();
    assert_eq!(in_style(&yes, Style::Good)[0], "yes");
    let story = why(Named::Feature(feature::AVX512F), &machine, None);
    let text = story.styled();
    assert_eq!(in_style(&text, Style::Error)[0], "no");
    let ends = in_style(&text, Style::Heading);
    assert_eq!((ends[0], ends[1]), ("avx512f: CPUID.(EAX=7,ECX=0):EBX[16]", story.verdict.as_str()));
    assert_eq!(text.to_string(), story.to_string());
}

#[test]
fn what_is_found_begins_with_a_heading() {
    for text in ["avx2", "cache_type", "0x80000008", "7.0.ebx", "7.0.ebx=0x20", "9*32+5", "MSR 0x10a[8]"] {
        let all = find(text);
        assert!(!all.is_empty(), "{text}");
        for found in all {
            let styled = found.styled();
            let first = styled.to_string();
            let first = first.lines().next();
            assert_eq!(styled.spans().next(), first.map(|first| (Style::Heading, first)), "{text}");
            assert_eq!(styled.to_string(), found.to_string());
        }
    }
}
