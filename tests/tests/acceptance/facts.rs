//! The list of what Spark does with sources, sinks and triggers (`tests/spark/facts.md`) names tests and
//! scripts that exist, or says why there is none.

use std::fs;
use std::path::{Path, PathBuf};

const LEFT_OUT: &str = "left out: ";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rows of the list: what is so, and what shows it.
fn facts() -> Vec<(String, String)> {
    let list = repository().join("tests/spark/facts.md");
    let list = fs::read_to_string(list).expect("the list");
    let rows = list.lines().filter_map(|line| {
        let row = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let (what, shown_by) = row.rsplit_once(" | ")?;
        Some((what.to_owned(), shown_by.to_owned()))
    });
    rows.filter(|(_, shown_by)| shown_by != "shown by")
        .collect()
}

/// Whether a file has a function, or is there at all.
fn exists(reference: &str) -> bool {
    let (path, function) = match reference.split_once("::") {
        Some((path, function)) => (path, Some(function)),
        None => (reference, None),
    };
    let Ok(text) = fs::read_to_string(repository().join(path)) else {
        return false;
    };
    let keyword = if path.ends_with(".py") { "def" } else { "fn" };
    function.is_none_or(|name| text.contains(&format!("{keyword} {name}(")))
}

#[test]
fn what_is_said_to_show_a_fact_exists() {
    let facts = facts();
    assert!(facts.len() > 100, "{} facts", facts.len());
    let mut wrong = Vec::new();
    for (what, shown_by) in &facts {
        let quoted = shown_by.split('`').skip(1).step_by(2);
        let references = quoted.filter(|quoted| quoted.contains('/'));
        let references: Vec<_> = references.collect();
        let why = shown_by.strip_prefix(LEFT_OUT).map(str::trim);
        if why.is_none_or(str::is_empty) && references.is_empty() {
            wrong.push(format!("{what}: nothing shows it, and nothing says why"));
        }
        let missing = references.into_iter().filter(|one| !exists(one));
        wrong.extend(missing.map(|one| format!("{what}: there is no {one}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
