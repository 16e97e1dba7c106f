//! Releases next to another one, and the pinned release that a name stands for.

use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::vocabulary::release_order::ReleaseOrder;

/// The last of some releases that is older than this one, and the first that is not.
pub(crate) fn around<'f, T>(own: &str, pinned: &'f [T], name: impl Fn(&T) -> &str) -> Vec<&'f T> {
    let own = ReleaseOrder::new(own);
    let older = pinned.iter().filter(|other| ReleaseOrder::new(name(other)) < own);
    let newer = pinned.iter().filter(|other| ReleaseOrder::new(name(other)) >= own);
    let by_release = |a: &&T, b: &&T| ReleaseOrder::new(name(a)).cmp(&ReleaseOrder::new(name(b)));
    older.max_by(by_release).into_iter().chain(newer.min_by(by_release)).collect()
}

/// A pinned release.
#[derive(Clone, Copy)]
pub(crate) struct Pinned {
    /// Its facts file: `linux-7.3.tsv`.
    pub(crate) file: &'static str,
    /// The facts.
    pub(crate) text: &'static str,
    /// `linux` or `qemu`.
    project: &'static str,
    /// `7.3`
    series: &'static str,
    /// `7.3.4`
    release: &'static str,
}

/// The pinned releases.
fn pinned() -> impl Iterator<Item = Pinned> {
    crate::pinned().iter().filter_map(|&(file, text)| {
        let (project, series) = file.strip_suffix(".tsv")?.split_once('-')?;
        // The release is the first row.
        let release = text.lines().find(|line| !line.starts_with('#'))?.split('\t').nth(1)?;
        Some(Pinned { file, text, project, series, release })
    })
}

/// What a command line can name in place of a tree or a facts file, for a message.
pub(crate) fn names() -> String {
    let all: Vec<String> =
        pinned().map(|one| format!("{}-{} ({})", one.project, one.series, one.release)).collect();
    format!("the pinned releases are {}", all.join(", "))
}

/// A release as people write it.
struct Name<'t> {
    project: Option<&'static str>,
    /// `7.3.4`
    numbers: &'t str,
    /// A release candidate, or a commit after a release: `-rc2`, `-1234-gabcdef`.
    is_between: bool,
}

/// What stands before a release's number, in names of tags, packages and kernels, and in `--version`.
const WORDS: [&str; 15] = [
    "linux", "kernel", "image", "headers", "stable", "uek", "qemu", "kvm", "core", "system", "x86", "pve",
    "emulator", "version", "v",
];

/// `linux-7.3`, `v6.12`, `6.12.117-amd64`, `qemu-11.0.0-rc2`, `1:10.0.13+ds-0+deb13u1`; nothing for a path and a name without a
/// version.
fn parse(text: &str) -> Option<Name<'_>> {
    if text.contains(['/', '\\']) || text.ends_with(".tsv") {
        return None;
    }
    let folded = text.to_ascii_lowercase();
    let projects = [("qemu", "qemu"), ("linux", "linux"), ("kernel", "linux")];
    let project = projects.into_iter().find(|(word, _)| folded.contains(word)).map(|(_, project)| project);
    // The numbers begin a word; before them are words of such names alone, and an epoch.
    let is_word = |word: &str| WORDS.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit());
    let begins = |at: usize| {
        let before = folded[..at].strip_suffix('v').unwrap_or(&folded[..at]);
        let ends_a_word = before.chars().next_back().is_none_or(|c| matches!(c, '-' | '_' | ' ' | ':'));
        ends_a_word && before.split(['-', '_', ' ', ':']).all(is_word)
    };
    let digits = folded.char_indices().filter(|(at, c)| c.is_ascii_digit() && begins(*at));
    let mut found = digits.filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest[..end].contains('.').then(|| rest.split_at(end))
    });
    let (numbers, suffix) = found.find(|(numbers, _)| !numbers.ends_with('.'))?;
    let is_commit = |part: &str| part.strip_prefix('g').is_some_and(|hash| hash.len() >= 7);
    let is_between = suffix.starts_with("-rc") || suffix.split('-').any(is_commit);
    Some(Name { project, numbers, is_between })
}

/// The pinned release that a text names, of the project that is wanted; nothing if the text is no release's name.
///
/// # Errors
///
/// No release with that name is pinned, or several are.
pub(crate) fn named(path: &Path, wanted: Option<&'static str>) -> Result<Option<Pinned>, Diagnostic> {
    let Some((text, name)) = path.to_str().and_then(|text| Some((text, parse(text)?))) else {
        return Ok(None);
    };
    let project = name.project.or(wanted);
    let of_project: Vec<Pinned> =
        pinned().filter(|one| project.is_none_or(|project| one.project == project)).collect();
    let is_named = |one: &&Pinned| [one.series, one.release].contains(&name.numbers) && !name.is_between;
    let found: Vec<&Pinned> = of_project.iter().filter(is_named).collect();
    match found.as_slice() {
        [one] => Ok(Some(**one)),
        [] => Err(not_pinned(text, &name, project, &of_project)),
        several => {
            let all: Vec<String> =
                several.iter().map(|one| format!("{}-{}", one.project, one.series)).collect();
            Err(Diagnostic::general(format!(
                "`{text}` is a release of two projects: write {}",
                all.join(" or ")
            )))
        }
    }
}

/// The error for a release that is not pinned, with what to write instead.
fn not_pinned(text: &str, name: &Name<'_>, project: Option<&str>, all: &[Pinned]) -> Diagnostic {
    let nearest = around(name.numbers, all, |one| one.release);
    let nearest = nearest.last().filter(|_| project.is_some());
    let nearest = nearest.map(|one| format!("; the nearest is {}-{}", one.project, one.series));
    let help = "another release is read from its tree, or from a facts file that `cpuid-gen import` wrote";
    Diagnostic::general(format!("`{text}` is neither a file nor a pinned release")).with_help(format!(
        "{}{}; {help}",
        names(),
        nearest.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{named, pinned};

    #[test]
    fn releases_as_people_write_them() {
        for one in pinned() {
            let (project, series, release) = (one.project, one.series, one.release);
            for name in [
                format!("{project}-{series}"),
                format!("{project}-{release}"),
                format!("{project} v{release}"),
                format!("{project}-v{series}"),
                format!("{project}-image-{release}-amd64"),
                format!("{project}-kvm-1:{release}+ds-0+deb13u1"),
            ] {
                let found = named(Path::new(&name), None).ok().flatten();
                assert_eq!(found.map(|found| found.file), Some(one.file), "{name}");
            }
            for name in [series.to_owned(), format!("v{release}"), format!("{release}-1-cloud-amd64")] {
                let found = named(Path::new(&name), Some(project)).ok().flatten();
                assert_eq!(found.map(|found| found.file), Some(one.file), "{name}");
            }
        }
    }

    #[test]
    fn other_releases_are_refused_and_other_names_are_paths() {
        for name in [
            "linux-5.14.0-570.el9.x86_64",
            "v11.0.0-rc2",
            "qemu-10.0.0-1234-gabcdef0",
            "99.1",
            "kernel-0.1",
            "linux-7.3.4-rc1",
        ] {
            let refused = named(Path::new(name), None).err();
            let help = refused.and_then(|refused| refused.help).unwrap_or_default();
            assert!(help.contains("the pinned releases are linux-"), "{name}: {help}");
        }
        for name in [
            "facts-7.3.txt",
            "linux-7.3.txt",
            "pc-q35-9.2",
            "linux 7.",
            "linux",
            "facts.tsv",
            "./linux-7.3",
            "../7.3",
            "linux-7.tsv",
            "10",
            "é",
            "",
            "a.b",
        ] {
            assert!(matches!(named(Path::new(name), None), Ok(None)), "{name}");
        }
    }
}
