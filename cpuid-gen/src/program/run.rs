//! A QEMU program: started for each batch of commands, and stopped if it does not answer.

use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answers, ProgramError, Qemu};

/// Time for one batch.
const PATIENCE: Duration = Duration::from_secs(120);
/// What every run has: no devices, no display, QMP on standard input and output, a guest that does not run.
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
        let io = |error: std::io::Error| ProgramError::Io(format!("{}: {error}", self.path.display()));
        let mut command = Command::new(&self.path);
        command.args(arguments).args(ALWAYS);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(io)?;
        let mut script = format!("{}\n", json!({"execute": "qmp_capabilities"}));
        commands.iter().for_each(|command| script += &format!("{command}\n"));
        script += &format!("{}\n", json!({"execute": "quit"}));
        let stdin = child.stdin.take();
        // Its output fills its pipe before all commands are read.
        let writer = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(script.as_bytes())));
        let outputs = [reader(child.stdout.take()), reader(child.stderr.take())];
        let texts = outputs.map(|output| output.recv_timeout(PATIENCE));
        let [Ok(stdout), Ok(stderr)] = texts else {
            end(&mut child);
            return Err(ProgramError::Timeout);
        };
        end(&mut child);
        // A program that ended early closed its input.
        let _ = writer.join();
        answers(&stdout, stderr, commands)
    }
}

/// Ends the program and waits for it.
fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// Everything that a pipe yields until it closes.
fn reader<R: Read + Send + 'static>(pipe: Option<R>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until an error is judged below.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// Sorts the lines of a run: the greeting, then an answer to each command; events are skipped.
fn answers(stdout: &str, stderr: String, commands: &[Value]) -> Result<Answers, ProgramError> {
    let mut answers = Answers { stderr, ..Answers::default() };
    let mut replies = Vec::new();
    for line in stdout.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|_| not_qmp(line))?;
        if let Some(greeting) = value.get("QMP") {
            answers.greeting = greeting.clone();
        } else if let Some(reply) = value.get("return") {
            replies.push(Ok(reply.clone()));
        } else if let Some(error) = value.get("error") {
            let text = error.get("desc").and_then(Value::as_str).unwrap_or("an error without a description");
            replies.push(Err(text.to_owned()));
        } else if value.get("event").is_none() {
            return Err(not_qmp(line));
        }
    }
    // The first reply is that to `qmp_capabilities`.
    if answers.greeting.is_null() || replies.len() <= commands.len() {
        let last = answers.stderr.lines().last().unwrap_or("it wrote nothing").trim();
        return Err(ProgramError::Ended(last.to_owned()));
    }
    answers.returns = replies.into_iter().skip(1).take(commands.len()).collect();
    Ok(answers)
}

/// A line that is not QMP's, at most its beginning.
fn not_qmp(line: &str) -> ProgramError {
    ProgramError::NotQmp(line.chars().take(60).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::answers;
    use crate::program::ProgramError;

    const GREETING: &str = "{\"QMP\": {\"version\": {}}}\n{\"return\": {}}\n";

    #[test]
    fn answers_are_in_order_without_events() {
        let text = format!(
            "{GREETING}{{\"event\": \"RESUME\"}}\n{{\"return\": 1}}\n{{\"error\": {{\"desc\": \"no\"}}}}\n"
        );
        let found = answers(&text, String::new(), &[json!({}), json!({})]).unwrap();
        assert_eq!(found.returns, [Ok(json!(1)), Err("no".to_owned())]);
    }

    #[test]
    fn an_early_end_and_other_output_are_errors() {
        let ended = answers(GREETING, "a: last words\n".to_owned(), &[json!({})]).unwrap_err();
        assert_eq!(ended, ProgramError::Ended("a: last words".to_owned()));
        let other = answers("usage: true\n", String::new(), &[]).unwrap_err();
        assert_eq!(other, ProgramError::NotQmp("usage: true".to_owned()));
    }
}
