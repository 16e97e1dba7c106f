//! The elements of an XML file in order, each with its depth and place.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources, Span};

/// An element: its start tag.
pub(super) struct Element {
    /// 0 for the root.
    pub(super) depth: usize,
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) at: Span,
}

/// More elements than any file of libvirt has.
const MAX_ELEMENTS: usize = 1 << 16;

impl Element {
    /// An attribute's text.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// An attribute's text; an error if there is none, or if it is not a name.
    pub(super) fn text(&self, name: &str) -> Result<&str, Diagnostic> {
        let is_name = |text: &&str| !text.is_empty() && *text != "-" && !text.contains(char::is_whitespace);
        let found = self.optional(name).filter(is_name);
        found.ok_or_else(|| self.error(format!("<{}> needs an attribute `{name}` without spaces", self.name)))
    }

    /// The number in an attribute.
    pub(super) fn number(&self, name: &str) -> Result<u32, Diagnostic> {
        let text = self.text(name)?;
        let number = match text.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        number.ok_or_else(|| self.error(format!("`{text}` of `{name}` is not a 32-bit number")))
    }

    /// Requires that every attribute is one of these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Diagnostic> {
        match self.attributes.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                let message =
                    format!("unknown attribute `{key}` of <{}>: expected {}", self.name, known.join(", "));
                Err(self.error(message))
            }
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.at, message)
    }
}

/// All elements. Text between them, and anything but comments and the declaration, is an error.
pub(super) fn elements(sources: &Sources, file: FileId) -> Result<Vec<Element>, Diagnostic> {
    let text = sources[file].text.as_str();
    let mut reader = Reader::from_str(text);
    let (mut all, mut depth) = (Vec::new(), 0_usize);
    loop {
        let start = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let event = reader.read_event();
        let end = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let at = sources.span(file, start.min(text.len()), end.clamp(start, text.len().max(start)));
        let event = event.map_err(|error| Diagnostic::error(at, error.to_string()))?;
        if all.len() >= MAX_ELEMENTS {
            return Err(Diagnostic::error(at, format!("the file has more than {MAX_ELEMENTS} elements")));
        }
        match event {
            Event::Start(tag) => {
                all.push(element(&tag, depth, at)?);
                depth += 1;
            }
            Event::Empty(tag) => all.push(element(&tag, depth, at)?),
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof if depth > 0 => return Err(Diagnostic::error(at, "the file ends inside an element")),
            Event::Eof => return Ok(all),
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Text(text) if text.trim_ascii().is_empty() => {}
            _ => return Err(Diagnostic::error(at, "expected elements and comments only")),
        }
    }
}

fn element(tag: &BytesStart<'_>, depth: usize, at: Span) -> Result<Element, Diagnostic> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| Diagnostic::error(at, error.to_string()))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| Diagnostic::error(at, error.to_string()))?;
        attributes.push((text(attribute.key.as_ref()), value.into_owned()));
    }
    Ok(Element { depth, name: text(tag.name().as_ref()), attributes, at })
}
