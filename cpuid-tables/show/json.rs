//! Decoded tables and their differences as JSON.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::{DecodedEntry, DecodedRegister, Difference, EntryDifferences, Obstacle, Side, Summary, name_of};

fn hex(value: u32) -> Value {
    Value::String(format!("{value:#010x}"))
}

impl Summary {
    /// `vendor`, `family`, `model`, `stepping`, `brand`, `hypervisors`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "vendor": self.vendor.map(|vendor| vendor.to_string()),
            "family": self.signature.map(|signature| signature.family()),
            "model": self.signature.map(|signature| signature.model()),
            "stepping": self.signature.map(|signature| signature.stepping()),
            "brand": self.brand,
            "hypervisors": self.hypervisor_names().collect::<Vec<String>>(),
        })
    }
}

impl DecodedEntry {
    /// `leaf`, `subleaf` (null where the index is not significant), `flags`, `title`, `facts`, and each register by its
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
    /// `value` and `unknown` in hexadecimal, `features` by name, `fields` by name with their numbers.
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
    /// `leaf`, `subleaf`, and `differences`, each with what it is of.
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
    /// `only` says which of `a` and `b` has an entry or a feature; else `a` and `b` are the two values.
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
    /// `name`, `place`, `rule`, `started`, `there` and `reason`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name(),
            "place": self.place(),
            "rule": format!("{:?}", self.meaning.rule).to_ascii_lowercase(),
            "started": self.started,
            "there": self.there,
            "reason": self.meaning.reason,
        })
    }
}
