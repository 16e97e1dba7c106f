//! Bit fields of CPUID leaves that hold numbers rather than features.
//!
//! A [`Field`] contains all of its data, including its name, so a program that uses three fields contains three
//! fields and no table. The manuals define the meaning of a number (minus one, eighths of a byte, a logarithm): Intel
//! SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.
//!
//! Subleaves and bits ascend, and no bit is above 31.

use core::fmt;
use core::ops::RangeInclusive;

use super::location::{Bit, CpuidWord, FieldPlace, Leaf, Register, Registers, Subleaf};

/// A bit field of a register of a leaf, in one subleaf or several.
///
/// Ordered by location. The fields that Linux describes are in [`field`](crate::field), by leaf.
///
/// ```
/// use cpuid_tables::field::{leaf_1, leaf_4};
///
/// // What CPUID returned: reading cannot fail, and costs a shift and a mask.
/// let eax = 0x0008_06f8;
/// assert_eq!(leaf_1::BASE_FAMILY_ID.read(eax), 6);
/// assert_eq!(leaf_1::EXT_MODEL.read(eax) << 4 | leaf_1::BASE_MODEL.read(eax), 0x8f);
///
/// // A register built by the compiler, which refuses numbers that do not fit.
/// const L1D: u32 = leaf_4::CACHE_TYPE.encode(1) | leaf_4::CACHE_LEVEL.encode(1) | leaf_4::NUM_CORES_ON_DIE.encode(7);
/// assert_eq!(L1D, 0x1c00_0021);
///
/// // A register patched with a number that is known only now: too large a one is an error.
/// assert_eq!(leaf_1::LOCAL_APIC_ID.write(0x0010_0800, 3), Ok(0x0310_0800));
/// let error = leaf_1::LOCAL_APIC_ID.write(0, 256).unwrap_err();
/// assert_eq!(error.to_string(), "256 does not fit local_apic_id, whose maximum is 255");
/// ```
///
/// A value too large for a constant does not compile:
///
/// ```compile_fail,E0080
/// # use cpuid_tables::field::leaf_4;
/// const EAX: u32 = leaf_4::CACHE_LEVEL.encode(8);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    place: FieldPlace,
    name: &'static str,
}

impl Field {
    /// A field defined by the caller, such as a hypervisor leaf's; `None` if a range is empty or a bit is above 31.
    ///
    /// ```
    /// use cpuid_tables::{Field, Leaf, Register};
    ///
    /// const TSC_KHZ: Field = Field::new("tsc_khz", Leaf(0x4000_0010), 0..=0, Register::Eax, 0..=31).unwrap();
    /// assert_eq!(TSC_KHZ.encode(2_400_000), 2_400_000);
    /// assert_eq!(Field::new("none", Leaf(1), 0..=0, Register::Eax, 4..=32), None);
    /// ```
    #[must_use]
    pub const fn new(
        name: &'static str,
        leaf: Leaf,
        subleaves: RangeInclusive<u32>,
        register: Register,
        bits: RangeInclusive<u8>,
    ) -> Option<Field> {
        let (first, last) = (Subleaf(*subleaves.start()), Subleaf(*subleaves.end()));
        let (low, high) = (Bit(*bits.start()), Bit(*bits.end()));
        if first.0 > last.0 || low.0 > high.0 || high.0 > 31 {
            return None;
        }
        Some(Field { place: FieldPlace { leaf, first, last, register, low, high }, name })
    }

    /// A field of a list, whose place is known to be valid.
    pub(super) const fn at_place(name: &'static str, place: FieldPlace) -> Field {
        Field { place, name }
    }

    /// The short name in Linux's `cpuid.csv`: `cache_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// CPUID's input EAX.
    #[must_use]
    pub const fn leaf(self) -> Leaf {
        self.place.leaf
    }

    /// The values of CPUID's input ECX for which the field exists; 0 if the leaf has no subleaves.
    #[must_use]
    pub const fn subleaves(self) -> RangeInclusive<u32> {
        RangeInclusive::new(self.place.first.0, self.place.last.0)
    }

    /// Its location: leaf, subleaves, register and bits.
    #[must_use]
    pub const fn place(self) -> FieldPlace {
        self.place
    }

    /// The register that CPUID returns it in.
    #[must_use]
    pub const fn register(self) -> Register {
        self.place.register
    }

    /// Its lowest and its highest bit.
    #[must_use]
    pub const fn bits(self) -> RangeInclusive<u8> {
        RangeInclusive::new(self.place.low.0, self.place.high.0)
    }

    /// Number of bits, 1 to 32.
    #[must_use]
    pub const fn width(self) -> u8 {
        self.place.high.0 - self.place.low.0 + 1
    }

    /// The largest value that fits.
    #[must_use]
    #[inline]
    pub const fn max(self) -> u32 {
        u32::MAX >> (31 - (self.place.high.0 - self.place.low.0))
    }

    /// Its bits in the register, as a mask.
    #[must_use]
    #[inline]
    pub const fn mask(self) -> u32 {
        self.max() << self.place.low.0
    }

    /// The field at the same place of another leaf.
    #[cfg(feature = "normalize")]
    pub(crate) const fn in_other_leaf(mut self, leaf: Leaf) -> Field {
        self.place.leaf = leaf;
        self
    }

    /// True if this register contains it.
    #[must_use]
    pub const fn is_in(self, word: CpuidWord) -> bool {
        self.place.leaf.0 == word.leaf.0
            && self.place.first.0 <= word.subleaf.0
            && word.subleaf.0 <= self.place.last.0
            && self.place.register as u8 == word.register as u8
    }

    /// Its value in the register.
    #[must_use]
    #[inline]
    pub const fn read(self, register: u32) -> u32 {
        register >> self.place.low.0 & self.max()
    }

    /// Its value in EAX, EBX, ECX and EDX of its leaf: selects the right register.
    ///
    /// ```
    /// use cpuid_tables::{Registers, field::leaf_b};
    ///
    /// let registers = Registers::new(1, 2, 0x100, 0);
    /// assert_eq!(leaf_b::DOMAIN_LCPUS_COUNT.read_from(registers), 2);
    /// assert_eq!(leaf_b::DOMAIN_TYPE.read_from(registers), 1);
    /// ```
    #[must_use]
    #[inline]
    pub const fn read_from(self, registers: Registers) -> u32 {
        self.read(registers.get(self.place.register))
    }

    /// The register with the field set to this value; other bits are unchanged.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]: the value has more bits than the field.
    #[inline]
    pub const fn write(self, register: u32, value: u32) -> Result<u32, TooLarge> {
        if value > self.max() {
            return Err(TooLarge { field: self, value });
        }
        Ok(register & !self.mask() | value << self.place.low.0)
    }

    /// A register with this value in the field and zeros elsewhere: for constants, which the compiler checks.
    /// [`write`](Field::write) is for values known only at run time.
    ///
    /// # Panics
    ///
    /// If the value does not fit.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn encode(self, value: u32) -> u32 {
        assert!(value <= self.max(), "the value does not fit the field");
        value << self.place.low.0
    }
}

/// A field whose ranges are known to be valid: a generated constant, or one of this crate.
pub(crate) const fn constant(
    leaf: u32,
    subleaves: RangeInclusive<u32>,
    register: Register,
    bits: RangeInclusive<u8>,
    name: &'static str,
) -> Field {
    match Field::new(name, Leaf(leaf), subleaves, register, bits) {
        Some(field) => field,
        None => panic!("a range of a field's constant is empty"),
    }
}

impl fmt::Display for Field {
    /// The name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Field {
    /// Name and location, in the manuals' notation: `cache_type CPUID.(EAX=4,ECX=0-31):EAX[4:0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.place)
    }
}

/// A value with more bits than its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The field.
    pub field: Field,
    /// The value.
    pub value: u32,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, max) = (self.field, self.field.max());
        write!(f, "{} does not fit {field}, whose maximum is {max}", self.value)
    }
}

impl core::error::Error for TooLarge {}
