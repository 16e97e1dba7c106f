//! QEMU's `-smp` syntax (`qemu_smp_opts` of system/vl.c, `SMPConfiguration` of qapi/machine.json).

use core::str::FromStr;

use super::values::signed;
use crate::guest::error::BuildError;

/// What `-smp` says; what it leaves out is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Smp {
    /// vCPUs there are at the start.
    pub cpus: Option<u32>,
    /// vCPUs there may be.
    pub max_cpus: Option<u32>,
    /// Sockets.
    pub sockets: Option<u32>,
    /// Dies of a socket.
    pub dies: Option<u32>,
    /// Modules of a die.
    pub modules: Option<u32>,
    /// Cores of a module.
    pub cores: Option<u32>,
    /// Threads of a core.
    pub threads: Option<u32>,
}

impl FromStr for Smp {
    type Err = BuildError;

    /// `8`, `cpus=8,sockets=2,dies=1,cores=2,threads=2,maxcpus=8`. A later value of a name replaces an earlier one.
    fn from_str(text: &str) -> Result<Smp, BuildError> {
        let mut smp = Smp::default();
        for (at, part) in text.split(',').enumerate() {
            match part.split_once('=') {
                Some((name, value)) => smp.set(name, value)?,
                None if at == 0 => smp.set("cpus", part)?,
                None => return Err(BuildError::value("smp", part, "name=number")),
            }
        }
        Ok(smp)
    }
}

impl Smp {
    pub(crate) fn given(&self) -> [Option<u32>; 7] {
        [self.cpus, self.max_cpus, self.sockets, self.dies, self.modules, self.cores, self.threads]
    }

    /// A number is given as 0.
    pub(crate) fn has_zero(&self) -> bool {
        self.given().contains(&Some(0))
    }

    /// Sets a number by its name in `-smp` or, after `smp.`, in `-machine`.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), BuildError> {
        let number = signed(value).and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or_else(|| BuildError::value(name, value, "a number"))?;
        let field = match name {
            "cpus" => &mut self.cpus,
            "maxcpus" => &mut self.max_cpus,
            "sockets" => &mut self.sockets,
            "dies" => &mut self.dies,
            "modules" => &mut self.modules,
            "cores" => &mut self.cores,
            "threads" => &mut self.threads,
            // Levels that no PC has.
            "clusters" | "books" | "drawers" if number == 1 => return Ok(()),
            _ => return Err(BuildError::value("smp", name, "a level of a PC's topology")),
        };
        *field = Some(number);
        Ok(())
    }
}
