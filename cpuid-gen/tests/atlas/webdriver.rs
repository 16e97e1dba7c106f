//! A browser, driven by chromedriver through WebDriver (W3C). One request for each connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long to wait for an answer or a condition.
const PATIENCE: Duration = Duration::from_secs(60);

/// Chromium with one window. Dropping it ends both programs.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

/// How the browser shows the page.
#[derive(Clone, Copy)]
pub(crate) enum Screen {
    Desktop,
    Phone,
}

impl Browser {
    /// Starts a browser; `None` where chromedriver or Chromium is missing, which is reported.
    pub(crate) fn start(test: &str, screen: Screen) -> Option<Browser> {
        for program in ["chromedriver", "chromium"] {
            if Command::new(program).arg("--version").output().is_err() {
                crate::common::skipped(test, program);
                return None;
            }
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = command.spawn().unwrap();
        let mut browser = Browser { driver, port, session: String::new() };
        browser
            .wait_until("chromedriver answers", |browser| browser.try_call("GET", "/status", None).is_some());
        // A container has no sandbox of its own, and little shared memory.
        let arguments =
            "--headless=new --no-sandbox --disable-dev-shm-usage --disable-gpu --window-size=1500,1000";
        let mut options = json!({"args": arguments.split(' ').collect::<Vec<_>>()});
        if let Screen::Phone = screen {
            options["mobileEmulation"] =
                json!({"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2.0}});
        }
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let session =
            browser.call("POST", "/session", Some(json!({"capabilities": {"alwaysMatch": wanted}})));
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Opens a file at a place after `#`, and waits until everything is drawn.
    pub(crate) fn open(&self, file: &Path, place: &str) {
        let url = format!("file://{}#{place}", file.display());
        self.in_session("POST", "/url", Some(json!({"url": url})));
        self.wait_until("the page is drawn", |browser| {
            browser.run("return document.body.dataset.ready") == "1"
        });
    }

    /// The value of a script's `return`.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.run_with(script, &[])
    }

    /// The same for a script with arguments, which it has in `arguments`.
    pub(crate) fn run_with(&self, script: &str, arguments: &[&str]) -> Value {
        self.in_session("POST", "/execute/sync", Some(json!({"script": script, "args": arguments})))
    }

    /// Types into the element that has the focus; the private characters of WebDriver are the special keys.
    pub(crate) fn keys(&self, text: &str) {
        let actions: Vec<Value> = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let all = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.in_session("POST", "/actions", Some(all));
    }

    /// Pretends that the reader's system is dark.
    pub(crate) fn dark(&self) {
        let features = json!([{"name": "prefers-color-scheme", "value": "dark"}]);
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.in_session("POST", "/goog/cdp/execute", Some(command));
    }

    /// Everything that the browser's console shows since the last call.
    pub(crate) fn console(&self) -> Vec<String> {
        let log = self.in_session("POST", "/se/log", Some(json!({"type": "browser"})));
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// Waits for a condition.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&Browser) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < PATIENCE, "waited too long until {what}");
            sleep(Duration::from_millis(30));
        }
    }

    fn in_session(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.call(method, &format!("{}{path}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.try_call(method, path, body).unwrap();
        let value = &answer["value"];
        assert!(value["error"].is_null(), "{method} {path}: {value:#}");
        value.clone()
    }

    /// `None` if nobody answers.
    fn try_call(&self, method: &str, path: &str, body: Option<Value>) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
        write!(
            stream,
            "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut reader = BufReader::new(stream);
        // chromedriver keeps the connection open, so the length says where the answer ends.
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let (name, value) = line.split_once(':').unwrap_or((line.trim(), ""));
            match name {
                "" => break,
                name if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok()?,
                _ => {}
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).ok()?;
        serde_json::from_slice(&answer).ok()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.try_call("DELETE", &self.session, None);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
