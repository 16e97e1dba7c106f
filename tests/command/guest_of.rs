//! `--guest-of` on a VMM of ours that behaves as others do: a guest that runs, two descriptors for its vCPU, and seccomp
//! filters that differ between its threads.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::common;

/// Set by a test to make [`a_vmm`] start a VMM, with the threads of it that forbid the question.
const BE_A_VMM: &str = "CPUID_TABLES_BE_A_VMM";
/// The vendor of the table that it has.
const MARKER: [u8; 12] = *b"GuestOfATest";
const KVM_GET_CPUID2: u32 = 0xc008_ae91;
/// Where the guest counts: its clock.
const COUNTER: usize = 0x200;

/// Ends the process if the calling thread asks for a vCPU's table.
#[allow(unsafe_code, reason = "a seccomp filter is set by prctl")]
fn forbid() {
    let row = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut rows = [
        row(0x20, 0, 0, 0),
        row(0x15, 0, 3, 16),
        row(0x20, 0, 0, 24),
        row(0x15, 0, 1, KVM_GET_CPUID2),
        row(0x06, 0, 0, 0x8000_0000),
        row(0x06, 0, 0, 0x7fff_0000),
    ];
    let program = libc::sock_fprog { len: 6, filter: rows.as_mut_ptr() };
    // SAFETY: the program and its rows live until the call returns.
    let set = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program, 0, 0) == 0
    };
    assert!(set, "no seccomp filter: {}", std::io::Error::last_os_error());
}

fn table() -> kvm_bindings::CpuId {
    let word = |at: usize| u32::from_le_bytes(MARKER[at..at + 4].try_into().unwrap());
    let entries = [
        [0, 0, 0, 1, word(0), word(8), word(4)],
        [1, 0, 0, 0x806f8, 0, 0, 0x0f8b_fbff],
        [7, 0, 1, 0, 0, 0, 0],
        [0x8000_0000, 0, 0, 0x8000_0001, 0, 0, 0],
        [0x8000_0001, 0, 0, 0, 0, 0, 0x2800_0000],
    ];
    let raw = |[function, index, flags, eax, ebx, ecx, edx]: [u32; 7]| kvm_bindings::kvm_cpuid_entry2 {
        function,
        index,
        flags,
        eax,
        ebx,
        ecx,
        edx,
        padding: [0; 3],
    };
    kvm_bindings::CpuId::from_entries(&entries.map(raw)).unwrap()
}

/// A page of guest memory at 0 with a loop that counts at [`COUNTER`]: `inc word [0x200]; jmp`.
#[allow(unsafe_code, reason = "a VM's memory has no safe interface")]
fn memory(vm: &kvm_ioctls::VmFd) -> &'static AtomicU16 {
    let layout = std::alloc::Layout::from_size_align(0x1000, 0x1000).unwrap();
    // SAFETY: the page has this size and is never freed; the guest and this process share it through atomics.
    unsafe {
        let page = std::alloc::alloc_zeroed(layout);
        let code: [u8; 6] = [0xff, 0x06, 0x00, 0x02, 0xeb, 0xfa];
        page.add(0x100).copy_from_nonoverlapping(code.as_ptr(), code.len());
        let region = kvm_bindings::kvm_userspace_memory_region {
            slot: 0,
            flags: 0,
            guest_phys_addr: 0,
            memory_size: 0x1000,
            userspace_addr: page as u64,
        };
        vm.set_user_memory_region(region).unwrap();
        AtomicU16::from_ptr(page.add(COUNTER).cast())
    }
}

/// Starts the vCPU at the loop, in a thread of its own.
fn start(mut vcpu: kvm_ioctls::VcpuFd, forbids: bool) {
    let (started, starts) = mpsc::channel();
    thread::spawn(move || {
        if forbids {
            forbid();
        }
        let mut system = vcpu.get_sregs().unwrap();
        (system.cs.base, system.cs.selector) = (0, 0);
        vcpu.set_sregs(&system).unwrap();
        let registers = kvm_bindings::kvm_regs { rip: 0x100, rflags: 2, ..Default::default() };
        vcpu.set_regs(&registers).unwrap();
        started.send(()).unwrap();
        loop {
            match vcpu.run() {
                Ok(exit) => panic!("the guest left its loop: {exit:?}"),
                Err(error) if error.errno() == libc::EINTR => {}
                Err(error) => panic!("KVM_RUN: {error}"),
            }
        }
    });
    starts.recv().unwrap();
}

/// Starts the VMM as a process of its own: the harness has a thread without a filter, and a fork has only this thread,
/// which becomes its main thread. It does nothing unless a test asks for it.
#[test]
#[allow(unsafe_code, clippy::exit, reason = "a process with one thread, which is not the harness")]
fn a_vmm() {
    let Some(forbidding) = std::env::var_os(BE_A_VMM) else { return };
    let parent = std::process::id();
    // SAFETY: the harness's other thread waits for this test, so it holds no lock in the fork.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let ended = std::panic::catch_unwind(|| run_a_vmm(&forbidding.to_string_lossy(), parent));
        std::process::exit(i32::from(ended.is_err()));
    }
    assert!(pid > 0, "no fork: {}", std::io::Error::last_os_error());
    let mut status = 0;
    // SAFETY: waitpid writes one number.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
}

/// Runs a guest, prints the process's id and KVM's stored table, and then the guest's clock for each byte of its input.
#[allow(unsafe_code, reason = "a second descriptor of a vCPU, and the end of the process with its parent")]
fn run_a_vmm(forbidding: &str, parent: u32) {
    let forbids = |thread: &str| forbidding.contains(thread);
    // SAFETY: the arguments are numbers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
    assert_eq!(std::os::unix::process::parent_id(), parent, "the test ended");
    let vm = kvm_ioctls::Kvm::new().unwrap().create_vm().unwrap();
    let vcpu = vm.create_vcpu(0).unwrap();
    let clock = memory(&vm);
    let kept = table();
    vcpu.set_cpuid2(&kept).unwrap();
    // SAFETY: the descriptor is valid; the copy stays open.
    assert!(unsafe { libc::dup(std::os::fd::AsRawFd::as_raw_fd(&vcpu)) } >= 0);
    let mut out = std::io::stdout();
    // The harness has printed the name without an end of line.
    writeln!(out).unwrap();
    writeln!(out, "pid {}", std::process::id()).unwrap();
    for entry in vcpu.get_cpuid2(256).unwrap().as_slice() {
        let registers =
            [entry.eax, entry.ebx, entry.ecx, entry.edx].map(|value| format!("{value:x}")).join(" ");
        writeln!(out, "vcpu0 {:x} {:x} {:x} {registers}", entry.function, entry.index, entry.flags).unwrap();
    }
    start(vcpu, forbids("vcpu"));
    // Another thread, which sleeps most of the time.
    let ticks = Arc::new(AtomicU16::new(0));
    let counted = Arc::clone(&ticks);
    let timer_forbids = forbids("timer");
    thread::spawn(move || {
        if timer_forbids {
            forbid();
        }
        loop {
            sleep(Duration::from_millis(1));
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    if forbids("main") {
        forbid();
    }
    writeln!(out, "ready").unwrap();
    let mut byte = [0];
    while std::io::stdin().read(&mut byte).unwrap() == 1 {
        writeln!(out, "{} {}", clock.load(Ordering::Relaxed), ticks.load(Ordering::Relaxed)).unwrap();
    }
    drop(kept);
}

/// The VMM's process, which ends with its parent: that is killed when this is dropped.
struct Vmm {
    parent: Child,
    pid: String,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// KVM's stored table.
    stored: Vec<String>,
}

impl Drop for Vmm {
    fn drop(&mut self) {
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}

impl Vmm {
    fn start(forbidding: &str) -> Vmm {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "guest_of::a_vmm", "--nocapture", "--test-threads=1"])
            .env(BE_A_VMM, forbidding);
        let mut parent = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (parent.stdin.take().unwrap(), parent.stdout.take().unwrap());
        let output = BufReader::new(output);
        let mut vmm = Vmm { parent, pid: String::new(), input, output, stored: Vec::new() };
        loop {
            let line = vmm.line();
            match line.as_str() {
                "ready" => return vmm,
                line if line.starts_with("pid ") => vmm.pid = line.replace("pid ", ""),
                line if line.starts_with("vcpu0 ") => vmm.stored.push(line.to_owned()),
                _ => {}
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the VMM ended");
        line.trim_end().to_owned()
    }

    /// The guest's clock and that of another thread.
    fn clocks(&mut self) -> (u16, u16) {
        self.input.write_all(b".").unwrap();
        let line = self.line();
        let (guest, thread) = line.split_once(' ').unwrap();
        (guest.parse().unwrap(), thread.parse().unwrap())
    }

    /// The guest and the other threads go on. A busy machine may let them wait for long.
    fn assert_unharmed(&mut self) {
        let (before, began) = (self.clocks(), Instant::now());
        loop {
            sleep(Duration::from_millis(50));
            let after = self.clocks();
            if before.0 != after.0 && before.1 != after.1 {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{before:?} {after:?}");
        }
        assert!(self.parent.try_wait().unwrap().is_none());
    }

    fn show(&self) -> Output {
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"));
        // Without gdb or any other program.
        let output = command
            .args(["show", "--guest-of", &self.pid, "--format", "entries"])
            .env("PATH", "")
            .output()
            .unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        output
    }

    fn signal(&self, signal: i32) {
        let status = Command::new("kill").args([format!("-{signal}"), self.pid.clone()]).status();
        assert!(status.unwrap().success());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn numbers(lines: impl Iterator<Item = String>) -> Vec<Vec<u64>> {
    let plain =
        |line: String| line.split(' ').skip(1).map(|word| u64::from_str_radix(word, 16).unwrap()).collect();
    lines.map(plain).collect()
}

/// Whether a process may be traced here.
fn refused(test: &str, output: &Output) -> bool {
    let refused = text(&output.stderr).contains("it may not be traced: ");
    if refused {
        common::refused(test, "tracing a process");
    }
    refused
}

#[test]
fn a_guest_s_table_is_read_through_a_thread_that_may_ask() {
    let test = "a_guest_s_table_is_read_through_a_thread_that_may_ask";
    if kvm_ioctls::Kvm::new().is_err() {
        return common::refused(test, common::NO_KVM);
    }
    // No filter; Firecracker's and Cloud Hypervisor's way; a filter on the vCPU alone.
    for forbidding in ["none", "main", "vcpu"] {
        let mut vmm = Vmm::start(forbidding);
        for _ in 0..20 {
            let output = vmm.show();
            if refused(test, &output) {
                return;
            }
            assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(0), ""), "{forbidding}");
            let asked = numbers(text(&output.stdout).lines().map(str::to_owned));
            assert_eq!(asked, numbers(vmm.stored.iter().cloned()), "{forbidding}");
        }
        vmm.assert_unharmed();
    }
}

#[test]
fn a_stopped_vmm_is_read_and_stays_stopped() {
    let test = "a_stopped_vmm_is_read_and_stays_stopped";
    if kvm_ioctls::Kvm::new().is_err() {
        return common::refused(test, common::NO_KVM);
    }
    let mut vmm = Vmm::start("main");
    vmm.signal(libc::SIGSTOP);
    sleep(Duration::from_millis(100));
    let output = vmm.show();
    if refused(test, &output) {
        return;
    }
    assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(0), ""));
    let state = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", vmm.pid)).unwrap();
        status.lines().find(|line| line.starts_with("State:")).unwrap().to_owned()
    };
    sleep(Duration::from_millis(50));
    assert!(state().contains("T (stopped)"), "{}", state());
    vmm.signal(libc::SIGCONT);
    vmm.assert_unharmed();
}

#[test]
fn a_vmm_that_forbids_the_question_is_not_asked() {
    let test = "a_vmm_that_forbids_the_question_is_not_asked";
    if kvm_ioctls::Kvm::new().is_err() {
        return common::refused(test, common::NO_KVM);
    }
    let mut vmm = Vmm::start("main vcpu timer");
    let output = vmm.show();
    if refused(test, &output) {
        return;
    }
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let expected = "the seccomp filters of all its threads forbid KVM_GET_CPUID2, so it was not made to query KVM; these tables are from its memory";
    assert!(errors.contains(expected), "{errors}");
    vmm.assert_unharmed();
    // A process that is traced already is not; its memory is read.
    let mut tracer = Command::new("gdb");
    tracer.args([
        "-nx",
        "-q",
        "-batch",
        "-p",
        &vmm.pid,
        "-ex",
        "shell echo attached",
        "-ex",
        "shell sleep 4",
    ]);
    let Ok(mut tracer) = tracer.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
        return common::skipped(test, "gdb");
    };
    let said = BufReader::new(tracer.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.take_while(|line| line != "end").any(|line| line.contains("attached")));
    let output = vmm.show();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let expected = format!("process {} traces it already; these tables are from its memory", tracer.id());
    assert!(errors.contains(&expected), "{errors}");
    assert!(
        text(&output.stdout).contains(&format!("{:x}", u32::from_le_bytes(*b"Gues"))),
        "{}",
        text(&output.stdout)
    );
    assert!(tracer.wait().unwrap().success());
    vmm.assert_unharmed();
}
