//! A small guest on a real KVM, which executes CPUID and reports the results.

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

/// What a guest read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// EAX, EBX, ECX and EDX of each requested leaf and subleaf, in order.
    pub answers: Vec<Registers>,
    /// The vCPU's table when it ran, as KVM returned it.
    pub stored: CpuidTable,
    /// KVM's changes to the given table.
    pub changes: Vec<Change>,
}

/// Error running a probe guest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeError {
    /// KVM failed.
    Kvm(KvmError),
    /// KVM refused the vCPU's table.
    Vcpu(VcpuError),
    /// A guest without vCPUs, or an index without a vCPU.
    NoVcpu,
    /// KVM could not continue the guest, or the guest exited unexpectedly.
    Exit {
        /// The guest's mode.
        mode: Mode,
        /// The reason of the exit.
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
                "the guest exited in {mode:?} mode with {exit} before it finished: this KVM does not support that mode, or \
                 needs something that the table lacks"
            ),
        }
    }
}

impl core::error::Error for ProbeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            ProbeError::Kvm(error) => Some(error),
            ProbeError::Vcpu(error) => Some(error),
            ProbeError::NoVcpu | ProbeError::Exit { .. } => None,
        }
    }
}

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

/// Runs a guest with one vCPU, whose APIC id is 0, with a table, and returns what it reads.
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

/// A guest whose vCPUs execute CPUID on request, one at a time.
pub struct Guest {
    machine: Machine,
    mode: Mode,
    /// The vCPUs; never empty.
    vcpus: Vec<Given>,
}

/// The outcome of setting a vCPU's table.
struct Given {
    stored: CpuidTable,
    changes: Vec<Change>,
}

impl Guest {
    /// Creates a guest with one vCPU, whose APIC id is 0, in a mode, with a table.
    ///
    /// # Errors
    ///
    /// [`ProbeError`].
    pub fn new(device: &Device, table: &[CpuidEntry], mode: Mode) -> Result<Guest, ProbeError> {
        Guest::from_vcpus(device, &[(0, table)], mode)
    }

    /// Creates a guest with several vCPUs, given by APIC id and table.
    ///
    /// First requests permission for XSAVE components that need it. After a vCPU is created, this process cannot
    /// request more.
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
        // Without permission KVM refuses the table, and that error names the components.
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

    /// The first vCPU's table before it ran, as KVM returned it.
    #[must_use]
    pub fn stored(&self) -> &CpuidTable {
        &self.vcpus[0].stored
    }

    /// A vCPU's table before it ran; `None` for an index without a vCPU.
    #[must_use]
    pub fn stored_of(&self, vcpu: usize) -> Option<&CpuidTable> {
        self.vcpus.get(vcpu).map(|given| &given.stored)
    }

    /// KVM's changes to the table given to the first vCPU.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.changes_of(0)
    }

    /// KVM's changes to the table given to a vCPU; empty for an index without a vCPU.
    #[must_use]
    pub fn changes_of(&self, vcpu: usize) -> &[Change] {
        self.vcpus.get(vcpu).map_or(&[], |given| &given.changes)
    }

    /// Executes CPUID on the first vCPU: EAX, EBX, ECX and EDX of each requested leaf and subleaf, in order.
    ///
    /// # Errors
    ///
    /// [`ProbeError`].
    pub fn ask(&mut self, questions: &[(Leaf, Subleaf)]) -> Result<Vec<Registers>, ProbeError> {
        self.ask_vcpu(0, questions)
    }

    /// Executes CPUID on the vCPU with this index.
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

/// Its first vCPU accepts tables like any other: after a request, only the table that it has.
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

/// Sets a vCPU's table, which already has its core and node numbers.
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
