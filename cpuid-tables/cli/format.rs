//! Output formats of commands.

use clap::ValueEnum;
use cpuid_tables::dump::Format as DumpFormat;

/// Text or JSON.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Text, JSON, or a dump format.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Text,
    Json,
    Dump(DumpFormat),
}

/// A format by its name.
pub(crate) fn form(name: &str) -> Result<Form, String> {
    match name {
        "text" => Ok(Form::Text),
        "json" => Ok(Form::Json),
        _ => {
            let written = || DumpFormat::ALL.into_iter().filter(|format| format.can_be_written());
            let found = written().find(|format| format.name() == name).map(Form::Dump);
            found.ok_or_else(|| {
                let names: Vec<&str> =
                    written().map(DumpFormat::name).filter(|name| *name != "json").collect();
                format!("expected text, json, or one of {}", names.join(", "))
            })
        }
    }
}
