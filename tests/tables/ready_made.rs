//! The ready-made tables, which builds without the feature `generate` use, are those of the pinned releases.

use std::path::Path;
use std::{env, fs};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use cpuid_gen::{generate, input};

#[test]
fn ready_made_tables_are_those_of_the_pinned_releases() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cpuid-tables/generated/pinned");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
    let published = input::published(&mut sources, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    let (model, _) = Model::merge_published(&linux, &qemu, &published);
    let files = generate(&model)?;
    if env::var("BLESS").as_deref() == Ok("1") {
        fs::create_dir_all(&folder)?;
        for file in &files {
            fs::write(folder.join(file.name), &file.text)?;
        }
    }
    for file in &files {
        let kept = fs::read_to_string(folder.join(file.name))?;
        assert!(kept == file.text, "{} is out of date: BLESS=1 writes it again", file.name);
    }
    let mut kept: Vec<String> = Vec::new();
    for entry in fs::read_dir(&folder)? {
        kept.push(entry?.file_name().to_string_lossy().into_owned());
    }
    let mut names: Vec<&str> = files.iter().map(|file| file.name).collect();
    names.sort_unstable();
    kept.sort_unstable();
    assert_eq!(kept, names, "files of {}", folder.display());
    Ok(())
}
