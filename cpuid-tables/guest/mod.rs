//! A guest's CPUID table, as QEMU builds it (target/i386/cpu.c and kvm/kvm.c).
