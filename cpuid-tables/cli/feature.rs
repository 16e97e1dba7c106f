//! The feature argument of commands.

use cpuid_tables::Feature;
use cpuid_tables::show::{Asked, NoFeature, asked, feature_named};

use super::hint;
use super::outcome::{Failed, Result};

/// A feature by its name or location; if there is none, an error with advice.
pub(crate) fn named(name: &str) -> Result<Feature> {
    feature_named(name).map_err(|error| refused(&error))
}

/// The questions that a name or a location stands for; if there is none, an error with advice.
pub(crate) fn questions(name: &str) -> Result<Vec<Asked>> {
    if hint::too_high_a_bit(name).is_some() {
        return Err(refused(&NoFeature::Unknown(name.to_owned())));
    }
    asked(name).map_err(|error| refused(&error))
}

fn refused(error: &NoFeature) -> Failed {
    let failed = Failed::new(error);
    match error {
        NoFeature::Unknown(name) => match hint::no_match(name) {
            None => failed.help("`kvm-cpuid find` accepts names, locations such as '7.0.ebx[5]', and values"),
            Some(help) => failed.help(help),
        },
        NoFeature::Ambiguous(_, all) => {
            let places: Vec<String> = all.iter().map(|feature| feature.location().to_string()).collect();
            failed.help(format!("select one by its location: '{}'", places.join("' or '")))
        }
        NoFeature::Elsewhere(_) => failed.help("`kvm-cpuid why` explains it on this machine"),
        NoFeature::Nothing(_) => failed.help("`kvm-cpuid find` lists a register's contents"),
        _ => failed,
    }
}
