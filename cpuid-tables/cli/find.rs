//! `kvm-cpuid find`: explains a name, a location or a value.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::show::{Found, Meanings, Styled, meanings, unknown_msr_in};
use serde_json::{Value, json};

use super::format::Format;
use super::hint;
use super::outcome::{Failed, Result, answer};
use super::output::{print_document, print_styled};

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
  kvm-cpuid find 'MSR 0x48e' IA32_XSS hv-time  MSRs, Hyper-V enlightenments; several names at once
  kvm-cpuid find 'MSR 0x10a=0x69'              an MSR's value, bit by bit
  kvm-cpuid find host-phys-bits                a property of QEMU's -cpu that is not a feature
  kvm-cpuid find 'CPUID.0DH:EAX.xsavec [bit 1]'   what a warning of QEMU's names; a whole line
                                               of QEMU's, libvirt's or Linux's may be pasted
  kvm-cpuid find '#define X86_FEATURE_AVX2 ( 9*32+ 5)'  a line of source code: Linux, KVM, QEMU, C, Rust

Exit codes:
  0  every argument was found
  1  an argument was not found
  2  the arguments are wrong";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A name, a CPUID or MSR location, a register's value, or a line that contains one
    #[arg(value_name = "NAME|LOCATION|VALUE", required = true, num_args = 1..)]
    text: Vec<String>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let asked = asked(&args.text);
    // Each meaning once, however often it was asked for.
    let mut found: Vec<&Found> = Vec::new();
    for one in asked.iter().flat_map(|(_, meant)| &meant.found) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    let not_found: Vec<&str> = asked.iter().flat_map(|(text, meant)| missing(text, meant)).collect();
    if args.format == Format::Json {
        print_document(json!({
            "found": found.iter().map(|one| one.to_json()).collect::<Vec<Value>>(),
            "not_found": not_found,
        }))?;
    } else {
        for (at, one) in found.iter().enumerate() {
            let one = one.styled();
            let mut text = Styled::new();
            if at > 0 && one.count_lines() > 1 {
                text.plain('\n');
            }
            if !print_styled(text.append(&one))? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        not_found.iter().for_each(|text| no_match(text).show());
    }
    Ok(answer(not_found.is_empty()))
}

/// What of an argument means nothing: all of it, or names that it lists.
fn missing<'t>(text: &'t str, meant: &'t Meanings) -> Vec<&'t str> {
    if meant.found.is_empty() { vec![text] } else { meant.unknown.iter().map(String::as_str).collect() }
}

fn no_match(text: &str) -> Failed {
    if let Some(msr) = unknown_msr_in(text) {
        return Failed::new(format!("no match for `{}`: {msr} is in no table here", shortened(text))).help(
            "the processor's manual has it, if it is an MSR of one model; KVM gives a guest #GP for it, or 0",
        );
    }
    let failed = Failed::new(format!("no match for `{}`", shortened(text)));
    match hint::no_match(text) {
        None => failed.help(
            "names, locations such as '7.0.ebx[5]' or 'MSR 0x10a', values, lines that QEMU, libvirt and Linux print, and lines of \
             source code are found",
        ),
        Some(help) => failed.help(help),
    }
}

/// A text as a message quotes it: at most 200 characters.
fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// The arguments, and what they mean: each for itself, unless they are one text whose parts mean nothing alone.
fn asked(arguments: &[String]) -> Vec<(String, Meanings)> {
    let find = |text: &str| {
        if hint::too_high_a_bit(text).is_some() { Meanings::default() } else { meanings(text) }
    };
    let each = || arguments.iter().map(|text| (text.clone(), find(text)));
    let together = arguments.join(" ");
    let alone: Vec<(String, Meanings)> = each().collect();
    // `MSR` is a feature's name too.
    let begins = arguments.first().is_some_and(|first| first.eq_ignore_ascii_case("msr"));
    let all_known = || alone.iter().all(|(text, meant)| missing(text, meant).is_empty());
    if arguments.len() == 1 || !begins && all_known() {
        return alone;
    }
    let meant = find(&together);
    if meant.found.is_empty() { alone } else { vec![(together, meant)] }
}
