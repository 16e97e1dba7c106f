//! `builtin_x86_defs[]` of cpu.c: the CPU models, their versions and their caches.
//!
//! Versions exist since 4.1, caches of models since 2.12, and caches of versions since 10.1. A record has the values
//! of a model's initializer in order; [`crate::model`] resolves versions.

use super::reader::Reader;
use crate::c::Type;
use crate::c::declare::find_table;
use crate::c::expr::{Environment, evaluate_expanded};
use crate::c::init::{Designator, Init, InitKind, Item, parse_list};
use crate::c::lexer::{Kind, Token};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuCache, QemuModel, QemuModelVersion, QemuModelWord, QemuProp};
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Fields of `struct X86CPUDefinition`, besides `features`.
const FIELDS: [&str; 12] = [
    "name",
    "level",
    "xlevel",
    "vendor",
    "family",
    "model",
    "stepping",
    "model_id",
    "avx10_version",
    "cache_info",
    "versions",
    "deprecation_note",
];

/// Fields whose places are kept, and the properties of the same meaning.
const PLACES: [(&str, &str); 8] = [
    ("vendor", "vendor"),
    ("model_id", "model-id"),
    ("level", "level"),
    ("xlevel", "xlevel"),
    ("family", "family"),
    ("model", "model"),
    ("stepping", "stepping"),
    ("avx10_version", "avx10-version"),
];

/// Fields of `struct X86CPUDefinition` that set a boolean property in every version of a model, and the property.
const FLAGS: [(&str, &str); 1] = [("cpuid_0x1f", "x-force-cpuid-0x1f")];

/// Fields of `struct X86CPUDefinition` that are not about CPUID or MSRs. `use_epyc_apic_id_encoding` (5.0 and 5.1)
/// numbers the APIC ids of a machine with such CPUs.
const OTHERS: [&str; 1] = ["use_epyc_apic_id_encoding"];

/// Fields of `struct X86CPUVersionDefinition`, in order.
const VERSION_FIELDS: [&str; 5] = ["version", "alias", "note", "props", "cache_info"];

/// Fields of `struct PropValue`, in order.
const PROP_FIELDS: [&str; 2] = ["prop", "value"];

impl<'a> Reader<'a, '_> {
    /// Reads the table. Caches must have been read.
    pub(super) fn cpu_models(&mut self, unit: &Unit<'a>) {
        let Some((open, at)) = find_table(unit, "builtin_x86_defs") else {
            let whole = self.sources.span(unit.file, 0, 0);
            self.diagnostics
                .error(whole, "this file does not define `builtin_x86_defs[]`, which QEMU has since 1.4");
            return;
        };
        let Some(tokens) = self.table_tokens(unit, open, at) else { return };
        let Some(table) = self.diagnostics.take(parse_list(&tokens, at)) else { return };
        let InitKind::List(items) = &table.kind else { return };
        for item in items {
            let read = self.cpu_model(unit, item);
            if let Some(model) = self.diagnostics.take(read) {
                self.facts.models.push(model);
            }
        }
    }

    fn cpu_model(&self, unit: &Unit<'a>, item: &Item<'_, 'a>) -> Result<QemuModel> {
        let at = item.value.at;
        let InitKind::List(items) = &item.value.kind else {
            return Err(Diagnostic::error(at, "expected a CPU model in braces"));
        };
        let environment = self.environment(unit, at);
        let mut words: Vec<QemuModelWord> = Vec::new();
        let mut fields: Vec<(&str, &Init<'_, 'a>)> = Vec::new();
        let mut places = Vec::new();
        for item in items {
            match item.designators.as_slice() {
                [Designator::Field(field), Designator::Elements(index, None, at)]
                    if field.text == "features" =>
                {
                    words.push(self.model_word(index, *at, &item.value, &environment)?);
                }
                [Designator::Field(field)] if is_field(&field.text) => {
                    fields.push((field.text.as_ref(), &item.value));
                    let property = PLACES.iter().find(|(name, _)| field.text == *name);
                    places.extend(property.map(|(_, property)| (*property, field.span)));
                }
                [Designator::Field(field), ..] => {
                    let message = format!("unknown field `{}`", field.text);
                    return Err(Diagnostic::error(field.span, message));
                }
                _ => return Err(Diagnostic::error(item.value.at, "expected a field like `.name = value`")),
            }
        }
        twice(fields.iter().map(|(name, value)| (*name, value.at)))?;
        twice(words.iter().map(|word| (word.word.as_str(), word.at)))?;
        let fields = Fields { at, fields: &fields, environment: &environment };
        Ok(QemuModel {
            name: fields.text("name")?.ok_or_else(|| Diagnostic::error(at, "this CPU model has no name"))?,
            level: fields.number("level")?,
            xlevel: fields.number("xlevel")?,
            vendor: fields.text("vendor")?.unwrap_or_default(),
            family: fields.number("family")?,
            model: fields.number("model")?,
            stepping: fields.number("stepping")?,
            model_id: fields.text("model_id")?.unwrap_or_default(),
            avx10: fields.byte("avx10_version")?,
            words,
            caches: self.caches_of(fields.get("cache_info"))?,
            versions: with_flags(
                &fields,
                match fields.get("versions") {
                    Some(versions) => self.versions(versions, &environment)?,
                    None => Vec::new(),
                },
            )?,
            deprecated: fields.text("deprecation_note")?,
            places,
            at,
        })
    }

    /// Reads `.features[FEAT_1_EDX] = mask`.
    fn model_word(
        &self,
        index: &[Token<'a>],
        at: Span,
        value: &Init<'_, 'a>,
        environment: &Environment<'_, 'a>,
    ) -> Result<QemuModelWord> {
        let word = match index {
            // An index that is not a feature word is reported by the check of the model.
            [name] if name.kind == Kind::Ident => name.text.clone().into_owned(),
            _ => {
                let index = evaluate_expanded(index, at, environment)?.number();
                let word = self.words.iter().find(|word| word.value == index);
                let word =
                    word.ok_or_else(|| Diagnostic::error(at, format!("{index} is not a feature word")))?;
                word.name.clone()
            }
        };
        let mask = value.integer(environment)?.to(self.feature_type).as_u64();
        Ok(QemuModelWord { word, mask, at })
    }

    /// Reads the versions up to the element that ends the list.
    fn versions(
        &self,
        list: &Init<'_, 'a>,
        environment: &Environment<'_, 'a>,
    ) -> Result<Vec<QemuModelVersion>> {
        let list = list.compound()?;
        let InitKind::List(items) = &list.kind else { return Ok(Vec::new()) };
        let mut versions = Vec::new();
        let mut ended = false;
        for item in items {
            if ended {
                return Err(Diagnostic::error(item.value.at, "this version follows the end of the list"));
            }
            let row = item.value.fields(&VERSION_FIELDS)?;
            let get = |name: &str| row.get(name).map(|field| field.value);
            let version = get("version").map_or(Ok(0), |value| value.integer32(environment))?;
            if version == 0 {
                ended = true;
                continue;
            }
            let text = |name: &str| get(name).map_or(Ok(None), Init::string);
            versions.push(QemuModelVersion {
                version,
                alias: text("alias")?,
                note: text("note")?,
                props: get("props").map_or(Ok(Vec::new()), |list| props(&list.compound()?))?,
                caches: self.caches_of(get("cache_info"))?,
                at: item.value.at,
            });
        }
        if ended {
            Ok(versions)
        } else {
            Err(Diagnostic::error(list.at, "the list of versions has no terminating element"))
        }
    }

    /// The caches in the variable of `&name`.
    fn caches_of(&self, reference: Option<&Init<'_, 'a>>) -> Result<Vec<QemuCache>> {
        let Some(reference) = reference else { return Ok(Vec::new()) };
        let name = reference.reference()?;
        if name.text == "NULL" {
            return Ok(Vec::new());
        }
        let found = self.caches.get(name.text.as_ref());
        found.cloned().ok_or_else(|| {
            Diagnostic::error(name.span, format!("`{}` is not a `CPUCaches` that was read", name.text))
        })
    }
}

fn is_field(name: &str) -> bool {
    FIELDS.contains(&name) || OTHERS.contains(&name) || FLAGS.iter().any(|(field, _)| *field == name)
}

/// The versions with the properties of [`FLAGS`], which are the first version's: later ones add to it.
fn with_flags(
    fields: &Fields<'_, '_, '_, '_>,
    versions: Vec<QemuModelVersion>,
) -> Result<Vec<QemuModelVersion>> {
    let mut versions = versions;
    for (field, property) in FLAGS {
        let Some(value) = fields.get(field) else { continue };
        if !value.truth(fields.environment)? {
            continue;
        }
        if versions.is_empty() {
            let at = fields.at;
            let (alias, note, props, caches) = (None, None, Vec::new(), Vec::new());
            versions.push(QemuModelVersion { version: 1, alias, note, props, caches, at });
        }
        let (name, value, at) = (property.to_owned(), "on".to_owned(), value.at);
        versions[0].props.insert(0, QemuProp { name, value, at });
    }
    Ok(versions)
}

/// Reads `{ "name", "value" }` up to the element that ends the list.
pub(super) fn props(list: &Init<'_, '_>) -> Result<Vec<QemuProp>> {
    let InitKind::List(items) = &list.kind else { return Ok(Vec::new()) };
    let mut props = Vec::new();
    for item in items {
        let row = item.value.fields(&PROP_FIELDS)?;
        let text = |name: &str| row.get(name).map_or(Ok(None), |field| field.value.string());
        let Some(name) = text("prop")? else { return Ok(props) };
        let value = text("value")?;
        let value = value.ok_or_else(|| Diagnostic::error(item.value.at, "this property has no value"))?;
        props.push(QemuProp { name, value, at: item.value.at });
    }
    Err(Diagnostic::error(list.at, "the list of properties has no terminating element"))
}

/// A model's plain fields.
struct Fields<'f, 'i, 't, 'a> {
    at: Span,
    fields: &'f [(&'f str, &'i Init<'t, 'a>)],
    environment: &'f Environment<'f, 'a>,
}

impl<'i, 't, 'a> Fields<'_, 'i, 't, 'a> {
    fn get(&self, name: &str) -> Option<&'i Init<'t, 'a>> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        let text = self.get(name).map_or(Ok(None), Init::string)?;
        match text {
            Some(text) if text.contains(char::is_control) => {
                Err(Diagnostic::error(self.at, format!("{text:?} is not a valid `{name}` of a model")))
            }
            other => Ok(other),
        }
    }

    fn number(&self, name: &str) -> Result<u32> {
        self.get(name).map_or(Ok(0), |value| value.integer32(self.environment))
    }

    fn byte(&self, name: &str) -> Result<Option<u8>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.integer32(self.environment)?;
        let byte = u8::try_from(number);
        byte.map(Some).map_err(|_| Diagnostic::error(value.at, format!("{number} does not fit into a byte")))
    }
}

fn twice<'n>(names: impl Iterator<Item = (&'n str, Span)>) -> Result<()> {
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for (name, at) in names {
        if let Some((_, earlier)) = seen.iter().find(|(known, _)| *known == name) {
            return Err(Diagnostic::error(at, format!("`{name}` is initialized twice"))
                .with_label(*earlier, "first here"));
        }
        seen.push((name, at));
    }
    Ok(())
}

/// The element type of `FeatureWordArray`: 64 bits since 4.1, 32 bits before.
pub(super) fn feature_type(header: &Unit<'_>) -> Option<Type> {
    let window = header
        .tokens
        .windows(3)
        .find(|window| window[0].is_ident("typedef") && window[2].is_ident("FeatureWordArray"))?;
    Type::from_names(&[window[1].text.as_ref()])
}
