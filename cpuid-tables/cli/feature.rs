//! The feature that a command is about.

use cpuid_tables::Feature;
use cpuid_tables::show::{NoFeature, feature_named, names_near};

use super::outcome::{Failed, Result};

/// A feature by its name or place; what to try instead where there is none.
pub(crate) fn named(name: &str) -> Result<Feature> {
    feature_named(name).map_err(|error| {
        let failed = Failed::new(&error);
        match error {
            NoFeature::Unknown(name) => match names_near(&name).as_slice() {
                [] => failed.help("`kvm-cpuid find` takes names, places such as '7.0.ebx[5]', and values"),
                near => failed.help(format!("there is {}", near.join(", "))),
            },
            NoFeature::Ambiguous(_, all) => {
                let places: Vec<String> = all.iter().map(|feature| feature.location().to_string()).collect();
                failed.help(format!("say which by its place: '{}'", places.join("' or '")))
            }
            NoFeature::Elsewhere(_) => failed.help("`kvm-cpuid why` tells its story on this machine"),
            NoFeature::Nothing(_) => failed.help("`kvm-cpuid find` tells what a register holds"),
        }
    })
}
