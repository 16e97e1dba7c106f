//! CPUID tables in every form in which people have them, read and written.
