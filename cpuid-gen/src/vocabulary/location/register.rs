use core::fmt;
use core::ops::{Index, IndexMut};

/// One of CPUID's four output registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Register {
    /// EAX
    Eax,
    /// EBX
    Ebx,
    /// ECX
    Ecx,
    /// EDX
    Edx,
}

impl Register {
    /// All four, in the order of KVM's `struct kvm_cpuid_entry2`.
    pub const ALL: [Register; 4] = [Register::Eax, Register::Ebx, Register::Ecx, Register::Edx];

    /// The upper-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        ["EAX", "EBX", "ECX", "EDX"][self as usize]
    }
}

impl fmt::Display for Register {
    /// The upper-case name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the CPUID instruction returns.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registers {
    /// EAX
    pub eax: u32,
    /// EBX
    pub ebx: u32,
    /// ECX
    pub ecx: u32,
    /// EDX
    pub edx: u32,
}

impl Registers {
    /// Four zeros.
    pub const ZERO: Registers = Registers::new(0, 0, 0, 0);
    /// Every bit set.
    pub const MAX: Registers = Registers::new(u32::MAX, u32::MAX, u32::MAX, u32::MAX);

    /// The four registers.
    #[must_use]
    pub const fn new(eax: u32, ebx: u32, ecx: u32, edx: u32) -> Registers {
        Registers { eax, ebx, ecx, edx }
    }

    /// The value of one.
    #[must_use]
    pub const fn get(&self, register: Register) -> u32 {
        match register {
            Register::Eax => self.eax,
            Register::Ebx => self.ebx,
            Register::Ecx => self.ecx,
            Register::Edx => self.edx,
        }
    }

    /// EAX, EBX, ECX and EDX.
    #[must_use]
    pub const fn to_array(self) -> [u32; 4] {
        [self.eax, self.ebx, self.ecx, self.edx]
    }

    /// From EAX, EBX, ECX and EDX.
    #[must_use]
    pub const fn from_array([eax, ebx, ecx, edx]: [u32; 4]) -> Registers {
        Registers { eax, ebx, ecx, edx }
    }

    /// Each value from a function of its register.
    #[must_use]
    pub fn from_fn(value: impl FnMut(Register) -> u32) -> Registers {
        Registers::from_array(Register::ALL.map(value))
    }

    /// True when all four are zero.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.eax | self.ebx | self.ecx | self.edx == 0
    }

    /// Each register with its value.
    pub fn iter(self) -> impl Iterator<Item = (Register, u32)> {
        Register::ALL.into_iter().map(move |register| (register, self.get(register)))
    }

    /// Each register with its value, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Register, &mut u32)> {
        Register::ALL.into_iter().zip([&mut self.eax, &mut self.ebx, &mut self.ecx, &mut self.edx])
    }

    /// Each value changed by a function.
    #[must_use]
    pub fn map(self, change: impl FnMut(u32) -> u32) -> Registers {
        Registers::from_array(self.to_array().map(change))
    }

    /// The values of two joined by a function, register by register.
    #[must_use]
    pub fn zip_with(self, other: Registers, mut join: impl FnMut(u32, u32) -> u32) -> Registers {
        let (a, b) = (self, other);
        Registers {
            eax: join(a.eax, b.eax),
            ebx: join(a.ebx, b.ebx),
            ecx: join(a.ecx, b.ecx),
            edx: join(a.edx, b.edx),
        }
    }
}

impl Index<Register> for Registers {
    type Output = u32;

    fn index(&self, register: Register) -> &u32 {
        match register {
            Register::Eax => &self.eax,
            Register::Ebx => &self.ebx,
            Register::Ecx => &self.ecx,
            Register::Edx => &self.edx,
        }
    }
}

impl IndexMut<Register> for Registers {
    fn index_mut(&mut self, register: Register) -> &mut u32 {
        match register {
            Register::Eax => &mut self.eax,
            Register::Ebx => &mut self.ebx,
            Register::Ecx => &mut self.ecx,
            Register::Edx => &mut self.edx,
        }
    }
}

impl From<[u32; 4]> for Registers {
    fn from(registers: [u32; 4]) -> Registers {
        Registers::from_array(registers)
    }
}

impl From<Registers> for [u32; 4] {
    fn from(registers: Registers) -> [u32; 4] {
        registers.to_array()
    }
}

impl fmt::Debug for Registers {
    /// Hexadecimal, as all tools show registers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Registers { eax, ebx, ecx, edx } = self;
        write!(f, "Registers {{ eax: {eax:#x}, ebx: {ebx:#x}, ecx: {ecx:#x}, edx: {edx:#x} }}")
    }
}
