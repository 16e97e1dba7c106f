//! Source files and places in them.
//!
//! A [`Span`] is a file id and byte offsets; line and column are computed only when a place is shown. A [`Sources`]
//! keeps the text of every file that was read, so that a diagnostic can quote it.

use std::fmt;
use std::fs;
use std::io::Read as _;
use std::iter::once;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::ordered::Map;

/// Maximum size of a file in bytes. The largest real one (QEMU's `cpu.c`) has under half a megabyte.
pub const MAX_FILE_SIZE: u64 = 4 << 20;

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
        why: &'static str,
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
    /// Its text.
    pub text: String,
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
        self.push(PathBuf::new(), path.into(), text.into())
    }

    fn push(&mut self, root: PathBuf, path: String, text: String) -> FileId {
        let id = FileId(self.next);
        self.next += 1;
        self.files.insert(id, SourceFile { root, path, text, lines: OnceLock::new() });
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

    /// Reads `root`/`path`.
    ///
    /// # Errors
    ///
    /// A file that is absent, not a regular file, unreadable, larger than [`MAX_FILE_SIZE`], not UTF-8, or that has a
    /// byte order mark, NUL bytes or CR line ends (which Linux and QEMU never have, and which would become part of
    /// names).
    pub fn read(&mut self, root: &Path, path: &str) -> Result<FileId, ReadError> {
        let whole = if path.is_empty() { root.to_path_buf() } else { root.join(path) };
        let bytes = read_limited(&whole).map_err(|why| ReadError::File { path: whole, why })?;
        match String::from_utf8(bytes) {
            Ok(text) => {
                let bad = text_fault(&text);
                let id = self.push(root.to_path_buf(), path.to_owned(), text);
                match bad {
                    Some((at, why)) => {
                        Err(ReadError::Text { at: self.span(id, at, at + 1), why, help: None })
                    }
                    None => Ok(id),
                }
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let id = self.push(root.to_path_buf(), path.to_owned(), text);
                let at = self.span(id, at, at + 1);
                Err(ReadError::Text {
                    at,
                    why: "this byte is not UTF-8",
                    help: Some("save the file as UTF-8"),
                })
            }
        }
    }

    /// A span of `id` by byte offsets.
    #[must_use]
    pub fn span(&self, id: FileId, start: usize, end: usize) -> Span {
        let cut = |at: usize| u32::try_from(at.min(self[id].text.len())).unwrap_or(u32::MAX);
        Span { file: id, start: cut(start), end: cut(end) }
    }

    /// The text of a span.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self[span.file].text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Every file, in the order of reading.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().map(|(id, file)| (*id, file))
    }

    /// Line and column of the start of a span.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        let file = &self[span.file];
        let mut at = (span.start as usize).min(file.text.len());
        while !file.text.is_char_boundary(at) {
            at -= 1;
        }
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
        let text = &self[span.file].text;
        let at = span.start as usize;
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        &text[start..end]
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

fn text_fault(text: &str) -> Option<(usize, &'static str)> {
    if text.starts_with('\u{feff}') {
        return Some((0, "the file starts with a byte order mark; save it without one"));
    }
    if let Some(at) = text.find('\0') {
        return Some((at, "a NUL byte: this is not source text"));
    }
    text.find('\r').map(|at| (at, "a carriage return; convert the file to LF line ends"))
}
