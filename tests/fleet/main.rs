//! Baselines of many hosts, and the models that run on them.

#[path = "../common/mod.rs"]
mod common;
#[path = "../qemu/oracle/mod.rs"]
mod oracle;

mod baselines;
mod models;
