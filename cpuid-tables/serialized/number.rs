//! Numbers of registers: in formats that people read hexadecimal text, `"0x20"`; in others numbers. They are read from text,
//! in decimal or after `0x` or `0b`, and from numbers.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

/// A number type, its documentation, its serde functions.
macro_rules! hex {
    ($($(#[doc = $doc:literal])* $name:ident($ty:ty, $serialize:ident, $bits:literal)),+) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
            pub(crate) struct $name(pub(crate) $ty);

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    if serializer.is_human_readable() {
                        serializer.collect_str(&format_args!("{:#x}", self.0))
                    } else {
                        serializer.$serialize(self.0)
                    }
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                    struct Numbers;
                    impl Visitor<'_> for Numbers {
                        type Value = $name;

                        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                            let bits = $bits;
                            write!(f, "a number of {bits} bits, or one in a text: decimal, `0x...` or `0b...`")
                        }

                        fn visit_u64<E: Error>(self, value: u64) -> Result<$name, E> {
                            let fits = <$ty>::try_from(value).map($name);
                            fits.map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
                        }

                        fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                            let radix = |prefix, radix| {
                                text.strip_prefix(prefix).map(|digits| <$ty>::from_str_radix(digits, radix))
                            };
                            let value = radix("0x", 16).or_else(|| radix("0b", 2)).unwrap_or_else(|| text.parse());
                            match value {
                                // A sign is not a digit.
                                Ok(value) if !text.contains('+') => Ok($name(value)),
                                _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                            }
                        }
                    }
                    if deserializer.is_human_readable() {
                        deserializer.deserialize_any(Numbers)
                    } else {
                        <$ty>::deserialize(deserializer).map($name)
                    }
                }
            }
        )+
    };
}

hex! {
    /// A number of 32 bits.
    Hex32(u32, serialize_u32, 32)
}

hex! {
    /// A number of 64 bits.
    Hex64(u64, serialize_u64, 64)
}
