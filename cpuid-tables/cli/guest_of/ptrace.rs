//! ptrace's requests for one thread, and what the thread does meanwhile.
#![expect(unsafe_code, reason = "ptrace, waitpid and tgkill have no safe equivalent")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// A thread.
pub(super) type Tid = libc::pid_t;
/// The registers of a 64-bit thread.
pub(super) type Registers = libc::user_regs_struct;

// Requests, of linux/ptrace.h and asm/ptrace-abi.h.
const PTRACE_CONT: libc::c_long = 7;
const PTRACE_SINGLESTEP: libc::c_long = 9;
const PTRACE_GETREGS: libc::c_long = 12;
const PTRACE_SETREGS: libc::c_long = 13;
const PTRACE_DETACH: libc::c_long = 17;
const PTRACE_SEIZE: libc::c_long = 0x4206;
const PTRACE_INTERRUPT: libc::c_long = 0x4207;
const PTRACE_SECCOMP_GET_FILTER: libc::c_long = 0x420c;
/// The address argument of requests that have none.
const NONE: libc::c_long = 0;
const PTRACE_EVENT_STOP: libc::c_int = 128;

/// What a traced thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    /// Stopped because it was asked to, or with its whole process.
    Interrupted,
    /// Stopped before a signal is delivered.
    Signal(libc::c_int),
    Gone,
}

/// A request whose arguments are numbers.
fn plain(request: libc::c_long, tid: Tid, data: libc::c_int) -> io::Result<()> {
    // SAFETY: none of these requests reads or writes memory of this process.
    let result = unsafe {
        libc::syscall(libc::SYS_ptrace, request, libc::c_long::from(tid), NONE, libc::c_long::from(data))
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Begins to trace a thread, which runs on.
pub(super) fn seize(tid: Tid) -> io::Result<()> {
    plain(PTRACE_SEIZE, tid, 0)
}

/// Asks a thread to stop.
pub(super) fn interrupt(tid: Tid) -> io::Result<()> {
    plain(PTRACE_INTERRUPT, tid, 0)
}

/// Lets a stopped thread run; a signal that is not 0 is delivered.
pub(super) fn resume(tid: Tid, signal: libc::c_int) -> io::Result<()> {
    plain(PTRACE_CONT, tid, signal)
}

/// Lets a stopped thread execute one instruction.
pub(super) fn step(tid: Tid) -> io::Result<()> {
    plain(PTRACE_SINGLESTEP, tid, 0)
}

/// Ends the tracing of a stopped thread, which runs on.
pub(super) fn detach(tid: Tid) -> io::Result<()> {
    plain(PTRACE_DETACH, tid, 0)
}

/// A stopped thread's registers.
pub(super) fn registers(tid: Tid) -> io::Result<Registers> {
    let mut registers = MaybeUninit::<Registers>::uninit();
    // SAFETY: PTRACE_GETREGS writes one such structure.
    let result = unsafe {
        libc::syscall(libc::SYS_ptrace, PTRACE_GETREGS, libc::c_long::from(tid), NONE, registers.as_mut_ptr())
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the request succeeded.
    Ok(unsafe { registers.assume_init() })
}

/// Sets them.
pub(super) fn set_registers(tid: Tid, registers: &Registers) -> io::Result<()> {
    // SAFETY: PTRACE_SETREGS reads one such structure.
    let result = unsafe {
        libc::syscall(
            libc::SYS_ptrace,
            PTRACE_SETREGS,
            libc::c_long::from(tid),
            NONE,
            ptr::from_ref(registers),
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The instructions of a stopped thread's seccomp filter, by its number; `None` beyond the last one.
pub(super) fn filter(tid: Tid, number: u32) -> io::Result<Option<Vec<libc::sock_filter>>> {
    let get = |buffer: *mut libc::sock_filter| {
        // SAFETY: without a buffer the request writes nothing, otherwise as many instructions as it counted: filters of a
        // stopped thread do not change.
        let result = unsafe {
            libc::syscall(
                libc::SYS_ptrace,
                PTRACE_SECCOMP_GET_FILTER,
                libc::c_long::from(tid),
                libc::c_long::from(number),
                buffer,
            )
        };
        usize::try_from(result).map_err(|_| io::Error::last_os_error())
    };
    let count = match get(ptr::null_mut()) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
        other => other?,
    };
    let mut instructions = vec![libc::sock_filter { code: 0, jt: 0, jf: 0, k: 0 }; count];
    get(instructions.as_mut_ptr())?;
    Ok(Some(instructions))
}

/// What a traced thread does now.
pub(super) fn state(tid: Tid) -> io::Result<State> {
    let mut status = 0;
    // SAFETY: waitpid writes one number.
    let found = unsafe { libc::waitpid(tid, &raw mut status, libc::__WALL | libc::WNOHANG) };
    match found {
        0 => Ok(State::Running),
        -1 => Err(io::Error::last_os_error()),
        _ if !libc::WIFSTOPPED(status) => Ok(State::Gone),
        _ if status >> 16 == PTRACE_EVENT_STOP => Ok(State::Interrupted),
        _ => Ok(State::Signal(libc::WSTOPSIG(status))),
    }
}

/// Sends a signal to one thread of a process.
pub(super) fn send(pid: Tid, tid: Tid, signal: libc::c_int) {
    // SAFETY: the arguments are numbers. The thread may be gone, which is not an error here.
    let _ = unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, signal) };
}
