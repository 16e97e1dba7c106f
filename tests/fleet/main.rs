//! Many hosts: what they have in common, and what runs on them.

#[path = "../common/mod.rs"]
mod common;
#[path = "../qemu/oracle/mod.rs"]
mod oracle;

mod baselines;
mod models;
