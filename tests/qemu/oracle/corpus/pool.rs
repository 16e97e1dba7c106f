//! Lines that are stored once, and lists of their numbers.

use std::collections::HashMap;

use crate::oracle::Outcome;

/// Lines, numbered from 0 in the order in which they were added.
#[derive(Default)]
pub struct Pool {
    lines: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Pool {
    /// A line's number.
    pub fn add(&mut self, line: &str) -> usize {
        if let Some(number) = self.numbers.get(line) {
            return *number;
        }
        self.lines.push(line.to_owned());
        self.numbers.insert(line.to_owned(), self.lines.len() - 1);
        self.lines.len() - 1
    }

    /// All of them.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// Numbers as `3 5-9 2`: consecutive numbers form a range.
pub fn ranges(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let text = |(first, last): &(usize, usize)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    };
    runs.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// The items with such numbers.
pub fn read_ranges<T: Clone>(text: &str, items: &[T]) -> Outcome<Vec<T>> {
    let mut all = Vec::new();
    for run in text.split_ascii_whitespace() {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let run = items.get(first.parse()?..=last.parse()?);
        all.extend_from_slice(run.ok_or_else(|| format!("`{text}`: there are {} of them", items.len()))?);
    }
    Ok(all)
}
