//! The runtime crate as a package without a build script: its sources, with the tables beside them.
//!
//! Invariant: a source file is copied as it is, except for the lines that include a table from the build script's folder.
//! The manifest keeps what concerns the library, and loses the build script and what needs a package of this repository:
//! the feature that asks a QEMU program, and the command.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cpuid_gen::GeneratedFile;
use toml::{Table, Value};
use walkdir::WalkDir;

use super::comments::{self, Part};

/// The folder of the sources in the repository and in its package, and in the package that is written.
const SOURCES: &str = "cpuid-tables";
const SRC: &str = "src";
/// The folder of the tables in `src`.
const TABLES: &str = "generated/tables";
/// A table's line in the sources, up to its name.
const INCLUDE: &str = "include!(concat!(env!(\"OUT_DIR\"), \"/";
const INCLUDE_END: &str = "\"));";
/// The first words of a manifest of ours: such a package is replaced, any other is not.
const HEADER: &str = "# Written by `cpuid-gen generate --crate`";
/// What a manifest's package says about the build script and the repository.
const LEFT_OUT: [&str; 6] = ["build", "exclude", "include", "links", "publish", "workspace"];

/// Writes the package into `output`.
///
/// `sources` is a checkout or an unpacked package of cpuid-tables, of this program's version. `from` names the releases.
///
/// # Errors
///
/// A message with the file: `sources` is something else or lacks a table, or `output` has something else or can't be
/// written.
pub(crate) fn write(
    sources: &Path,
    tables: &[GeneratedFile],
    from: &str,
    output: &Path,
) -> Result<(), String> {
    let manifest = manifest(sources, from)?;
    let mut files = copied(sources)?;
    include_tables(&mut files, tables)?;
    for table in tables {
        files.insert(Path::new(SRC).join(TABLES).join(table.name), table.text.clone());
    }
    files.insert(PathBuf::from("Cargo.toml"), manifest);
    make_room(output)?;
    for (path, text) in files {
        let path = output.join(path);
        let folder = path.parent().unwrap_or(output);
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| failed(path, &error))
}

/// Refuses a folder that has something else; removes the sources of an earlier package.
fn make_room(output: &Path) -> Result<(), String> {
    let is_empty = fs::read_dir(output).map_or(true, |mut files| files.next().is_none());
    if is_empty {
        return Ok(());
    }
    let ours = fs::read_to_string(output.join("Cargo.toml")).is_ok_and(|text| text.starts_with(HEADER));
    if !ours {
        return Err(format!(
            "{}: expected an empty folder, or a package that `cpuid-gen generate --crate` wrote",
            output.display()
        ));
    }
    let old = output.join(SRC);
    fs::remove_dir_all(&old).map_err(|error| failed(&old, &error))
}

/// The files that are copied, by their path in the new package.
fn copied(sources: &Path) -> Result<BTreeMap<PathBuf, String>, String> {
    let mut files = BTreeMap::new();
    let root = sources.join(SOURCES);
    for found in WalkDir::new(&root).sort_by_file_name() {
        let found = found.map_err(|error| error.to_string())?;
        let path = found.path();
        let relative = path.strip_prefix(&root).map_err(|error| failed(path, &error))?;
        // The ready-made tables of the pinned releases: the package has its own.
        let is_table = relative.starts_with("generated/pinned");
        // The command is not in the package.
        let is_command = relative.starts_with("cli") || relative == Path::new("main.rs");
        let extension = path.extension().and_then(|extension| extension.to_str());
        if found.file_type().is_file()
            && !is_table
            && !is_command
            && matches!(extension, Some("rs" | "tsv" | "md"))
        {
            files.insert(Path::new(SRC).join(relative), read(path)?);
        }
    }
    for name in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        files.insert(PathBuf::from(name), read(&sources.join(name))?);
    }
    Ok(files)
}

/// Makes each line that includes a table name its file in the package. Every table must be included.
fn include_tables(files: &mut BTreeMap<PathBuf, String>, tables: &[GeneratedFile]) -> Result<(), String> {
    let mut unused: BTreeSet<&str> = tables.iter().map(|table| table.name).collect();
    for (path, text) in files.iter_mut().filter(|(path, _)| path.extension().is_some_and(|e| e == "rs")) {
        let folder = path.strip_prefix(SRC).ok().and_then(Path::parent).unwrap_or(Path::new(""));
        let up = "../".repeat(folder.components().count());
        let mut result = String::with_capacity(text.len());
        for part in comments::parts(text) {
            match part {
                Part::Comment(comment) => result += comment,
                Part::Code(code) => {
                    let (code, names) = with_tables_of_its_own(code, &up, tables)
                        .map_err(|why| format!("{}: {why}", path.display()))?;
                    unused.retain(|name| !names.iter().any(|used| used == name));
                    result += &code;
                }
            }
        }
        *text = result;
    }
    match unused.first() {
        Some(name) => Err(format!("the sources do not include `{name}`: they are of another version")),
        None => Ok(()),
    }
}

/// Code whose lines include the package's own tables, and the names of those.
fn with_tables_of_its_own(
    code: &str,
    up: &str,
    tables: &[GeneratedFile],
) -> Result<(String, Vec<String>), String> {
    let (mut rest, mut result, mut names) = (code, String::with_capacity(code.len()), Vec::new());
    while let Some((before, after)) = rest.split_once(INCLUDE) {
        let (name, after) = after
            .split_once(INCLUDE_END)
            .ok_or_else(|| format!("expected `{INCLUDE_END}` after `{INCLUDE}`"))?;
        if !tables.iter().any(|table| table.name == name) {
            return Err(format!("includes `{name}`, which this cpuid-gen does not make"));
        }
        names.push(name.to_owned());
        result += &format!("{before}include!(\"{up}{TABLES}/{name}\");");
        rest = after;
    }
    result += rest;
    if result.contains("OUT_DIR") {
        return Err(format!("expected `OUT_DIR` only in `{INCLUDE}NAME{INCLUDE_END}`"));
    }
    Ok((result, names))
}

/// The manifest of the new package.
fn manifest(sources: &Path, from: &str) -> Result<String, String> {
    let path = sources.join("Cargo.toml");
    let mut manifest: Table = read(&path)?.parse().map_err(|error| failed(&path, &error))?;
    let workspace = table(manifest.remove("workspace"));
    let mut package = table(manifest.remove("package"));
    inherit(&mut package, &table(workspace.get("package").cloned()));
    check_version(&path, &package)?;
    LEFT_OUT.iter().for_each(|key| drop(package.remove(*key)));
    package.insert("build".into(), Value::Boolean(false));
    package.insert("publish".into(), Value::Boolean(false));
    let mut made = Table::from_iter([("package".to_owned(), Value::Table(package))]);
    made.extend(manifest.remove_entry("lib"));
    let mut needed = table(manifest.remove("dependencies"));
    inherit(&mut needed, &table(workspace.get("dependencies").cloned()));
    let mut packages = table(manifest.remove("build-dependencies"));
    let is_here = |value: &Value| value.as_table().is_some_and(|table| table.contains_key("path"));
    packages.extend(
        needed.iter().filter(|(_, value)| is_here(value)).map(|(name, value)| (name.clone(), value.clone())),
    );
    let mut features = table(manifest.remove("features"));
    let gone = take_away(&mut features, &packages);
    let used: Vec<&str> =
        features.values().filter_map(Value::as_array).flatten().filter_map(dependency_of).collect();
    let is_optional = |value: &Value| value.get("optional").and_then(Value::as_bool) == Some(true);
    needed
        .retain(|name, value| !packages.contains_key(name) && (!is_optional(value) || used.contains(&name)));
    made.insert("dependencies".into(), Value::Table(needed));
    made.insert("features".into(), Value::Table(features));
    let mut lints = match table(manifest.remove("lints")) {
        lints if lints.contains_key("workspace") => table(workspace.get("lints").cloned()),
        lints => lints,
    };
    allow_names(&mut lints, &gone);
    made.insert("lints".into(), Value::Table(lints));
    let mut made = Value::Table(made);
    move_paths(&mut made);
    let text = toml::to_string(&made).map_err(|error| failed(&path, &error))?;
    Ok(format!("{HEADER} {} from {from}; do not edit.\n\n{text}", env!("CARGO_PKG_VERSION")))
}

fn table(value: Option<Value>) -> Table {
    match value {
        Some(Value::Table(table)) => table,
        _ => Table::new(),
    }
}

/// What a package has from its workspace.
fn inherit(package: &mut Table, workspace: &Table) {
    for (key, value) in package.iter_mut() {
        let inherited = value.as_table().is_some_and(|table| table.contains_key("workspace"));
        if let (true, Some(there)) = (inherited, workspace.get(key)) {
            *value = there.clone();
        }
    }
}

/// The tables and the code that reads them are made for each other.
fn check_version(path: &Path, package: &Table) -> Result<(), String> {
    let text = |key| package.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("name") != SOURCES {
        return Err(format!(
            "{}: expected the package `{SOURCES}`, found `{}`; --sources names its repository or unpacked package",
            path.display(),
            text("name")
        ));
    }
    if text("version") != env!("CARGO_PKG_VERSION") {
        return Err(format!(
            "{}: version {}, but this cpuid-gen makes tables for {}",
            path.display(),
            text("version"),
            env!("CARGO_PKG_VERSION")
        ));
    }
    Ok(())
}

/// The dependency that an item of a feature's list turns on, or of which it turns on a feature.
fn dependency_of(item: &Value) -> Option<&str> {
    let item = item.as_str()?;
    item.strip_prefix("dep:").or_else(|| item.split_once('/').map(|(name, _)| name.trim_end_matches('?')))
}

/// Takes away the features that need one of these packages, themselves or through another feature, and returns their names.
/// The default loses what is gone: it is a choice of features, which needs none of them.
fn take_away(features: &mut Table, packages: &Table) -> BTreeSet<String> {
    let mut gone: BTreeSet<String> = BTreeSet::new();
    loop {
        let is_gone = |item: &Value| {
            dependency_of(item).is_some_and(|name| packages.contains_key(name))
                || item.as_str().is_some_and(|item| gone.contains(item))
        };
        let needs = |value: &Value| value.as_array().is_some_and(|list| list.iter().any(is_gone));
        let next = features.iter().find(|(name, value)| *name != "default" && needs(value));
        let Some(name) = next.map(|(name, _)| name.clone()) else { break };
        features.remove(&name);
        gone.insert(name);
    }
    if let Some(list) = features.get_mut("default").and_then(Value::as_array_mut) {
        list.retain(|item| !item.as_str().is_some_and(|item| gone.contains(item)));
    }
    gone
}

/// The sources still name the features that are gone.
fn allow_names(lints: &mut Table, gone: &BTreeSet<String>) {
    let values: Vec<String> = gone.iter().map(|name| format!("{name:?}")).collect();
    let names = Value::Array(vec![Value::String(format!("cfg(feature, values({}))", values.join(", ")))]);
    let lint = Table::from_iter([
        ("level".to_owned(), Value::String("warn".to_owned())),
        ("check-cfg".to_owned(), names),
    ]);
    let rust = lints.entry("rust").or_insert_with(|| Value::Table(Table::new()));
    if let Some(rust) = rust.as_table_mut() {
        rust.insert("unexpected_cfgs".into(), Value::Table(lint));
    }
}

/// Paths of the sources, wherever the manifest has them.
fn move_paths(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(rest) = text.strip_prefix(&format!("{SOURCES}/")) {
                *text = format!("{SRC}/{rest}");
            }
        }
        Value::Array(all) => all.iter_mut().for_each(move_paths),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| move_paths(value)),
        _ => {}
    }
}
