//! A release of QEMU, or a program, as the steps of a guest see it: its tables, its names and its behaviour.

use alloc::string::ToString;

use super::behaviour::{Behaviour, KNOWN, number};
use super::cpu::flags::{Reg, word_index};
use super::error::BuildError;
use super::filtered::{Filtered, Reason, name_of};
use super::program::{QemuProgram, StatedTarget};
use crate::bits::location::{Bit, Msr, WordSource};
use crate::bits::release::QemuRelease;
use crate::generated::guest_tables::{Dependency, GUESTS, GuestTables, Target};

/// A release, or a program, with its tables and its behaviour.
#[derive(Clone, Copy)]
pub(crate) struct Release<'p> {
    /// A program's is the nearest.
    pub(crate) qemu: QemuRelease,
    pub(crate) tables: &'static GuestTables,
    pub(crate) behaviour: Behaviour,
    /// The release that it behaves as.
    pub(crate) number: (u32, u32),
    pub(crate) program: Option<&'p QemuProgram>,
}

impl<'p> Release<'p> {
    pub(crate) fn new(qemu: QemuRelease) -> Release<'p> {
        let number = number(qemu);
        let (tables, behaviour) = (&GUESTS[qemu.index()], Behaviour::from_series(number));
        Release { qemu, tables, behaviour, number, program: None }
    }

    pub(crate) fn of_program(program: &'p QemuProgram) -> Release<'p> {
        let number = program.behaves_as();
        let behaviour = Behaviour::from_series(number);
        Release { behaviour, number, program: Some(program), ..Release::new(program.facts_of()) }
    }

    /// Its code is known, not only its tables.
    pub(crate) fn is_known(self) -> bool {
        let [first, last] = KNOWN;
        (first..=last).contains(&self.number)
    }

    /// What a property of `-cpu` sets; `None` for a name that is not one.
    ///
    /// # Errors
    ///
    /// [`BuildError::NotModelled`] for a property that only the program has.
    pub(crate) fn property(self, name: &str) -> Result<Option<Target>, BuildError> {
        let Some(program) = self.program else {
            let rows = self.tables.properties;
            let found = rows.binary_search_by(|row| row.name().cmp(name));
            return Ok(found.ok().map(|found| rows[found].target()));
        };
        Ok(match program.properties.get(name) {
            Some(StatedTarget::Bits(bits)) => Some(Target::Bits(*bits)),
            Some(StatedTarget::Other(index)) => Some(Target::Other(*index)),
            Some(StatedTarget::NotModelled) => return Err(BuildError::NotModelled(name.to_string())),
            None => None,
        })
    }

    /// The bits of a word that `-cpu host` may have in a migratable guest.
    pub(crate) fn migratable(self, word: usize) -> u64 {
        match self.program {
            Some(program) => program.migratable.get(word).copied().flatten(),
            None => self.tables.words.get(word).map(|row| row.migratable),
        }
        .unwrap_or(0)
    }

    /// False for a word that the tables have but the program does not.
    fn has_word(self, word: usize) -> bool {
        self.program.is_none_or(|program| program.migratable.get(word).is_some_and(Option::is_some))
    }

    /// Features without which others are removed.
    pub(crate) fn deps(self) -> &'p [Dependency] {
        self.program.map_or(self.tables.deps, |program| &program.deps)
    }

    /// QEMU's name for a bit.
    pub(crate) fn name_of(self, source: WordSource, bit: Bit) -> Option<&'static str> {
        let new = || self.program.and_then(|program| program.new_name(source, bit));
        name_of(self.qemu, source, bit).or_else(new)
    }

    /// A requested feature of a word that is missing.
    pub(crate) fn filtered(self, source: WordSource, bit: u8, reason: Reason) -> Filtered {
        let bit = Bit(bit);
        Filtered { source, bit, name: self.name_of(source, bit), release: self.qemu, reason }
    }

    /// The index of a register's word.
    pub(crate) fn index(self, reg: Reg) -> Option<usize> {
        word_index(self.qemu.index(), reg).filter(|word| self.has_word(*word))
    }

    /// The index of an MSR's word.
    pub(crate) fn msr_index(self, msr: u32) -> Option<usize> {
        self.index_of(WordSource::Msr(Msr(msr)))
    }

    /// The index of the word that is read from a source.
    pub(crate) fn index_of(self, source: WordSource) -> Option<usize> {
        let found = self.tables.words.iter().position(|row| row.source == Some(source));
        found.filter(|word| self.has_word(*word))
    }

    /// The source of a word; `None` if the program lacks the word.
    pub(crate) fn source(self, word: usize) -> Option<WordSource> {
        if !self.has_word(word) {
            return None;
        }
        self.tables.words.get(word)?.source
    }
}
