//! `Debug` of large errors.

/// Implements `Debug` as the type's name and the message: `BuildError(the release has no CPU model ...)`. A `main` that fails
/// and `unwrap` print errors by `Debug`, where the message helps more than the variant; and a derived implementation, with those
/// of all the types in the variants, is 25 KB of a VMM's program.
macro_rules! debug_by_message {
    ($error:ident) => {
        impl core::fmt::Debug for $error {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($error), "({})"), self)
            }
        }
    };
}
