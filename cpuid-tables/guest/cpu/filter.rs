//! Removes the features that the host lacks (`x86_cpu_filter_features` of target/i386/cpu.c).

use super::Cpu;
use super::flags::{AVX10, INTEL_PT, INTEL_PT_LIP, Reg};
use crate::bits::location::{Leaf, Registers, WordSource};
use crate::guest::filtered::Reason;
use crate::guest::warning::Warning;

/// QEMU's fixed processor trace description in leaf 0x14, whatever the host's is: EBX and ECX of subleaf 0, EAX and
/// EBX of subleaf 1.
pub(crate) mod processor_trace {
    pub(in crate::guest) const EBX: u32 = 0xf;
    pub(in crate::guest) const ECX: u32 = 0x7;
    /// Periods of MTC packets.
    pub(in crate::guest) const MTC: u32 = 0x0249 << 16;
    /// Address ranges.
    pub(in crate::guest) const RANGES: u32 = 2;
    /// Cycle thresholds and PSB packet periods.
    pub(in crate::guest) const CYCLES_AND_PSB: u32 = 0x003f << 16 | 0x1fff;
}

impl Cpu<'_> {
    /// Filters. True if any feature was missing.
    pub(crate) fn filter(&mut self) -> bool {
        let unconditional = self.filtered.len();
        for word in 0..self.release.tables.words.len() {
            let unavailable = self.words[word] & !self.host_words[word];
            self.mark_unavailable(word, unavailable, |cpu, bit| cpu.reason(word, bit));
        }
        if self.has(INTEL_PT) && !self.traces() {
            self.drop_flag(INTEL_PT, Reason::ProcessorTrace);
        }
        let any = !self.filtered.is_empty();
        // Warnings that follow only from features are given whether or not the host is checked.
        let checks = self.settings.check || self.settings.enforce;
        let reported = if checks { self.filtered.len() } else { unconditional };
        let lacking = self.filtered.iter().take(reported).map(|filtered| Warning::Filtered(*filtered));
        self.warnings.extend(lacking);
        self.filter_avx10(checks) || any
    }

    /// Why the host lacks a bit.
    fn reason(&self, word: usize, bit: u64) -> Reason {
        match self.release.source(word) {
            Some(WordSource::Cpuid(word)) if u64::from(self.supported.reported(word)) & bit != 0 => {
                Reason::QemuDrops
            }
            Some(WordSource::Cpuid(word)) if word.leaf.0 >> 16 == Leaf::HYPERVISOR.0 >> 16 => {
                Reason::KvmsOwnLacks
            }
            Some(WordSource::Cpuid(word)) => {
                let registers = self.supported.instruction(word.leaf.0, word.subleaf.0);
                let there = u64::from(registers[word.register]) & bit != 0;
                if there { Reason::KvmLacks } else { Reason::HostLacks }
            }
            _ => Reason::MsrLacks,
        }
    }

    /// True if KVM supports everything in leaf 0x14.
    fn traces(&self) -> bool {
        use processor_trace::{CYCLES_AND_PSB, EBX, ECX, MTC, RANGES};
        let Registers { eax, ebx, ecx, .. } = self.supported.leaf(0x14, 0);
        let Registers { eax: eax1, ebx: ebx1, .. } = self.supported.leaf(0x14, 1);
        eax != 0
            && ebx & EBX == EBX
            && ecx & ECX == ECX
            && eax1 & MTC == MTC
            && eax1 & 3 >= RANGES
            && ebx1 & CYCLES_AND_PSB == CYCLES_AND_PSB
            && ecx & INTEL_PT_LIP.mask == self.word(Reg::L14Ecx) & INTEL_PT_LIP.mask
    }

    fn filter_avx10(&mut self, warn: bool) -> bool {
        if !self.release.behaviour.avx10 {
            return false;
        }
        let asked = self.settings.avx10_version;
        if !self.has(AVX10) {
            if asked != 0 && warn {
                self.warnings.push(Warning::Avx10 { asked, gets: None });
            }
            return asked != 0;
        }
        let gets = self.host_avx10_version();
        if gets >= asked {
            return false;
        }
        // Forced features stay, and so does the version in releases whose version has features.
        let stays = self.release.behaviour.avx10_by_version && self.settings.force_features;
        if warn {
            self.warnings.push(Warning::Avx10 { asked, gets: (!stays).then_some(gets) });
        }
        if !stays {
            self.settings.avx10_version = gets;
        }
        true
    }
}
