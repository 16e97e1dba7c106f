//! XSAVE's components on a host: their sizes and offsets (`x86_ext_save_areas[]` and `xsave_area_size` of
//! target/i386/cpu.c; `kvm_cpu_xsave_init` of kvm/kvm-cpu.c).

use super::flags::Reg;
use super::supported::Supported;
use crate::bits::location::Registers;
use crate::generated::guest_tables;
use crate::guest::error::BuildError;
use crate::guest::release::Release;

/// A component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Component {
    /// The words and bits that enable it; one is enough. An empty mask is none.
    pub(crate) features: [(usize, u64); 2],
    /// 0 for none.
    pub(crate) size: u32,
    pub(crate) offset: u32,
    /// ECX of its subleaf.
    pub(crate) flags: u32,
}

/// The number of possible components.
const COUNT: usize = 64;
/// The components of a release on a host.
#[derive(Clone, Copy)]
pub(crate) struct Components(pub(crate) [Component; COUNT]);

impl Components {
    /// Sizes from QEMU, offsets from the host.
    pub(crate) fn new(
        release: Release<'_>,
        supported: &Supported<'_>,
        host_words: &[u64],
    ) -> Result<Components, BuildError> {
        let mut all = [Component::default(); COUNT];
        let word = |reg| release.index(reg).map_or(0, |at| host_words[at]);
        let xcr0 = word(Reg::LdEdx) << 32 | word(Reg::LdEax);
        let xss = word(Reg::Lds1Edx) << 32 | word(Reg::Lds1Ecx);
        // Older releases ask only for components of XCR0.
        let there = if release.behaviour.components_are_hosts { xcr0 | xss } else { xcr0 };
        for &guest_tables::Component { number, feature, size } in release.tables.xsave {
            let Some(component) = all.get_mut(usize::from(number)) else { continue };
            let (word, mask) = (usize::from(feature.word), feature.mask);
            let free = component.features.iter_mut().find(|(_, mask)| *mask == 0);
            let Some(free) = free else { continue };
            *free = (word, mask);
            component.size = size;
            if number < 2 {
                continue;
            }
            let there = if release.behaviour.sizes_by_xcr0 {
                // QEMU shifts 32 bits, which no component reaches.
                there >> number & 1 != 0
            } else {
                host_words.get(word).is_some_and(|has| has & mask == mask)
            };
            if !there && release.behaviour.sizes_by_xcr0 {
                component.size = 0;
            }
            if !there || component.size == 0 {
                continue;
            }
            let number = u32::from(number);
            let Registers { eax, ebx, ecx, .. } = supported.instruction(0xd, number);
            if eax != 0 {
                if eax != component.size {
                    return Err(BuildError::XsaveSize { component: number, qemu: component.size, host: eax });
                }
                (component.offset, component.flags) = (ebx, ecx);
            }
        }
        Ok(Components(all))
    }

    /// Components that QEMU saves together: if it saves the first, the others must have a size and an offset, else it
    /// aborts (`x86_cpu_xsave_all_areas` of target/i386/xsave_helper.c). The first one without.
    pub(crate) fn incomplete(&self) -> Option<u32> {
        /// MPX, AVX-512.
        const TOGETHER: [(usize, &[u32]); 2] = [(3, &[4]), (5, &[6, 7])];
        let saved = |number: usize| {
            self.0.get(number).is_some_and(|component| component.size != 0 && component.offset != 0)
        };
        TOGETHER.iter().filter(|(first, _)| saved(*first)).find_map(|(_, others)| {
            others.iter().copied().find(|other| usize::try_from(*other).is_ok_and(|at| !saved(at)))
        })
    }

    /// Bytes that components take (`xsave_area_size`).
    pub(crate) fn size(&self, mask: u64, compacted: bool) -> u32 {
        let mut size = self.0[0].size;
        for (number, component) in self.0.iter().enumerate().skip(2) {
            if mask >> number & 1 != 0 {
                let offset = if compacted { size } else { component.offset };
                size = size.max(offset.wrapping_add(component.size));
            }
        }
        size
    }
}
