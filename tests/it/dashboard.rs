//! The Grafana dashboard asks only for what the portal says, and for all of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

const DASHBOARD: &str = include_str!("../../docs/grafana/presence-portal.json");
const FIGURES: &str = include_str!("../../src/presence/figures.rs");
const OURS: [&str; 3] = ["portal_", "microsoft_", "cloudlink_"];

fn sources(dir: &Path, text: &mut String) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Every name that is counted somewhere: by itself, or by its constant.
fn exported() -> BTreeSet<String> {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let mut names = BTreeSet::new();
    for counted in ["counter!(", "gauge!(", "histogram!("] {
        for (place, _) in text.match_indices(counted) {
            let argument = text[place + counted.len()..].trim_start();
            let end = argument.find([',', ')']).unwrap();
            names.insert(argument[..end].trim().to_owned());
        }
    }
    let literal = |name: &str| name.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    let constant = |name: &str| {
        let name = name.strip_prefix("figures::")?;
        let line = FIGURES.lines().find(|it| it.contains(&format!("const {name}: &str")))?;
        line.split('"').nth(1).map(str::to_owned)
    };
    names.iter().filter_map(|name| literal(name).or_else(|| constant(name))).collect()
}

/// Every name of ours in the dashboard's queries.
fn queried(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "expr" || key == "query" => {
                        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
                        let ours = words.filter(|it| OURS.iter().any(|own| it.starts_with(own)));
                        found.extend(ours.map(str::to_owned));
                    }
                    value => queried(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queried(value, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_for_every_metric_there_is_and_for_no_other() {
    let exported = exported();
    let mut asked = BTreeSet::new();
    queried(&serde_json::from_str(DASHBOARD).unwrap(), &mut asked);
    let asked: BTreeSet<_> = asked
        .into_iter()
        .map(|name| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            base.filter(|base| exported.contains(*base)).map_or(name.clone(), str::to_owned)
        })
        .collect();
    let unknown: Vec<_> = asked.difference(&exported).collect();
    assert!(unknown.is_empty(), "nobody counts {unknown:?}");
    let left_out: Vec<_> = exported.difference(&asked).collect();
    assert!(left_out.is_empty(), "nobody looks at {left_out:?}");
}
