//! A KVM: what it has, vCPUs that are given their tables, and a guest that tells what it sees.
