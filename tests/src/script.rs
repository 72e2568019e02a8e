//! The text of a stream script, split into steps. `tests/spark/script.py` reads the same format.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A script, its steps not yet interpreted.
#[derive(Debug, Clone)]
pub struct Script {
    /// Path below `tests/streaming`, without extension.
    pub name: String,
    /// Where it was read from.
    pub path: PathBuf,
    /// Its lines.
    pub lines: Vec<String>,
    /// Its blocks.
    pub steps: Vec<Step>,
    /// Why it is not restarted between steps, if it is not.
    pub no_restart: Option<String>,
    /// Why it does not die before the commit log, if it does not.
    pub no_kill: Option<String>,
    /// Why its states are not divided, if they are not.
    pub one_partition: Option<String>,
    /// Why the engine does not give these answers yet.
    pub open: Option<String>,
    /// Why Spark has no say in it, if it has not.
    pub not_recorded: Option<String>,
}

/// One block.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// First word of its first line.
    pub verb: String,
    /// The rest of its first line.
    pub args: String,
    /// The lines below.
    pub body: Vec<String>,
    /// The lines after `----`.
    pub expected: Option<Vec<String>>,
    /// Where the expected lines stand in the script (from 0).
    pub expected_at: Option<Range<usize>>,
    /// Where the verb stands in the script (from 0).
    pub line: usize,
    /// Why Spark answers otherwise, if it does.
    pub spark_differs: Option<String>,
}

impl Step {
    /// What the step does, without what it expects: the recording notices by it when a script has
    /// changed.
    pub fn input(&self) -> String {
        let first = format!("{} {}", self.verb, self.args);
        let mut lines = vec![first.trim().to_owned()];
        lines.extend(self.body.iter().cloned());
        lines.join("\n")
    }
}

impl Script {
    /// Reads and splits one script below `root`.
    pub fn read(root: &Path, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let name = path.strip_prefix(root).unwrap_or(path).with_extension("");
        Ok(Self::parse(&name.to_string_lossy(), path, &text))
    }

    /// All scripts below `root`, by name; those whose name contains `filter`.
    pub fn read_all(root: &Path, filter: &str) -> Result<Vec<Self>> {
        let mut paths = Vec::new();
        collect_scripts(root, &mut paths)?;
        paths.sort();
        let scripts: Result<Vec<_>> = paths.iter().map(|path| Self::read(root, path)).collect();
        Ok(scripts?
            .into_iter()
            .filter(|script| script.name.contains(filter))
            .collect())
    }

    /// Splits a script's text.
    pub fn parse(name: &str, path: &Path, text: &str) -> Self {
        let mut script = Self {
            name: name.to_owned(),
            path: path.to_owned(),
            lines: text.split('\n').map(str::to_owned).collect(),
            steps: Vec::new(),
            no_restart: None,
            no_kill: None,
            one_partition: None,
            open: None,
            not_recorded: None,
        };
        let lines = script.lines.clone();
        let mut start = 0;
        for block in lines.split(|line| line.trim().is_empty()) {
            script.block(start, block);
            start += block.len() + 1;
        }
        script
    }

    /// A step, whose first line is the one at `start`.
    fn block(&mut self, start: usize, lines: &[String]) {
        let (mut first, mut rest) = (start, lines);
        let mut spark_differs = None;
        let (head, behind) = loop {
            let [line, behind @ ..] = rest else {
                return;
            };
            if !line.starts_with('#') {
                let Some((key, reason)) = directive(line) else {
                    break (line.trim(), behind);
                };
                match key {
                    "no-restart" => self.no_restart = Some(reason),
                    "open" => self.open = Some(reason),
                    "no-kill" => self.no_kill = Some(reason),
                    "one-partition" => self.one_partition = Some(reason),
                    "not-recorded" => self.not_recorded = Some(reason),
                    _ => spark_differs = Some(reason),
                }
            }
            (first, rest) = (first + 1, behind);
        };
        let (verb, args) = head.split_once(' ').unwrap_or((head, ""));
        let mut parts = behind.splitn(2, |line| line == "----");
        let (body, expected) = (parts.next().unwrap_or_default(), parts.next());
        let trimmed = |lines: &[String]| -> Vec<String> {
            let lines = lines.iter();
            lines.map(|line| line.trim_end().to_owned()).collect()
        };
        let end = start + lines.len();
        self.steps.push(Step {
            verb: verb.to_owned(),
            args: args.trim().to_owned(),
            body: trimmed(body),
            expected: expected.map(trimmed),
            expected_at: expected.map(|expected| end - expected.len()..end),
            line: first,
            spark_differs,
        });
    }
}

fn directive(line: &str) -> Option<(&str, String)> {
    let (key, reason) = line.split_once(':')?;
    let known = [
        "open",
        "no-restart",
        "no-kill",
        "one-partition",
        "not-recorded",
        "spark-differs",
    ];
    known
        .contains(&key)
        .then(|| (key, reason.trim().to_owned()))
}

fn collect_scripts(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect_scripts(&path, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "stream")
        {
            paths.push(path);
        }
    }
    Ok(())
}
