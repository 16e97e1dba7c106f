//! `kvm-cpuid check`: checks a guest's tables before they are passed to KVM.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::CpuidEntry;
use cpuid_tables::check::{Check, Finding, Kind, Report, Severity};
use cpuid_tables::dump::Cpu;
use cpuid_tables::host::Host;
use cpuid_tables::show::{Style, Styled};
use serde_json::{Value, json};

use super::format::Format;
use super::host;
use super::outcome::{Result, answer};
use super::output::{print_json, print_styled, warn};
use super::source::{Input, Source, emulated_cpuid};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid check guest.txt                      without a host
  kvm-cpuid check guest.txt --host-from real     also against this machine's KVM
  kvm-cpuid check vcpus.txt --host-from hosts/milan --format json
  kvm-cpuid guest --cpu host --smp 4 --format entries | kvm-cpuid check -

A source is one guest: its CPUs are the guest's vCPUs and are compared with each other. With
--host-from, features, XSAVE components and limits are checked against that host; DIR/NAME is
read as by `kvm-cpuid guest --host`. An error means that KVM refuses the table or that the guest
sees something untrue; warnings are unusual but harmless.

--format json prints one object: {errors, warnings, sources: [{source, errors, warnings, skipped,
findings: [{severity, kind, feature, vcpus, at, others, what, why, help}]}]}. `at` and each of
`others` is {vcpu, entry, leaf, subleaf, register, bits}; members that do not apply are null. Names
of members and kinds are stable.

Exit codes:
  0  no error; there may be warnings
  1  errors
  2  a source could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<1, { usize::MAX }>,
    /// The host that will run the guest: a recorded host, or `real` for this machine
    #[arg(long, value_name = "DIR/NAME|real")]
    host_from: Option<String>,
    /// Leave out warnings
    #[arg(long)]
    errors_only: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let host = args.host_from.as_deref().map(host::named).transpose()?;
    // A recorded host lacks the features that its KVM emulates.
    let real = args.host_from.as_deref() == Some(host::REAL);
    let emulated = if real { emulated_cpuid()? } else { Vec::new() };
    let mut reports = Vec::new();
    for source in args.input.sources() {
        let cpus = args.input.reading.all(source)?;
        let mut report = check(source, &cpus, host.as_ref().map(|host| (host, emulated.as_slice())));
        if args.errors_only {
            report.findings.retain(|finding| finding.severity() == Severity::Error);
        }
        reports.push((source, report));
    }
    let errors: usize = reports.iter().map(|(_, report)| report.errors()).sum();
    let warnings: usize = reports.iter().map(|(_, report)| report.warnings()).sum();
    match args.format {
        Format::Json => {
            let sources: Vec<Value> =
                reports.iter().map(|(source, report)| to_json(source, report)).collect();
            print_json(&json!({ "errors": errors, "warnings": warnings, "sources": sources }))?;
        }
        Format::Text => {
            let mut text = Styled::new();
            let several = reports.len() > 1;
            reports
                .iter()
                .for_each(|(source, report)| to_text(&mut text, several.then_some(*source), report));
            print_styled(&text)?;
        }
    }
    Ok(answer(errors == 0))
}

/// Checks one guest. CPUs without a number, or with a number used before, are numbered by position.
fn check(source: &Source, cpus: &[Cpu], host: Option<(&Host, &[CpuidEntry])>) -> Report {
    if cpus.iter().any(|cpu| cpu.known.is_some()) {
        warn(format!("{source} does not specify every bit; unspecified bits are taken as 0"));
    }
    let mut numbers: Vec<Option<u32>> = cpus.iter().map(|cpu| cpu.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let numbered = numbers.len() == cpus.len() && !numbers.contains(&None);
    let mut check = Check::new();
    for (place, cpu) in (0..).zip(cpus) {
        let number = cpu.number.filter(|_| numbered).unwrap_or(place);
        check = check.vcpu(number, &cpu.entries);
    }
    match host {
        Some((host, emulated)) => check.with_host(host).emulated(emulated).run(),
        None => check.run(),
    }
}

fn to_json(source: &Source, report: &Report) -> Value {
    let mut value = report.to_json();
    if let Value::Object(members) = &mut value {
        members.insert("source".into(), json!(source.to_string()));
    }
    value
}

fn to_text(text: &mut Styled, source: Option<&Source>, report: &Report) {
    if let Some(source) = source {
        text.line(Style::Heading, format_args!("{source}:"));
    }
    report.findings.iter().for_each(|finding| one(text, finding));
    let (errors, warnings) = (count(report.errors(), "error"), count(report.warnings(), "warning"));
    let style = match (report.errors(), report.warnings()) {
        (0, 0) => Style::Good,
        (0, _) => Style::Doubt,
        _ => Style::Error,
    };
    text.push(style, format_args!("{errors}, {warnings}"));
    let skipped: Vec<&str> = report.skipped().map(Kind::name).collect();
    if !skipped.is_empty() {
        let skipped = skipped.join(", ");
        text.plain(format_args!("; not checked without a host (--host-from): {skipped}"));
    }
    text.plain('\n');
}

fn count(number: usize, of: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {of}{plural}")
}

fn one(text: &mut Styled, finding: &Finding) {
    let style = match finding.severity() {
        Severity::Error => Style::Error,
        Severity::Warning => Style::Doubt,
    };
    let whole = finding.to_string();
    // A finding begins with its severity and kind.
    let begin = format!("{}[{}]", finding.severity(), finding.kind);
    match whole.strip_prefix(&begin) {
        Some(rest) => text.push(style, &begin).plain(rest),
        None => text.plain(&whole),
    };
    text.plain("\n\n");
}
