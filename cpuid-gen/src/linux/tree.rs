//! Finds the files of a Linux tree that contain the tables.
//!
//! The enums have moved between headers: `enum cpuid_leafs` is in asm/cpufeature.h since 4.6, `enum
//! kvm_only_cpuid_leafs` in kvm/cpuid.h (5.13), kvm/reverse_cpuid.h (5.14) and asm/kvm_host.h (6.19), the register
//! enum in scattered.c (3.x), kvm/cpuid.h, asm/processor.h, asm/cpuid.h and asm/cpuid/types.h. They are found by
//! searching `arch/x86`.

use std::path::Path;

use walkdir::WalkDir;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::facts::KvmModule;
use crate::source::{FileId, Sources, read_limited};

/// The files of one tree.
#[derive(Debug)]
pub struct Tree {
    /// The top Makefile.
    pub(super) makefile: FileId,
    /// The header with `X86_FEATURE_*`.
    pub(super) features: FileId,
    /// asm/vmxfeatures.h, since 5.6.
    pub(super) vmx: Option<FileId>,
    /// The script that generates the name map, since 3.15.
    pub(super) mkcapflags: Option<FileId>,
    /// The header with `enum cpuid_leafs`, since 4.6.
    pub(super) leafs: Option<FileId>,
    /// The header with `enum kvm_only_cpuid_leafs`, since 5.13.
    pub(super) kvm_leafs: Option<FileId>,
    /// The file with the enum of CPUID's four registers.
    pub(super) registers: Option<FileId>,
    /// The file with `reverse_cpuid[]`, since 4.11.
    pub(super) reverse_cpuid: Option<FileId>,
    /// arch/x86/kvm/cpuid.c
    pub(super) kvm_cpuid: FileId,
    /// The files of kvm-intel, kvm-amd and KVM that have capabilities or parameters; empty if the tree lacks the two.
    pub(super) modules: Vec<(KvmModule, FileId)>,
    /// arch/x86/kernel/cpu/scattered.c
    pub(super) scattered: FileId,
    /// arch/x86/kernel/cpu/cpuid-deps.c, since 4.15.
    pub(super) deps: Option<FileId>,
    /// arch/x86/include/uapi/asm/kvm_para.h, since 3.7.
    pub(super) kvm_para: Option<FileId>,
    /// asm/msr-index.h, in uapi before 4.4.
    pub(super) msr_index: Option<FileId>,
    /// asm/required-features.h, before 6.15.
    pub(super) required: Option<FileId>,
    /// asm/disabled-features.h, from 3.16 to 6.14.
    pub(super) disabled: Option<FileId>,
    /// arch/x86/Kconfig.cpufeatures, since 6.15.
    pub(super) kconfig: Option<FileId>,
    /// tools/arch/x86/kcpuid/cpuid.csv, since 5.13.
    pub(super) cpuid_csv: Option<FileId>,
    /// asm/cpuid/leaf_types.h, since 7.3.
    pub(super) leaf_types: Option<FileId>,
}

/// The definitions searched for in every header, besides the files with a fixed path.
const SOUGHT: [&str; 4] =
    ["enum cpuid_leafs", "enum kvm_only_cpuid_leafs", "enum cpuid_regs", "struct cpuid_reg reverse_cpuid[]"];

/// The files with the modules' set-up.
const MAIN_FILES: [(KvmModule, &str); 4] = [
    (KvmModule::Intel, "arch/x86/kvm/vmx.c"),
    (KvmModule::Intel, "arch/x86/kvm/vmx/vmx.c"),
    (KvmModule::Amd, "arch/x86/kvm/svm.c"),
    (KvmModule::Amd, "arch/x86/kvm/svm/svm.c"),
];

/// Where the modules of KVM are; until 5.7 kvm-amd and until 5.0 kvm-intel were one file next to KVM's.
const MODULES: [(KvmModule, &str); 10] = [
    (KvmModule::Intel, "arch/x86/kvm/vmx.c"),
    (KvmModule::Intel, "arch/x86/kvm/vmx/capabilities.h"),
    (KvmModule::Intel, "arch/x86/kvm/vmx/sgx.c"),
    (KvmModule::Intel, "arch/x86/kvm/vmx/vmx.c"),
    (KvmModule::Amd, "arch/x86/kvm/svm.c"),
    (KvmModule::Amd, "arch/x86/kvm/svm/svm.h"),
    (KvmModule::Amd, "arch/x86/kvm/svm/sev.c"),
    (KvmModule::Amd, "arch/x86/kvm/svm/svm.c"),
    (KvmModule::Kvm, "arch/x86/kvm/pmu.c"),
    (KvmModule::Kvm, "arch/x86/kvm/x86.c"),
];

impl Tree {
    /// The definitions that have moved between files, and the upstream path of each in this tree.
    pub fn found<'s>(&self, sources: &'s Sources) -> impl Iterator<Item = (&'static str, &'s str)> {
        let found = [
            ("enum cpuid_leafs", self.leafs),
            ("enum kvm_only_cpuid_leafs", self.kvm_leafs),
            ("enum cpuid_regs", self.registers),
            ("reverse_cpuid[]", self.reverse_cpuid),
        ];
        found.into_iter().filter_map(|(what, file)| Some((what, sources[file?].path.as_str())))
    }

    /// Finds and reads the files below `root`.
    pub fn open(sources: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<Tree> {
        if !root.join("arch/x86").is_dir() {
            let help = "name the root of a Linux tree, or a facts file";
            diagnostics.push(Diagnostic::file(root, "not a Linux tree: it has no arch/x86").with_help(help));
            return None;
        }
        let before = sources.next_id();
        let mut need = |path: &str| diagnostics.take(sources.read(root, path));
        let makefile = need("Makefile");
        let scattered = need("arch/x86/kernel/cpu/scattered.c");
        let kvm_cpuid = need("arch/x86/kvm/cpuid.c");
        let features = features_header(sources, root, diagnostics);
        let mut optional = |path: &str| diagnostics.take(sources.read_optional(root, path)).flatten();
        let vmx = optional("arch/x86/include/asm/vmxfeatures.h");
        let mkcapflags = optional("arch/x86/kernel/cpu/mkcapflags.sh");
        let deps = optional("arch/x86/kernel/cpu/cpuid-deps.c");
        let kvm_para = optional("arch/x86/include/uapi/asm/kvm_para.h");
        let msr_index = optional("arch/x86/include/asm/msr-index.h");
        let msr_index = msr_index.or_else(|| optional("arch/x86/include/uapi/asm/msr-index.h"));
        let required = optional("arch/x86/include/asm/required-features.h");
        let disabled = optional("arch/x86/include/asm/disabled-features.h");
        let kconfig = optional("arch/x86/Kconfig.cpufeatures");
        let cpuid_csv = optional("tools/arch/x86/kcpuid/cpuid.csv");
        let leaf_types = optional("arch/x86/include/asm/cpuid/leaf_types.h");
        let mut modules = Vec::new();
        for (module, path) in MODULES {
            modules.extend(optional(path).map(|file| (module, file)));
        }
        // A part of a module is not enough.
        let whole = |of: KvmModule| {
            of == KvmModule::Kvm
                || MAIN_FILES.iter().any(|(module, path)| *module == of && root.join(path).is_file())
        };
        modules.retain(|(module, _)| whole(*module));
        diagnostics.extend(half_of_kvm(root, whole));
        let (makefile, scattered, kvm_cpuid, features) = (makefile?, scattered?, kvm_cpuid?, features?);
        let [leafs, kvm_leafs, registers, reverse_cpuid] = walk(sources, root, before, diagnostics);
        let registers =
            registers.or_else(|| sources[scattered].text.contains(SOUGHT[2]).then_some(scattered));
        Some(Tree {
            makefile,
            features,
            vmx,
            mkcapflags,
            leafs,
            kvm_leafs,
            registers,
            reverse_cpuid,
            kvm_cpuid,
            modules,
            scattered,
            deps,
            kvm_para,
            msr_index,
            required,
            disabled,
            kconfig,
            cpuid_csv,
            leaf_types,
        })
    }
}

/// The warning about a tree with one of KVM's two modules: every tree has both, unless somebody left files out.
fn half_of_kvm(root: &Path, has: impl Fn(KvmModule) -> bool) -> Option<Diagnostic> {
    let [intel, amd] = [KvmModule::Intel, KvmModule::Amd].map(has);
    let (there, missing) = match (intel, amd) {
        (true, false) => (KvmModule::Intel, KvmModule::Amd),
        (false, true) => (KvmModule::Amd, KvmModule::Intel),
        _ => return None,
    };
    let [there, missing] = [there, missing].map(KvmModule::name);
    let help = format!("what {missing} adds to KVM's capabilities is unknown");
    let found = Diagnostic::file(root, format!("the tree has {there}, but not {missing}")).with_help(help);
    Some(Diagnostic { severity: Severity::Warning, ..found })
}

/// asm/cpufeatures.h since 4.6, asm/cpufeature.h before.
fn features_header(sources: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<FileId> {
    let new = "arch/x86/include/asm/cpufeatures.h";
    let old = "arch/x86/include/asm/cpufeature.h";
    match diagnostics.take(sources.read_optional(root, new))? {
        Some(file) => Some(file),
        None => diagnostics.take(sources.read(root, old)),
    }
}

/// The headers below arch/x86 with the definitions in [`SOUGHT`], each read once. Files read before `first` are another
/// tree's, in which the same paths have other contents.
fn walk(
    sources: &mut Sources,
    root: &Path,
    first: FileId,
    diagnostics: &mut Diagnostics,
) -> [Option<FileId>; 4] {
    let mut found = [None; 4];
    for entry in WalkDir::new(root.join("arch/x86")).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                diagnostics.push(Diagnostic::file(root, error));
                continue;
            }
        };
        let header = entry.path().extension().is_some_and(|extension| extension == "h");
        if !header {
            continue;
        }
        let Some(defines) = diagnostics.take(definitions(entry.path())).flatten() else { continue };
        let path =
            entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().replace('\\', "/");
        let known = sources.iter().find(|(id, file)| *id >= first && file.path == path).map(|(id, _)| id);
        let Some(id) = known.or_else(|| diagnostics.take(sources.read(root, &path))) else { continue };
        for (slot, is_here) in found.iter_mut().zip(defines) {
            match slot {
                Some(first) if is_here => {
                    let message = format!("{path} repeats the definition in {}", sources[*first].path);
                    diagnostics.push(Diagnostic::general(message));
                }
                _ if is_here => *slot = Some(id),
                _ => {}
            }
        }
    }
    found
}

/// Which of the [`SOUGHT`] a header defines; `None` if it defines none.
fn definitions(path: &Path) -> Result<Option<[bool; 4]>, Diagnostic> {
    let text = read_limited(path).map_err(|why| Diagnostic::file(path, why))?;
    let text = String::from_utf8(text)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if !text.contains("cpuid_") {
        return Ok(None);
    }
    let found = SOUGHT.map(|sought| defines(&text, sought));
    Ok(found.contains(&true).then_some(found))
}

/// True if `sought`, optionally with `_idx`, is followed by `{` or ` = {`.
fn defines(text: &str, sought: &str) -> bool {
    text.match_indices(sought).any(|(at, _)| {
        let rest = &text[at + sought.len()..];
        let rest = rest.strip_prefix("_idx").unwrap_or(rest).trim_start();
        rest.strip_prefix('=').unwrap_or(rest).trim_start().starts_with('{')
    })
}
