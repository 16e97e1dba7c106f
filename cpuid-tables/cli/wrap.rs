//! The terminal's width, and lines wrapped to it. A pipe or a file gets each line whole.

use std::io;

use cpuid_tables::show::{Style, Styled};

/// The narrowest width that is considered.
const NARROWEST: usize = 40;

/// Columns of standard output, if it is a terminal.
pub(crate) fn width() -> Option<usize> {
    let (columns, _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(columns.0).max(NARROWEST))
}

/// Wraps long lines between words. Continued lines begin in the column of the line's second part, which follows two blanks;
/// without one, four columns further in than the line.
pub(crate) fn wrapped(text: &Styled, width: usize) -> Styled {
    let mut out = Styled::new();
    let mut line: Vec<(Style, char)> = Vec::new();
    for (style, span) in text.spans() {
        for character in span.chars() {
            if character == '\n' {
                put(&mut out, &line, width);
                out.plain('\n');
                line.clear();
            } else {
                line.push((style, character));
            }
        }
    }
    put(&mut out, &line, width);
    out
}

fn put(out: &mut Styled, line: &[(Style, char)], width: usize) {
    let indent = indent(line, width);
    let (mut rest, mut first) = (line, true);
    loop {
        let room = if first { width } else { width - indent };
        if rest.len() <= room {
            break;
        }
        // Not in the line's own indentation.
        let least = if first { indent.min(room) } else { 0 };
        let before = rest.iter().take(room + 1).rposition(|(_, character)| *character == ' ');
        let after = || rest.iter().position(|(_, character)| *character == ' ').filter(|at| *at > room);
        let Some(end) = before.filter(|at| *at > least).or_else(after) else { break };
        push(out, &rest[..end]);
        out.plain('\n').plain(" ".repeat(indent));
        rest = &rest[end + 1..];
        first = false;
    }
    push(out, rest);
}

fn push(out: &mut Styled, characters: &[(Style, char)]) {
    for (style, character) in characters {
        out.push(*style, character);
    }
}

/// The column of continued lines.
fn indent(line: &[(Style, char)], width: usize) -> usize {
    let text: String = line.iter().map(|(_, character)| *character).collect();
    let leading = text.len() - text.trim_start().len();
    let second = text.trim_start().find("  ").map(|gap| {
        let from = leading + gap;
        let blanks = text.get(from..).map_or(0, |rest| rest.len() - rest.trim_start().len());
        from + blanks
    });
    second.filter(|column| *column <= width / 2).unwrap_or((leading + 4).min(width / 2))
}

#[cfg(test)]
mod tests {
    use cpuid_tables::show::Styled;

    use super::wrapped;

    fn text(line: &str) -> String {
        wrapped(Styled::new().plain(line), 40).to_string()
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        let short = "  a line of fewer than forty columns\n\nlast";
        assert_eq!(text(short), short);
    }

    #[test]
    fn long_lines_go_on_below_their_second_part() {
        let long = "Haswell-v4  lacks pcid erms invpcid rtm rdseed adx smap\n";
        assert_eq!(text(long), "Haswell-v4  lacks pcid erms invpcid rtm\n            rdseed adx smap\n");
        let long = "  note: a sentence that is longer than a line of the terminal";
        assert_eq!(text(long), "  note: a sentence that is longer than a\n      line of the terminal");
    }

    #[test]
    fn a_word_longer_than_the_line_is_not_cut() {
        let long = "-cpu Broadwell-v3,+ss,+tsc-adjust,+umip,+md-clear,+stibp and more";
        assert_eq!(text(long).replace("\n    ", " "), long);
    }
}
