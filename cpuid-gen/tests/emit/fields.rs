//! The fields of several releases are merged into one description.

use std::error::Error;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::location::{Bit, Leaf, Subleaf};
use cpuid_gen::model::{Field, Model};
use cpuid_gen::source::Sources;
use cpuid_gen::{GenerateError, generate};

type TestResult = Result<(), Box<dyn Error>>;

/// The model of these Linux releases and a small QEMU release, and the diagnostics.
fn merge(texts: &[&str]) -> Result<(Model, String), Box<dyn Error>> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let mut linux = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let id = sources.add(format!("{index}.tsv"), *text);
        match facts::read(&sources, id, &mut diagnostics) {
            Some(Facts::Linux(facts)) => linux.push(facts),
            _ => return Err(diagnostics.render(&sources).into()),
        }
    }
    let id = sources.add("qemu.tsv", "qemu-release\t9.0.0\n");
    let Some(Facts::Qemu(qemu)) = facts::read(&sources, id, &mut diagnostics) else {
        return Err(diagnostics.render(&sources).into());
    };
    let (model, found) = Model::merge(&linux, &[qemu]);
    Ok((model, found.render(&sources)))
}

fn shown(fields: &[Field]) -> Vec<String> {
    fields.iter().map(|field| format!("{} {}", field.constant, field.place)).collect()
}

const OLD: &str = "linux-release\t6.1
cpuid-field\t0x4\t0\t0\tEAX\t0\t4\ttype
cpuid-field\t0x4\t3\t3\tEAX\t0\t4\tthird
cpuid-field\t0x4\t0\t0\tECX\t0\t31\tsets
cpuid-field\t0x9\t0\t0\tECX\t0\t31\tcap
";

const NEW: &str = "linux-release\t6.12
cpuid-field\t0x80000008\t0\t0\tEAX\t0\t7\tbits
cpuid-field\t0x4\t2\t31\tEAX\t0\t4\tkind
cpuid-field\t0x4\t0\t1\tEAX\t0\t4\tkind
cpuid-field\t0x4\t0\t31\tECX\t0\t30\tsets
";

#[test]
fn the_newest_release_defines_fields_and_older_ones_name_them() -> TestResult {
    let (model, diagnostics) = merge(&[NEW, OLD])?;
    assert_eq!(diagnostics, "");
    let expected = [
        "KIND_0_EAX_0 CPUID.(EAX=4,ECX=0-1):EAX[4:0]",
        "SETS CPUID.(EAX=4,ECX=0-31):ECX[30:0]",
        "KIND_2_EAX_0 CPUID.(EAX=4,ECX=2-31):EAX[4:0]",
        "BITS CPUID.(EAX=0x80000008,ECX=0):EAX[7:0]",
    ];
    assert_eq!(shown(&model.fields), expected);
    let names = |index: usize| -> Vec<Option<&str>> {
        model.fields[index].linux.iter().map(Option::as_deref).collect()
    };
    // The same bits with a common subleaf are the same field; 31 bits are not 32.
    assert_eq!(names(0), [Some("type"), Some("kind")]);
    assert_eq!(names(1), [None, Some("sets")]);
    assert_eq!(names(2), [Some("third"), Some("kind")]);
    Ok(())
}

#[test]
fn a_release_without_the_file_has_no_fields() -> TestResult {
    let (model, diagnostics) = merge(&[OLD, "linux-release\t6.12\n"])?;
    assert_eq!(diagnostics, "");
    assert_eq!(shown(&model.fields)[0], "TYPE CPUID.(EAX=4,ECX=0):EAX[4:0]");
    assert_eq!(shown(&model.fields).len(), 4);
    assert_eq!(model.fields[0].linux, [Some("type".to_owned()), None]);
    let (model, _) = merge(&["linux-release\t6.12\n"])?;
    assert_eq!(model.fields, []);
    let text = generate(&model)?.into_iter().find(|file| file.name == "field.rs").ok_or("no file")?.text;
    assert!(text.ends_with("LEAVES: &[&[crate::Field]] = &[];\n"), "{text}");
    Ok(())
}

#[test]
fn the_first_of_overlapping_fields_is_kept() -> TestResult {
    let row = |first: u32, last: u32, register: &str, low: u8, high: u8, name: &str| {
        format!("cpuid-field\t0x7\t{first}\t{last}\t{register}\t{low}\t{high}\t{name}\n")
    };
    let rows = [
        row(1, 3, "EAX", 4, 7, "a"),
        row(1, 3, "EAX", 0, 3, "below"),
        row(1, 3, "EAX", 8, 31, "above"),
        row(4, 4, "EAX", 4, 7, "later"),
        row(1, 3, "EBX", 4, 7, "beside"),
        row(3, 9, "EAX", 7, 7, "b"),
        row(1, 3, "EAX", 4, 7, "a"),
    ];
    let (model, diagnostics) = merge(&[&format!("linux-release\t6.12\n{}", rows.concat())])?;
    let expected = "\
0.tsv:7:1: warning: ignored `b`: it shares bits with `a`
0.tsv:8:1: warning: ignored `a`: it shares bits with `a`
";
    assert_eq!(diagnostics, expected);
    let names: Vec<&str> = model.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["below", "a", "above", "beside", "later"]);
    // Fields of an older release do not matter.
    let (_, diagnostics) = merge(&[&format!("linux-release\t6.9\n{}", rows.concat()), NEW])?;
    assert_eq!(diagnostics, "");
    Ok(())
}

#[test]
fn a_bit_that_is_a_feature_in_all_subleaves_is_not_a_field() -> TestResult {
    let features = "linux-release\t6.12
linux-count\tNCAPINTS\t2
linux-word\tCPUID_7_1_EAX\t0\t0x7\t1\tEAX
linux-word\tCPUID_7_2_EAX\t1\t0x7\t2\tEAX
linux-feature\tBOTH_A\t0\t4\t-
linux-feature\tBOTH_B\t1\t4\t-
linux-feature\tONE\t0\t5\t-
linux-feature\tWIDE\t0\t6\t-
cpuid-field\t0x7\t1\t2\tEAX\t4\t4\tboth
cpuid-field\t0x7\t1\t2\tEAX\t5\t5\tone
cpuid-field\t0x7\t1\t1\tEAX\t6\t7\twide
cpuid-field\t0x7\t0\t4294967295\tEDX\t6\t6\tendless
";
    let (model, diagnostics) = merge(&[features])?;
    assert_eq!(diagnostics, "");
    let names: Vec<&str> = model.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["endless", "wide", "one"]);
    assert_eq!((model.fields[0].place.last, model.fields[0].place.high), (Subleaf(u32::MAX), Bit(6)));
    assert_eq!(model.fields[0].place.leaf, Leaf(7));
    Ok(())
}

#[test]
fn hostile_names_are_refused_or_quoted() -> TestResult {
    let (mut model, _) = merge(&[OLD])?;
    model.fields[0].name = "a\"b\\c".to_owned();
    let text = generate(&model)?.into_iter().find(|file| file.name == "field.rs").ok_or("no file")?.text;
    assert!(text.contains(r#"a\"b\\c"#), "{text}");
    model.fields[0].name = "a\nb".to_owned();
    assert_eq!(generate(&model), Err(GenerateError::Name("a\\nb".to_owned())));
    Ok(())
}
