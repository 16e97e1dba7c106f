//! Text in spans, each with a role; the caller decides how to display a role.
//!
//! [`Display`](fmt::Display) joins the spans: the text does not depend on styles.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

/// The role of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Style {
    /// No particular role.
    Plain,
    /// The subject of the following text.
    Heading,
    /// A name or a fact.
    Name,
    /// Something present, added or correct.
    Good,
    /// Something missing or removed, or an obstacle.
    Error,
    /// Something to check.
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

    /// Appends a line in one style; its line feed is plain.
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

    /// Number of line feeds.
    #[must_use]
    pub fn count_lines(&self) -> usize {
        self.spans().map(|(_, text)| text.matches('\n').count()).sum()
    }

    /// Removes trailing white space.
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
