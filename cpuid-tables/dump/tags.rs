//! XML in a stream: its tags one by one, whatever lines they stand on.

use std::borrow::ToOwned;
use std::string::{String, ToString};
use std::vec::Vec;

use quick_xml::XmlVersion;
use quick_xml::events::Event;

use super::lines::MAX_LINE;
use super::scan::find;
use super::sink::{Fault, Line};

/// How deep elements may be in each other.
const MAX_DEPTH: usize = 64;

/// Puts tags together from lines, and checks that elements are closed in order.
#[derive(Default)]
pub(super) struct Tags {
    /// A tag that is not at its end.
    text: Vec<u8>,
    began: u64,
    /// Names of the elements that are open.
    open: Vec<Vec<u8>>,
}

/// What a tag says.
pub(super) enum Tag {
    /// An element begins; its attributes.
    Begin { name: String, attributes: Vec<(String, String)> },
    /// An element ends.
    End { name: String },
}

/// Where markup ends that begins a text; none if it does not.
fn end_of(text: &[u8]) -> Option<usize> {
    let closed_by = |closing: &[u8]| find(text, closing).map(|at| at + closing.len());
    if b"<!--".starts_with(text.get(..4).unwrap_or(text)) {
        return text.len().ge(&4).then(|| closed_by(b"-->"))?;
    }
    if text.starts_with(b"<?") {
        return closed_by(b"?>");
    }
    let mut quote = None;
    for (at, byte) in text.iter().enumerate() {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(*byte),
            (byte, Some(open)) if *byte == open => quote = None,
            (b'>', None) => return Some(at + 1),
            _ => {}
        }
    }
    None
}

impl Tags {
    /// Takes a line; gives every tag that ends in it.
    pub(super) fn line(
        &mut self,
        line: Line<'_>,
        mut each: impl FnMut(Tag) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut rest = line.text;
        if !self.text.is_empty() {
            self.text.push(b'\n');
            self.text.extend_from_slice(rest);
            if self.text.len() > MAX_LINE {
                self.text.clear();
                return Err(Fault::TooLong { line: self.began, limit: MAX_LINE });
            }
            let Some(end) = end_of(&self.text) else { return Ok(()) };
            rest = &rest[rest.len() - (self.text.len() - end)..];
            let markup = core::mem::take(&mut self.text);
            self.markup(&markup[..end], self.began, &mut each)?;
        }
        while let Some(at) = find(rest, b"<") {
            rest = &rest[at..];
            let Some(end) = end_of(rest) else {
                self.began = line.number;
                self.text = rest.to_owned();
                return Ok(());
            };
            let (markup, after) = rest.split_at(end);
            rest = after;
            self.markup(markup, line.number, &mut each)?;
        }
        Ok(())
    }

    fn markup(
        &mut self,
        markup: &[u8],
        line: u64,
        each: &mut impl FnMut(Tag) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let fault = |why: &str| Fault::At {
            line,
            text: String::from_utf8_lossy(markup).into_owned(),
            why: why.to_string().into(),
        };
        let mut reader = quick_xml::Reader::from_reader(markup);
        // The end of an element is alone here; `open` has what it must close.
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        let event = reader.read_event().map_err(|error| fault(&error.to_string()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let name = tag.name().as_ref().to_owned();
                let mut attributes = Vec::new();
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|error| fault(&error.to_string()))?;
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                    let value = value.map_err(|error| fault(&error.to_string()))?;
                    attributes.push((text(attribute.key.as_ref()), value.into_owned()));
                }
                each(Tag::Begin { name: text(&name), attributes })?;
                if matches!(event, Event::Empty(_)) {
                    return each(Tag::End { name: text(&name) });
                }
                if self.open.len() >= MAX_DEPTH {
                    return Err(fault("elements are too deep in each other"));
                }
                self.open.push(name);
            }
            Event::End(tag) => {
                let name = tag.name().as_ref().to_owned();
                if self.open.pop().as_ref() != Some(&name) {
                    return Err(fault("this element is not the one that is open"));
                }
                return each(Tag::End { name: text(&name) });
            }
            _ => {}
        }
        Ok(())
    }

    /// The input is at its end.
    pub(super) fn end(&self) -> Result<(), Fault> {
        let text = match (self.text.is_empty(), self.open.last()) {
            (false, _) => self.text.clone(),
            (true, Some(name)) => name.clone(),
            (true, None) => return Ok(()),
        };
        Err(Fault::At {
            line: self.began,
            text: String::from_utf8_lossy(&text).into_owned(),
            why: "the input ends before this does".into(),
        })
    }
}
