//! The tables of features, fields and models, and KVM's rules for a table.

#[path = "../common/mod.rs"]
mod common;

mod answer;
#[cfg(feature = "host")]
mod any_table;
mod cpu_models;
mod edit;
mod facts;
mod kvm;
mod leaves;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[cfg(feature = "host")]
mod machine;
mod needs;
mod reading;
mod ready_made;
mod runtime;
