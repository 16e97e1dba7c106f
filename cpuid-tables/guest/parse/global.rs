//! QEMU's `-global` syntax (`qemu_global_option` of system/vl.c).

use alloc::string::{String, ToString};
use core::str::FromStr;

use super::keyval::options;
use crate::guest::error::BuildError;

/// A parsed `-global` option: a property of every device of a type. Those of other devices than the guest's CPU have no
/// effect on its table.
///
/// ```
/// use cpuid_tables::guest::GlobalOption;
///
/// let global: GlobalOption = "EPYC-x86_64-cpu.avx2=off".parse()?;
/// assert_eq!(global.driver, "EPYC-x86_64-cpu");
/// assert_eq!("driver=EPYC-x86_64-cpu,property=avx2,value=off".parse(), Ok(global));
/// # Ok::<(), cpuid_tables::guest::BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GlobalOption {
    /// The type, such as `EPYC-x86_64-cpu`, or `x86_64-cpu` for every CPU.
    pub driver: String,
    /// The property, as QEMU spells it.
    pub property: String,
    /// Its value.
    pub value: String,
}

impl FromStr for GlobalOption {
    type Err = BuildError;

    /// `DRIVER.PROPERTY=VALUE` or `driver=DRIVER,property=PROPERTY,value=VALUE`.
    fn from_str(text: &str) -> Result<GlobalOption, BuildError> {
        if let Some((driver, property, value)) = short(text) {
            let [driver, property, value] = [driver, property, value].map(str::to_string);
            return Ok(GlobalOption { driver, property, value });
        }
        let wrong = || BuildError::value("global", text, "DRIVER.PROPERTY=VALUE");
        let [mut driver, mut property, mut value] = [const { None }; 3];
        for (name, given) in options(text, "global", "")? {
            let place = match name.as_str() {
                "driver" => &mut driver,
                "property" => &mut property,
                "value" => &mut value,
                _ => return Err(wrong()),
            };
            *place = Some(given);
        }
        match (driver, property, value) {
            (Some(driver), Some(property), Some(value)) => Ok(GlobalOption { driver, property, value }),
            _ => Err(wrong()),
        }
    }
}

/// Type, property and value of the short form; the type has neither a point nor an equals sign.
fn short(text: &str) -> Option<(&str, &str, &str)> {
    let (name, value) = text.split_once('=')?;
    let (driver, property) = name.split_once('.')?;
    (!driver.is_empty() && !property.is_empty()).then_some((driver, property, value))
}
