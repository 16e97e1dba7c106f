//! Dependencies of several releases as one graph, on small made-up facts: current, transitive and rejected ones.
//! `BLESS=1 cargo test` rewrites the golden diagnostics.

use std::collections::BTreeSet;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::input;
use cpuid_gen::model::{Model, Node};
use cpuid_gen::source::Sources;

use crate::compare_with_golden;

/// A word with ten features, A to J, and a software-defined word with S.
fn linux(release: &str, rows: &str) -> String {
    let mut text = format!(
        "linux-release\t{release}\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
         linux-feature\tS\t1\t0\t-\nlinux-feature\tM\t1\t1\t-\nlinux-scattered\tM\t0x10\t0\tEBX\t3\n\
         linux-scattered\tM\t0x80000008\t0\tEBX\t6\n"
    );
    for (bit, name) in ('A'..='J').enumerate() {
        text += &format!("linux-feature\t{name}\t0\t{bit}\t-\n");
    }
    for row in rows.split(", ").filter(|row| !row.is_empty()) {
        text += &format!("linux-dep\t{}\n", row.replace(' ', "\t"));
    }
    text
}

/// The same features under the same names except J, and an MSR with X, Y and Z.
fn qemu(release: &str, rows: &str) -> String {
    let mut text = format!(
        "qemu-release\t{release}\nqemu-word\tFEAT_1\t0\tcpuid\t0x1\t-\tEDX\nqemu-word\tFEAT_MSR\t1\tmsr\t0x10a\n"
    );
    for (bit, name) in ('a'..='i').enumerate() {
        text += &format!("qemu-bit\tFEAT_1\t{bit}\t{name}\n");
    }
    text += "qemu-bit\tFEAT_MSR\t0\tx\nqemu-bit\tFEAT_MSR\t1\ty\nqemu-bit\tFEAT_MSR\t63\tz\n";
    for row in rows.split(", ").filter(|row| !row.is_empty()) {
        text += &format!("qemu-dep\t{}\n", row.replace(' ', "\t"));
    }
    text
}

fn merge(texts: &[String]) -> (Model, String) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (mut linux, mut qemu) = (Vec::new(), Vec::new());
    for text in texts {
        let name = text.lines().next().unwrap_or_default().replace('\t', "-");
        let id = sources.add(name, text.as_str());
        match facts::read(&sources, id, &mut diagnostics) {
            Some(Facts::Linux(facts)) => linux.push(facts),
            Some(Facts::Qemu(facts)) => qemu.push(facts),
            None => {}
        }
    }
    assert_eq!(diagnostics.render(&sources), "");
    let (model, diagnostics) = Model::merge(&linux, &qemu);
    (model, diagnostics.render(&sources))
}

/// All bits that a bit needs, by constant name.
fn closed(model: &Model, name: &str) -> String {
    let pairs = model.dependencies.closed.iter().filter(|(node, _)| model.constant(*node) == name);
    pairs.map(|(_, needs)| model.constant(*needs)).collect::<Vec<_>>().join(" ")
}

/// A bit's stated dependencies, with `|` between alternatives, and withdrawn ones in brackets.
fn stated(model: &Model, name: &str) -> String {
    let own = model.dependencies.stated.iter().filter(|dependency| model.constant(dependency.node) == name);
    let shown = own.map(|dependency| {
        let names: Vec<&str> = dependency.needs.iter().map(|needs| model.constant(*needs)).collect();
        if dependency.withdrawn { format!("[{}]", names.join("|")) } else { names.join("|") }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn dependencies_of_all_releases_form_one_graph() {
    let (model, doubts) = merge(&[
        linux("6.1", "B A, C B, S C"),
        linux("6.12", "B A, C B, S C, D S"),
        // Bit 4 is E: the required bit comes first.
        qemu("10.0", "FEAT_1 0x8 FEAT_1 0x10, FEAT_1 0x10 FEAT_MSR 0x8000000000000001"),
    ]);
    assert_eq!(doubts, "");
    assert_eq!(closed(&model, "C"), "A B");
    assert_eq!(closed(&model, "D"), "A B C S", "by way of a bit that software defines");
    assert_eq!(closed(&model, "E"), "A B C D S", "from one project to the other");
    assert_eq!((closed(&model, "X"), closed(&model, "Y")), ("A B C D E S".to_owned(), String::new()));
    let edge =
        |name: &str| model.dependencies.stated.iter().find(|one| model.constant(one.node) == name).unwrap();
    assert_eq!((&edge("B").linux[..], &edge("B").qemu[..]), (&[true, true][..], &[false][..]));
    assert_eq!((&edge("D").linux[..], &edge("D").qemu[..]), (&[false, true][..], &[false][..]));
    assert_eq!((&edge("Z").linux[..], &edge("Z").qemu[..]), (&[false, false][..], &[true][..]));
}

#[test]
fn a_newer_release_with_both_bits_withdraws_a_dependency() {
    let without_c = linux("6.12", "").replace("linux-feature\tC\t0\t2\t-\n", "");
    let (model, doubts) = merge(&[
        linux("6.1", "B A, C A, D A"),
        without_c,
        qemu("7.2", "FEAT_1 0x1 FEAT_1 0x8, FEAT_1 0x1 FEAT_1 0x220"),
        qemu("10.0", "FEAT_1 0x1 FEAT_1 0x8"),
    ]);
    assert_eq!(doubts, "");
    assert_eq!(stated(&model, "B"), "[A]");
    assert_eq!(stated(&model, "C"), "A", "6.12 has no C");
    assert_eq!(stated(&model, "D"), "A", "QEMU still states it");
    assert_eq!(stated(&model, "F"), "[A]");
    assert_eq!(stated(&model, "J"), "A", "QEMU 10.0 has no name for it");
    assert_eq!((closed(&model, "B"), closed(&model, "C")), (String::new(), "A".to_owned()));
}

#[test]
fn masks_and_macros_with_several_places() {
    let (model, doubts) = merge(&[
        linux("6.1", "B M, M A"),
        qemu(
            "10.0",
            "FEAT_1 0x70 FEAT_1 0x8, FEAT_1 0x8 FEAT_1 0x70, FEAT_MSR 0x1 FEAT_MSR 0xffffffffffffffff, FEAT_1 0x1 FEAT_1 0xffffffffffffffff",
        ),
    ]);
    assert_eq!(doubts, "", "any of three, each of which needs the one: not a cycle");
    assert_eq!(stated(&model, "B"), "A M_10_EBX_3|M_80000008_EBX_6");
    assert_eq!(closed(&model, "B"), "A", "what any of several needs is not closed over");
    assert_eq!(closed(&model, "M_10_EBX_3"), "A");
    assert_eq!(stated(&model, "D"), "A E|F|G");
    assert_eq!(closed(&model, "E"), "A D");
    assert_eq!((closed(&model, "Y"), closed(&model, "Z")), ("X".to_owned(), "X".to_owned()));
    assert_eq!(closed(&model, "X"), "", "a whole word's mask makes nothing depend on itself");
    assert_eq!(closed(&model, "J"), "A", "a bit of the word that Linux alone names");
}

#[test]
fn cycles_are_errors_with_every_place() {
    let check_cycle =
        |texts: &[String], name: &str| compare_with_golden(&format!("deps/{name}"), &merge(texts).1);
    check_cycle(&[linux("6.1", "B A, C B, A C, D A"), qemu("10.0", "")], "one-release.txt");
    check_cycle(
        &[linux("6.1", "B A"), linux("6.12", "B A, C B"), qemu("10.0", "FEAT_1 0x4 FEAT_1 0x1")],
        "projects.txt",
    );
    check_cycle(&[linux("6.1", "A A"), qemu("10.0", "FEAT_MSR 0x2 FEAT_MSR 0x2")], "itself.txt");
    check_cycle(
        &[
            linux("6.1", "B A"),
            linux("6.12", "A B"),
            qemu("10.0", "FEAT_1 0x1 FEAT_MSR 0x1, FEAT_MSR 0x1 FEAT_1 0x1"),
        ],
        "corrected-and-msr.txt",
    );
}

#[test]
fn bits_without_a_location_are_reported() {
    let (model, doubts) = merge(&[
        linux("6.1", "B NONE, NONE A, C A"),
        qemu(
            "10.0",
            "FEAT_NO 0x1 FEAT_1 0x1, FEAT_1 0x1 FEAT_NO 0x1, FEAT_1 0x80000001 FEAT_1 0x2, FEAT_1 0x1 FEAT_1 0x80000000, FEAT_1 0xffffffffffffffff FEAT_1 0x2, FEAT_MSR 0x4 FEAT_1 0x2",
        ),
    ]);
    compare_with_golden("deps/no-place.txt", &doubts);
    assert_eq!(model.dependencies.stated.len(), 1);
}

/// The pinned releases: sorted, transitive, and without a bit that needs itself.
#[test]
fn pinned_dependencies_are_closed() {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
    let (model, _) = Model::merge(&linux, &qemu);
    let closed = &model.dependencies.closed;
    assert!(closed.is_sorted());
    let all: BTreeSet<(Node, Node)> = closed.iter().copied().collect();
    assert!(model.dependencies.direct().all(|edge| all.contains(&edge)));
    for &(node, needs) in closed {
        assert_ne!(node, needs);
        let further = closed.iter().filter(|(from, _)| *from == needs);
        assert!(further.into_iter().all(|&(_, to)| all.contains(&(node, to))));
    }
    let direct = model.dependencies.direct().count();
    assert!(direct >= 200 && model.dependencies.one_of().count() >= 2, "{direct}");
}

/// An old release alone, whose table has what newer ones corrected.
#[test]
fn a_dependency_that_processors_do_not_have_is_withdrawn() {
    let text = "linux-release\t4.1\nlinux-word\tCPUID_7_EBX\t0\t0x7\t0\tEBX\nlinux-word\tCPUID_7_ECX\t1\t0x7\t0\tECX\n\
                linux-feature\tAVX512VL\t0\t31\tavx512vl\nlinux-feature\tAVX2\t0\t5\tavx2\n\
                linux-feature\tVAES\t1\t9\tvaes\nlinux-dep\tVAES\tAVX512VL\nlinux-dep\tAVX512VL\tAVX2\n";
    let (model, errors) = merge(&[text.to_owned()]);
    let current =
        model.dependencies.direct().map(|(node, needs)| [node, needs].map(|node| model.constant(node)));
    assert_eq!((current.collect::<Vec<_>>(), &*errors), (vec![["AVX512VL", "AVX2"]], ""));
}
