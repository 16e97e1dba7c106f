//! What a CPU model of QEMU is made of: caches and the choice of a version (target/i386/cpu.h and cpu.c).

include!(concat!(env!("OUT_DIR"), "/cpu_model.rs"));
