//! A case: a host, and QEMU's command-line arguments.

use std::fmt;
use std::str::FromStr;

/// One guest on one host. Its text is a line of `capture`, with tab-separated fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    /// The host's name.
    pub host: String,
    /// `-cpu`.
    pub cpu: String,
    /// `-smp`.
    pub smp: String,
    /// `-machine`.
    pub machine: String,
    /// Further arguments, for example `-overcommit` and `cpu-pm=on`.
    pub more: Vec<String>,
}

impl Case {
    /// A case without further arguments.
    pub fn new(host: &str, cpu: &str, smp: &str, machine: &str) -> Case {
        let [host, cpu, smp, machine] = [host, cpu, smp, machine].map(str::to_owned);
        Case { host, cpu, smp, machine, more: Vec::new() }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}\t{}\t{}", self.host, self.cpu, self.smp, self.machine)?;
        self.more.iter().try_for_each(|argument| write!(f, "\t{argument}"))
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(line: &str) -> Result<Case, String> {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next =
            |what: &str| fields.next().ok_or_else(|| format!("`{line}` is not a case: {what} is missing"));
        let [host, cpu, smp, machine] = [next("the host")?, next("-cpu")?, next("-smp")?, next("-machine")?];
        Ok(Case { host, cpu, smp, machine, more: fields.collect() })
    }
}
