//! A QEMU program: started for each batch of commands, and stopped if it does not answer.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answers, ProgramError, Qemu};

/// Time for one answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// The arguments of every run: no devices, no display, QMP on standard input and output, a guest that does not run.
const ALWAYS: [&str; 6] = ["-nodefaults", "-display", "none", "-S", "-qmp", "stdio"];

/// A program by its path.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
}

impl Program {
    /// The program at this path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Program {
        Program { path: path.into() }
    }
}

impl Qemu for Program {
    fn run(&self, arguments: &[&str], commands: &[Value]) -> Result<Answers, ProgramError> {
        let io = |error: std::io::Error| ProgramError::Io(error.to_string());
        let mut command = Command::new(&self.path);
        command.args(arguments).args(ALWAYS);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(io)?;
        let found = converse(&mut child, commands);
        end(&mut child);
        found
    }
}

/// Sends the commands, reads their answers, and then asks the program to quit: QEMU discards output that has not been read
/// by then.
fn converse(child: &mut Child, commands: &[Value]) -> Result<Answers, ProgramError> {
    let mut script = format!("{}\n", json!({"execute": "qmp_capabilities"}));
    commands.iter().for_each(|command| script += &format!("{command}\n"));
    // Its output fills its pipe before all commands are read.
    let send = writer(child.stdin.take());
    let _ = send.send(script);
    let (lines, errors) = (lines(child.stdout.take()), rest(child.stderr.take()));
    let mut replies = Replies::new(commands.len());
    while !replies.are_complete() {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => replies.line(&line)?,
            Err(RecvTimeoutError::Timeout) => return Err(ProgramError::Timeout),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    // A program that ended early closed its input.
    let _ = send.send(format!("{}\n", json!({"execute": "quit"})));
    drop(send);
    match errors.recv_timeout(PATIENCE) {
        Ok(stderr) => replies.finish(stderr),
        Err(_) => Err(ProgramError::Timeout),
    }
}

/// Ends the program and waits for it.
fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// Writes texts to a pipe until the sender is dropped.
fn writer<W: Write + Send + 'static>(pipe: Option<W>) -> mpsc::Sender<String> {
    let (sender, receiver) = mpsc::channel::<String>();
    thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        for text in receiver {
            if pipe.write_all(text.as_bytes()).and_then(|()| pipe.flush()).is_err() {
                return;
            }
        }
    });
    sender
}

/// The lines of a pipe, until it closes.
fn lines<R: Read + Send + 'static>(pipe: Option<R>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut pipe) = pipe.map(BufReader::new) else { return };
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read != 0) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Everything that a pipe yields until it closes.
fn rest<R: Read + Send + 'static>(pipe: Option<R>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // The reader decides what to do with the text before an error.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// The replies of a run, as far as they were read: the greeting, then an answer to each command; events are skipped.
#[derive(Debug, Default)]
pub struct Replies {
    greeting: Value,
    /// The first is that to `qmp_capabilities`.
    replies: Vec<Result<Value, String>>,
    commands: usize,
}

impl Replies {
    /// Expects the answers to this many commands.
    #[must_use]
    pub fn new(commands: usize) -> Replies {
        Replies { commands, ..Replies::default() }
    }

    /// Reads one line of the program's output.
    ///
    /// # Errors
    ///
    /// [`ProgramError::NotQmp`] for a line that is not QMP.
    pub fn line(&mut self, line: &[u8]) -> Result<(), ProgramError> {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        let value: Value = serde_json::from_str(line).map_err(|_| not_qmp(line))?;
        if let Some(greeting) = value.get("QMP") {
            self.greeting = greeting.clone();
        } else if let Some(reply) = value.get("return") {
            self.replies.push(Ok(reply.clone()));
        } else if let Some(error) = value.get("error") {
            let text = error.get("desc").and_then(Value::as_str).unwrap_or("an error without a description");
            self.replies.push(Err(text.to_owned()));
        } else if value.get("event").is_none() {
            return Err(not_qmp(line));
        }
        Ok(())
    }

    /// True once every command is answered.
    #[must_use]
    pub fn are_complete(&self) -> bool {
        self.replies.len() > self.commands
    }

    /// The answers, with what the program wrote to its standard error.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Ended`] if answers are missing.
    pub fn finish(self, stderr: String) -> Result<Answers, ProgramError> {
        if self.greeting.is_null() || !self.are_complete() {
            let last = stderr.lines().last().unwrap_or("no output").trim();
            return Err(ProgramError::Ended(last.to_owned()));
        }
        let returns = self.replies.into_iter().skip(1).take(self.commands).collect();
        Ok(Answers { greeting: self.greeting, returns, stderr })
    }
}

/// A line that is not QMP, shortened.
fn not_qmp(line: &str) -> ProgramError {
    ProgramError::NotQmp(line.chars().take(60).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::Replies;
    use crate::program::{Answers, ProgramError};

    const GREETING: &str = "{\"QMP\": {\"version\": {}}}\n{\"return\": {}}\n";

    fn answers(text: &str, stderr: &str, commands: usize) -> Result<Answers, ProgramError> {
        let mut replies = Replies::new(commands);
        text.lines().try_for_each(|line| replies.line(line.as_bytes()))?;
        replies.finish(stderr.to_owned())
    }

    #[test]
    fn answers_are_in_order_without_events() {
        let text = format!(
            "{GREETING}{{\"event\": \"RESUME\"}}\n{{\"return\": 1}}\n{{\"error\": {{\"desc\": \"no\"}}}}\n"
        );
        let found = answers(&text, "", 2).unwrap();
        assert_eq!(found.returns, [Ok(json!(1)), Err("no".to_owned())]);
    }

    #[test]
    fn an_early_end_and_other_output_are_errors() {
        let ended = answers(GREETING, "a: last words\n", 1).unwrap_err();
        assert_eq!(ended, ProgramError::Ended("a: last words".to_owned()));
        let other = answers("usage: true\n", "", 0).unwrap_err();
        assert_eq!(other, ProgramError::NotQmp("usage: true".to_owned()));
    }
}
