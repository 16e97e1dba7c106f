//! The feature argument of commands.

use cpuid_tables::naming::{PsabiLevel, named as named_bit};
use cpuid_tables::show::{Asked, NoFeature, asked, feature_named};
use cpuid_tables::{Feature, LookupError, Named, SoftwareFeature};

use super::hint;
use super::outcome::{Failed, Result};

const NAMES: &str = "`kvm-cpuid find` accepts names, locations such as '7.0.ebx[5]', and values";

/// A feature by its name or location; if there is none, an error with advice.
pub(crate) fn named(name: &str) -> Result<Feature> {
    feature_named(name).map_err(|error| refused(&error))
}

/// True for several names with commas or spaces between them, such as `avx2,bmi1`, and for a level of x86-64, which stands for
/// several. A location and a message are not lists.
pub(crate) fn is_list(text: &str) -> bool {
    let names: Vec<&str> = names_of(text).collect();
    names.iter().all(|name| is_known(name)) && (names.len() > 1 || PsabiLevel::named(text).is_some())
}

fn is_known(name: &str) -> bool {
    PsabiLevel::named(name).is_some() || asked(name).is_ok()
}

fn names_of(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ']).filter(|name| !name.is_empty())
}

/// The questions that a name, a location, a level of x86-64 or a list of names stands for; if there is none, an error with advice.
pub(crate) fn questions(name: &str) -> Result<Vec<Asked>> {
    if names_of(name).next().is_none() {
        return Err(Failed::new(format!("`{name}` names no feature")).help(NAMES));
    }
    if name.contains(',') && !name.contains([' ', '(', '[']) {
        let each: Vec<Vec<Asked>> = names_of(name).map(one_question).collect::<Result<_>>()?;
        return Ok(each.concat());
    }
    one_question(name)
}

fn one_question(name: &str) -> Result<Vec<Asked>> {
    if let Some(level) = PsabiLevel::named(name) {
        return Ok(level.features().map(|feature| Asked::Bit(Named::Feature(feature))).collect());
    }
    if let Some(bare) = without_sign(name) {
        return Err(Failed::new(format!("`{name}`: a name has no sign"))
            .help(format!("`kvm-cpuid has {bare}` exits with 1 where it is not there")));
    }
    if hint::too_high_a_bit(name).is_some() {
        return Err(refused(&NoFeature::Unknown(name.to_owned())));
    }
    asked(name).map_err(|error| refused(&error))
}

/// The name after a sign, which `-cpu` has and a question has not. A pasted message is not a name.
fn without_sign(text: &str) -> Option<&str> {
    text.strip_prefix(['-', '+']).filter(|name| !name.contains(' ') && is_known(name))
}

/// Linux's own flags with the names of a text that stand for a bit of CPUID, too, each with that bit: `ibrs` in
/// `/proc/cpuinfo` is not the bit `ibrs` of QEMU.
pub(crate) fn own_flags(text: &str) -> Vec<(Feature, SoftwareFeature)> {
    names_of(text).flat_map(own_flags_of).collect()
}

fn own_flags_of(name: &str) -> Vec<(Feature, SoftwareFeature)> {
    let Err(LookupError::Ambiguous(all)) = named_bit(name) else { return Vec::new() };
    let bits: Vec<Named> = all.iter().collect();
    let features =
        bits.iter().filter_map(|bit| if let Named::Feature(bit) = bit { Some(*bit) } else { None });
    let flags =
        || bits.iter().filter_map(|bit| if let Named::Software(bit) = bit { Some(*bit) } else { None });
    features.flat_map(|feature| flags().map(move |flag| (feature, flag))).collect()
}

fn refused(error: &NoFeature) -> Failed {
    let failed = Failed::new(error);
    match error {
        NoFeature::Unknown(name) => match hint::no_match(name) {
            None => failed.help(NAMES),
            Some(help) => failed.help(help),
        },
        NoFeature::Ambiguous(_, all) => {
            let places: Vec<String> = all.iter().map(|feature| feature.location().to_string()).collect();
            failed.help(format!("select one by its location: '{}'", places.join("' or '")))
        }
        NoFeature::Elsewhere(_) => failed.help("`kvm-cpuid why` explains it on this machine"),
        NoFeature::Setting(name) => failed.help(format!("`kvm-cpuid find {name}` says what it decides")),
        NoFeature::Nothing(_) => failed.help("`kvm-cpuid find` lists a register's contents"),
        _ => failed,
    }
}
