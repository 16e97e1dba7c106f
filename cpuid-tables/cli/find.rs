//! `kvm-cpuid find`: explains a name, a location or a value.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::show::{Found, Styled, find, names_near};
use serde_json::Value;

use super::format::Format;
use super::outcome::{Failed, Result, answer};
use super::output::{print_json, print_styled};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid find avx2                          any name: Linux's macro or flag, QEMU's name
  kvm-cpuid find cache_type                    a field's name
  kvm-cpuid find '7.0.ebx[5]'                  a location; 'CPUID.(EAX=7,ECX=0):EBX[5]' and
                                               'Fn8000_0008_EBX[12]' are accepted too
  kvm-cpuid find 0x80000008                    a leaf's contents; 0xd.1: one subleaf
  kvm-cpuid find '9*32+5'                      a bit of Linux's words, by release
  kvm-cpuid find 'MSR 0x10a[8]'                a bit of an MSR
  kvm-cpuid find 7.0.ebx=0x219c95a9            a register's value, decoded

Exit codes:
  0  something was found
  1  nothing was found";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A feature name, CPUID location or register value
    #[arg(value_name = "NAME|LOCATION|VALUE", required = true, num_args = 1..)]
    text: Vec<String>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let text = args.text.join(" ");
    let found = find(&text);
    if args.format == Format::Json {
        print_json(&Value::Array(found.iter().map(Found::to_json).collect()))?;
    } else {
        for (at, one) in found.iter().enumerate() {
            let one = one.styled();
            let mut text = Styled::new();
            if at > 0 && one.count_lines() > 1 {
                text.plain('\n');
            }
            print_styled(text.append(&one))?;
        }
        if found.is_empty() {
            let failed = Failed::new(format!("unknown name, location or value `{text}`"));
            match names_near(&text).as_slice() {
                [] => failed,
                near => failed.help(format!("did you mean {}?", near.join(", "))),
            }
            .show();
        }
    }
    Ok(answer(!found.is_empty()))
}
