//! Finds the files of a witness's tree, and its release.

use std::fs;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::Witness;
use crate::source::{FileId, Sources, Span};

/// The files of one tree.
#[derive(Debug)]
pub(super) struct WitnessTree {
    /// The project.
    pub(super) project: Witness,
    /// The file with the names of bits.
    pub(super) header: FileId,
    /// Xen's gen-cpuid.py.
    pub(super) deps: Option<FileId>,
    /// Xen's vmcs.h.
    pub(super) vmx: Option<FileId>,
    /// libvirt's CPU models, sorted by name.
    pub(super) models: Vec<FileId>,
    release: Release,
}

/// The statement of the release.
#[derive(Debug)]
enum Release {
    /// A file.
    File(FileId),
    /// The folder of an installed compiler, which is named after its major version.
    Folder(String),
}

/// The file with the names, and the one with the release.
const SOURCES: [(Witness, &str, &str); 5] = [
    (Witness::Xen, "xen/include/public/arch-x86/cpufeatureset.h", "xen/Makefile"),
    (Witness::Libvirt, "src/cpu_map/x86_features.xml", "meson.build"),
    (Witness::FreeBsd, "sys/x86/include/specialreg.h", "sys/sys/param.h"),
    (Witness::Llvm, "clang/lib/Headers/cpuid.h", "cmake/Modules/LLVMVersion.cmake"),
    (Witness::Gcc, "gcc/config/i386/cpuid.h", "gcc/BASE-VER"),
];

/// Folders of an installed compiler; `*` is any folder.
const INSTALLED: [(Witness, &[&str]); 2] =
    [(Witness::Llvm, &["lib/clang"]), (Witness::Gcc, &["lib/gcc", "*"])];

/// Xen's vmcs.h, and before 4.17.
const VMX: [&str; 2] = ["xen/arch/x86/include/asm/hvm/vmx/vmcs.h", "xen/include/asm-x86/hvm/vmx/vmcs.h"];

impl WitnessTree {
    /// Finds and reads the files below `root`.
    pub(super) fn open(
        sources: &mut Sources,
        root: &Path,
        diagnostics: &mut Diagnostics,
    ) -> Option<WitnessTree> {
        let Some((project, header, release)) = SOURCES.iter().find(|(_, path, _)| root.join(path).is_file())
        else {
            return WitnessTree::installed(sources, root, diagnostics);
        };
        let mut need = |path: &str| diagnostics.take(sources.read(root, path));
        let (header, release) = (need(header)?, Release::File(need(release)?));
        let mut tree = WitnessTree::new(*project, header, release);
        match project {
            Witness::Xen => {
                tree.deps = Some(need("xen/tools/gen-cpuid.py")?);
                let vmx = VMX.iter().find(|path| root.join(path).is_file());
                tree.vmx = Some(need(vmx.unwrap_or(&VMX[0]))?);
            }
            Witness::Libvirt => {
                let names = diagnostics.take(models(&root.join("src/cpu_map")))?;
                for name in names {
                    let read = sources.read(root, &format!("src/cpu_map/{name}"));
                    tree.models.push(diagnostics.take(read)?);
                }
            }
            Witness::FreeBsd | Witness::Llvm | Witness::Gcc => {}
        }
        Some(tree)
    }

    fn new(project: Witness, header: FileId, release: Release) -> WitnessTree {
        WitnessTree { project, header, deps: None, vmx: None, models: Vec::new(), release }
    }

    /// The header of an installed compiler: `lib/clang/19/include/cpuid.h`, `lib/gcc/x86_64-linux-gnu/14/include/cpuid.h`.
    fn installed(sources: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<WitnessTree> {
        let mut found: Vec<(Witness, String, String)> = Vec::new();
        for (project, steps) in INSTALLED {
            let mut folders = vec![String::new()];
            for step in steps {
                folders = folders.iter().flat_map(|folder| below(root, folder, step)).collect();
            }
            for folder in folders.iter().flat_map(|folder| below(root, folder, "*")) {
                let release = folder.rsplit('/').next().unwrap_or_default().to_owned();
                let path = format!("{folder}/include/cpuid.h");
                // `14.0.6` before clang 16.
                let numbers = release.split('.').all(|part| part.parse::<u32>().is_ok());
                if numbers && root.join(&path).is_file() {
                    found.push((project, path, release));
                }
            }
        }
        match found.as_slice() {
            [(project, path, release)] => {
                let header = diagnostics.take(sources.read(root, path))?;
                Some(WitnessTree::new(*project, header, Release::Folder(release.clone())))
            }
            [] => {
                let files: Vec<&str> = SOURCES.iter().map(|(_, path, _)| *path).collect();
                let message = format!("not the tree of a witness: found none of {}", files.join(", "));
                let help = "name the root of a tree of Xen, libvirt, FreeBSD, LLVM or GCC, the folder of an installed \
                            compiler, or a facts file";
                diagnostics.push(Diagnostic::file(root, message).with_help(help));
                None
            }
            [(_, one, _), (_, other, _), ..] => {
                let message = format!("several compilers: {one}, {other}");
                diagnostics.push(Diagnostic::file(root, message).with_help("name the folder of one"));
                None
            }
        }
    }

    /// The release that the tree states.
    pub(super) fn release(&self, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<(String, Span)> {
        let file = match &self.release {
            Release::Folder(release) => return Some((release.clone(), sources.span(self.header, 0, 0))),
            Release::File(file) => *file,
        };
        let text = sources[file].text.as_str();
        let (release, key) = match self.project {
            Witness::Xen => (xen(text), "XEN_VERSION"),
            Witness::Libvirt => (libvirt(text), "version:"),
            Witness::FreeBsd => (freebsd(text), "__FreeBSD_version"),
            Witness::Llvm => (llvm(text), "LLVM_VERSION_MAJOR"),
            Witness::Gcc => (text.split_whitespace().next().map(str::to_owned), ""),
        };
        let at = sources.find_text(file, key).unwrap_or(sources.span(file, 0, 0));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let is_release = |text: &String| {
            text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(plain) && text.len() <= 32
        };
        match release.filter(is_release) {
            Some(release) => Some((release, at)),
            None => {
                let project = self.project.name();
                diagnostics.error(at, format!("found no release of {project} here"));
                None
            }
        }
    }
}

/// The sorted subfolders of `root`/`folder`: all of them, or the one that `step` names.
fn below(root: &Path, folder: &str, step: &str) -> Vec<String> {
    let join = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    if step != "*" {
        return vec![join(step)];
    }
    let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut all: Vec<String> =
        names.map(|name| join(&name)).filter(|path| root.join(path).is_dir()).collect();
    all.sort_unstable();
    all
}

/// The names of the files with CPU models.
fn models(folder: &Path) -> Result<Vec<String>, Diagnostic> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Diagnostic::file(folder, error))? {
        let name = entry.map_err(|error| Diagnostic::file(folder, error))?.file_name();
        let name = name.to_string_lossy().into_owned();
        let other = ["x86_features.xml", "x86_vendors.xml"].contains(&name.as_str());
        if name.starts_with("x86_") && name.ends_with(".xml") && !other {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The text after `key` on the first line that starts with it, after a `=`, `?=` or `:`.
fn value_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let rest = line.trim_start().trim_start_matches("export ").strip_prefix(key)?.trim_start();
        Some(rest.trim_start_matches(['?', ':']).trim_start_matches('=').trim())
    })
}

/// `XEN_VERSION = 4`, `XEN_SUBVERSION = 20`, `XEN_EXTRAVERSION ?= .1$(XEN_VENDORVERSION)`
fn xen(makefile: &str) -> Option<String> {
    let extra = value_of(makefile, "XEN_EXTRAVERSION")?;
    let extra = extra.split('$').next().unwrap_or_default();
    Some(format!("{}.{}{extra}", value_of(makefile, "XEN_VERSION")?, value_of(makefile, "XEN_SUBVERSION")?))
}

/// `version: '11.3.0',`
fn libvirt(build: &str) -> Option<String> {
    Some(value_of(build, "version:")?.trim_matches([',', '\'', ' ']).to_owned())
}

/// `#define __FreeBSD_version 1402000`: the major version, and the minor one as the second and third digit after it.
fn freebsd(param: &str) -> Option<String> {
    let rest = param.split("#define __FreeBSD_version").nth(1)?;
    let number: u32 = rest.split_whitespace().next()?.parse().ok()?;
    Some(format!("{}.{}", number / 100_000, number / 1000 % 100))
}

/// `set(LLVM_VERSION_MAJOR 19)`, with MINOR and PATCH.
fn llvm(cmake: &str) -> Option<String> {
    let part = |name: &str| {
        let rest = cmake.split(&format!("set(LLVM_VERSION_{name} ")).nth(1)?;
        Some(rest.split(')').next()?.trim().to_owned())
    };
    Some(format!("{}.{}.{}", part("MAJOR")?, part("MINOR")?, part("PATCH")?))
}
