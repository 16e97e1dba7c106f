//! Reads the output of `recorded/record-cpu-models`, which documents the rows.

use std::collections::{BTreeMap, BTreeSet};

/// Properties by name, with values as written: `on`, `off`, a number, text in double quotes.
pub(crate) type Props = BTreeMap<String, String>;

/// A definition of `query-cpu-definitions`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) alias_of: Option<String>,
    pub(crate) flags: BTreeSet<String>,
}

/// One QEMU's recording.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) release: String,
    pub(crate) common: Props,
    pub(crate) aliases: BTreeMap<String, Vec<String>>,
    pub(crate) definitions: BTreeMap<String, Definition>,
    /// By name and machine.
    pub(crate) defaults: BTreeMap<(String, String), String>,
    pub(crate) unavailable: BTreeMap<String, BTreeSet<String>>,
    pub(crate) tcg: BTreeMap<String, Props>,
    /// With vmx=on, from `tcg`.
    pub(crate) vmx: BTreeMap<String, Props>,
    pub(crate) kvm: BTreeMap<String, Props>,
    /// By leaf, subleaf and register as written.
    pub(crate) words: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) deps: BTreeMap<String, BTreeSet<String>>,
    /// Kinds of rows that a live recording repeats: without those of KVM, of a running CPU, and the head.
    pub(crate) repeatable: Vec<String>,
}

impl Recording {
    /// Every row; an unknown kind is an error.
    pub(crate) fn read(text: &str) -> Recording {
        let mut to = Recording::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            to.row(&columns);
            if !["kvm", "words"].contains(&columns[0]) {
                to.repeatable.push(line.to_owned());
            }
        }
        to
    }

    fn row(&mut self, columns: &[&str]) {
        let name = columns[1].to_owned();
        let names = |from: usize| columns[from..].iter().map(|one| (*one).to_owned());
        match columns[0] {
            "release" => self.release = name,
            "common" => self.common = props(&columns[1..]),
            "alias" => {
                self.common.remove(&name);
                self.aliases.insert(name, names(2).collect());
            }
            "definition" => {
                let alias_of = Some(columns[2].to_owned()).filter(|of| of != "-");
                self.definitions.insert(name, Definition { alias_of, flags: names(3).collect() });
            }
            "default" => {
                self.defaults.insert((name, columns[2].to_owned()), columns[3].to_owned());
            }
            "unavailable" => {
                self.unavailable.insert(name, names(2).collect());
            }
            "tcg" => {
                let from = if columns[2] == "common" { &self.common } else { &self.tcg[columns[2]] };
                let state = changed(from, &columns[3..]);
                self.tcg.insert(name, state);
            }
            "vmx" => {
                let none = Props::new();
                let from = if columns[2] == "-" { &none } else { &self.vmx[columns[2]] };
                let state = changed(from, &columns[3..]);
                self.vmx.insert(name, state);
            }
            "kvm" => {
                let state = changed(&self.tcg[&name], &columns[2..]);
                self.kvm.insert(name, state);
            }
            "words" => {
                let value = |pair: &&str| {
                    let (word, mask) = pair.split_once("=0x").unwrap();
                    (word.to_owned(), u64::from_str_radix(mask, 16).unwrap())
                };
                self.words.insert(name, columns[2..].iter().map(value).collect());
            }
            "dep" => {
                self.deps.insert(name, names(2).collect());
            }
            "auto" => assert!(self.tcg.contains_key(&name), "{name}"),
            other => panic!("a row of the unknown kind {other}"),
        }
    }
}

fn props(pairs: &[&str]) -> Props {
    let pair = |pair: &&str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pairs.iter().map(|one| pair(one).unwrap()).collect()
}

fn changed(from: &Props, pairs: &[&str]) -> Props {
    let mut state = from.clone();
    state.extend(props(pairs));
    state
}
