//! Decoded tables and their differences as JSON.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::{
    About, AboutMsr, DecodedEntry, DecodedRegister, Difference, EntryDifferences, Found, Obstacle, Property,
    Says, Side, Story, Summary, name_of,
};
use crate::bits::description::Part;
use crate::bits::feature::Feature;
use crate::bits::location::{Bit, CpuidWord, Subleaf};
use crate::bits::lookup::Named;
use crate::bits::release::QemuRelease;

fn hex(value: u32) -> Value {
    Value::String(format!("{value:#x}"))
}

impl Summary {
    /// `vendor`, `family`, `model`, `stepping`, `brand`, `cores` and `threads` of the package, `hypervisors`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "vendor": self.vendor.map(|vendor| vendor.to_string()),
            "family": self.signature.map(|signature| signature.family()),
            "model": self.signature.map(|signature| signature.model()),
            "stepping": self.signature.map(|signature| signature.stepping()),
            "brand": self.brand,
            "cores": self.package.and_then(|package| package.cores),
            "threads": self.package.map(|package| package.threads),
            "hypervisors": self.hypervisor_names().collect::<Vec<String>>(),
        })
    }
}

impl DecodedEntry {
    /// `leaf`, `subleaf` (null if the index is not significant), `flags`, `title`, `facts`, and each register by its
    /// name, see [`DecodedRegister::to_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("leaf".into(), hex(self.entry.function.0));
        map.insert("subleaf".into(), json!(self.entry.is_indexed().then_some(self.entry.index.0)));
        map.insert("flags".into(), json!(self.entry.flags));
        map.insert("title".into(), json!(self.title));
        map.insert("facts".into(), json!(self.facts));
        for register in &self.registers {
            map.insert(register.word.register.name().to_ascii_lowercase(), register.to_json());
        }
        Value::Object(map)
    }
}

impl DecodedRegister {
    /// `value` and `unknown` in hexadecimal, `features` by name, `fields` as an object of name and number.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let fields: Map<String, Value> =
            self.fields.iter().map(|(field, value)| (field.name().to_string(), json!(value))).collect();
        let features: Vec<&str> = self.features.iter().map(|feature| name_of(*feature)).collect();
        json!({
            "value": hex(self.value),
            "features": features,
            "fields": fields,
            "unknown": hex(self.unknown),
        })
    }
}

impl EntryDifferences {
    /// `leaf`, `subleaf` and `differences`, each with its subject.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "leaf": hex(self.leaf.0),
            "subleaf": self.subleaf.map(|subleaf| subleaf.0),
            "title": self.title,
            "differences": self.differences.iter().map(Difference::to_json).collect::<Vec<Value>>(),
        })
    }
}

impl Difference {
    /// `only` names the side (`a` or `b`) that has an entry or a feature; if both have it, `a` and `b` are the two
    /// values.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let side = |side: &Side| if *side == Side::A { "a" } else { "b" };
        match self {
            Difference::Entry(only) => json!({ "kind": "entry", "only": side(only) }),
            Difference::Flags(a, b) => json!({ "kind": "flags", "a": a, "b": b }),
            Difference::Feature(feature, only) => json!({
                "kind": "feature",
                "name": name_of(*feature),
                "place": feature.location().to_string(),
                "only": side(only),
            }),
            Difference::Field(word, field, a, b) => json!({
                "kind": "field",
                "name": field.name(),
                "register": word.register.name(),
                "a": a,
                "b": b,
            }),
            Difference::Unknown(word, a, b) => json!({
                "kind": "unknown-bits",
                "register": word.register.name(),
                "a": hex(*a),
                "b": hex(*b),
            }),
        }
    }
}

impl Obstacle {
    /// `name`, `place`, `rule`, `started`, `there` and `reason`; for a vendor `name`, `started` and `there`; for what QEMU does not
    /// migrate `name`, `place`, `rule`, `lifted_by`, `is_lifted` and `reason`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Obstacle::Vendor { started, there } => {
                json!({ "name": "vendor", "started": started.to_string(), "there": there.to_string() })
            }
            Obstacle::Blocker(blocker) => json!({
                "name": blocker.name(),
                "place": blocker.place(),
                "rule": "unmigratable",
                "lifted_by": blocker.lifted_by,
                "is_lifted": blocker.is_lifted,
                "reason": blocker.reason,
            }),
            Obstacle::Msr(bits) => json!({
                "name": self.name(),
                "place": bits.place(),
                "rule": format!("{:?}", bits.rule).to_ascii_lowercase(),
                "started": bits.started,
                "there": bits.there,
                "reason": bits.reason,
            }),
            Obstacle::Bits(bits) => json!({
                "name": self.name(),
                "place": bits.place(),
                "rule": format!("{:?}", bits.meaning.rule).to_ascii_lowercase(),
                "started": bits.started,
                "there": bits.there,
                "reason": bits.meaning.reason,
            }),
        }
    }
}

impl About {
    /// `name`, `sort`, `place`; `linux`, `kvm` and `qemu` by release; `needs` and `needed_by`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let linux = self.linux.iter().map(|span| {
            json!({
                "first": span.first.name(),
                "last": span.last.name(),
                "macro": span.what.linux_macro,
                "flag": span.what.flag,
                "bit": span.what.place.map(|place| place.to_string()),
            })
        });
        let kvm = self.kvm.iter().map(|span| {
            json!({
                "first": span.first.name(),
                "last": span.last.name(),
                "treatment": span.what.to_string(),
            })
        });
        let modules = self.modules.iter().map(|span| {
            json!({
                "first": span.first.name(),
                "last": span.last.name(),
                "module": span.what.module.name(),
                "action": span.what.action.name(),
                "condition": span.what.condition,
            })
        });
        let qemu = self.qemu.iter().map(|span| {
            json!({
                "first": span.first.name(),
                "last": span.last.name(),
                "name": span.what.name,
                "word": span.what.word,
            })
        });
        let names = |features: &[Feature]| features.iter().map(|bit| name_of(*bit)).collect::<Vec<_>>();
        let sort = match self.named {
            Named::Feature(_) => "feature",
            Named::Software(_) => "software",
            Named::Bug(_) => "bug",
            Named::Vmx(_) => "vmx",
            Named::Msr(_) => "msr",
        };
        json!({
            "kind": sort,
            "name": self.named.name(),
            "place": self.place(),
            "linux": linux.collect::<Vec<Value>>(),
            "kvm": kvm.collect::<Vec<Value>>(),
            "kvm_modules": modules.collect::<Vec<Value>>(),
            "qemu": qemu.collect::<Vec<Value>>(),
            "needs": names(&self.needs),
            "needed_by": names(&self.needed_by),
        })
    }
}

/// Name, place and sort of a part.
fn part(word: CpuidWord, part: Part) -> Value {
    let (low, high) = (part.mask().trailing_zeros(), 31 - part.mask().leading_zeros());
    let (kind, name) = match part {
        Part::Feature(feature) => ("feature", name_of(feature)),
        Part::Field(field) => ("field", field.name()),
    };
    json!({ "kind": kind, "name": name, "register": word.to_string(), "low": low, "high": high })
}

impl Found {
    /// The meaning; `kind` names its sort.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Found::Bit(about) => about.to_json(),
            Found::Field(field) => {
                let word =
                    CpuidWord::new(field.leaf(), Subleaf(*field.subleaves().start()), field.register());
                let mut value = part(word, Part::Field(*field));
                value["last_subleaf"] = json!(field.subleaves().end());
                value
            }
            Found::Leaf(leaf, subleaf, parts) => json!({
                "kind": "leaf",
                "leaf": hex(leaf.0),
                "subleaf": subleaf.map(|subleaf| subleaf.0),
                "parts": parts.iter().map(|(word, of)| part(*word, *of)).collect::<Vec<Value>>(),
            }),
            Found::Register(word, parts) => json!({
                "kind": "register",
                "register": word.to_string(),
                "parts": parts.iter().map(|of| part(*word, *of)).collect::<Vec<Value>>(),
            }),
            Found::Value(decoded) => {
                let mut value = decoded.to_json();
                value["kind"] = json!("value");
                value["register"] = json!(decoded.word.to_string());
                value
            }
            Found::LinuxBit(at, release, there) => json!({
                "kind": "linux-bit",
                "bit": at.to_string(),
                "release": release.name(),
                "bits": there.iter().map(|named| About::new(*named).to_json()).collect::<Vec<Value>>(),
            }),
            Found::Msr(about) => about.to_json(None),
            Found::MsrValue(about, value) => about.to_json(Some(*value)),
            Found::MsrBit(at, name) => json!({ "kind": "msr-bit", "name": name, "place": at.to_string() }),
            Found::MsrBits(bits) => {
                let mut value = bits.about.to_json(None);
                value["kind"] = json!("msr-bits");
                value["low"] = json!(bits.low.0);
                value["high"] = json!(bits.high.0);
                value
            }
            Found::Property(property) => property.to_json(),
            Found::Source(line) => json!({
                "kind": "source-line",
                "whose": line.whose,
                "read": line.read,
                "note": line.note,
            }),
            Found::Message(message) => json!({
                "kind": "message",
                "program": message.program,
                "meaning": message.meaning,
                "help": message.help,
            }),
            Found::Level(level) => json!({
                "kind": "level",
                "name": level.name(),
                "source": level.source(),
                "features": level.features().map(name_of).collect::<Vec<&str>>(),
                "proxmox_cpu": level.cpu_option(QemuRelease::NEWEST),
            }),
            Found::Enlightenment(found) => json!({
                "kind": "enlightenment",
                "name": found.name,
                "first": found.first.name(),
                "last": found.last.name(),
                "places": found.places(),
                "needs": found.needs,
            }),
        }
    }
}

impl Property {
    /// `name`, `meaning` (or null), and `qemu` by release: `first`, `last`, `type`, `default`.
    fn to_json(&self) -> Value {
        let qemu = self.releases.iter().map(|span| {
            json!({
                "first": span.first.name(),
                "last": span.last.name(),
                "type": span.what.kind,
                "default": span.what.default,
            })
        });
        json!({
            "kind": "property",
            "name": self.name,
            "meaning": self.meaning,
            "qemu": qemu.collect::<Vec<Value>>(),
        })
    }
}

impl AboutMsr {
    /// `number`, `name`, `word` (QEMU's), `effect`, and `bits`: of a value those that are set, of a control MSR's value the
    /// controls with what the value says of each.
    fn to_json(self, value: Option<u64>) -> Value {
        let named = |bit: Bit| json!({ "bit": bit.0, "name": self.bit_name(bit) });
        let bits: Vec<Value> = match value {
            Some(value) if self.has_controls() => self
                .controls(value)
                .map(|(bit, control)| {
                    json!({ "bit": bit.0, "name": self.bit_name(bit), "control": control.text() })
                })
                .collect(),
            Some(value) => (0..64).filter(|bit| value >> bit & 1 != 0).map(|bit| named(Bit(bit))).collect(),
            None => (0..64).map(Bit).filter(|bit| self.bit_name(*bit).is_some()).map(named).collect(),
        };
        json!({
            "kind": if value.is_some() { "msr-value" } else { "msr-register" },
            "number": hex(self.msr.0),
            "name": self.name,
            "word": self.qemu_word,
            "effect": self.effect,
            "value": value.map(|value| format!("{value:#x}")),
            "bits": bits,
        })
    }
}

impl Story {
    /// `about`, `steps` (`who`, `says`, `text`), `available` (null: not known) and `verdict`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let steps = self.steps.iter().map(|step| {
            let says = match step.says {
                Says::Yes => "yes",
                Says::No => "no",
                Says::Nothing => "nothing",
            };
            json!({ "who": step.who.name(), "says": says, "text": step.text })
        });
        json!({
            "about": self.about.to_json(),
            "steps": steps.collect::<Vec<Value>>(),
            "available": self.available,
            "verdict": self.verdict,
        })
    }
}
