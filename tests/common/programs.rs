//! The QEMU programs on this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The system's QEMU, and those that `tests/qemu/unpack` unpacked: each by a script that starts it.
pub(crate) fn programs(repository: &Path, scratch: &Path) -> Vec<PathBuf> {
    let folder = scratch.join("programs");
    fs::create_dir_all(&folder).unwrap();
    let mut all: Vec<PathBuf> =
        [PathBuf::from("/usr/bin/qemu-system-x86_64")].into_iter().filter(|path| path.exists()).collect();
    let roots = fs::read_dir(repository.join(".oracle"));
    let roots = roots.into_iter().flatten().map(|entry| entry.unwrap().path());
    for root in roots.filter(|root| root.join("usr/bin/qemu-system-x86_64").exists()) {
        let (path, at) = (folder.join(root.file_name().unwrap()), root.display());
        let script = format!(
            "export QEMU_MODULE_DIR='{at}/usr/lib/x86_64-linux-gnu/qemu'\n\
             exec '{at}/lib64/ld-linux-x86-64.so.2' --library-path '{at}/usr/lib/x86_64-linux-gnu' \
             '{at}/usr/bin/qemu-system-x86_64' -L '{at}/usr/share/seabios' -L '{at}/usr/share/qemu' \"$@\"\n"
        );
        write_script(&path, &script);
        all.push(path);
    }
    all.sort();
    all
}

/// Writes a program of the shell's. It is renamed into place: what another thread executes is not written.
pub(crate) fn write_script(path: &Path, script: &str) {
    let new = path.with_extension(format!("{:?}", std::thread::current().id()));
    fs::write(&new, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&new, path).unwrap();
}
