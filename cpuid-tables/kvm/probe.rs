//! A guest of ours on a real KVM, which executes CPUID and tells what it got.

use core::fmt;
use std::string::{String, ToString};
use std::vec::Vec;

use kvm_bindings::{CpuId, kvm_regs};
use kvm_ioctls::VcpuExit;

use super::changes::Change;
use super::components::request_guest_components;
use super::error::{Errno, KvmError};
use super::guest_code::{self, BATCH, CODE, DONE, MEMORY, Mode, QUESTION, QUESTIONS};
use super::ioctl::{CpuidBuffer, Machine};
use super::system::Device;
use super::vcpu::CpuidVcpu;
use super::vcpu_error::VcpuError;
use super::vcpus::Vcpus;
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::{ApicLayout, CpuidEntry, CpuidRead, CpuidTable};

/// What a guest saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// EAX, EBX, ECX and EDX for each question, in order.
    pub answers: Vec<Registers>,
    /// The table that the vCPU had when it ran, as KVM gave it back.
    pub stored: CpuidTable,
    /// What KVM had changed in the table that it was given.
    pub changes: Vec<Change>,
}

/// A guest could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeError {
    /// KVM.
    Kvm(KvmError),
    /// The vCPU's table.
    Vcpu(VcpuError),
    /// A guest without a vCPU, or an index without one.
    NoVcpu,
    /// KVM could not go on with the guest, or the guest did something else than it was to.
    Exit {
        /// In which mode.
        mode: Mode,
        /// Why it exited.
        exit: String,
    },
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProbeError::Kvm(error) => fmt::Display::fmt(error, f),
            ProbeError::Vcpu(error) => fmt::Display::fmt(error, f),
            ProbeError::NoVcpu => f.write_str("the guest has no such vCPU"),
            ProbeError::Exit { mode, exit } => write!(
                f,
                "the guest ended in {mode:?} mode with {exit} instead of its answers: this KVM does not run that mode, or \
                 needs something of the table that it lacks"
            ),
        }
    }
}

impl core::error::Error for ProbeError {}

impl From<KvmError> for ProbeError {
    fn from(error: KvmError) -> ProbeError {
        ProbeError::Kvm(error)
    }
}

impl From<VcpuError> for ProbeError {
    fn from(error: VcpuError) -> ProbeError {
        ProbeError::Vcpu(error)
    }
}

/// Runs a guest of one vCPU, whose APIC id is 0, with a table, and lets it ask.
///
/// # Errors
///
/// [`ProbeError`].
pub fn probe(
    device: &Device,
    table: &[CpuidEntry],
    questions: &[(Leaf, Subleaf)],
    mode: Mode,
) -> Result<Probe, ProbeError> {
    let mut guest = Guest::new(device, table, mode)?;
    let answers = guest.ask(questions)?;
    let given = guest.vcpus.swap_remove(0);
    Ok(Probe { answers, stored: given.stored, changes: given.changes })
}

/// A guest whose vCPUs execute CPUID as they are told, one at a time.
pub struct Guest {
    machine: Machine,
    mode: Mode,
    /// Of each vCPU, never none.
    vcpus: Vec<Given>,
}

/// What became of a vCPU's table.
struct Given {
    stored: CpuidTable,
    changes: Vec<Change>,
}

impl Guest {
    /// A guest of one vCPU, whose APIC id is 0, in a mode, with a table.
    ///
    /// # Errors
    ///
    /// [`ProbeError`].
    pub fn new(device: &Device, table: &[CpuidEntry], mode: Mode) -> Result<Guest, ProbeError> {
        Guest::from_vcpus(device, &[(0, table)], mode)
    }

    /// A guest of several vCPUs, of each its APIC id and its table.
    ///
    /// XSAVE components that need it are asked for first. Making a vCPU ends the time in which this process can ask for
    /// more.
    ///
    /// # Errors
    ///
    /// [`ProbeError`].
    pub fn from_vcpus(
        device: &Device,
        tables: &[(u32, &[CpuidEntry])],
        mode: Mode,
    ) -> Result<Guest, ProbeError> {
        let Some((_, first)) = tables.first() else { return Err(ProbeError::NoVcpu) };
        // If they are not permitted, KVM refuses the table, and that error says what it is about.
        let _ = request_guest_components(first.xcr0());
        let ids: Vec<u32> = tables.iter().map(|(id, _)| *id).collect();
        let mut machine = Machine::new(device.kvm(), MEMORY, &ids)?;
        let given = tables.iter().enumerate().map(|(at, (id, table))| give(&machine, at, *id, table));
        let vcpus = given.collect::<Result<Vec<Given>, ProbeError>>()?;
        machine.write(CODE, &guest_code::code(mode));
        let (at, tables) = guest_code::page_tables();
        machine.write(at, &tables);
        let failed =
            |name: &'static str| move |error: kvm_ioctls::Error| KvmError::of_ioctl(name, error.into());
        for at in 0..vcpus.len() {
            let vcpu = machine.vcpu(at);
            let mut sregs = vcpu.get_sregs().map_err(failed("KVM_GET_SREGS"))?;
            guest_code::enter(mode, &mut sregs);
            vcpu.set_sregs(&sregs).map_err(failed("KVM_SET_SREGS"))?;
        }
        Ok(Guest { machine, mode, vcpus })
    }

    /// The table that the first vCPU had before it ran, as KVM gave it back.
    #[must_use]
    pub fn stored(&self) -> &CpuidTable {
        &self.vcpus[0].stored
    }

    /// The table that a vCPU had before it ran; none for an index without one.
    #[must_use]
    pub fn stored_of(&self, vcpu: usize) -> Option<&CpuidTable> {
        self.vcpus.get(vcpu).map(|given| &given.stored)
    }

    /// What KVM had changed in the table that the first vCPU was given.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.changes_of(0)
    }

    /// What KVM had changed in the table that a vCPU was given; nothing for an index without one.
    #[must_use]
    pub fn changes_of(&self, vcpu: usize) -> &[Change] {
        self.vcpus.get(vcpu).map_or(&[], |given| &given.changes)
    }

    /// Lets the first vCPU execute CPUID: EAX, EBX, ECX and EDX for each question, in order.
    ///
    /// # Errors
    ///
    /// [`ProbeError`].
    pub fn ask(&mut self, questions: &[(Leaf, Subleaf)]) -> Result<Vec<Registers>, ProbeError> {
        self.ask_vcpu(0, questions)
    }

    /// Lets the vCPU with this index execute CPUID.
    ///
    /// # Errors
    ///
    /// [`ProbeError`]; [`ProbeError::NoVcpu`] for an index without a vCPU.
    pub fn ask_vcpu(
        &mut self,
        vcpu: usize,
        questions: &[(Leaf, Subleaf)],
    ) -> Result<Vec<Registers>, ProbeError> {
        if vcpu >= self.vcpus.len() {
            return Err(ProbeError::NoVcpu);
        }
        let mut answers = Vec::with_capacity(questions.len());
        for batch in questions.chunks(BATCH) {
            ask(&mut self.machine, vcpu, batch, self.mode, &mut answers)?;
        }
        Ok(answers)
    }
}

/// Its first vCPU takes tables as any other does: after a question, only the one that it has.
impl CpuidVcpu for Guest {
    fn set_cpuid2(&self, table: &CpuId) -> Result<(), Errno> {
        CpuidVcpu::set_cpuid2(self.machine.vcpu(0), table)
    }

    fn get_cpuid2(&self, into: &mut CpuidBuffer) -> Result<(), Errno> {
        CpuidVcpu::get_cpuid2(self.machine.vcpu(0), into)
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// Gives a vCPU its table. The numbers of its core and node are in it already.
fn give(machine: &Machine, at: usize, apic_id: u32, table: &[CpuidEntry]) -> Result<Given, ProbeError> {
    let mut vcpus = Vcpus::with_layout(table, ApicLayout::from_cpuid(table))?;
    let changes = vcpus.set(machine.vcpu(at), apic_id)?;
    let stored: Vec<CpuidEntry> = changes.stored().collect();
    let changes = changes.iter().collect();
    let stored = CpuidTable::from_entries(&stored).map_err(|_| VcpuError::TooMany {
        count: stored.len(),
        first: stored.get(CpuidTable::MAX).copied(),
    })?;
    Ok(Given { stored, changes })
}

/// One run of a vCPU.
fn ask(
    machine: &mut Machine,
    vcpu: usize,
    batch: &[(Leaf, Subleaf)],
    mode: Mode,
    answers: &mut Vec<Registers>,
) -> Result<(), ProbeError> {
    let question = |(leaf, subleaf): &(Leaf, Subleaf)| {
        let mut bytes = [0; QUESTION];
        bytes[..4].copy_from_slice(&leaf.0.to_le_bytes());
        bytes[4..8].copy_from_slice(&subleaf.0.to_le_bytes());
        bytes
    };
    let mut memory: Vec<u8> = batch.iter().flat_map(question).collect();
    machine.write(QUESTIONS, &memory);
    let start = match mode {
        Mode::Real => 0, // the segment begins there
        Mode::Protected | Mode::Long => QUESTIONS as u64,
    };
    let regs =
        kvm_regs { rip: CODE as u64, rsi: start, rdi: batch.len() as u64, rflags: 2, ..Default::default() };
    let set = machine.vcpu(vcpu).set_regs(&regs);
    set.map_err(|error| KvmError::of_ioctl("KVM_SET_REGS", error.into()))?;
    run_until_done(machine, vcpu, mode)?;
    machine.read(QUESTIONS, &mut memory);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    answers.extend(memory.chunks_exact(QUESTION).map(|question| {
        let register = |at: usize| word(&question[at..at + 4]);
        Registers::new(register(8), register(12), register(16), register(20))
    }));
    Ok(())
}

fn run_until_done(machine: &mut Machine, vcpu: usize, mode: Mode) -> Result<(), ProbeError> {
    loop {
        return match machine.run(vcpu) {
            Ok(VcpuExit::IoOut(port, _)) if port == u16::from(DONE) => Ok(()),
            Ok(exit) => {
                let exit = std::format!("{exit:?}");
                Err(ProbeError::Exit { mode, exit })
            }
            // A signal.
            Err(Errno(libc::EINTR | libc::EAGAIN)) => continue,
            Err(errno) => Err(ProbeError::Exit { mode, exit: errno.to_string() }),
        };
    }
}
