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
}

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

    /// True if a number is given as 0.
    pub(crate) fn has_zero(&self) -> bool {
        self.given().contains(&Some(0))
    }

    /// Sets a number by its name in `-smp` or, after `smp.`, in `-machine`.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), BuildError> {
        let number = signed(value).ok_or_else(|| BuildError::value(name, value, "a number"))?;
        let field = match name {
            "cpus" => &mut self.cpus,
            "maxcpus" => &mut self.max_cpus,
            "sockets" => &mut self.sockets,
            "dies" => &mut self.dies,
            "modules" => &mut self.modules,
            "cores" => &mut self.cores,
            "threads" => &mut self.threads,
            // Levels that PCs do not have.
            "clusters" | "books" | "drawers" if number == 1 => return Ok(()),
            _ => return Err(BuildError::SmpOption(name.to_string())),
        };
        // QEMU keeps the lower 32 bits, and takes what is then 0 for omitted; only a 0 itself is an error.
        let low = u32::try_from(number.rem_euclid(1 << 32)).unwrap_or(0);
        *field = Some(low).filter(|low| *low != 0 || number == 0);
        Ok(())
    }
}
