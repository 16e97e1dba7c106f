//! JSON documents in a stream: one after the other, of any number, each read as a whole.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::de::Deserialize;

use super::sink::{Fault, Line};
pub(super) use crate::serialized::Number;

/// How long a document may be. A template of 256 entries has some 200 KiB.
pub(super) const MAX_DOCUMENT: usize = 16 << 20;

/// Puts documents together from lines.
#[derive(Default)]
pub(super) struct Documents {
    text: Vec<u8>,
    /// The line in which it began.
    began: u64,
    /// How many brackets and braces are open.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// It is longer than a document may be, and ignored.
    too_long: bool,
}

/// A document.
pub(super) struct Document<'a> {
    pub(super) text: &'a [u8],
    pub(super) began: u64,
}

impl Documents {
    /// Takes a line; gives every document that ends in it.
    ///
    /// `transcript`: between documents there may be other lines, such as what was typed.
    pub(super) fn line(
        &mut self,
        line: Line<'_>,
        transcript: bool,
        mut each: impl FnMut(Document<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut rest = line.text;
        loop {
            if self.depth == 0 {
                rest = rest.trim_ascii_start();
                match rest.first() {
                    None => return Ok(()),
                    Some(b'{' | b'[') => self.began = line.number,
                    Some(_) if transcript => return Ok(()),
                    Some(_) => return Err(Fault::Here("expected `{`, which begins a JSON object")),
                }
            }
            let Some(end) = self.end_in(rest) else {
                self.keep(rest);
                self.keep(b"\n");
                return Ok(());
            };
            let (last, after) = rest.split_at(end);
            self.keep(last);
            rest = after;
            let done = self.document(&mut each);
            self.text.clear();
            self.too_long = false;
            done?;
        }
    }

    fn document(&self, each: &mut impl FnMut(Document<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
        if self.too_long {
            return Err(Fault::TooLong { line: self.began, limit: MAX_DOCUMENT });
        }
        each(Document { text: &self.text, began: self.began })
    }

    /// Where the document ends in a text, if it does.
    fn end_in(&mut self, text: &[u8]) -> Option<usize> {
        for (at, byte) in text.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn keep(&mut self, text: &[u8]) {
        self.too_long |= self.text.len() + text.len() > MAX_DOCUMENT;
        if self.too_long {
            self.text = Vec::new();
        } else {
            self.text.extend_from_slice(text);
        }
    }

    /// The input is at its end.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        if self.depth == 0 {
            return Ok(());
        }
        Err(Fault::At {
            line: self.began,
            text: String::from_utf8_lossy(self.text.get(..80).unwrap_or(&self.text)).into_owned(),
            why: "the JSON document that begins in this line is not closed".into(),
        })
    }
}

impl<'a> Document<'a> {
    /// The document as a value.
    pub(super) fn parse<T: Deserialize<'a>>(&self) -> Result<T, Fault> {
        serde_json::from_slice(self.text).map_err(|error| {
            let text = self.text.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1));
            // Of a long line, the text around the column.
            let (text, column) = (text.unwrap_or_default(), error.column());
            let from = column.saturating_sub(40).min(text.len());
            let text = &text[from..text.len().min(from + 80)];
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            Fault::At {
                line: self.began + (error.line() as u64).saturating_sub(1),
                text: String::from_utf8_lossy(text).into_owned(),
                why: format!("{message} at column {column}").into(),
            }
        })
    }

    /// A fault of the document as a whole.
    pub(super) fn fault(&self, text: &str, why: &'static str) -> Fault {
        Fault::At { line: self.began, text: text.to_string(), why: why.into() }
    }
}
