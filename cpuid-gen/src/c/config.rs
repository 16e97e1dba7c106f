//! The configuration that decides conditionals: a 64-bit x86 kernel with KVM and its vendor modules, and a QEMU
//! system emulator for x86-64 on Linux with TCG, KVM and the PC devices that its build enables by default.
//!
//! A name that is neither here nor defined by a file read so far is undefined, as in C. Inactive regions are recorded
//! in [`crate::diagnostic::Diagnostics::left_out`].

/// Macros defined before any file is read. The first group is the configuration. The second replaces headers that are
/// not read, with the values of C11 7.20, the kernel's `bits.h`, and QEMU's `compiler.h` and `hw/core/cpu.h`.
pub const PRELUDE: &str = "\
#define __KERNEL__ 1
#define __x86_64__ 1
#define __LP64__ 1
#define __GNUC__ 12
#define __STDC__ 1
#define CONFIG_64BIT 1
#define CONFIG_X86 1
#define CONFIG_X86_64 1
#define CONFIG_KVM 1
#define CONFIG_KVM_INTEL 1
#define CONFIG_KVM_AMD 1
#define CONFIG_KVM_AMD_SEV 1
#define CONFIG_X86_SGX_KVM 1
#define CONFIG_X86_VMX_FEATURE_NAMES 1
#define CONFIG_LINUX 1
#define CONFIG_SOFTMMU 1
#define CONFIG_SYSTEM_ONLY 1
#define CONFIG_TCG 1
#define CONFIG_ISAPC 1
#define CONFIG_SYNDBG 1
#define COMPILING_PER_TARGET 1
#define NEED_CPU_H 1
#define TARGET_I386 1
#define TARGET_X86_64 1
#define BIT(nr) (1UL << (nr))
#define BIT_ULL(nr) (1ULL << (nr))
#define _BITUL(nr) (1UL << (nr))
#define _BITULL(nr) (1ULL << (nr))
#define GENMASK(high, low) ((~0UL >> (63 - (high))) & (~0UL << (low)))
#define GENMASK_ULL(high, low) ((~0ULL >> (63 - (high))) & (~0ULL << (low)))
#define MAKE_64BIT_MASK(shift, length) (((~0ULL) >> (64 - (length))) << (shift))
#define UINT8_MAX 255
#define UINT16_MAX 65535
#define UINT32_MAX 4294967295U
#define UINT64_MAX 18446744073709551615UL
#define UINTPTR_MAX 18446744073709551615UL
#define INT32_MAX 2147483647
#define INT64_C(c) c##L
#define UINT64_C(c) c##UL
#define tostring(s) #s
#define stringify(s) tostring(s)
#define CPU_UNSET_NUMA_NODE_ID -1
";

/// Operators that act like macros in `#if`: true if their argument is configured to 1.
pub const CONFIG_TESTS: [&str; 3] = ["IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE"];

/// Compiler queries that may appear in `#if`. They never decide a table; the answer is always false.
pub const COMPILER_TESTS: [&str; 4] = ["__has_attribute", "__has_builtin", "__has_include", "__has_feature"];
