//! The cases of the whole sweep, by group. Hand-written lists are in `lists`.

use cpuid_tables::QemuRelease;

use super::case::Case;

mod adversarial;
mod lists;
mod random;

pub use adversarial::adversarial;
pub use random::random;

use lists::{
    ALIKE, HYPERV_MODELS, HYPERV_SETS, MACHINES_OF_BOARDS, OTHERS, PROPERTIES, PROPERTY_MODELS, REFUSED,
    REPRESENTATIVE, THREE_TOPOLOGIES, TOPOLOGIES,
};

/// Cases that belong together.
pub struct Group {
    /// The group's name, also for `--only`.
    pub name: &'static str,
    /// The cases.
    pub cases: Vec<Case>,
}

/// Every name that `-cpu help` lists, in the order of the facts: models, versions, aliases, `base`, `host`, `max`.
pub fn models(release: QemuRelease) -> Vec<String> {
    let mut names = Vec::new();
    for model in release.cpu_models() {
        names.push(model.name().to_owned());
        for version in model.versions() {
            names.push(version.to_string());
            names.extend(version.alias().map(str::to_owned));
        }
    }
    names.extend(["base", "host", "max"].map(str::to_owned));
    names
}

/// The names in a list that the release has.
fn known(release: QemuRelease, names: &[&'static str]) -> Vec<&'static str> {
    let is = |name: &&&str| matches!(**name, "base" | "host" | "max") || release.cpu_model(name).is_some();
    names.iter().filter(is).copied().collect()
}

/// All groups on these hosts: the most permissive ones by vendor, this machine, and real processors.
pub fn groups(release: QemuRelease, machine: Option<&str>, processors: &[&str]) -> Vec<Group> {
    let mut hosts = vec!["allamd", "allintel"];
    hosts.extend(machine);
    vec![
        Group { name: "models", cases: of_models(release, &hosts) },
        Group { name: "topologies", cases: topologies(release) },
        Group { name: "boards", cases: boards(release, &hosts) },
        Group { name: "properties", cases: properties(release) },
        Group { name: "machine-types", cases: machine_types(release) },
        Group { name: "hyperv", cases: hyperv(release) },
        Group { name: "others", cases: others() },
        Group { name: "refused", cases: refused() },
        Group { name: "processors", cases: on_processors(release, processors) },
    ]
}

fn of_models(release: QemuRelease, hosts: &[&str]) -> Vec<Case> {
    let mut cases = Vec::new();
    for host in hosts {
        for model in models(release) {
            cases.extend(THREE_TOPOLOGIES.iter().map(|smp| Case::new(host, &model, smp, "q35")));
        }
    }
    cases
}

fn topologies(release: QemuRelease) -> Vec<Case> {
    let mut cases = Vec::new();
    for model in known(release, REPRESENTATIVE) {
        let host = host_of(model);
        cases.extend(TOPOLOGIES.iter().map(|smp| Case::new(host, model, smp, "q35")));
    }
    cases
}

/// A model on a CPU of its vendor, as far as the name shows it.
fn host_of(model: &str) -> &'static str {
    let amd = ["EPYC", "Opteron", "phenom", "athlon", "Dhyana"];
    if amd.iter().any(|name| model.starts_with(name)) { "allamd" } else { "allintel" }
}

fn boards(release: QemuRelease, hosts: &[&str]) -> Vec<Case> {
    let mut cases = Vec::new();
    for host in hosts {
        for model in known(release, REPRESENTATIVE) {
            cases
                .extend(MACHINES_OF_BOARDS.iter().map(|(machine, smp)| Case::new(host, model, smp, machine)));
        }
    }
    cases
}

fn properties(release: QemuRelease) -> Vec<Case> {
    let mut cases = Vec::new();
    for model in known(release, PROPERTY_MODELS) {
        for set in PROPERTIES {
            let cpu = format!("{model},{set}");
            cases.push(Case::new(host_of(model), &cpu, "4,sockets=1,cores=2,threads=2", "q35"));
        }
    }
    cases
}

fn machine_types(release: QemuRelease) -> Vec<Case> {
    let mut cases = Vec::new();
    for machine in release.machines() {
        for model in known(release, PROPERTY_MODELS) {
            for host in ["allamd", "allintel"] {
                cases.push(Case::new(host, model, "2", machine.name()));
            }
        }
        for property in
            ["EPYC-Milan,pmu=on,kvm=off", "Skylake-Server,hv-relaxed,hv-vapic,hv-synic,hv-vpindex"]
        {
            cases.push(Case::new("allintel", property, "4,sockets=2", machine.name()));
        }
    }
    cases
}

fn hyperv(release: QemuRelease) -> Vec<Case> {
    let mut cases = Vec::new();
    for model in known(release, HYPERV_MODELS) {
        for set in HYPERV_SETS {
            cases.push(Case::new(host_of(model), &format!("{model},{set}"), "2", "q35"));
        }
    }
    cases
}

fn others() -> Vec<Case> {
    let mut cases = Vec::new();
    for (cpu, smp, machine, more) in OTHERS {
        for host in ["allamd", "allintel"] {
            let more = more.iter().map(|argument| (*argument).to_owned()).collect();
            cases.push(Case { more, ..Case::new(host, cpu, smp, machine) });
        }
    }
    cases
}

fn refused() -> Vec<Case> {
    REFUSED.iter().map(|(cpu, smp, machine)| Case::new("allintel", cpu, smp, machine)).collect()
}

/// On this machine's own KVM.
pub fn on_real(release: QemuRelease, host: &str) -> Vec<Case> {
    let models = known(release, REPRESENTATIVE);
    let plain = models.iter().map(|model| Case::new(host, model, "2,sockets=1,cores=1,threads=2", "q35"));
    let sets =
        ["host,migratable=off", "max", "host,host-cache-info=on", "host,hv-passthrough", "qemu64,hv-relaxed"];
    plain.chain(sets.iter().map(|cpu| Case::new(host, cpu, "3", "pc"))).collect()
}

/// Every model on real processors, which lack some of its features.
fn on_processors(release: QemuRelease, processors: &[&str]) -> Vec<Case> {
    let mut cases = Vec::new();
    for host in processors {
        cases.extend(models(release).iter().map(|model| Case::new(host, model, "2", "q35")));
        cases.extend(
            known(release, ALIKE).iter().map(|model| Case::new(host, model, "8,cores=4,threads=2", "pc")),
        );
        for set in [
            "host,migratable=off",
            "max,pmu=on",
            "host,host-cache-info=on,l3-cache=off",
            "host,hv-passthrough",
        ] {
            cases.push(Case::new(host, set, "8,sockets=2,cores=2,threads=2", "q35"));
        }
    }
    cases
}
