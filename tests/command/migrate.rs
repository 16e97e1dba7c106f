//! `kvm-cpuid diff --migrate`: what QEMU migrates under no circumstances, and a guest whose vendor is its host's.

use serde_json::Value;

use crate::common;
use crate::instrument::{Ran, run};

const INTEL: &str = "tests/fleet/hosts/allintel";
const AMD: &str = "tests/fleet/hosts/allamd";

fn moved(guest: &str, host: &str) -> Ran {
    run(&["diff", "-", "--migrate", "--host", host], guest)
}

fn domain(features: &str, after: &str) -> String {
    format!(
        "<domain type='kvm'>\n<features>{features}</features>\n<cpu mode='custom' match='exact'>\n\
         <model>Haswell</model>\n<feature policy='require' name='invtsc'/>\n</cpu>\n{after}</domain>\n"
    )
}

#[test]
fn a_guest_that_qemu_does_not_migrate_cannot_move() {
    if !common::pinned("a_guest_that_qemu_does_not_migrate_cannot_move") {
        return;
    }
    let clock = "<clock offset='utc'>\n<timer name='tsc' frequency='2000000000' mode='native'/>\n</clock>\n";
    for (guest, code, says) in [
        ("-cpu Haswell,+invtsc".to_owned(), 1, "no guest with it and without tsc-frequency=HZ"),
        ("-cpu Haswell,invtsc=on,tsc-frequency=0".to_owned(), 1, "tsc-frequency=0,-invtsc can move"),
        ("-cpu Haswell,+invtsc,tsc-frequency=2000000000".to_owned(), 0, "note: invtsc"),
        ("-cpu Haswell,+invtsc,-invtsc".to_owned(), 0, "can move"),
        ("-cpu host,migratable=off".to_owned(), 1, "invtsc"),
        ("-cpu max,migratable=no,-invtsc".to_owned(), 3, "has what A's host has"),
        ("-cpu host,hv_passthrough".to_owned(), 1, "With hv-passthrough=off it is not known"),
        ("-cpu Haswell,hv-passthrough=off".to_owned(), 0, "can move"),
        ("-cpu Haswell,hv-no-nonarch-coresharing=auto".to_owned(), 1, "hv-no-nonarch-coresharing=auto: QEMU"),
        ("cpu: Haswell,flags=+invtsc".to_owned(), 1, "invtsc"),
        (domain("", ""), 1, "invtsc"),
        (domain("", clock), 0, "note: invtsc"),
        (domain("<hyperv mode='passthrough'/>", clock), 1, "hv-passthrough=on"),
        ("<cpu mode='host-passthrough' migratable='off'/>\n".to_owned(), 1, "invtsc"),
        ("<cpu mode='host-passthrough'/>\n".to_owned(), 3, "with `host-passthrough`"),
        // Capabilities state a host's CPU, of which a guest gets the migratable part.
        ("<cpu><model>Haswell</model><feature name='invtsc'/></cpu>\n".to_owned(), 0, "can move"),
    ] {
        let ran = moved(&guest, INTEL);
        assert_eq!(ran.code, Some(code), "{guest}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(says), "{guest}: {}", ran.out);
    }
    // What the text does not state is not a difference.
    assert!(!moved("-cpu host,hv-passthrough", INTEL).out.contains("note: "));
}

#[test]
fn a_table_does_not_show_a_fixed_frequency() {
    if !common::pinned("a_table_does_not_show_a_fixed_frequency") {
        return;
    }
    let guest = run(&["guest", "--cpu", "Haswell,+invtsc", "--host", INTEL, "--format", "entries"], "");
    let ran = moved(&guest.out, INTEL);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        ran.out.contains("unless it was started with tsc-frequency=HZ, which is not stated here"),
        "{}",
        ran.out
    );
    let json = run(&["diff", "-", "--migrate", "--host", INTEL, "--format", "json"], &guest.out);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let obstacle = &json["comparisons"][0]["obstacles"][0];
    assert_eq!(
        (obstacle["name"].as_str(), obstacle["rule"].as_str(), &obstacle["is_lifted"]),
        (Some("invtsc"), Some("unmigratable"), &Value::Null)
    );
    // QEMU's rule is not that of others.
    let of_vmm = run(&["diff", "-", "--migrate", "--host", INTEL, "--vmm", "crosvm"], &guest.out);
    assert!(!of_vmm.out.contains("tsc-frequency"), "{}", of_vmm.out);
}

/// QEMU gives a guest its host's vendor, whatever the model's is.
#[test]
fn a_guest_whose_vendor_is_not_stated_is_not_a_plain_yes() {
    if !common::pinned("a_guest_whose_vendor_is_not_stated_is_not_a_plain_yes") {
        return;
    }
    let level = moved("cpu: x86-64-v2-AES", AMD);
    assert!(level.code == Some(0) && level.out.contains("A's host must have B's vendor"), "{}", level.out);
    for (guest, host, code) in [
        ("-cpu EPYC", INTEL, 3),
        ("-cpu EPYC", AMD, 0),
        ("-cpu Haswell-noTSX,-x2apic", AMD, 3),
        ("-cpu kvm64", AMD, 3),
        ("-cpu kvm64", INTEL, 0),
        ("-cpu EPYC,vendor=GenuineIntel", INTEL, 0),
        ("-cpu EPYC,vendor=AuthenticAMD", INTEL, 1),
        ("<cpu mode='custom'>\n<model>EPYC</model>\n</cpu>\n", INTEL, 3),
        ("<cpu mode='custom'>\n<model>EPYC</model>\n<vendor>AMD</vendor>\n</cpu>\n", INTEL, 1),
        ("<cpu mode='custom'>\n<model>Haswell</model>\n<vendor>Intel</vendor>\n</cpu>\n", AMD, 1),
    ] {
        let ran = moved(guest, host);
        assert_eq!(ran.code, Some(code), "{guest} to {host}: {}{}", ran.out, ran.err);
        assert!(code != 3 || ran.out.contains("gives a guest its host's vendor"), "{guest}: {}", ran.out);
    }
}
