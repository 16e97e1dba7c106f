//! `kvm-cpuid check`: checks a guest's tables before they are passed to KVM.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};
use cpuid_tables::CpuidEntry;
use cpuid_tables::check::{Check, Finding, Kind, Report, Severity, Target};
use cpuid_tables::dump::Cpu;
use cpuid_tables::host::Host;
use cpuid_tables::show::{Style, Styled};
use serde_json::{Value, json};

use super::format::Format;
use super::input::Input;
use super::outcome::{Failed, Result, answer};
use super::output::{print_document, print_styled};
use super::refusal::Refusal;
use super::source::Source;
use super::{advice, host, partial};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid check guest.txt                      without a host
  kvm-cpuid check guest.txt --host real          also against this machine's KVM
  kvm-cpuid check vcpus.txt --host hosts/milan --format json
  kvm-cpuid guest --cpu host --smp 4 --format entries | kvm-cpuid check -
  kvm-cpuid check guest.txt --target sev-snp --host hosts/genoa

A template or a list of names states only some bits: with --host, these are compared with what the host's KVM \
supports, which may be given as a dump as well.

A source is one guest: its CPUs are the guest's vCPUs, and are compared with each other. With --host, features, XSAVE \
components and limits are checked against that host; without it, they are not. An error means that KVM refuses the \
table or that the guest sees something untrue; warnings are unusual but harmless.

--target checks what becomes of the table in a confidential guest: SEV-SNP's firmware refuses values that the processor \
does not have (with --host by that processor, else by the published firmware of Genoa), and TDX's module sets and withholds \
bits. docs/confidential.md says what is modelled.

--format json prints one object: {errors, warnings, sources: [{source, refused, errors, warnings, skipped, findings: \
[{severity, kind, feature, vcpus, at, others, what, why, help}]}]}. `at` and each of `others` is {vcpu, entry, leaf, \
subleaf, register, bits}; members that do not apply are null. Names of members and kinds are stable.

Exit codes:
  0  no error; there may be warnings
  1  errors
  2  a source could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<1, { usize::MAX }>,
    /// An old spelling of --host
    #[arg(long, value_name = "HOST", hide = true, conflicts_with = "host")]
    host_from: Option<String>,
    /// Also check what a confidential guest's firmware or module does with the table
    #[arg(long, value_name = "TARGET")]
    target: Option<TargetName>,
    /// Leave out warnings
    #[arg(long)]
    errors_only: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// A kind of confidential guest.
#[derive(Clone, Copy, ValueEnum)]
enum TargetName {
    /// AMD SEV-SNP: what the firmware refuses in the CPUID page
    SevSnp,
    /// Intel TDX: what the module sets, and what KVM refuses
    Tdx,
}

impl From<TargetName> for Target {
    fn from(name: TargetName) -> Target {
        match name {
            TargetName::SevSnp => Target::SevSnp,
            TargetName::Tdx => Target::Tdx,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let reading = &args.input.reading;
    let host = args.host_from.as_deref().or_else(|| reading.given_host().filter(|_| !is_source(args)));
    let host = host.map(host::named).transpose()?;
    // `--host` without a value beside a source is not one.
    let sources = if reading.host_without_value() && !is_source(args) {
        args.input.without(&Source::Instruction)
    } else {
        args.input.sources().to_vec()
    };
    let mut reports = Vec::new();
    for source in &sources {
        let cpus = reading.all(source)?;
        let mut checked = if cpus.iter().any(advice::is_open) {
            check_partial(source, &cpus, host.as_ref())?
        } else {
            let report = check(&cpus, host.as_ref(), args.target);
            let has_reason = report.findings.iter().any(|finding| finding.kind.is_refused());
            let refusals = Refusal::all(&cpus);
            let refused = refusals.first().map(|refusal| refusal.error().to_owned());
            let refusals = if has_reason { Vec::new() } else { refusals };
            Checked { source, report, partial: None, excerpt: is_excerpt(&cpus), refused, refusals }
        };
        if args.errors_only {
            checked.report.findings.retain(|finding| finding.severity() == Severity::Error);
        }
        // What made KVM refuse the table comes first.
        if checked.refused.is_some() {
            checked.report.findings.sort_by_key(|finding| !finding.kind.is_refused());
        }
        reports.push(checked);
    }
    let errors: usize = reports.iter().map(Checked::errors).sum();
    let warnings: usize = reports.iter().map(|checked| checked.report.warnings()).sum();
    match args.format {
        Format::Json => {
            let sources: Vec<Value> = reports.iter().map(to_json).collect();
            print_document(json!({ "errors": errors, "warnings": warnings, "sources": sources }))?;
        }
        Format::Text => {
            let mut text = Styled::new();
            let several = reports.len() > 1;
            reports.iter().for_each(|checked| to_text(&mut text, several, checked));
            print_styled(&text)?;
        }
    }
    Ok(answer(errors == 0))
}

/// True for `--host` without a value and without another source, which was this machine's CPUID instruction.
fn is_source(args: &Args) -> bool {
    args.input.reading.host_without_value() && args.input.sources().len() == 1
}

fn is_excerpt(cpus: &[Cpu]) -> bool {
    cpus.iter().any(|cpu| cpu.beside.excerpt)
}

/// What came of a source.
struct Checked<'a> {
    source: &'a Source,
    report: Report,
    /// Of one that states only some bits: what the host lacks of those; none without a host.
    partial: Option<Option<Vec<partial::Finding>>>,
    /// True where nothing is known of leaves that the source lacks.
    excerpt: bool,
    /// The error with which KVM refused the table.
    refused: Option<String>,
    /// Refused tables for which no finding is the reason.
    refusals: Vec<Refusal>,
}

impl Checked<'_> {
    fn errors(&self) -> usize {
        self.report.errors() + self.partial().len() + self.refusals.len()
    }

    fn partial(&self) -> &[partial::Finding] {
        self.partial.as_ref().and_then(Option::as_deref).unwrap_or_default()
    }
}

/// A template, or a list of names. Only what they state can be checked, and only against a host.
fn check_partial<'a>(source: &'a Source, cpus: &[Cpu], host: Option<&Host>) -> Result<Checked<'a>> {
    let template = cpus.iter().any(|cpu| cpu.beside.template);
    if host.is_none() && !template {
        let needed = "without --host a check takes a guest's whole table";
        return Err(Failed::new(advice::open_bits(source, needed)).help(advice::WHOLE));
    }
    let partial = host.map(|host| {
        let emulated = host.emulated.iter().flatten();
        let all: Vec<CpuidEntry> = host.supported.iter().chain(emulated).copied().collect();
        cpus.iter().flat_map(|cpu| partial::findings(cpu, &all)).collect()
    });
    Ok(Checked {
        source,
        report: Check::new().run(),
        partial: Some(partial),
        excerpt: false,
        refused: None,
        refusals: Vec::new(),
    })
}

/// One guest. CPUs without a number, or with one that another has, are numbered by their places. Of a vCPU whose table was set
/// again, the last one counts.
fn check(all: &[Cpu], host: Option<&Host>, target: Option<TargetName>) -> Report {
    let files = all.iter().enumerate().filter_map(|(at, cpu)| Some((cpu.beside.file?, at)));
    let last: BTreeMap<u32, usize> = files.collect();
    let is_last = |at: usize, cpu: &Cpu| cpu.beside.file.is_none_or(|file| last.get(&file) == Some(&at));
    let cpus = all.iter().enumerate().filter(|(at, cpu)| is_last(*at, cpu)).map(|(_, cpu)| cpu);
    let cpus: Vec<&Cpu> = cpus.collect();
    let mut numbers: Vec<Option<u32>> = cpus.iter().map(|cpu| cpu.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let numbered = numbers.len() == cpus.len() && !numbers.contains(&None);
    let mut check = Check::new();
    if is_excerpt(all) {
        check = check.excerpt();
    }
    for (place, cpu) in (0..).zip(cpus) {
        let number = cpu.number.filter(|_| numbered).unwrap_or(place);
        check = check.vcpu(number, &cpu.entries);
    }
    if let Some(target) = target {
        check = check.target(target.into());
    }
    match host {
        Some(host) => check.with_host(host).emulated(host.emulated.as_deref().unwrap_or_default()).run(),
        None => check.run(),
    }
}

fn to_json(checked: &Checked<'_>) -> Value {
    let mut value = checked.report.to_json();
    if let Value::Object(members) = &mut value {
        members.insert("source".into(), json!(checked.source.to_string()));
        members.insert("refused".into(), json!(checked.refused));
        members.insert("excerpt".into(), json!(checked.excerpt));
        members.insert("errors".into(), json!(checked.errors()));
        if let Some(Value::Array(findings)) = members.get_mut("findings") {
            findings.extend(checked.partial().iter().map(partial::Finding::to_json));
            findings.extend(checked.refusals.iter().map(Refusal::to_json));
        }
    }
    value
}

/// The findings of a table that KVM refused: first those for which it does.
fn refused(text: &mut Styled, error: &str, checked: &Checked<'_>) {
    let (reasons, others): (Vec<&Finding>, Vec<&Finding>) =
        checked.report.findings.iter().partition(|finding| finding.kind.is_refused());
    if !reasons.is_empty() {
        text.line(Style::Error, format_args!("KVM refused this table with {error} because of this:\n"));
    }
    reasons.into_iter().for_each(|finding| one(text, finding));
    for refusal in &checked.refusals {
        text.push(Style::Error, Refusal::heading()).plain(format_args!("{refusal}\n\n"));
    }
    if !others.is_empty() {
        text.line(Style::Heading, "KVM does not mind these:\n");
    }
    others.into_iter().for_each(|finding| one(text, finding));
}

fn to_text(text: &mut Styled, several: bool, checked: &Checked<'_>) {
    let report = &checked.report;
    if several {
        text.line(Style::Heading, format_args!("{}:", checked.source));
    }
    match &checked.refused {
        Some(error) => refused(text, error, checked),
        None => report.findings.iter().for_each(|finding| one(text, finding)),
    }
    for finding in checked.partial() {
        text.push(Style::Error, finding.heading()).plain(format_args!("{finding}\n\n"));
    }
    let (errors, warnings) = (count(checked.errors(), "error"), count(report.warnings(), "warning"));
    let style = match (checked.errors(), report.warnings()) {
        (0, 0) => Style::Good,
        (0, _) => Style::Doubt,
        _ => Style::Error,
    };
    text.push(style, format_args!("{errors}, {warnings}"));
    match &checked.partial {
        Some(None) => {
            text.plain("; a template: whether a host's KVM has what it changes takes that host (--host)\n");
            return;
        }
        Some(Some(_)) => {
            text.plain("; of a source that states only some bits, these are compared with the host\n");
            return;
        }
        None => {}
    }
    if checked.excerpt {
        text.plain("; of an excerpt: leaves and subleaves that it lacks are not checked");
    }
    let skipped: Vec<&str> = report.skipped().map(Kind::name).collect();
    if !skipped.is_empty() {
        let skipped = skipped.join(", ");
        text.plain(format_args!("; not checked without a host (--host): {skipped}"));
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
