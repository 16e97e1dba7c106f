//! Dependencies between features, from `cpuid_deps[]` of Linux and `feature_dependencies[]` of QEMU.
//!
//! One sorted, transitively closed array of pairs: dependencies are found by binary search, dependents by iteration.

use super::feature::Feature;
use super::feature_set::FeatureSet;
use super::msr_feature::MsrFeature;
use crate::generated::bit_tables::{LIST, LISTS, MSR_BASE, NEEDS, NEEDS_ONE_OF, SOFTWARE_BASE, short};

/// Which pairs to include.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    All,
    Direct,
}

impl Only {
    const fn takes(self, needs: u16) -> bool {
        matches!(self, Only::All) || needs >= LIST
    }
}

/// The id of the second half of a pair.
const fn without_flag(needs: u16) -> u16 {
    needs & (LIST - 1)
}

/// Where the pairs of an id start.
const fn start_of(id: u16) -> usize {
    let (mut low, mut high) = (0, NEEDS.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if NEEDS[middle].0 < id {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The set with the feature of an id, if the id is a feature's.
const fn with(set: FeatureSet, id: u16) -> FeatureSet {
    if id < SOFTWARE_BASE { set.with(Feature(id)) } else { set }
}

const fn needed(id: u16, only: Only) -> FeatureSet {
    let (mut set, mut at) = (FeatureSet::new(), start_of(id));
    while at < NEEDS.len() && NEEDS[at].0 == id {
        if only.takes(NEEDS[at].1) {
            set = with(set, without_flag(NEEDS[at].1));
        }
        at += 1;
    }
    set
}

const fn needing(id: u16, only: Only) -> FeatureSet {
    let (mut set, mut at) = (FeatureSet::new(), 0);
    while at < NEEDS.len() {
        if without_flag(NEEDS[at].1) == id && only.takes(NEEDS[at].1) {
            set = with(set, NEEDS[at].0);
        }
        at += 1;
    }
    set
}

/// Ids as MSR features; other ids are skipped.
fn msr(ids: impl Iterator<Item = u16>) -> impl Iterator<Item = MsrFeature> {
    ids.filter_map(|id| id.checked_sub(MSR_BASE).map(MsrFeature))
}

fn needed_msr(id: u16) -> impl Iterator<Item = MsrFeature> {
    let own = NEEDS[start_of(id)..].iter().take_while(move |pair| pair.0 == id);
    msr(own.map(|pair| without_flag(pair.1)))
}

fn needing_msr(id: u16) -> impl Iterator<Item = MsrFeature> {
    let others = NEEDS.iter().filter(move |pair| without_flag(pair.1) == id);
    msr(others.map(|pair| pair.0))
}

fn needed_one_of(id: u16) -> impl Iterator<Item = FeatureSet> {
    let own = NEEDS_ONE_OF.iter().filter(move |row| row.0 == id);
    own.map(|row| {
        let list = &LISTS[usize::from(row.1 - LIST)..];
        let ids = list[1..=usize::from(list[0])].iter();
        ids.fold(FeatureSet::new(), |set, &id| with(set, id))
    })
}

macro_rules! needs {
    ($ty:ident, $id:expr) => {
        /// Dependencies: what Linux or QEMU removes together with a bit. Not all of them are architectural; some
        /// exist because no software uses the features separately.
        impl $ty {
            const fn id(self) -> u16 {
                $id(self)
            }

            /// Every CPUID feature that it depends on, transitively.
            ///
            /// All pinned releases count. An older release's dependency counts unless a newer release of the same
            /// project knows both features and lacks the dependency.
            #[must_use]
            pub const fn needs(self) -> FeatureSet {
                needed(self.id(), Only::All)
            }

            /// The CPUID features that a release lists as its direct dependencies.
            #[must_use]
            pub const fn needs_directly(self) -> FeatureSet {
                needed(self.id(), Only::Direct)
            }

            /// Sets of CPUID features; it depends on at least one feature of each set. Usually empty. The
            /// dependencies of these features are not part of [`needs`](Self::needs).
            pub fn needs_one_of(self) -> impl Iterator<Item = FeatureSet> {
                needed_one_of(self.id())
            }

            /// Every MSR bit that it depends on, transitively.
            pub fn needs_msr(self) -> impl Iterator<Item = MsrFeature> {
                needed_msr(self.id())
            }

            /// Every CPUID feature that depends on it, transitively: these must be removed with it.
            #[must_use]
            pub const fn needed_by(self) -> FeatureSet {
                needing(self.id(), Only::All)
            }

            /// The CPUID features that a release lists as directly dependent on it.
            #[must_use]
            pub const fn needed_by_directly(self) -> FeatureSet {
                needing(self.id(), Only::Direct)
            }

            /// Every MSR bit that depends on it, transitively.
            pub fn needed_by_msr(self) -> impl Iterator<Item = MsrFeature> {
                needing_msr(self.id())
            }
        }
    };
}

const fn feature_id(feature: Feature) -> u16 {
    feature.0
}

const fn msr_id(feature: MsrFeature) -> u16 {
    MSR_BASE + feature.0
}

needs!(Feature, feature_id);
needs!(MsrFeature, msr_id);

/// Dependencies.
///
/// ```
/// use cpuid_tables::{FeatureSet, feature};
///
/// let mut guest = FeatureSet::new().with(feature::AVX2);
/// // Missing dependencies of the guest's features.
/// let missing = guest.needs() - guest;
/// assert!(missing.contains(feature::AVX) && missing.contains(feature::XSAVE));
/// guest |= missing;
/// assert!(guest.needs().is_subset(&guest));
/// // Removing XSAVE removes the features that depend on it.
/// guest = guest - feature::XSAVE.needed_by() - FeatureSet::new().with(feature::XSAVE);
/// assert!(!guest.contains(feature::AVX2) && guest.contains(feature::FXSR));
/// ```
impl FeatureSet {
    /// Every feature that a feature of this set depends on, transitively; some may be in the set already.
    #[must_use]
    pub fn needs(&self) -> FeatureSet {
        let ids = NEEDS.iter().filter(|pair| self.has_id(pair.0)).map(|pair| without_flag(pair.1));
        ids.fold(FeatureSet::new(), with)
    }

    /// Every feature that depends on a feature of this set, transitively; some may be in the set already.
    #[must_use]
    pub fn needed_by(&self) -> FeatureSet {
        let ids = NEEDS.iter().filter(|pair| self.has_id(without_flag(pair.1))).map(|pair| pair.0);
        ids.fold(FeatureSet::new(), with)
    }

    fn has_id(&self, id: u16) -> bool {
        id < SOFTWARE_BASE && self.contains(Feature(id))
    }
}

// The flag of a direct dependency leaves room for every id.
const _: () = assert!(MSR_BASE + short(crate::generated::bit_tables::MSR_BITS.len()) <= LIST);
