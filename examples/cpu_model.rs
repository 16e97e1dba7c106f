//! A CPU model as a VMM would use it: the entries for a guest's CPUID table, and the parts that the tables do not
//! determine.
//!
//! `cargo run --example cpu_model -- EPYC-Milan-v2 [pc-q35-9.0]`

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;

use cpuid_tables::{CpuModel, CpuidWord, Leaf, QemuRelease, Register, Subleaf, XsaveComponent};

/// The words that a VMM passes to KVM or another hypervisor.
#[derive(Default)]
struct Table(Vec<(CpuidWord, u32)>);

impl Table {
    fn set(&mut self, leaf: u32, subleaf: u32, register: Register, value: u32) {
        self.0.push((CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), value));
    }

    /// Everything in the model that does not depend on a host.
    fn of(model: CpuModel) -> Table {
        let mut table = Table::default();
        let [ebx, edx, ecx] = model.vendor_registers();
        table.set(0, 0, Register::Eax, model.level());
        table.set(0, 0, Register::Ebx, ebx);
        table.set(0, 0, Register::Ecx, ecx);
        table.set(0, 0, Register::Edx, edx);
        table.set(1, 0, Register::Eax, model.signature());
        table.set(0x8000_0000, 0, Register::Eax, model.xlevel());
        for (leaf, registers) in (0x8000_0002..).zip(model.brand_registers().chunks(4)) {
            for (register, value) in Register::ALL.into_iter().zip(registers) {
                table.set(leaf, 0, register, *value);
            }
        }
        // QEMU sets the hypervisor bit in every guest; it is in no model.
        let hypervisor = CpuidWord::new(Leaf(1), Subleaf(0), Register::Ecx);
        let words = model.words();
        table.0.extend(words.map(|(word, bits)| (word, bits | u32::from(word == hypervisor) << 31)));
        table
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "EPYC-Milan-v2".to_owned());
    let machine = arguments.next();
    let qemu = QemuRelease::NEWEST;
    let mut model = qemu.cpu_model(&name).ok_or_else(|| format!("QEMU {qemu} has no CPU model `{name}`"))?;
    if let Some(name) = machine {
        let machine =
            qemu.machine(&name).ok_or_else(|| format!("QEMU {qemu} has no machine type `{name}`"))?;
        model = model.for_machine(machine);
        for set in machine.compat().filter(|set| set.applies_to(model)) {
            println!("{machine} sets {}={}", set.property, set.value);
        }
    }
    println!("{model} is version {} of {}: {}", model.version_number(), model.name(), model.model_id());
    for (word, value) in Table::of(model).0 {
        println!("{:<32} {value:#010x}", word.to_string());
    }
    for (msr, value) in model.msrs() {
        println!("MSR {:#x} {value:#x}", msr.0);
    }
    let enabled = |component: &XsaveComponent| component.features().any(|feature| model.has(feature));
    for component in XsaveComponent::all().filter(enabled) {
        println!(
            "XSAVE component {}: {} bytes, enabled by {}",
            component.number, component.size, component.feature
        );
    }
    match model.caches() {
        Some(caches) => {
            caches.iter().for_each(|(slot, cache)| println!("{slot:?}: {} KiB", cache.size / 1024));
        }
        None => println!("QEMU's default caches for models without their own"),
    }
    Ok(())
}
