//! Text in spans, each with its role for the reader; whoever prints it decides what a role looks like.
//!
//! [`Display`](fmt::Display) joins the spans: a text is the same with and without styles.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

/// The role of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// Nothing in particular.
    Plain,
    /// What the text after it is about.
    Heading,
    /// A name that someone looks for, or a fact.
    Name,
    /// Something that is there, was added, or is well.
    Good,
    /// Something that is missing, was removed, or is an obstacle.
    Error,
    /// Something that deserves a second look.
    Doubt,
}

/// A text in spans.
///
/// ```
/// use cpuid_tables::show::{Style, Styled};
///
/// let mut text = Styled::new();
/// text.plain("AVX2: ").push(Style::Good, "yes").plain("\n");
/// assert_eq!(text.to_string(), "AVX2: yes\n");
/// assert_eq!(text.spans().nth(1), Some((Style::Good, "yes")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    /// Neighbours differ in style, and none is empty.
    spans: Vec<(Style, String)>,
}

impl Styled {
    /// An empty text.
    #[must_use]
    pub const fn new() -> Styled {
        Styled { spans: Vec::new() }
    }

    /// Appends a span.
    pub fn push(&mut self, style: Style, text: impl fmt::Display) -> &mut Styled {
        match self.spans.last_mut() {
            Some((last, span)) if *last == style => {
                // Writing to a string does not fail.
                let _ = write!(span, "{text}");
            }
            _ => {
                let span = text.to_string();
                if !span.is_empty() {
                    self.spans.push((style, span));
                }
            }
        }
        self
    }

    /// Appends a span of style [`Style::Plain`].
    pub fn plain(&mut self, text: impl fmt::Display) -> &mut Styled {
        self.push(Style::Plain, text)
    }

    /// Appends a line in one style; its end is plain.
    pub fn line(&mut self, style: Style, text: impl fmt::Display) -> &mut Styled {
        self.push(style, text).plain('\n')
    }

    /// Appends a text.
    pub fn append(&mut self, other: &Styled) -> &mut Styled {
        for (style, text) in other.spans() {
            self.push(style, text);
        }
        self
    }

    /// The spans in order.
    pub fn spans(&self) -> impl Iterator<Item = (Style, &str)> {
        self.spans.iter().map(|(style, text)| (*style, text.as_str()))
    }

    /// True if there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many line ends there are.
    #[must_use]
    pub fn count_lines(&self) -> usize {
        self.spans().map(|(_, text)| text.matches('\n').count()).sum()
    }

    /// Removes white space at the end.
    pub(super) fn trim_end(&mut self) {
        while let Some((_, last)) = self.spans.last_mut() {
            last.truncate(last.trim_end().len());
            if !last.is_empty() {
                return;
            }
            self.spans.pop();
        }
    }
}

impl fmt::Display for Styled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans().try_for_each(|(_, text)| f.write_str(text))
    }
}
