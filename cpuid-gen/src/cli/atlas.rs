//! Writes the atlas.

use std::path::Path;

use cpuid_gen::atlas::Atlas;
use cpuid_gen::input;
use cpuid_gen::model::Model;
use cpuid_gen::verify::{Scope, verify};

use super::args::Inputs;
use super::{Failed, Result, Run, import};

impl Run {
    pub(super) fn atlas(&mut self, inputs: &Inputs, output: &Path) -> Result<()> {
        let (linux, qemu) = self.inputs(inputs)?;
        let published = self.published(None)?;
        let file = self.sources.add("differences.tsv", cpuid_gen::DIFFERENCES);
        let differences = self.judgements(file, None)?;
        let (model, doubts) = Model::merge_published(&linux, &qemu, &published);
        self.diagnostics.extend(doubts);
        let witnesses = input::pinned_witnesses(&mut self.sources, &mut self.diagnostics);
        if self.diagnostics.has_errors() {
            return Err(Failed::Contradiction);
        }
        let own = inputs.linux.is_some() || inputs.qemu.is_some();
        let scope = if own { Scope::Given } else { Scope::Pinned };
        let report = verify(&linux, &qemu, &differences, scope);
        let atlas = Atlas {
            model: &model,
            linux: &linux,
            qemu: &qemu,
            witnesses: &witnesses,
            report: &report,
            sources: &self.sources,
        };
        import::replace(output, &atlas.page())
            .map_err(|error| Failed::Io(Some(format!("{}: {error}", output.display()))))
    }
}
