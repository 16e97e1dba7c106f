//! Source files and places in them.
//!
//! A [`Span`] is a file id and byte offsets; line and column are computed only when a place is shown. A [`Sources`]
//! keeps the text of every file that was read, so that a diagnostic can quote it.
//!
//! ```
//! use cpuid_gen::{diagnostic::Diagnostic, source::Sources};
//!
//! let mut sources = Sources::new();
//! let file = sources.add("a.h", "#define ONE 1\n#define TWO 3\n");
//! let three = sources.span(file, 26, 27);
//! assert!(Diagnostic::error(three, "expected 2").render(&sources).starts_with("a.h:2:13: error: expected 2"));
//! ```

mod decode;

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::iter::once;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::ordered::Map;
use decode::{stray_byte, substituted, text_fault};

/// Maximum size of a file in bytes. The largest real one (QEMU's `cpu.c`) has under half a megabyte.
pub const MAX_FILE_SIZE: u64 = 4 << 20;

/// Takes the place of a byte that is not UTF-8, in a comment of C: a control character, which is part of no token.
pub const SUBSTITUTE: char = '\u{1a}';

/// Identifies one file of a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A stretch of one file: byte offsets, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The stretch from the start of `self` to the end of `last`, which must be in the same file.
    #[must_use]
    pub fn to(self, last: Span) -> Span {
        Span { file: self.file, start: self.start, end: last.end.max(self.start) }
    }
}

/// A place in human-readable form: `file:line:column`, both counted from 1, the column in bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A file that could not be read, or whose text is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be opened or read.
    File {
        /// Its path.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The file was read, but its text has a fault.
    Text {
        /// The fault's place.
        at: Span,
        /// A description of the fault.
        why: String,
        /// How to fix it.
        help: Option<&'static str>,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::File { path, why } => write!(f, "{}: {why}", path.display()),
            ReadError::Text { why, .. } => f.write_str(why),
        }
    }
}

impl std::error::Error for ReadError {}

/// One file that was read.
#[derive(Debug)]
pub struct SourceFile {
    /// The root of the user's tree; empty for a single file. Never part of an output.
    root: PathBuf,
    /// The path below `root`, with `/`, which is the upstream path.
    pub path: String,
    /// Its text. A byte that is not UTF-8 is [`SUBSTITUTE`] here, so that offsets are those of the file.
    pub text: String,
    /// Its bytes, if the text is not the same.
    raw: Option<Vec<u8>>,
    /// The start of each line; computed when a place is first needed.
    lines: OnceLock<Vec<usize>>,
}

/// The files read so far, in the order of reading.
#[derive(Debug, Default)]
pub struct Sources {
    files: Map<FileId, SourceFile>,
    next: u32,
}

impl Sources {
    /// No files yet.
    #[must_use]
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Adds text that is already in memory; `path` is the name that diagnostics show.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        self.push(PathBuf::new(), path.into(), text.into(), None)
    }

    fn push(&mut self, root: PathBuf, path: String, text: String, raw: Option<Vec<u8>>) -> FileId {
        let id = FileId(self.next);
        self.next += 1;
        self.files.insert(id, SourceFile { root, path, text, raw, lines: OnceLock::new() });
        id
    }

    /// The id of the next file to be read. Ids grow, so this separates the files of one tree from those read before.
    #[must_use]
    pub fn next_id(&self) -> FileId {
        FileId(self.next)
    }

    /// An empty set with separate ids, so that files read by another thread can be [absorbed](Sources::absorb) later.
    #[must_use]
    pub fn fork(&self) -> Sources {
        Sources { files: Map::new(), next: self.next + (1 << 16) }
    }

    /// Takes over the files of a set created by [`fork`](Sources::fork).
    pub fn absorb(&mut self, other: Sources) {
        self.files.extend(other.files);
        self.next = self.next.max(other.next);
    }

    /// Reads `root`/`path`. In C, comments may contain bytes that are not UTF-8: old sources have names in Latin-1.
    ///
    /// # Errors
    ///
    /// A file that is absent, not a regular file, unreadable or larger than [`MAX_FILE_SIZE`], or that has a byte order
    /// mark, NUL bytes, CR line ends (which Linux and QEMU never have, and which would become part of names), or bytes
    /// that are not UTF-8.
    pub fn read(&mut self, root: &Path, path: &str) -> Result<FileId, ReadError> {
        let whole = if path.is_empty() { root.to_path_buf() } else { root.join(path) };
        let bytes = read_limited(&whole).map_err(|why| ReadError::File { path: whole.clone(), why })?;
        self.push_bytes(root.to_path_buf(), path.to_owned(), bytes)
    }

    /// Like [`read`](Self::read), for bytes that are already in memory; `path` is the name that diagnostics show.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read) that are about the file's contents.
    pub fn add_bytes(&mut self, path: impl Into<String>, bytes: Vec<u8>) -> Result<FileId, ReadError> {
        self.push_bytes(PathBuf::new(), path.into(), bytes)
    }

    fn push_bytes(&mut self, root: PathBuf, path: String, bytes: Vec<u8>) -> Result<FileId, ReadError> {
        let (text, raw) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let bytes = error.into_bytes();
                (substituted(&bytes), Some(bytes))
            }
        };
        let is_c = path.ends_with(".c") || path.ends_with(".h");
        let stray = raw.as_deref().and_then(|bytes| stray_byte(bytes, &text, is_c));
        let fault = text_fault(&text);
        let id = self.push(root, path, text, raw);
        if let Some((at, byte)) = stray {
            let (why, help) = (format!("the byte {byte:#04x} is not UTF-8"), Some("save the file as UTF-8"));
            return Err(ReadError::Text { at: self.span(id, at, at + 1), why, help });
        }
        let Some((at, why)) = fault else { return Ok(id) };
        Err(ReadError::Text { at: self.span(id, at, at + 1), why: why.to_owned(), help: None })
    }

    /// Reads `root`/`path` if it exists. Only a file that is not found is absent: a broken link, or a folder that
    /// cannot be searched, is an error.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), if there is such a file or it is unknown whether there is.
    pub fn read_optional(&mut self, root: &Path, path: &str) -> Result<Option<FileId>, ReadError> {
        let whole = root.join(path);
        match whole.symlink_metadata() {
            Ok(_) => self.read(root, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ReadError::File { path: whole, why: error.to_string() }),
        }
    }

    /// A span of `id` by byte offsets, of whole characters.
    #[must_use]
    pub fn span(&self, id: FileId, start: usize, end: usize) -> Span {
        let text = &self[id].text;
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: id, start: cut(char_start(text, start)), end: cut(char_end(text, end)) }
    }

    /// The text of a span.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self[span.file].text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// The first place in a file with this text.
    #[must_use]
    pub fn find_text(&self, file: FileId, text: &str) -> Option<Span> {
        self[file].text.find(text).map(|at| self.span(file, at, at + text.len()))
    }

    /// Every file, in the order of reading.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().map(|(id, file)| (*id, file))
    }

    /// Line and column of the start of a span.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        let file = &self[span.file];
        let at = char_start(&file.text, span.start as usize);
        let starts = || once(0).chain(file.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let lines = file.lines.get_or_init(starts);
        let line = lines.partition_point(|start| *start <= at);
        let column = at - lines[line - 1] + 1;
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: file.shown(), line: clip(line), column: clip(column) }
    }

    /// The physical line that contains the start of the span, without its line end.
    #[must_use]
    pub fn line(&self, span: Span) -> &str {
        self.marked(span).0
    }

    /// The [`line`](Self::line) of a span, and the part of it that the span covers, both of whole characters.
    #[must_use]
    pub fn marked(&self, span: Span) -> (&str, Range<usize>) {
        let text = &self[span.file].text;
        let at = char_start(text, span.start as usize);
        let first = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let last = text[at..].find('\n').map_or(text.len(), |end| at + end);
        let end = char_end(text, span.end as usize).clamp(at, last);
        (&text[first..last], at - first..end - first)
    }
}

impl std::ops::Index<FileId> for Sources {
    type Output = SourceFile;
    fn index(&self, id: FileId) -> &SourceFile {
        &self.files[&id]
    }
}

impl SourceFile {
    /// The path as the user can open it.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.path.is_empty() {
            return self.root.display().to_string();
        }
        self.root.join(&self.path).display().to_string()
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// The path at which it can be opened, for build scripts that have cargo watch it; `None` if it was not read from
    /// disk.
    #[must_use]
    pub fn path_on_disk(&self) -> Option<PathBuf> {
        (!self.root.as_os_str().is_empty())
            .then(|| if self.path.is_empty() { self.root.clone() } else { self.root.join(&self.path) })
    }
}

/// A regular file's bytes, up to [`MAX_FILE_SIZE`].
pub(crate) fn read_limited(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("not a regular file".to_owned());
    }
    if about.len() > MAX_FILE_SIZE {
        return Err(format!("{} bytes: more than the {MAX_FILE_SIZE} that are read", about.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0));
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE_SIZE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The start of the character at an offset.
fn char_start(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The end of the character that an offset is in, or the offset itself between two.
fn char_end(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
