//! Parts of QEMU's CPU models: caches and version choice (target/i386/cpu.h and cpu.c).

include!(concat!(env!("OUT_DIR"), "/cpu_model.rs"));
