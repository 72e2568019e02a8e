//! An exercise as data: a file of TOML with hidden rows, a reference query and words for mistakes.
//!
//! ```toml
//! task = "Count the clicks of every 5 minutes."
//! well_done = "Each click falls into exactly one tumbling window."
//!
//! [[source]]
//! name = "clicks"
//! columns = "user STRING, ts TIMESTAMP"
//! watermark = "ts 10 minutes"
//! rows = "SELECT concat('u', id % 7) AS user, timestamp_seconds(1704110400 + 20 * id) AS ts FROM range(300)"
//! batches = 3
//!
//! [answer]
//! query = "SELECT window(ts, '5 minutes') AS window, count(*) AS n FROM clicks GROUP BY 1"
//! mode = "append"
//!
//! [hints]
//! empty = "In append mode a window is written after the watermark has passed its end."
//!
//! [[mistake]]
//! query = "SELECT window(ts, '10 minutes') AS window, count(*) AS n FROM clicks GROUP BY 1"
//! say = "Your windows are 10 minutes long."
//! ```
//! A question has `accept` instead of sources and a query: the texts that are right.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tidebook_engine::nearest;

use crate::error::{CellError, Result};

/// The folder beside a notebook, or beside its folder, in which definitions are.
const FOLDERS: [&str; 2] = ["checks", "../checks"];

/// The end of a definition's file name.
const EXTENSION: &str = "toml";

/// An exercise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    /// What is to be done, in a sentence or two.
    pub task: String,
    /// What is said when it is done.
    #[serde(default)]
    pub well_done: String,
    /// The streams that answers select from.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
    /// The tables that answers select from.
    #[serde(default, rename = "table")]
    pub tables: Vec<Table>,
    /// The right answer, if it is a query.
    pub answer: Option<Answer>,
    /// The right answers, if it is a text.
    #[serde(default)]
    pub accept: Vec<String>,
    /// What is said to known wrong texts.
    #[serde(default)]
    pub wrong: BTreeMap<String, String>,
    /// What is said to a kind of mistake: `missing`, `extra`, `values`, `empty`, `columns`,
    /// `endless`, `error`, or the name or condition of an error.
    #[serde(default)]
    pub hints: BTreeMap<String, String>,
    /// Wrong answers that are known.
    #[serde(default, rename = "mistake")]
    pub mistakes: Vec<Mistake>,
}

/// A stream and its hidden rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    /// What SQL calls it.
    pub name: String,
    /// Its columns as in `CREATE TABLE`.
    pub columns: String,
    /// Column and delay, as behind `--watermark`.
    pub watermark: Option<String>,
    /// A query whose rows, in its order, are fed.
    pub rows: Option<String>,
    /// In how many pieces they are fed.
    #[serde(default = "one")]
    pub batches: usize,
    /// Instead of `rows`: what is fed, piece by piece, as below `%%feed`.
    #[serde(default)]
    pub feed: Vec<String>,
}

/// A table and its rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// What SQL calls it.
    pub name: String,
    /// A query that gives its rows.
    pub rows: String,
}

/// The right answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The query.
    pub query: String,
    /// The output mode.
    #[serde(default = "append")]
    pub mode: String,
    /// Column and delay of the first source, where they differ from the source's own.
    pub watermark: Option<String>,
    /// The columns by which rows are told apart; without them, all that are not numbers.
    #[serde(default)]
    pub key: Vec<String>,
    /// Whether its rows have to come in its order.
    #[serde(default)]
    pub ordered: bool,
    /// What a row is called: `window`, `user`; `row` by default.
    #[serde(default = "row")]
    pub unit: String,
}

/// A known wrong answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mistake {
    /// The query; without it, the right one.
    pub query: Option<String>,
    /// The output mode; without it, the right one.
    pub mode: Option<String>,
    /// The watermark; without it, the right one.
    pub watermark: Option<String>,
    /// What is said to it.
    pub say: String,
}

fn one() -> usize {
    1
}

fn append() -> String {
    "append".to_owned()
}

fn row() -> String {
    "row".to_owned()
}

impl Definition {
    /// The definition of this name, from the folders beside the notebook.
    pub(super) fn find(name: &str) -> Result<Self> {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let mut candidates = FOLDERS
            .iter()
            .map(|folder| Path::new(folder).join(format!("{name}.{EXTENSION}")));
        let found = candidates.find(|path| name.chars().all(is_name) && path.is_file());
        let path = found.ok_or_else(|| unknown(name))?;
        let text =
            std::fs::read_to_string(&path).map_err(|error| broken(&path, &error.to_string()))?;
        Self::read(&text).map_err(|why| broken(&path, &why))
    }

    /// Reads a definition; what is wrong with it, if it is none.
    pub(super) fn read(text: &str) -> std::result::Result<Self, String> {
        let definition: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        match (&definition.answer, definition.accept.is_empty()) {
            (None, true) => Err("it has neither an answer nor texts to accept".to_owned()),
            (Some(_), false) => Err("it has both an answer and texts to accept".to_owned()),
            (Some(_), true) if definition.sources.is_empty() => Err("it has no source".to_owned()),
            _ => Ok(definition),
        }
    }

    /// What is said to a kind of mistake.
    pub(super) fn hint(&self, kind: &str) -> Option<&str> {
        self.hints.get(kind).map(String::as_str)
    }
}

/// The names of all definitions.
pub(super) fn names() -> Vec<String> {
    let files = FOLDERS
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok());
    let files = files.flatten().flatten().map(|entry| entry.path());
    let definitions = files.filter(|path| path.extension().is_some_and(|end| end == EXTENSION));
    let mut names: Vec<String> = definitions
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn unknown(name: &str) -> CellError {
    let names = names();
    if names.is_empty() {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        return CellError::usage(format!("there are no checks beside '{}'", here.display()))
            .hint("start the notebook in its own folder, which holds the folder checks/");
    }
    let error = CellError::usage(format!("there is no check '{name}'"));
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("%%check {near}")),
        None => error.hint(format!("the checks are {}", names.join(", "))),
    }
}

fn broken(path: &Path, why: &str) -> CellError {
    CellError::usage(format!(
        "the check '{}' cannot be used: {why}",
        path.display()
    ))
    .hint("this is no mistake of yours: the file of the exercise is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_above_is_a_definition() {
        let source = include_str!("definition.rs");
        let lines = source
            .lines()
            .skip_while(|line| *line != "//! ```toml")
            .skip(1);
        let lines = lines.take_while(|line| *line != "//! ```");
        let text: Vec<_> = lines
            .map(|line| line.trim_start_matches("//!").trim())
            .collect();
        let definition = Definition::read(&text.join("\n")).unwrap();
        assert_eq!(definition.sources[0].batches, 3);
        assert_eq!(definition.answer.as_ref().unwrap().unit, "row");
        assert!(
            definition
                .hint("empty")
                .unwrap()
                .starts_with("In append mode")
        );
        assert_eq!(definition.mistakes.len(), 1);
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        for (text, why) in [
            ("task = 'x'", "neither"),
            (
                "task = 'x'\naccept = ['1']\n[answer]\nquery = 'SELECT 1'",
                "both",
            ),
            ("task = 'x'\n[answer]\nquery = 'SELECT 1'", "no source"),
            ("task = 'x'\nacept = ['1']", "unknown field"),
        ] {
            assert!(Definition::read(text).unwrap_err().contains(why), "{text}");
        }
    }
}
