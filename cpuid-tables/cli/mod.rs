//! The command `kvm-cpuid`.
