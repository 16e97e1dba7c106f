//! Tables on KVM: this machine's, and fakes of it.

#[path = "../common/mod.rs"]
mod common;

mod check;
mod guests;
mod host;
mod probe;
mod this_machine;
mod vcpus;
