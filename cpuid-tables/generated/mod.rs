//! The tables that the build script generates, and the types of their rows.

pub(crate) mod bit_tables;
#[cfg(any(feature = "guest", feature = "show"))]
#[cfg_attr(not(feature = "guest"), expect(dead_code, reason = "`show` reads Hyper-V's rows alone"))]
pub(crate) mod guest_tables;
pub(crate) mod model_tables;
