//! The order of dependence in `lib.rs`, held.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const MOST_LINES: usize = 350;

#[test]
fn modules_use_only_those_listed_above_them() {
    let src = source();
    let order = listed_modules(&src.join("lib.rs"));
    let rank = |module: &str| order.iter().position(|listed| listed == module);

    let mut offences = Vec::new();
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let Some(own_rank) = rank(first.trim_end_matches(".rs")) else {
            continue; // lib.rs and main.rs may use everything
        };
        for used in crate_paths(&fs::read_to_string(&file).unwrap()) {
            if rank(&used).is_none_or(|rank| rank > own_rank) {
                offences.push(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn no_file_grows_a_second_idea() {
    let long: Vec<_> = rust_files(&source())
        .into_iter()
        .filter(|file| fs::read_to_string(file).unwrap().lines().count() > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "over {MOST_LINES} lines: {long:#?}");
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let silent: Vec<_> = rust_files(&source())
        .into_iter()
        .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn sql_stands_in_store() {
    let src = source();
    let elsewhere: Vec<_> = rust_files(&src)
        .into_iter()
        // The embedded server is asked before there is any store.
        .filter(|file| !file.starts_with(src.join("postgres")))
        .filter(|file| !file.to_str().unwrap().contains("store"))
        .filter(|file| fs::read_to_string(file).unwrap().contains("sqlx::query"))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
}

#[test]
fn crate_paths_sees_groups_and_plain_paths() {
    let text = "use crate::kit::clock::Clock;\nuse crate::{accounts, web::{self, Page}};\n\
                fn f() { crate::staff::store::find(); }";
    let expected = ["accounts", "kit", "staff", "web"].map(str::to_owned);
    assert_eq!(crate_paths(text), BTreeSet::from(expected));
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn listed_modules(lib: &Path) -> Vec<String> {
    let lib = fs::read_to_string(lib).unwrap();
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The modules of this crate that `text` names, in code rather than in comments.
fn crate_paths(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        if before.is_some_and(|c| c == '$' || c.is_alphanumeric() || c == '_') {
            continue; // a macro's own crate, or another word
        }
        let rest = code.get(at + path.len()..).unwrap();
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(first_segments(group));
        } else {
            found.insert(leading_word(rest));
        }
    }
    found
}

/// The first segment of each path in a `use crate::{…}` group, up to its closing brace.
fn first_segments(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut found) = (0_u32, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                found.push(leading_word(group.get(at..).unwrap()));
                start = false;
            }
            _ => {}
        }
    }
    found
}

fn leading_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
