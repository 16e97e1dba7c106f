//! The texts after the help of the command and its subcommands.

#[cfg(feature = "cli")]
pub(super) const EXAMPLES: &str = "\
Examples:
  cpuid-gen verify                                 check the pinned releases of Linux and QEMU
  cpuid-gen verify --linux ~/linux --qemu ~/qemu   check two trees
  cpuid-gen verify --qemu ~/qemu --since ~/before  check what a change to a tree adds
  cpuid-gen facts --linux ~/linux                  print the facts of a tree as tab-separated rows
  cpuid-gen capflags --linux ~/linux               print the output of its mkcapflags.sh
  cpuid-gen models EPYC-Milan-v2                   show a resolved CPU model of QEMU
  cpuid-gen diff ~/linux-7.3 ~/linux               show what changed between two trees
  cpuid-gen generate --standalone -o src           write src/cpuid.rs: Rust constants for any crate
  cpuid-gen atlas -o atlas.html                    write a page to look things up in

A tree is the root of a checkout; a facts file is the output of `cpuid-gen import`. Without
either, the program uses its built-in facts of the pinned releases.

Exit codes:
  0  success; verify: every finding is explained; diff: the releases have the same facts
  1  verify: unexplained findings; diff: differences; other commands: inconsistent input
  2  the input could not be read, the output could not be written, or wrong arguments

capflags reads a tree by lines, as its script does: a definition that is not valid C is not an
error there.";

#[cfg(feature = "cli")]
pub(super) const IMPORT: &str = "\
Examples:
  cpuid-gen import --linux ~/linux -o linux.tsv
  cpuid-gen import --qemu-program /usr/bin/qemu-system-x86_64 -o qemu.tsv
  cpuid-gen import --witness ~/xen -o xen.tsv

A program states its machine types and their compatibility properties (since 9.1), its CPU models
with the value of each property, the word and bit of each property, and deprecations. All other rows
come from the base. Comments in the file mark where rows come from. The program is started under
TCG, without a guest; KVM is not needed.";

#[cfg(feature = "cli")]
pub(super) const MODELS: &str = "\
Examples:
  cpuid-gen models                                  every version, with its alias and note
  cpuid-gen models EPYC-Milan-v2                    one version: leaves, signature, words, caches
  cpuid-gen models --qemu ~/qemu Haswell-noTSX      by alias, from a QEMU tree
  cpuid-gen models --format json Skylake-Server-v4  as JSON";

#[cfg(feature = "cli")]
pub(super) const DIFF: &str = "\
Examples:
  cpuid-gen diff upstream/linux-6.12.tsv upstream/linux-7.3.tsv
  cpuid-gen diff upstream/qemu-10.2.tsv ~/qemu --format markdown > what-is-new.md
  cpuid-gen diff ~/linux-6.12 ~/linux-7.3 --format json | jq '.sections[] | select(.topic == \"kvm\")'

A hardware bit is identified by its location: a new name there is a rename. A software-defined bit
is identified by its name and can only move. The Rust API is that of cpuid-tables, generated with
the pinned releases of the other project, once with NEW in place of OLD and once with both.

Exit codes, like those of diff:
  0  the releases have the same facts
  1  they differ
  2  a release could not be read or contradicts itself (the changes are still printed), or the
     releases are of different projects";

#[cfg(feature = "cli")]
pub(super) const GENERATE: &str = "\
Examples:
  cpuid-gen generate -o tables                  the tables, for people to read
  cpuid-gen generate --standalone -o src        src/cpuid.rs, constants for any crate
  cpuid-gen generate --language c -o include    include/cpuid_tables.h
  cpuid-gen generate --crate vendor/cpuid-tables --sources ~/cpuid-tables --linux ~/linux

--crate writes a package that is used by its path, without a build script and build dependencies. It
has the same API as cpuid-tables except for the features that need cpuid-gen (`generate`, `trees`,
`program`) and the command (`cli`). DIR must be empty or have an earlier such package, which is
replaced. The sources must have this program's version.";

#[cfg(not(feature = "cli"))]
pub(super) const EXAMPLES: &str = "\
Examples:
  cpuid-gen verify                  check the pinned releases of Linux and QEMU
  cpuid-gen verify --linux linux-7.3.tsv --qemu qemu-10.2.tsv

This is a small build, with only `verify` of facts files. Enable the feature `cli` for all commands.";
