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

/// Reads the file. Every faulty row is a diagnostic, and the result is then `None`.
pub(super) fn read(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<Vec<Processor>> {
    let (mut found, mut all) = (Diagnostics::new(), Vec::new());
    for row in rows(sources, file) {
        found.take(read_row(row, &mut all));
    }
    let good = !found.has_errors();
    diagnostics.extend(found);
    good.then_some(all)
}

fn read_row(mut columns: Columns<'_>, all: &mut Vec<Processor>) -> Result<(), Diagnostic> {
    let is_word = columns.choice("kind", &[(false, "processor"), (true, "processor-word")])?;
    let (model, at) = columns.text("MODEL")?;
    if !is_word {
        let (shown, place) = columns.text("SIGNATURE")?;
        columns.text("SOURCE")?;
        columns.end()?;
        if let Some(earlier) = all.iter().find(|known| known.model == model) {
            let message = format!("`{model}` has two rows");
            return Err(Diagnostic::error(at, message).with_label(earlier.at, "first here"));
        }
        let signatures = shown.split(',').map(|text| {
            let wanted = "expected family/model or family/model/stepping, such as 6/85/7";
            signature(text).ok_or_else(|| {
                Diagnostic::error(place, format!("`{text}` is not a signature")).with_help(wanted)
            })
        });
        let signatures = signatures.collect::<Result<Vec<Signature>, Diagnostic>>()?;
        let (model, shown) = (model.to_owned(), shown.to_owned());
        all.push(Processor { model, signatures, words: Vec::new(), shown, at });
        return Ok(());
    }
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

fn signature(text: &str) -> Option<Signature> {
    let mut numbers = text.split('/').map(|number| number.parse().ok());
    let (family, model) = (numbers.next()??, numbers.next()??);
    let stepping = match numbers.next() {
        None => None,
        Some(number) => Some(number?),
    };
    numbers.next().is_none().then_some(Signature { family, model, stepping })
}
