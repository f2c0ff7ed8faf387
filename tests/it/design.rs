//! The design language keeps its promises: contrast, size, and no icon that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use presence_portal::web::glossary;

/// Ink and ground, as the style sheets put them together, and the contrast they need:
/// 4.5 for text, 3 for the edges of what can be acted on (WCAG 2.2, 1.4.3 and 1.4.11).
const PAIRS: &[(&str, &[&str], f64)] = &[
    ("ink", &["ground", "surface", "sunken", "hover", "accent-tint"], 4.5),
    ("ink", &["ok-tint", "info-tint", "warn-tint", "danger-tint"], 4.5),
    ("muted", &["ground", "surface", "sunken", "hover", "accent-tint"], 4.5),
    ("link", &["ground", "surface", "sunken", "hover", "accent-tint"], 4.5),
    ("link", &["info-tint", "warn-tint", "danger-tint"], 4.5),
    ("on-accent", &["accent", "accent-hover", "danger-fill", "danger-fill-hover"], 4.5),
    ("ok", &["ground", "surface", "hover", "ok-tint"], 4.5),
    ("info", &["ground", "surface", "hover", "info-tint", "accent-tint"], 4.5),
    ("warn", &["ground", "surface", "hover", "warn-tint"], 4.5),
    ("danger", &["ground", "surface", "hover", "danger-tint"], 4.5),
    ("nav-ink", &["nav", "nav-here", "nav-line"], 4.5),
    ("nav-strong", &["nav", "nav-here", "nav-line"], 4.5),
    ("line-strong", &["ground", "surface", "sunken"], 3.0),
    ("accent", &["ground", "surface"], 3.0),
    ("focus", &["ground", "surface", "sunken"], 3.0),
    ("nav-focus", &["nav", "nav-here"], 3.0),
    ("teams-available", &["surface", "hover"], 3.0),
    ("teams-busy", &["surface", "hover"], 3.0),
    ("teams-away", &["surface", "hover"], 3.0),
    ("chart-1", &["surface"], 3.0),
    ("chart-2", &["surface"], 3.0),
];

#[test]
fn every_ink_can_be_read_on_its_ground_in_light_and_in_dark() {
    let tokens = colours();
    let mut faint = Vec::new();
    for (ink, grounds, needed) in PAIRS {
        for ground in *grounds {
            for scheme in [0, 1] {
                let contrast = contrast(tokens[*ink][scheme], tokens[*ground][scheme]);
                if contrast < *needed {
                    let scheme = ["light", "dark"][scheme];
                    faint.push(format!("{ink} on {ground}, {scheme}: {contrast:.2} < {needed}"));
                }
            }
        }
    }
    assert!(faint.is_empty(), "{faint:#?}");
}

#[test]
fn the_style_sheet_stays_under_its_weight() {
    let sheets = files_in("static/css").into_iter().filter(|sheet| !sheet.ends_with("sandbox.css"));
    let weight: u64 = sheets.map(|sheet| fs::metadata(sheet).unwrap().len()).sum();
    assert!(weight < 40_000, "{weight} bytes");
}

#[test]
fn the_sprite_holds_every_icon_in_use_and_no_other() {
    let sprite = fs::read_to_string(root().join("static/img/icons.svg")).unwrap();
    let held: BTreeSet<_> = between(&sprite, "<symbol id=\"", "\"").collect();

    let mut sources = files_in("templates");
    sources.extend(files_in("src"));
    let text: String = sources.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let text = text.replace("kind_icon(", "");

    // The icon of a kind is named by the kind.
    let text = text.replace("kind_icon(", "");
    let missing: Vec<_> =
        between(&text, "icon(\"", "\"").filter(|name| !held.contains(name)).collect();
    assert!(missing.is_empty(), "not in static/img/icons.svg: {missing:?}");

    let idle: Vec<_> = held.iter().filter(|name| !text.contains(&format!("\"{name}\""))).collect();
    assert!(idle.is_empty(), "in static/img/icons.svg for nobody: {idle:?}");
}

#[test]
fn every_word_that_is_explained_stands_in_the_glossary() {
    let templates: String =
        files_in("templates").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut explained = 0;
    for start in ["term(\"", "tip(\"", "word=\""] {
        for key in between(&templates, start, "\"").filter(|key| !key.is_empty()) {
            assert!(!glossary::of(key).1.is_empty(), "{key}");
            explained += 1;
        }
    }
    assert!(explained > 10, "{explained}");
    assert!(glossary::TERMS.is_sorted_by_key(|term| term.word));
}

#[test]
fn nothing_moves_for_whoever_asked_for_less_motion() {
    let base = fs::read_to_string(root().join("static/css/base.css")).unwrap();
    let (_, calm) = base.split_once("@media (prefers-reduced-motion: reduce)").unwrap();
    for stilled in ["animation-duration", "animation-iteration-count", "transition-duration"] {
        assert!(calm.contains(stilled), "{stilled}");
    }
    for script in files_in("static/js").iter().filter(|file| !file.ends_with("htmx.min.js")) {
        let text = fs::read_to_string(script).unwrap();
        for moving in ["behavior: \"smooth\"", ".animate("] {
            assert!(!text.contains(moving), "{} moves by itself", script.display());
        }
    }
}

#[test]
fn no_template_carries_style_or_script_of_its_own() {
    for file in files_in("templates") {
        let text = fs::read_to_string(&file).unwrap();
        for forbidden in
            [" style=\"", "<style", "<script>", " onclick=", " onchange=", " onsubmit=", "hx-on"]
        {
            assert!(!text.contains(forbidden), "{} has {forbidden}", file.display());
        }
    }
}

/// The tokens that are colours: light and dark.
fn colours() -> BTreeMap<String, [[u8; 3]; 2]> {
    let text = fs::read_to_string(root().join("static/css/tokens.css")).unwrap();
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.trim().strip_prefix("--")?.split_once(": light-dark(")?;
            let (light, dark) = value.strip_suffix(");")?.split_once(", ")?;
            Some((name.to_owned(), [hex(light)?, hex(dark)?]))
        })
        .collect()
}

fn hex(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some([part(0)?, part(2)?, part(4)?])
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.split(end).next())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_in(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}
