//! Runs `tests/qemu/capture` on many cases, several at a time.

use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use super::case::Case;
use super::recording::Recording;
use super::{Failure, Outcome};

/// The directory of the recorder.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/qemu")
}

/// The available QEMU releases, as full release numbers.
pub fn releases() -> Outcome<Vec<String>> {
    let output = Command::new(directory().join("capture")).arg("--list").stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("tests/qemu/capture --list: {}", output.status).into());
    }
    let lines = String::from_utf8(output.stdout)?;
    Ok(lines.lines().filter_map(|line| Some(line.split_once('\t')?.0.to_owned())).collect())
}

/// A shell script that starts this QEMU with the script's arguments.
pub fn script(release: &str) -> Outcome<String> {
    let output = Command::new(directory().join("capture"))
        .args(["--qemu", release, "--script"])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("tests/qemu/capture --qemu {release} --script: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Records every case, and passes each with its recording to `take`, in the order of `cases`.
pub fn record(
    release: &str,
    hosts: &Path,
    cases: &[Case],
    take: impl FnMut(&Case, Recording) -> Outcome<()>,
) -> Outcome<()> {
    record_with(&["--qemu", release], hosts, cases, take)
}

/// The same with these options of `capture`, `--qemu` among them.
pub fn record_with(
    options: &[&str],
    hosts: &Path,
    cases: &[Case],
    mut take: impl FnMut(&Case, Recording) -> Outcome<()>,
) -> Outcome<()> {
    let workers = thread::available_parallelism()?.get().min(cases.len()).max(1);
    // Worker w takes every workers-th case, starting with w, so that the results arrive in turn.
    let mut results = Vec::new();
    let mut threads = Vec::new();
    for worker in 0..workers {
        let (send, receive) = mpsc::sync_channel::<Outcome<Recording>>(64);
        results.push(receive);
        let own: Vec<Case> = cases.iter().skip(worker).step_by(workers).cloned().collect();
        let mut child = Command::new(directory().join("capture"))
            .args(options)
            .arg("--hosts")
            .arg(hosts)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        threads.push(thread::spawn(move || {
            if let Err(failure) = converse(&mut child, &own, |recording| send.send(Ok(recording)).is_ok()) {
                let _ = send.send(Err(failure));
            }
            let _ = child.kill();
            let _ = child.wait();
        }));
    }
    let mut outcome = Ok(());
    for (at, case) in cases.iter().enumerate() {
        outcome = match results[at % workers].recv() {
            Ok(recording) => recording.and_then(|recording| take(case, recording)),
            Err(_) => Err(format!("tests/qemu/capture ended before `{case}`").into()),
        };
        if outcome.is_err() {
            break;
        }
    }
    drop(results);
    for thread in threads {
        thread.join().map_err(|_| "a thread that captures panicked")?;
    }
    outcome
}

/// Writes the cases to one `capture` and reads its results, until the receiver is closed.
fn converse(child: &mut Child, cases: &[Case], mut take: impl FnMut(Recording) -> bool) -> Outcome<()> {
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let lines: Vec<String> = cases.iter().map(|case| format!("{case}\n")).collect();
    // The error is ignored here: without its input, `capture` ends before the last case, which is reported.
    let writer = thread::spawn(move || lines.iter().try_for_each(|line| input.write_all(line.as_bytes())));
    for case in cases {
        let next = Recording::read(&mut output).map_err(|error| Failure::from(format!("{case}: {error}")))?;
        let recording = next.ok_or_else(|| format!("tests/qemu/capture ended before `{case}`"))?;
        if !take(recording) {
            break;
        }
    }
    drop(output);
    let _ = child.kill();
    let _ = writer.join();
    Ok(())
}
