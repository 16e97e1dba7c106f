//! Tables on KVM: this machine's, and fake ones.

#[path = "../common/mod.rs"]
mod common;
#[path = "../qemu/oracle/mod.rs"]
mod oracle;

mod check;
mod copies;
mod guests;
mod host;
mod msrs;
mod probe;
mod this_machine;
mod vcpus;
