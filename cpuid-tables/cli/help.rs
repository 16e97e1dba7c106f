//! The help: subcommands in groups, and options that mean something in one command alone.

use std::fmt::Write as _;

use clap::Command;
use clap::builder::StyledStr;

/// The groups of the subcommands, in the order of the help.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Tables", &["show", "diff", "check", "convert", "probe"]),
    ("Features", &["find", "has", "why"]),
    ("Guests and fleets", &["guest", "models", "baseline", "export"]),
    ("Hosts", &["record"]),
    ("Installation", &["manual"]),
];

/// The command as it is parsed and shown.
pub(crate) fn prepared(command: Command) -> Command {
    let groups = grouped(&command);
    let model = "The guest's CPU model";
    let host = "The host that will run the guest: a recorded host, a dump of what its KVM supports, or `real` for this machine";
    command
        .mut_subcommand("why", |why| why.mut_arg("cpu", |cpu| cpu.hide(false).help(model)))
        .mut_subcommand("check", |check| check.mut_arg("host", |arg| arg.help(host)))
        .help_template(format!(
            "{{about}}\n\n{{usage-heading}} {{usage}}\n\n{groups}\nOptions:\n{{options}}{{after-help}}"
        ))
}

/// The subcommands with their descriptions, under the names of their groups.
fn grouped(command: &Command) -> StyledStr {
    let width = command.get_subcommands().map(|command| command.get_name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (heading, names) in GROUPS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{heading}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {name:width$}  {about}");
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text.into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::GROUPS;
    use crate::cli::args::Args;

    #[test]
    fn every_subcommand_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let command = Args::command();
        let mut all: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
    }
}
