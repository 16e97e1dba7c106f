//! Uses the constants that the build script generated.

#[allow(dead_code)]
mod cpuid {
    include!(concat!(env!("OUT_DIR"), "/cpuid.rs"));
}

fn main() {
    let bit = cpuid::AVX2;
    println!("AVX2 is bit {} of leaf {:#x}, mask {:#x}", bit.bit, bit.leaf, bit.mask());
    println!("{} constants", cpuid::ALL.len());
}
