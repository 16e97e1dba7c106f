//! Hyper-V's enlightenments: the options, and the leaves from 0x40000000.

pub(crate) mod enlightenments;
pub(crate) mod host;
