//! One meaning of a text, and how it is shown.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::bits::description::Part;
use crate::bits::field::Field;
use crate::bits::location::{CpuidWord, Leaf, MsrBit, Subleaf, WordBit};
use crate::bits::lookup::Named;
use crate::bits::own_fields;
use crate::bits::release::{LinuxRelease, QemuRelease};
use crate::naming::PsabiLevel;
use crate::show::enlightenment::Enlightenment;
use crate::show::hypervisor::{self, Kind, Ranges};
use crate::show::message::Message;
use crate::show::msr::{self, AboutMsr, MsrBits};
use crate::show::styled::{Style, Styled};
use crate::show::{About, DecodedRegister, Property, SourceLine, leaves, name_of, vmx_bits};

/// One meaning of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// A bit.
    Bit(About),
    /// A field.
    Field(Field),
    /// A leaf, or one of its subleaves, and the parts of its registers.
    Leaf(Leaf, Option<Subleaf>, Vec<(CpuidWord, Part)>),
    /// A register and its parts.
    Register(CpuidWord, Vec<Part>),
    /// A register with a value, decoded.
    Value(DecodedRegister),
    /// A location in Linux's words, and the bits there in a release.
    LinuxBit(WordBit, LinuxRelease, Vec<Named>),
    /// An MSR.
    Msr(AboutMsr),
    /// An MSR with a value.
    MsrValue(AboutMsr, u64),
    /// A bit of an MSR that only the manual names.
    MsrBit(MsrBit, &'static str),
    /// Bits of an MSR, or one that has no name of its own.
    MsrBits(MsrBits),
    /// A property of QEMU's for a Hyper-V enlightenment.
    Enlightenment(Enlightenment),
    /// A property of QEMU's `-cpu` that is not a feature.
    Property(Property),
    /// What a line of source code was read as.
    Source(SourceLine),
    /// A message of a program.
    Message(Message),
    /// A level of x86-64.
    Level(PsabiLevel),
}

impl Found {
    /// A heading and details; a location in Linux's words is a single line.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        match self {
            Found::Bit(about) => return about.styled(),
            Found::Field(field) => {
                text.line(Style::Heading, format_args!("{field:?}"));
                let title = leaves::title(field.leaf(), kind_of(field.leaf(), Part::Field(*field)));
                if let Some(title) = title {
                    text.plain(format_args!("  leaf       {title}\n"));
                }
                text.plain(format_args!("  range      0 to {}\n", (*field).max()));
                if let Some(manual) = own_fields::source(*field) {
                    text.plain(format_args!("  named by   {manual}; no release of Linux or QEMU here\n"));
                }
            }
            Found::Leaf(leaf, subleaf, parts) => {
                let kind = parts.first().and_then(|(_, part)| kind_of(*leaf, *part));
                let title = leaves::title(*leaf, kind);
                let title = title.unwrap_or("fields and features");
                let subleaf = subleaf.map(|subleaf| format!(".{}", subleaf.0)).unwrap_or_default();
                text.line(Style::Heading, format_args!("{:#010x}{subleaf}: {title}", leaf.0));
                for (word, part) in parts {
                    let place = format!("{}.{}{}", word.subleaf.0, word.register, bits(part.mask()));
                    text.plain(format_args!("  {place:13} {}\n", part_name(*part)));
                }
            }
            Found::Register(word, parts) => {
                text.line(Style::Heading, word);
                for part in parts {
                    text.plain(format_args!("  {:9} {}\n", bits(part.mask()), part_name(*part)));
                }
            }
            Found::Value(decoded) => {
                text.line(Style::Heading, decoded.word).append(&decoded.styled());
            }
            Found::LinuxBit(at, release, there) => {
                let names: Vec<String> = there
                    .iter()
                    .map(|named| About::new(*named))
                    .map(|about| format!("{}, {}", about.named.name(), about.place()))
                    .collect();
                let names = names.join("; or ");
                text.line(Style::Heading, format_args!("{at} of Linux {release}: {names}"));
            }
            Found::Msr(about) => return about.styled(),
            Found::MsrValue(about, value) => return about.styled_value(*value),
            Found::MsrBit(at, name) => {
                let msr = AboutMsr::new(at.msr).map_or("", |about| about.name);
                text.line(Style::Heading, format_args!("{name}: {at}, {msr}"));
                if let Some(capability) = vmx_bits::capability_at(*at) {
                    text.plain(format_args!("  Linux      VMX_FEATURE_{}\n", capability.linux_macro()));
                } else if let Some(source) = msr::source_of(at.msr) {
                    text.plain(format_args!("  named by   {source}; no release of Linux or QEMU here\n"));
                }
            }
            Found::MsrBits(bits) => return bits.styled(),
            Found::Enlightenment(enlightenment) => return enlightenment.styled(),
            Found::Property(property) => return property.styled(),
            Found::Source(line) => return line.styled(),
            Found::Message(message) => return message.styled(),
            Found::Level(level) => {
                let (name, features) = (level.name(), level.features());
                let names: Vec<&str> = features.map(name_of).collect();
                text.line(Style::Heading, format_args!("{name}: a level of x86-64, {}", level.source()));
                text.plain(format_args!("  features   {}\n", names.join(" ")));
                if let Some(cpu) = level.cpu_option(QemuRelease::NEWEST) {
                    text.plain(format_args!("  Proxmox    -cpu {cpu}\n"));
                }
                text.plain(format_args!(
                    "  `kvm-cpuid has {name} FILE` names the features that a table lacks\n"
                ));
            }
        }
        text
    }
}

impl fmt::Display for Found {
    /// The text of [`Found::styled`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled().fmt(f)
    }
}

/// `[11:8]`, or `[5]`.
fn bits(mask: u32) -> String {
    let (low, high) = (mask.trailing_zeros(), 31 - mask.leading_zeros());
    if low == high { format!("[{low}]") } else { format!("[{high}:{low}]") }
}

/// Whose a leaf is that holds a part.
fn kind_of(leaf: Leaf, part: Part) -> Option<Kind> {
    let own = if let Part::Field(field) = part { hypervisor::whose(field) } else { None };
    own.or_else(|| Ranges::default().kind(leaf))
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Feature(feature) => name_of(feature),
        Part::Field(field) => field.name(),
    }
}
