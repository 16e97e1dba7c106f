//! QEMU's `-smp` syntax (`qemu_smp_opts` of system/vl.c, `SMPConfiguration` of qapi/machine.json).

use alloc::string::ToString;
use core::str::FromStr;

use super::keyval::keyval;
use super::values::signed;
use crate::guest::error::BuildError;

/// A parsed `-smp` option; omitted numbers are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Smp {
    /// Initial number of vCPUs.
    pub cpus: Option<u32>,
    /// Maximum number of vCPUs.
    pub max_cpus: Option<u32>,
    /// Number of sockets.
    pub sockets: Option<u32>,
    /// Dies per socket.
    pub dies: Option<u32>,
    /// Modules per die.
    pub modules: Option<u32>,
    /// Cores per module.
    pub cores: Option<u32>,
    /// Threads per core.
    pub threads: Option<u32>,
    /// The numbers, a bit for each in the order of the fields, that were above 32 bits: QEMU keeps their lower 32 bits, and
    /// since 9.0 asks the whole number whether the machine has the level. The bits above are of levels that no PC has.
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub wide: u16,
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(wide: &u16) -> bool {
    *wide == 0
}

/// The places of dies and modules in [`Smp::given`].
pub(crate) const DIES: usize = 3;
pub(crate) const MODULES: usize = 4;
/// The bits of [`Smp::wide`] for levels that no PC has, and that may be 1: books or drawers were given; one of them or clusters
/// was above 32 bits; one was 0.
const FOREIGN: u16 = 1 << 7;
const FOREIGN_WIDE: u16 = 1 << 8;
const FOREIGN_ZERO: u16 = 1 << 9;

impl FromStr for Smp {
    type Err = BuildError;

    /// `8`, `cpus=8,sockets=2,dies=1,cores=2,threads=2,maxcpus=8`. A later value of a name replaces an earlier one.
    fn from_str(text: &str) -> Result<Smp, BuildError> {
        let mut smp = Smp::default();
        for (name, value) in keyval(text, "smp", "cpus")? {
            smp.set(&name, &value)?;
        }
        Ok(smp)
    }
}

impl Smp {
    pub(crate) fn given(&self) -> [Option<u32>; 7] {
        [self.cpus, self.max_cpus, self.sockets, self.dies, self.modules, self.cores, self.threads]
    }

    /// True if a number was above 32 bits.
    pub(crate) fn is_wide(&self, at: usize) -> bool {
        self.wide >> at & 1 != 0
    }

    /// True if books or drawers were given.
    pub(crate) fn has_foreign_levels(&self) -> bool {
        self.wide & FOREIGN != 0
    }

    /// True if a level that no PC has was above 32 bits.
    pub(crate) fn has_wide_foreign_level(&self) -> bool {
        self.wide & FOREIGN_WIDE != 0
    }

    /// These numbers, replaced by those that another sets.
    pub(crate) fn overridden(&self, other: &Smp) -> Smp {
        let (own, others) = (self.given(), other.given());
        let is_set = |at: usize| others[at].is_some() || other.is_wide(at);
        let [cpus, max_cpus, sockets, dies, modules, cores, threads] =
            core::array::from_fn(|at| if is_set(at) { others[at] } else { own[at] });
        let foreign = FOREIGN | FOREIGN_WIDE | FOREIGN_ZERO;
        let kept = (0..own.len()).filter(|at| !is_set(*at)).fold(foreign, |bits, at| bits | 1 << at);
        let wide = other.wide | self.wide & kept;
        Smp { cpus, max_cpus, sockets, dies, modules, cores, threads, wide }
    }

    /// True if a number is given as 0.
    pub(crate) fn has_zero(&self) -> bool {
        self.given().contains(&Some(0)) || self.wide & FOREIGN_ZERO != 0
    }

    /// Sets a number by its name in `-smp` or, after `smp.`, in `-machine`.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), BuildError> {
        let number = signed(value).ok_or_else(|| BuildError::value(name, value, "a number"))?;
        let low = u32::try_from(number.rem_euclid(1 << 32)).unwrap_or(0);
        let (at, field) = match name {
            "cpus" => (0, &mut self.cpus),
            "maxcpus" => (1, &mut self.max_cpus),
            "sockets" => (2, &mut self.sockets),
            "dies" => (DIES, &mut self.dies),
            "modules" => (MODULES, &mut self.modules),
            "cores" => (5, &mut self.cores),
            "threads" => (6, &mut self.threads),
            // Levels that PCs do not have.
            "clusters" | "books" | "drawers" if low <= 1 => {
                let bits =
                    [(name != "clusters", FOREIGN), (number > 1, FOREIGN_WIDE), (number == 0, FOREIGN_ZERO)];
                self.wide |= bits.iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, bit)| all | bit);
                return Ok(());
            }
            _ => return Err(BuildError::SmpOption(name.to_string())),
        };
        // QEMU keeps the lower 32 bits, and takes what is then 0 for omitted; only a 0 itself is an error.
        *field = Some(low).filter(|low| *low != 0 || number == 0);
        let wide = u16::from(number >> 32 > 0) << at;
        self.wide = self.wide & !(1 << at) | wide;
        Ok(())
    }
}
