//! Reads `upstream/processors.tsv`: what public dumps show of the processors that QEMU's CPU models are named after.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::CacheSlot;
use crate::facts::columns::{Columns, rows};
use crate::location::{Bit, CpuidWord, Location};
use crate::source::{FileId, Sources, Span};

/// A family and a model, and a stepping if they are not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) family: u32,
    pub(super) model: u32,
    pub(super) stepping: Option<u32>,
}

/// The processors of one CPU model.
#[derive(Clone, Debug)]
pub(super) struct Processor {
    /// QEMU's name of the model.
    pub(super) model: String,
    pub(super) signatures: Vec<Signature>,
    /// Registers that a dump has, with the bits that at least one dump has.
    pub(super) words: Vec<(CpuidWord, u32)>,
    /// Size in bytes, associativity and line size of caches that a dump has.
    pub(super) caches: Vec<(CacheSlot, (u64, u32, u32))>,
    /// The signatures as the file has them.
    pub(super) shown: String,
    /// The public dumps.
    pub(super) source: String,
    /// Its row.
    pub(super) at: Span,
}

impl Processor {
    /// `None` if no dump has the register.
    pub(super) fn has(&self, Location { word, bit: Bit(bit) }: Location) -> Option<bool> {
        let mask = self.words.iter().find(|(own, _)| *own == word).map(|(_, mask)| mask)?;
        Some(mask.checked_shr(bit.into()).unwrap_or(0) & 1 == 1)
    }
}

/// The place of an XSAVE component in the standard format.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) component: u8,
    /// Bytes.
    pub(super) size: u32,
    /// Bytes; `None` for a component of `IA32_XSS`, which only the compacted format has.
    pub(super) offset: Option<u32>,
    /// Its row.
    pub(super) at: Span,
}

/// The file's rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Processors {
    pub(super) all: Vec<Processor>,
    /// Lines of processors, oldest first, by the names of QEMU's models.
    pub(super) lines: Vec<Vec<String>>,
    pub(super) states: Vec<State>,
}

/// Reads the file. Every faulty row is a diagnostic, and the result is then `None`.
pub(super) fn read(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<Processors> {
    let (mut found, mut all) = (Diagnostics::new(), Processors::default());
    for row in rows(sources, file) {
        found.take(read_row(row, &mut all));
    }
    let good = !found.has_errors();
    diagnostics.extend(found);
    good.then_some(all)
}

/// The kind of a row.
#[derive(Clone, Copy)]
enum RowKind {
    Processor,
    Word,
    Cache,
    Line,
    State,
}

fn read_row(mut columns: Columns<'_>, all: &mut Processors) -> Result<(), Diagnostic> {
    let kinds = [
        (RowKind::Processor, "processor"),
        (RowKind::Word, "processor-word"),
        (RowKind::Cache, "processor-cache"),
        (RowKind::Line, "processor-line"),
        (RowKind::State, "xsave-component"),
    ];
    match columns.choice("kind", &kinds)? {
        RowKind::Processor => read_processor(columns, &mut all.all),
        RowKind::Word => read_word(columns, &mut all.all),
        RowKind::Cache => read_cache(columns, &mut all.all),
        RowKind::Line => read_line(columns, &mut all.lines),
        RowKind::State => read_state(columns, &mut all.states),
    }
}

fn read_processor(mut columns: Columns<'_>, all: &mut Vec<Processor>) -> Result<(), Diagnostic> {
    let (model, at) = columns.text("MODEL")?;
    let (shown, place) = columns.text("SIGNATURE")?;
    let (source, _) = columns.text("SOURCE")?;
    columns.end()?;
    if let Some(earlier) = all.iter().find(|known| known.model == model) {
        let message = format!("`{model}` has two rows");
        return Err(Diagnostic::error(at, message).with_label(earlier.at, "first here"));
    }
    let signatures = shown.split(',').map(|text| {
        let wanted = "expected family/model or family/model/stepping, such as 6/85/7";
        signature(text)
            .ok_or_else(|| Diagnostic::error(place, format!("`{text}` is not a signature")).with_help(wanted))
    });
    let signatures = signatures.collect::<Result<Vec<Signature>, Diagnostic>>()?;
    let [model, shown, source] = [model, shown, source].map(str::to_owned);
    all.push(Processor { model, signatures, words: Vec::new(), caches: Vec::new(), shown, source, at });
    Ok(())
}

fn read_word(mut columns: Columns<'_>, all: &mut [Processor]) -> Result<(), Diagnostic> {
    let (model, at) = columns.text("MODEL")?;
    let (leaf, subleaf, register) = (columns.leaf()?, columns.subleaf()?, columns.register()?);
    let mask = columns.hex32("MASK")?;
    columns.end()?;
    let processor = above(all, model, at)?;
    let word = CpuidWord { leaf, subleaf, register };
    if processor.words.iter().any(|(known, _)| *known == word) {
        return Err(Diagnostic::error(at, format!("`{model}` has two rows for {word}")));
    }
    processor.words.push((word, mask));
    Ok(())
}

/// The processor of the rows before.
fn above<'p>(all: &'p mut [Processor], model: &str, at: Span) -> Result<&'p mut Processor, Diagnostic> {
    let last = all.last_mut().filter(|last| last.model == model);
    last.ok_or_else(|| Diagnostic::error(at, format!("`{model}` is not the processor above")))
}

fn read_cache(mut columns: Columns<'_>, all: &mut [Processor]) -> Result<(), Diagnostic> {
    let (model, at) = columns.text("MODEL")?;
    let slot = columns.choice("CACHE", &CacheSlot::ALL)?;
    let size = columns.decimal("SIZE", u32::MAX)?;
    let (ways, line) = (columns.decimal("ASSOCIATIVITY", 0xffff)?, columns.decimal("LINE-SIZE", 0xffff)?);
    let numbers = (u64::from(size), ways, line);
    columns.end()?;
    let processor = above(all, model, at)?;
    if processor.caches.contains(&(slot, numbers)) {
        return Err(Diagnostic::error(at, format!("`{model}` has this cache twice")));
    }
    processor.caches.push((slot, numbers));
    Ok(())
}

fn read_state(mut columns: Columns<'_>, all: &mut Vec<State>) -> Result<(), Diagnostic> {
    let (component, at) = (columns.byte("COMPONENT")?, columns.place());
    let size = columns.decimal("SIZE", u32::MAX)?;
    let offset = if columns.none() { None } else { Some(columns.decimal("OFFSET", u32::MAX)?) };
    columns.end()?;
    if let Some(earlier) = all.iter().find(|state| state.component == component) {
        let message = format!("component {component} has two rows");
        return Err(Diagnostic::error(at, message).with_label(earlier.at, "first here"));
    }
    all.push(State { component, size, offset, at });
    Ok(())
}

fn read_line(mut columns: Columns<'_>, lines: &mut Vec<Vec<String>>) -> Result<(), Diagnostic> {
    let (models, at) = columns.text("MODELS")?;
    columns.end()?;
    let line: Vec<String> = models.split(',').map(str::to_owned).collect();
    let twice = line.iter().enumerate().find(|(index, name)| line[..*index].contains(name));
    if let Some((_, name)) = twice {
        return Err(Diagnostic::error(at, format!("`{name}` is twice in this line")));
    }
    lines.push(line);
    Ok(())
}

fn signature(text: &str) -> Option<Signature> {
    let mut numbers = text.split('/').map(|number| number.parse().ok());
    let (family, model) = (numbers.next()??, numbers.next()??);
    let stepping = match numbers.next() {
        None => None,
        Some(number) => Some(number?),
    };
    numbers.next().is_none().then_some(Signature { family, model, stepping })
}
