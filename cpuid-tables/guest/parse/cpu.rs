//! QEMU's `-cpu` syntax (`parse_cpu_option` of cpu-target.c, `x86_cpu_parse_featurestr` of target/i386/cpu.c).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;

use super::values::boolean;
use crate::guest::error::BuildError;

/// One setting of `-cpu`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum CpuSetting {
    /// `name=value`; `name` alone is `name=on`. Applied before all other settings.
    Set(String, String),
    /// `+name`, applied after every `name=value`, wherever it is.
    Plus(String),
    /// `-name`, applied after every `+name`.
    Minus(String),
}

impl CpuSetting {
    /// Whether it switches its property on or off, as QEMU reads the value; `None` for another value.
    ///
    /// ```
    /// use cpuid_tables::guest::CpuOption;
    ///
    /// let option: CpuOption = "EPYC,-svm,avx2=yes,phys-bits=40".parse()?;
    /// let switches: Vec<Option<bool>> = option.settings.iter().map(|setting| setting.switches()).collect();
    /// assert_eq!(switches, [Some(false), Some(true), None]);
    /// # Ok::<(), cpuid_tables::guest::BuildError>(())
    /// ```
    #[must_use]
    pub fn switches(&self) -> Option<bool> {
        match self {
            CpuSetting::Set(_, value) => boolean(value),
            CpuSetting::Plus(_) => Some(true),
            CpuSetting::Minus(_) => Some(false),
        }
    }
}

/// A parsed `-cpu` option.
///
/// ```
/// use cpuid_tables::guest::{CpuOption, CpuSetting};
///
/// let option: CpuOption = "EPYC-Milan,+avx512f,sse4_1=off".parse()?;
/// assert_eq!(option.model, "EPYC-Milan");
/// assert_eq!(option.settings[0], CpuSetting::Plus("avx512f".into()));
/// assert_eq!(option.settings[1], CpuSetting::Set("sse4-1".into(), "off".into()));
/// # Ok::<(), cpuid_tables::guest::BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CpuOption {
    /// The CPU: a model by any of its names, or `host`, `max`, `base`.
    pub model: String,
    /// Its settings, in order.
    pub settings: Vec<CpuSetting>,
}

impl CpuOption {
    /// A CPU without settings.
    #[must_use]
    pub fn new(model: &str) -> CpuOption {
        CpuOption { model: model.to_string(), settings: Vec::new() }
    }

    /// Names set in both ways, of which QEMU warns.
    pub(crate) fn ambiguous(&self) -> impl Iterator<Item = &str> {
        let earlier = |at: usize, name: &str| {
            self.settings[..at].iter().any(|setting| match setting {
                CpuSetting::Plus(other) | CpuSetting::Minus(other) => other == name,
                CpuSetting::Set(..) => false,
            })
        };
        self.settings.iter().enumerate().filter_map(move |(at, setting)| match setting {
            CpuSetting::Set(name, _) if earlier(at, name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl FromStr for CpuOption {
    type Err = BuildError;

    fn from_str(text: &str) -> Result<CpuOption, BuildError> {
        let (model, settings) = text.split_once(',').unwrap_or((text, ""));
        if model.is_empty() {
            return Err(BuildError::NoModel);
        }
        // Like strtok, skip empty settings.
        let settings = settings.split(',').filter(|setting| !setting.is_empty()).map(setting);
        Ok(CpuOption { model: model.to_string(), settings: settings.collect::<Result<_, _>>()? })
    }
}

fn setting(text: &str) -> Result<CpuSetting, BuildError> {
    if let Some(name) = text.strip_prefix('+') {
        return Ok(CpuSetting::Plus(name.to_string()));
    }
    if let Some(name) = text.strip_prefix('-') {
        return Ok(CpuSetting::Minus(name.to_string()));
    }
    let (name, value) = text.split_once('=').unwrap_or((text, "on"));
    let name = name.replace('_', "-");
    Ok(CpuSetting::Set(name, value.to_string()))
}
