//! The order of releases by age.

include!(concat!(env!("OUT_DIR"), "/release_order.rs"));
