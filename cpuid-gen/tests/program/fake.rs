//! An invented QEMU, as far as the questions go.

use cpuid_gen::program::{Answers, ProgramError, Qemu};
use serde_json::{Value, json};

/// A program with four features, two models and two machine types.
pub(crate) struct Fake {
    pub(crate) states_compat: bool,
    pub(crate) knows_definitions: bool,
}

impl Default for Fake {
    fn default() -> Fake {
        Fake { states_compat: true, knows_definitions: true }
    }
}

impl Qemu for Fake {
    fn run(&self, arguments: &[&str], commands: &[Value]) -> Result<Answers, ProgramError> {
        let cpu = arguments.iter().position(|argument| *argument == "-cpu").map(|at| arguments[at + 1]);
        let on = |name: &str| cpu.is_some_and(|cpu| cpu.split(',').any(|part| part == format!("{name}=on")));
        let mut stderr = String::new();
        if on("vmx-zap") {
            stderr += "fake: warning: TCG lacks it: MSR(48Bh).vmx-zap [bit 2]\n";
        }
        let machine = arguments[1];
        let returns = commands.iter().map(|command| self.answer(command, machine, &on)).collect();
        let greeting = json!({"version": {"qemu": {"major": 21, "minor": 0, "micro": 3}, "package": ""}});
        Ok(Answers { greeting, returns, stderr })
    }
}

impl Fake {
    fn answer(&self, command: &Value, machine: &str, on: &impl Fn(&str) -> bool) -> Result<Value, String> {
        let arguments = &command["arguments"];
        match command["execute"].as_str().unwrap() {
            "query-machines" if !arguments.is_null() && !self.states_compat => Err("unexpected".to_owned()),
            "query-machines" => Ok(machines()),
            "query-cpu-definitions" if self.knows_definitions => Ok(definitions(machine)),
            "query-cpu-model-expansion" => {
                let name = arguments["model"]["name"].as_str().unwrap();
                Ok(json!({"model": {"props": expansion(name, arguments["type"] == "static")}}))
            }
            "qom-list-properties" => Ok(json!([
                {"name": "zip", "type": "bool"}, {"name": "new", "type": "bool"}, {"name": "switch", "type": "bool"},
                {"name": "new-switch", "type": "bool"}, {"name": "kvm-own", "type": "bool"},
                {"name": "vmx-zap", "type": "bool"}, {"name": "memory", "type": "link<memory-region>"},
            ])),
            "qom-get" => {
                let bits = if on("zip") { 8 } else { 0 } | if on("new") { 32 } else { 0 };
                let filtered = arguments["property"] == "filtered-features";
                Ok(json!([{"cpuid-register": "EBX", "cpuid-input-eax": 7, "cpuid-input-ecx": 0,
                    "features": if filtered { bits & 32 } else { bits & 8 }}]))
            }
            _ => Err("unknown command".to_owned()),
        }
    }
}

fn machines() -> Value {
    let property = |of: &str| json!({"qom-type": of, "property": "switch", "value": "on"});
    json!([
        {"name": "pc-q35-20.0", "compat-props": [property("a-disk"), property("x86_64-cpu")]},
        {"name": "microvm", "compat-props": []},
        {"name": "none"},
        {"name": "pc-q35-21.0", "compat-props": []},
    ])
}

fn definitions(machine: &str) -> Value {
    let of = if machine == "microvm" { "Table-v2" } else { "Table-v1" };
    json!([
        {"name": "base"}, {"name": "max"}, {"name": "Table-v1"}, {"name": "Table-v2"}, {"name": "Tray-v1"},
        {"name": "Table", "alias-of": of}, {"name": "Tray", "alias-of": "Tray-v1"},
        {"name": "Table-Second", "alias-of": "Table-v2"},
    ])
}

fn expansion(name: &str, is_static: bool) -> Value {
    let (second, tray, table) = (name == "Table-v2", name.starts_with("Tray"), name.starts_with("Table"));
    let mut all = json!({"zip": table, "new": second || tray, "vmx-zap": second, "kvm-own": false, "lmce": false,
        "family": if tray { 25 } else { 6 }, "model": if tray { 1 } else { 15 },
        "stepping": if second { 4 } else if tray { 0 } else { 3 }, "min-level": if tray { 13 } else { 7 },
        "min-xlevel": if tray { 0x8000_0008_u32 } else { 0 },
        "vendor": if tray { "AuthenticAMD" } else { "GenuineIntel" },
        "model-id": if tray { "Another" } else { "An invented CPU" }});
    if !is_static {
        all["switch"] = json!(false);
        all["new-switch"] = json!(false);
    }
    all
}
