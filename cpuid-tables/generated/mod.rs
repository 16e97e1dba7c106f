//! The tables that the build script generates, and the types of their rows.

pub(crate) mod bit_tables;
#[cfg(feature = "guest")]
pub(crate) mod guest_tables;
pub(crate) mod model_tables;
