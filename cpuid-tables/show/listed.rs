//! Names of features in lines that list them: libvirt's and Linux's messages, `-cpu` of a QEMU command line, Proxmox VE's `cpu:`,
//! labels of Kubernetes' nodes.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bits::release::QemuRelease;
use crate::naming::lists_in;

/// Names of a line, in its order.
pub(super) struct Listed<'t> {
    pub(super) names: Vec<&'t str>,
    /// True where each of them is meant as a feature's name: one that is not known is worth saying.
    pub(super) is_list: bool,
}

/// The lists of names of a line.
pub(super) fn lists(line: &str) -> Vec<Listed<'_>> {
    let labels = labels(line);
    if !labels.is_empty() {
        return Vec::from([Listed { names: labels, is_list: true }]);
    }
    let options: Vec<Listed<'_>> = options(line)
        .into_iter()
        .chain(flags(line))
        .map(|names| Listed { names, is_list: true })
        .filter(|listed| !listed.names.is_empty())
        .collect();
    if !options.is_empty() {
        return options;
    }
    lists_in(line).into_iter().map(|list| Listed { names: list.names, is_list: list.has_commas }).collect()
}

/// True for a property of QEMU's CPUs that is not a feature, such as `migratable`.
pub(super) fn is_property(name: &str) -> bool {
    QemuRelease::ALL.into_iter().any(|release| {
        release.cpu_properties().any(|property| property.name == name)
            || release.aliases().any(|(alias, _)| alias == name)
    })
}

/// A name without the sign before it and the value after it.
fn bare(item: &str) -> &str {
    let item = item.trim_start_matches(['+', '-']);
    item.split_once('=').map_or(item, |(name, _)| name)
}

/// The features after the model in `-cpu Haswell,+avx512f,hle=off`, wherever a line has it.
fn options(line: &str) -> Vec<Vec<&str>> {
    let mut words = line.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let mut all = Vec::new();
    while let Some(word) = words.next() {
        let option = match word {
            "-cpu" | "--cpu" => words.next(),
            _ => word.strip_prefix("-cpu=").or_else(|| word.strip_prefix("--cpu=")),
        };
        let Some((_, features)) = option.and_then(|option| option.split_once(',')) else { continue };
        // Proxmox VE's own option has the same name.
        if !features.contains("flags=") {
            all.push(features.split(',').map(bare).filter(|name| !name.is_empty()).collect());
        }
    }
    all
}

/// Proxmox VE's `flags=+aes;-pcid`.
fn flags(line: &str) -> Option<Vec<&str>> {
    let (_, flags) = line.split_once("flags=")?;
    let flags = flags.split([',', ' ', '\t', '"', '\'']).next()?;
    let signed = flags.starts_with(['+', '-']);
    signed.then(|| flags.split(';').map(bare).filter(|name| !name.is_empty()).collect())
}

/// Labels of `KubeVirt` and of Node Feature Discovery that name a feature: what comes after the slash.
fn labels(line: &str) -> Vec<&str> {
    let label = |word: &'_ str| -> Option<(usize, usize)> {
        let (domain, name) = word.split_once('/')?;
        let start = match domain.trim_start_matches(['"', '\'']) {
            "cpu-feature.node.kubevirt.io" | "host-model-required-features.node.kubevirt.io" => 0,
            "hyperv.node.kubevirt.io" => 0,
            "feature.node.kubernetes.io" => ["cpu-cpuid.", "cpu-feature-"]
                .iter()
                .find_map(|prefix| name.starts_with(prefix).then_some(prefix.len()))?,
            _ => return None,
        };
        let end = name.find(['=', ':', '"', '\'']).unwrap_or(name.len());
        let offset = word.len() - name.len();
        Some((offset + start, offset + end.max(start)))
    };
    line.split([' ', '\t', ',', '{', '}'])
        .filter_map(|word| label(word).map(|(start, end)| &word[start..end]))
        .filter(|name| !name.is_empty())
        .collect()
}

/// The names that lines list and nothing has, in their order.
pub(super) fn unknown(names: &[&str], is_known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names.iter().filter(|name| !is_known(name) && !is_property(name)) {
        if !all.iter().any(|other| other == name) {
            all.push(String::from(*name));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::lists;

    fn names(line: &str) -> Vec<&str> {
        lists(line).into_iter().flat_map(|listed| listed.names).collect()
    }

    #[test]
    fn names_of_options_flags_and_labels() {
        for (line, expected) in [
            ("cpu: host,flags=+aes;-pcid", &["aes", "pcid"][..]),
            ("qm set 100 --cpu EPYC,flags=+ibpb", &["ibpb"]),
            ("/usr/bin/kvm -id 1 -cpu 'Haswell,+avx512f,hle=off' -m 4G", &["avx512f", "hle"]),
            ("-cpu host,migratable=off,-vmx", &["migratable", "vmx"]),
            (r#"cpu-feature.node.kubevirt.io/avx2: "true""#, &["avx2"]),
            (
                "cpu-feature.node.kubevirt.io/avx2=true,cpu-feature.node.kubevirt.io/svm=true",
                &["avx2", "svm"],
            ),
            ("feature.node.kubernetes.io/cpu-cpuid.AVX512F=true", &["AVX512F"]),
            (r#""hyperv.node.kubevirt.io/vpindex":"true""#, &["vpindex"]),
            ("missing features: pdcm,foobar", &["pdcm", "foobar"]),
            ("missing features: hle, rtm and so on", &["hle", "rtm"]),
            ("features not present on the CPU: pae cmov", &["pae", "cmov"]),
            ("cpu: host", &[]),
            ("é/é flags= é", &[]),
        ] {
            assert_eq!(names(line), expected, "{line}");
        }
    }
}
