//! Old spellings of options. They work for one more release, with a note on standard error that names the new spelling.

use std::ffi::OsString;

use clap::ArgMatches;
use clap::parser::ValueSource;

/// An old option: its id, and what to write instead.
const OLD: [(&str, &str); 3] = [
    ("host_from", "--host-from is now --host"),
    ("to", "--to is now --format"),
    ("model", "--model is now --cpu"),
];

/// The arguments; of those that are pasted text, `-cpu EPYC,+ibpb` is not an option of this command, nor is a line of a patch.
pub(crate) fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().map(|argument| {
        let is_of_patch = |text: &str| {
            text.strip_prefix('-').is_some_and(|rest| rest.starts_with([' ', '\t', '#', '[', '{']))
        };
        let is_pasted = argument.to_str().is_some_and(|text| text.starts_with("-cpu ") || is_of_patch(text));
        if is_pasted { [OsString::from(" "), argument].into_iter().collect() } else { argument }
    })
}

/// True for `--host` without a value in a command with sources: before it took one, it was a source itself.
pub(crate) fn host_is_a_source(matches: &ArgMatches) -> bool {
    matches.try_contains_id("supported").is_ok() && text(matches, "host").is_some_and(str::is_empty)
}

/// A note for each old spelling in a subcommand's arguments.
pub(crate) fn notes(matches: &ArgMatches) -> Vec<&'static str> {
    let old = OLD.into_iter().filter(|(id, _)| given(matches, id)).map(|(_, instead)| instead);
    let mut notes: Vec<&'static str> = old.collect();
    if host_is_a_source(matches) {
        notes.push(
            "--host takes a value now: --instruction is this machine's CPUID instruction, --host HOST a machine",
        );
    }
    let is_number = |cpu: &str| cpu.parse::<u32>().is_ok();
    if matches.try_contains_id("number").is_ok() && text(matches, "cpu").is_some_and(is_number) {
        notes.push("--cpu N is now --number N");
    }
    notes
}

fn given(matches: &ArgMatches, id: &str) -> bool {
    matches.try_contains_id(id).is_ok_and(|is_there| is_there)
        && matches.value_source(id) == Some(ValueSource::CommandLine)
}

fn text<'a>(matches: &'a ArgMatches, id: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(id).ok().flatten().map(String::as_str)
}
