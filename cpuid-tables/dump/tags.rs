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
    looked: Looked,
    began: u64,
    /// Names of the elements that are open.
    open: Vec<Vec<u8>>,
}

impl Tags {
    /// True where no tag and no element is open.
    pub(super) fn is_between(&self) -> bool {
        self.open.is_empty() && self.text.is_empty()
    }
}

/// What a tag says.
pub(super) enum Tag {
    /// An element begins; its attributes.
    Begin { name: String, attributes: Vec<(String, String)> },
    /// An element ends; the text right before that on its line.
    End { name: String, text: String },
}

/// How far a tag was looked through for its end.
#[derive(Clone, Copy, Default)]
struct Looked {
    at: usize,
    /// The quote that is open there.
    quote: Option<u8>,
}

/// Where markup ends that begins a text; none if it does not. What was looked through is not again.
fn end_of(text: &[u8], looked: &mut Looked) -> Option<usize> {
    const COMMENT: &[u8] = b"<!--";
    let closed_by = |from: usize, closing: &[u8], looked: &mut Looked| {
        // The closing may have begun before.
        let from = looked.at.saturating_sub(closing.len()).max(from);
        looked.at = text.len();
        find(text.get(from..)?, closing).map(|at| from + at + closing.len())
    };
    if COMMENT.starts_with(text.get(..COMMENT.len()).unwrap_or(text)) {
        return closed_by(COMMENT.len(), b"-->", looked);
    }
    if text.starts_with(b"<?") {
        return closed_by(2, b"?>", looked);
    }
    for (at, byte) in text.iter().enumerate().skip(looked.at) {
        match (byte, looked.quote) {
            (b'"' | b'\'', None) => looked.quote = Some(*byte),
            (byte, Some(open)) if *byte == open => looked.quote = None,
            (b'>', None) => return Some(at + 1),
            _ => {}
        }
    }
    looked.at = text.len();
    None
}

impl Tags {
    /// Takes a line; gives every tag that ends in it, with the line in which it began.
    pub(super) fn line(
        &mut self,
        line: Line<'_>,
        mut each: impl FnMut(Tag, u64) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut rest = line.text;
        if !self.text.is_empty() {
            self.text.push(b'\n');
            self.text.extend_from_slice(rest);
            if self.text.len() > MAX_LINE {
                self.text.clear();
                return Err(Fault::TooLong { line: self.began, limit: MAX_LINE });
            }
            let Some(end) = end_of(&self.text, &mut self.looked) else { return Ok(()) };
            rest = &rest[rest.len() - (self.text.len() - end)..];
            let markup = core::mem::take(&mut self.text);
            self.markup(&markup[..end], b"", self.began, &mut each)?;
        }
        while let Some(at) = find(rest, b"<") {
            let text = &rest[..at];
            rest = &rest[at..];
            let mut looked = Looked::default();
            let Some(end) = end_of(rest, &mut looked) else {
                (self.began, self.looked) = (line.number, looked);
                self.text = rest.to_owned();
                return Ok(());
            };
            let (markup, after) = rest.split_at(end);
            rest = after;
            self.markup(markup, text, line.number, &mut each)?;
        }
        Ok(())
    }

    fn markup(
        &mut self,
        markup: &[u8],
        before: &[u8],
        line: u64,
        each: &mut impl FnMut(Tag, u64) -> Result<(), Fault>,
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
                each(Tag::Begin { name: text(&name), attributes }, line)?;
                if matches!(event, Event::Empty(_)) {
                    return each(Tag::End { name: text(&name), text: String::new() }, line);
                }
                if self.open.len() >= MAX_DEPTH {
                    return Err(fault("elements are nested too deeply"));
                }
                self.open.push(name);
            }
            Event::End(tag) => {
                let name = tag.name().as_ref().to_owned();
                if self.open.pop().as_ref() != Some(&name) {
                    return Err(fault("this element is not the one that is open"));
                }
                return each(Tag::End { name: text(&name), text: text(before.trim_ascii()) }, line);
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
