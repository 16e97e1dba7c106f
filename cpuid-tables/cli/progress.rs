//! A progress bar on a terminal, for inputs that take longer than a second.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Delay before the progress bar is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// An input with a progress bar.
pub(crate) struct Watched<R> {
    input: R,
    /// Size in bytes, if known.
    size: Option<u64>,
    read: u64,
    start: Instant,
    bar: Option<ProgressBar>,
}

impl<R> Watched<R> {
    pub(crate) fn new(input: R, size: Option<u64>) -> Watched<R> {
        Watched { input, size, read: 0, start: Instant::now(), bar: None }
    }

    fn tell(&mut self) {
        if self.bar.is_none() && self.start.elapsed() >= PATIENCE {
            // Draws nothing if standard error is not a terminal.
            let bar = ProgressBar::with_draw_target(self.size, ProgressDrawTarget::stderr());
            let with_size = "{wide_bar} {bytes} of {total_bytes}, {eta} left";
            let template = if self.size.is_some() { with_size } else { "{spinner} {bytes}" };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.read);
        }
    }
}

/// Many small inputs, one after the other.
pub(crate) struct Steps {
    all: u64,
    done: u64,
    start: Instant,
    bar: Option<ProgressBar>,
}

impl Steps {
    pub(crate) fn new(all: usize) -> Steps {
        Steps { all: u64::try_from(all).unwrap_or(0), done: 0, start: Instant::now(), bar: None }
    }

    /// Advances by one.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.all > 1 && self.bar.is_none() && self.start.elapsed() >= PATIENCE {
            let bar = ProgressBar::with_draw_target(Some(self.all), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len}, {eta} left") {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }

    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read += u64::try_from(read).unwrap_or(0);
        if read == 0 {
            if let Some(bar) = self.bar.take() {
                bar.finish_and_clear();
            }
        } else {
            self.tell();
        }
        Ok(read)
    }
}
