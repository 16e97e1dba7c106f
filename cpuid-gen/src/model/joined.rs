//! The bits of a model while releases are merged into it, by their identity.

use super::linux_view::LinuxView;
use super::types::{Feature, KernelBit, KernelView, Model, MsrFeature, QemuView};
use crate::index::QemuRows;
use crate::location::{Bit, Location, Msr};
use crate::ordered::Map;
use crate::published::{Published, PublishedBit};

/// The model while releases are added to it.
pub(super) struct Joined {
    pub(super) linux: usize,
    pub(super) qemu: usize,
    pub(super) features: Map<Location, (Vec<LinuxView>, Vec<QemuView>)>,
    pub(super) software: Map<String, Vec<Option<KernelView>>>,
    pub(super) bugs: Map<String, Vec<Option<KernelView>>>,
    pub(super) vmx: Map<String, Vec<Option<KernelView>>>,
    pub(super) msr: Map<(Msr, Bit), Vec<QemuView>>,
}

impl Joined {
    /// An empty model, for this many releases of each project.
    pub(super) fn new(linux: usize, qemu: usize) -> Joined {
        Joined {
            linux,
            qemu,
            features: Map::new(),
            software: Map::new(),
            bugs: Map::new(),
            vmx: Map::new(),
            msr: Map::new(),
        }
    }

    pub(super) fn feature(&mut self, location: Location) -> &mut (Vec<LinuxView>, Vec<QemuView>) {
        let (linux, qemu) = (self.linux, self.qemu);
        self.features
            .or_insert_with(location, || (vec![LinuxView::default(); linux], vec![QemuView::default(); qemu]))
    }

    /// Adds published bits, which are in the model even if no release has them.
    pub(super) fn keep(&mut self, published: &Published) {
        let (linux, qemu) = (self.linux, self.qemu);
        for constant in &published.constants {
            let bits = match constant.bit {
                PublishedBit::Feature(location) => {
                    self.feature(location);
                    continue;
                }
                PublishedBit::Msr(msr, bit) => {
                    self.msr.or_insert_with((msr, bit), || vec![QemuView::default(); qemu]);
                    continue;
                }
                PublishedBit::Software => &mut self.software,
                PublishedBit::Bug => &mut self.bugs,
                PublishedBit::Vmx => &mut self.vmx,
                PublishedBit::Field(..) => continue,
            };
            bits.or_insert_with(constant.name.clone(), || vec![None; linux]);
        }
    }

    /// Records each QEMU release's feature word at every location of its register, including bits that only others name.
    pub(super) fn fill_qemu_words(&mut self, releases: &[QemuRows<'_>]) {
        for (release, rows) in releases.iter().enumerate() {
            for (location, (_, views)) in self.features.iter_mut() {
                views[release].word = rows.registers.get(&location.word).map(|word| word.index);
            }
        }
    }

    pub(super) fn into_model(self) -> Model {
        let features: Vec<Feature> = self
            .features
            .into_iter()
            .map(|(location, (linux, qemu))| Feature {
                constant: String::new(),
                former: Vec::new(),
                location,
                linux,
                qemu,
            })
            .collect();
        let msr: Vec<MsrFeature> = self
            .msr
            .into_iter()
            .map(|((msr, bit), qemu)| MsrFeature {
                constant: String::new(),
                former: Vec::new(),
                msr,
                bit,
                qemu,
            })
            .collect();
        Model {
            features,
            software: kernel_bits(self.software),
            bugs: kernel_bits(self.bugs),
            vmx: kernel_bits(self.vmx),
            msr,
            ..Model::default()
        }
    }
}

fn kernel_bits(bits: Map<String, Vec<Option<KernelView>>>) -> Vec<KernelBit> {
    bits.into_iter().map(|(name, linux)| KernelBit { constant: String::new(), name, linux }).collect()
}
