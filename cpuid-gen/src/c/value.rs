//! C's integers: types with a width and signedness, and values of them.

/// An integer type of x86-64: 8, 16, 32 or 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// Width in bits.
    pub bits: u8,
    /// True for a signed type.
    pub signed: bool,
}

impl Type {
    /// `int`
    pub const INT: Type = Type { bits: 32, signed: true };
    /// `unsigned int`
    pub const UINT: Type = Type { bits: 32, signed: false };
    /// `long` and `long long`
    pub const LONG: Type = Type { bits: 64, signed: true };
    /// `unsigned long` and `unsigned long long`
    pub const ULONG: Type = Type { bits: 64, signed: false };

    /// C11 6.3.1.1: types narrower than `int` become `int`.
    #[must_use]
    pub fn promoted(self) -> Type {
        if self.bits < 32 { Type::INT } else { self }
    }

    /// C11 6.3.1.8: the type in which an operator with these two operands is evaluated.
    #[must_use]
    pub fn common(self, other: Type) -> Type {
        let (a, b) = (self.promoted(), other.promoted());
        let bits = a.bits.max(b.bits);
        // A wider signed type represents all values of the other.
        let unsigned = [a, b].iter().any(|side| side.bits == bits && !side.signed);
        Type { bits, signed: !unsigned }
    }

    /// The type denoted by one or several names.
    #[must_use]
    pub fn from_names(names: &[&str]) -> Option<Type> {
        let names: Vec<&str> =
            names.iter().copied().filter(|name| !matches!(*name, "const" | "volatile")).collect();
        if let [name] = names[..] {
            if let Some(found) = TYPEDEFS.iter().find(|(known, _, _)| *known == name) {
                return Some(Type { bits: found.1, signed: found.2 });
            }
        }
        if names.is_empty() || !names.iter().all(|name| KEYWORDS.contains(name)) {
            return None;
        }
        let has = |name: &str| names.contains(&name);
        let bits = match () {
            () if has("char") => 8,
            () if has("short") => 16,
            () if has("long") => 64,
            () => 32,
        };
        Some(Type { bits, signed: !has("unsigned") })
    }
}

const KEYWORDS: [&str; 6] = ["char", "short", "int", "long", "signed", "unsigned"];

const TYPEDEFS: [(&str, u8, bool); 26] = [
    ("u8", 8, false),
    ("u16", 16, false),
    ("u32", 32, false),
    ("u64", 64, false),
    ("__u8", 8, false),
    ("__u16", 16, false),
    ("__u32", 32, false),
    ("__u64", 64, false),
    ("s8", 8, true),
    ("s16", 16, true),
    ("s32", 32, true),
    ("s64", 64, true),
    ("uint8_t", 8, false),
    ("uint16_t", 16, false),
    ("uint32_t", 32, false),
    ("uint64_t", 64, false),
    ("int8_t", 8, true),
    ("int16_t", 16, true),
    ("int32_t", 32, true),
    ("int64_t", 64, true),
    ("size_t", 64, false),
    ("uintptr_t", 64, false),
    ("target_ulong", 64, false),
    ("target_long", 64, true),
    ("__s32", 32, true),
    ("__s64", 64, true),
];

/// A value of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// The two's complement, sign-extended or zero-extended to 64 bits by the type.
    bits: u64,
    /// The type.
    pub of: Type,
}

impl Value {
    /// A value of type `int`.
    #[must_use]
    pub fn int(value: i32) -> Value {
        Value::new(i128::from(value), Type::INT)
    }

    /// A value converted to a type by wrapping (C11 6.3.1.3, as defined by gcc).
    #[must_use]
    pub fn new(value: i128, of: Type) -> Value {
        let shift = 64 - u32::from(of.bits);
        let raw = low64(value) << shift;
        let bits = if of.signed { arithmetic_shift_right(raw, shift) } else { raw >> shift };
        Value { bits, of }
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> i128 {
        if self.of.signed && self.bits >> 63 == 1 {
            i128::from(self.bits) - (1 << 64)
        } else {
            i128::from(self.bits)
        }
    }

    /// The value converted to an unsigned 64-bit integer, as by assignment to a `uint64_t`.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        self.bits
    }

    /// True if not zero.
    #[must_use]
    pub fn is_true(self) -> bool {
        self.bits != 0
    }

    /// The value converted to another type.
    #[must_use]
    pub fn to(self, of: Type) -> Value {
        Value::new(self.number(), of)
    }
}

fn low64(value: i128) -> u64 {
    u64::try_from(value & i128::from(u64::MAX)).unwrap_or(0)
}

fn arithmetic_shift_right(raw: u64, shift: u32) -> u64 {
    let filled = if raw >> 63 == 1 { !(u64::MAX >> shift) } else { 0 };
    (raw >> shift) | if shift == 0 { 0 } else { filled }
}
