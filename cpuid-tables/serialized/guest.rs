//! The forms of a guest's settings, warnings and errors.

use alloc::string::String;

use serde::de::{Deserializer, Error};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::bits::qemu_cpu::{CacheSlot, SharedBy};
use crate::guest::{BuildError, Filtered, Warning};

/// Enums stored as the names of their variants.
macro_rules! names {
    ($($ty:ident),+) => {
        $(
            impl Serialize for $ty {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.name())
                }
            }

            impl<'de> Deserialize<'de> for $ty {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$ty, D::Error> {
                    let name = String::deserialize(deserializer)?;
                    let found = $ty::ALL.into_iter().find(|(_, known)| *known == name);
                    let expected = $ty::ALL.map(|(_, known)| known).join(", ");
                    let unknown = || D::Error::custom(alloc::format!("`{name}`: expected one of {expected}"));
                    found.map(|(value, _)| value).ok_or_else(unknown)
                }
            }
        )+
    };
}

names!(CacheSlot, SharedBy);

impl Serialize for Filtered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for BuildError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
