//! QEMU's `-accel` syntax for KVM (`configure_accelerators` of system/vl.c, `kvm_accel_class_init` of accel/kvm/kvm-all.c,
//! `kvm_arch_accel_class_init` of target/i386/kvm/kvm.c).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;

use super::keyval::options;
use super::machine::Irqchip;
use super::values::{signed, unsigned};
use crate::guest::error::BuildError;

/// A parsed `-accel` option, whose accelerator is KVM.
///
/// ```
/// use cpuid_tables::guest::{AccelOption, Irqchip};
///
/// let accel: AccelOption = "kvm,kernel-irqchip=split,dirty-ring-size=4096".parse()?;
/// assert_eq!(accel.irqchip, Some(Irqchip::Split));
/// assert_eq!(accel.others[0].0, "dirty-ring-size");
/// # Ok::<(), cpuid_tables::guest::BuildError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccelOption {
    /// The location of the interrupt controllers, which takes precedence over that of `-machine`.
    pub irqchip: Option<Irqchip>,
    /// Other properties by name: KVM's accelerator must have them and take their values.
    pub others: Vec<(String, String)>,
}

impl FromStr for AccelOption {
    type Err = BuildError;

    /// `kvm,kernel-irqchip=split`.
    fn from_str(text: &str) -> Result<AccelOption, BuildError> {
        let mut option = AccelOption::default();
        let mut is_kvm = false;
        for (name, value) in options(text, "accel", "accel")? {
            match name.as_str() {
                "accel" => is_kvm = value == "kvm",
                "kernel-irqchip" => {
                    let irqchip = Irqchip::named(&value);
                    option.irqchip =
                        Some(irqchip.ok_or_else(|| BuildError::value(&name, &value, Irqchip::VALUES))?);
                }
                _ => option.others.push((name, value)),
            }
        }
        if is_kvm { Ok(option) } else { Err(BuildError::value("accel", text, "kvm")) }
    }
}

/// Checks a property of the accelerator that is not its interrupt controllers' place.
pub(crate) fn check(release: (u32, u32), name: &str, value: &str) -> Result<(), BuildError> {
    let wrong = |expected| BuildError::value(name, value, expected);
    let number = |bits: u32| unsigned(value).filter(|number| number.checked_shr(bits).unwrap_or(0) == 0);
    let right = match name {
        "device" if release >= (8, 2) => true,
        "kvm-shadow-mem" => signed(value).is_some(),
        "dirty-ring-size" => number(32).is_some_and(|size| size == 0 || size.is_power_of_two()),
        "notify-vmexit" => matches!(value, "run" | "internal-error" | "disable"),
        "notify-window" => number(32).is_some(),
        "xen-version" if release >= (8, 0) => match number(32) {
            // Xen's leaves are not modelled.
            Some(version) if version != 0 => return Err(BuildError::NotModelled(name.to_string())),
            version => version.is_some(),
        },
        "xen-gnttab-max-frames" | "xen-evtchn-max-pirq" if release >= (8, 0) => number(16).is_some(),
        _ => return Err(BuildError::AccelOption(name.to_string())),
    };
    if right { Ok(()) } else { Err(wrong("a value that QEMU takes")) }
}
