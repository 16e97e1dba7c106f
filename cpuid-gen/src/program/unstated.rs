//! What no program states and the base facts do not have either: changes between two pinned releases that a later one took
//! back, and patches of distributions. Each is known from the program named with it.

use super::stated::Stated;
use crate::facts::{QemuDep, QemuFacts};

/// A default property of KVM that a distribution removes.
struct Removed {
    /// A part of the package's name.
    package: &'static str,
    property: &'static str,
}

const REMOVED_DEFAULTS: [Removed; 1] = [
    // Ubuntu offers nested virtualization by default: its programs 8.2.2, 9.2.1, 10.1.0 and 10.2.1 leave SVM as the model has it,
    // under upstream's machine types too.
    Removed { package: "ubuntu", property: "svm" },
];

/// How some releases differ in a dependency.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// They state it the other way round.
    Reversed,
    /// They state it, and the pinned releases before and after do not.
    Added,
    /// They do not state it.
    Absent,
}

/// A dependency that the facts of the nearest release do not have as a program of `since[0]`, or later but before
/// `since[1]`, has it: a word and the bits that are needed, and those that need them.
struct Dependency {
    since: [[u32; 3]; 2],
    change: Change,
    needed: (&'static str, u64),
    needing: (&'static str, u64),
}

const WAITPKG: (&str, u64) = ("FEAT_7_0_ECX", 1 << 5);
const VMX_USER_WAIT: (&str, u64) = ("FEAT_VMX_SECONDARY_CTLS", 1 << 26);
const WRMSRNS: (&str, u64) = ("FEAT_7_1_EAX", 1 << 19);
const FRED: (&str, u64) = ("FEAT_7_1_EAX", 1 << 17);
const SGX: (&str, u64) = ("FEAT_7_0_EBX", 1 << 2);
const SGX_LC: (&str, u64) = ("FEAT_7_0_ECX", 1 << 30);
const SGX_WORDS: [&str; 3] = ["FEAT_SGX_12_0_EAX", "FEAT_SGX_12_0_EBX", "FEAT_SGX_12_1_EAX"];

/// The program 8.2.2 lacks SGX's dependencies, and 9.2.1 has them; 9.1 is an estimate.
const fn before_sgx(needing: (&'static str, u64)) -> Dependency {
    Dependency { since: [[0, 0, 0], [9, 1, 0]], change: Change::Absent, needed: SGX, needing }
}

const DEPENDENCIES: [Dependency; 7] = [
    // WAITPKG needs VMX's user wait, as the program 8.2.2 shows. Added in 8.2; corrected in 9.1 by commit fe01af5d47, which
    // 8.2.5 and 9.0.1 have too.
    Dependency {
        since: [[8, 2, 0], [8, 2, 5]],
        change: Change::Reversed,
        needed: WAITPKG,
        needing: VMX_USER_WAIT,
    },
    Dependency {
        since: [[9, 0, 0], [9, 0, 1]],
        change: Change::Reversed,
        needed: WAITPKG,
        needing: VMX_USER_WAIT,
    },
    // As the program 9.2.1 shows. Added with FRED; removed in 10.1 by commit 0b901459a8, which 10.0.3 has too.
    Dependency { since: [[9, 1, 0], [10, 0, 3]], change: Change::Added, needed: WRMSRNS, needing: FRED },
    before_sgx(SGX_LC),
    before_sgx((SGX_WORDS[0], u64::MAX)),
    before_sgx((SGX_WORDS[1], u64::MAX)),
    before_sgx((SGX_WORDS[2], u64::MAX)),
];

/// Applies what is known of this program.
pub(super) fn apply(stated: &Stated, facts: &mut QemuFacts) {
    let is_removed = |property: &str| {
        let of = |row: &&Removed| stated.package.to_ascii_lowercase().contains(row.package);
        REMOVED_DEFAULTS.iter().filter(of).any(|row| row.property == property)
    };
    for row in facts.kvm_defaults.iter_mut().filter(|row| is_removed(&row.property)) {
        row.value = None;
    }
    let release = numbers(&stated.release);
    for row in DEPENDENCIES.iter().filter(|row| row.since[0] <= release && release < row.since[1]) {
        row.apply(facts);
    }
}

impl Dependency {
    fn apply(&self, facts: &mut QemuFacts) {
        let owned = |(word, bits): (&str, u64)| (word.to_owned(), bits);
        let (from, to) = (owned(self.needed), owned(self.needing));
        let known = facts.deps.iter().position(|dep| dep.from == from && dep.to == to);
        match (self.change, known) {
            (Change::Reversed, Some(at)) => {
                let dep = &mut facts.deps[at];
                std::mem::swap(&mut dep.from, &mut dep.to);
            }
            (Change::Absent, Some(at)) => {
                facts.deps.remove(at);
            }
            (Change::Added, None) if facts.word_named(&from.0).is_some() => {
                facts.deps.push(QemuDep { from, to, at: facts.at });
            }
            _ => {}
        }
    }
}

fn numbers(release: &str) -> [u32; 3] {
    let mut numbers = release.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{FRED, SGX, SGX_LC, VMX_USER_WAIT, WAITPKG, WRMSRNS, apply};
    use crate::facts::{QemuDefault, QemuDep, QemuFacts, QemuSource, QemuWord};
    use crate::location::{Leaf, Register, Subleaf, Word};
    use crate::program::Stated;
    use crate::source::{Sources, Span};

    /// The facts of 10.0 as far as they are changed, for a program of another release.
    fn made(release: &str, package: &str) -> QemuFacts {
        let at = Span { file: Sources::new().add("base", ""), start: 0, end: 0 };
        let mut facts = QemuFacts::new("10.0.13".to_owned(), at);
        let source = QemuSource::Cpuid { leaf: Leaf(7), subleaf: Some(Subleaf(1)), register: Register::Eax };
        facts.words.push(QemuWord { name: "FEAT_7_1_EAX".to_owned(), index: Word(0), source, at });
        for (from, to) in [(WAITPKG, VMX_USER_WAIT), (SGX, SGX_LC)] {
            let [from, to] = [from, to].map(|(word, bits)| (word.to_owned(), bits));
            facts.deps.push(QemuDep { from, to, at });
        }
        let value = Some("off".to_owned());
        facts.kvm_defaults.push(QemuDefault { property: "svm".to_owned(), value, at });
        let (release, package) = (release.to_owned(), package.to_owned());
        apply(&Stated { release, package, ..Stated::default() }, &mut facts);
        facts
    }

    #[test]
    fn dependencies_follow_the_release() {
        let upright = (WAITPKG, VMX_USER_WAIT);
        let reversed = (VMX_USER_WAIT, WAITPKG);
        let (sgx, fred) = ((SGX, SGX_LC), (WRMSRNS, FRED));
        for (release, expected) in [
            ("8.1.5", &[upright][..]),
            ("8.2.0", &[reversed]),
            ("8.2.4", &[reversed]),
            ("8.2.5", &[upright]),
            ("9.0.0", &[reversed]),
            ("9.0.1", &[upright]),
            ("9.1.0", &[upright, sgx, fred]),
            ("10.0.2", &[upright, sgx, fred]),
            ("10.0.3", &[upright, sgx]),
            ("11.1.3", &[upright, sgx]),
        ] {
            let deps = made(release, "").deps;
            let deps: Vec<_> = deps
                .iter()
                .map(|dep| ((dep.from.0.as_str(), dep.from.1), (dep.to.0.as_str(), dep.to.1)))
                .collect();
            assert_eq!(deps, expected, "{release}");
        }
    }

    #[test]
    fn ubuntu_offers_svm() {
        let svm = |package| made("8.2.2", package).kvm_defaults.remove(0).value;
        assert_eq!(svm("Debian 1:8.2.2+ds-0ubuntu1"), None);
        for other in ["", "Debian 1:10.0.13+ds-0+deb13u1", "pve-qemu-kvm_9.0.2-4"] {
            assert_eq!(svm(other).as_deref(), Some("off"), "{other}");
        }
    }
}
