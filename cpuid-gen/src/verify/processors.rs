//! Reads `upstream/processors.tsv`: what public dumps show of the processors that QEMU's CPU models are named after.

use crate::diagnostic::{Diagnostic, Diagnostics};
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
    /// The signatures as the file has them.
    pub(super) shown: String,
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

/// The file's rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Processors {
    pub(super) all: Vec<Processor>,
    /// Lines of processors, oldest first, by the names of QEMU's models.
    pub(super) lines: Vec<Vec<String>>,
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
    Line,
}

fn read_row(mut columns: Columns<'_>, all: &mut Processors) -> Result<(), Diagnostic> {
    let kinds = [
        (RowKind::Processor, "processor"),
        (RowKind::Word, "processor-word"),
        (RowKind::Line, "processor-line"),
    ];
    match columns.choice("kind", &kinds)? {
        RowKind::Processor => read_processor(columns, &mut all.all),
        RowKind::Word => read_word(columns, &mut all.all),
        RowKind::Line => read_line(columns, &mut all.lines),
    }
}

fn read_processor(mut columns: Columns<'_>, all: &mut Vec<Processor>) -> Result<(), Diagnostic> {
    let (model, at) = columns.text("MODEL")?;
    let (shown, place) = columns.text("SIGNATURE")?;
    columns.text("SOURCE")?;
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
    let (model, shown) = (model.to_owned(), shown.to_owned());
    all.push(Processor { model, signatures, words: Vec::new(), shown, at });
    Ok(())
}

fn read_word(mut columns: Columns<'_>, all: &mut [Processor]) -> Result<(), Diagnostic> {
    let (model, at) = columns.text("MODEL")?;
    let (leaf, subleaf, register) = (columns.leaf()?, columns.subleaf()?, columns.register()?);
    let mask = columns.hex32("MASK")?;
    columns.end()?;
    let Some(processor) = all.last_mut().filter(|last| last.model == model) else {
        let message = format!("`{model}` is not the processor above");
        return Err(Diagnostic::error(at, message));
    };
    let word = CpuidWord { leaf, subleaf, register };
    if processor.words.iter().any(|(known, _)| *known == word) {
        return Err(Diagnostic::error(at, format!("`{model}` has two rows for {word}")));
    }
    processor.words.push((word, mask));
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
