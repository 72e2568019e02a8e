//! What a step came to, on our engine or on Spark, and whether that is what the script expects.

use std::collections::BTreeMap;

use crate::action::{Action, words};
use crate::compare::same_lines;
use crate::script::Step;

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done, and there is nothing to see.
    Done,
    /// It was done and gave these lines.
    Lines(Vec<String>),
    /// It gave a line per output mode, some of them failures.
    Modes(Vec<(String, Result<(), Failure>)>),
    /// Figures by name.
    Figures(BTreeMap<String, String>),
    /// It failed.
    Failed(Failure),
}

/// A failure: Spark's condition names, outermost first, and the message.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Condition names; empty where there is none.
    pub conditions: Vec<String>,
    /// The sentence.
    pub message: String,
}

impl Outcome {
    /// The outcome as lines that a script could expect.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Done => Vec::new(),
            Self::Lines(lines) => lines.clone(),
            Self::Modes(modes) => modes
                .iter()
                .map(|(mode, result)| match result {
                    Ok(()) => format!("{mode} ok"),
                    Err(failure) => format!("{mode} {}", failure.line()),
                })
                .collect(),
            Self::Figures(figures) => {
                let pairs: Vec<_> = figures
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                vec![pairs.join(" ")]
            }
            Self::Failed(failure) => vec![failure.line()],
        }
    }

    /// Whether a step expected this. A step without `----` expects only not to fail.
    pub fn is_expected_by(&self, step: &Step) -> bool {
        match (self, &step.expected) {
            (Self::Figures(figures), _) => {
                let Ok(Action::Expect(_, expected)) = Action::of(step, "") else {
                    return false;
                };
                expected
                    .iter()
                    .all(|(key, value)| figures.get(key) == Some(value))
            }
            (Self::Failed(failure), Some(expected)) => {
                matches!(expected.as_slice(), [line] if failure.fits(line))
            }
            (Self::Failed(_), None) => false,
            (_, None) => true,
            (Self::Modes(modes), Some(expected)) => {
                modes.len() == expected.len()
                    && modes
                        .iter()
                        .zip(expected)
                        .all(|((mode, result), line)| match result {
                            Ok(()) => *line == format!("{mode} ok"),
                            Err(failure) => {
                                let line = line.strip_prefix(mode.as_str());
                                line.is_some_and(|line| failure.fits(line.trim_start()))
                            }
                        })
            }
            (_, Some(expected)) => same_lines(expected, &self.lines()),
        }
    }
}

impl Failure {
    /// Whether `error [CONDITION] words` describes this failure: the condition is one of its own,
    /// or there is none on either side, and the message holds the words.
    pub fn fits(&self, expected: &str) -> bool {
        let Some(rest) = expected.strip_prefix("error") else {
            return false;
        };
        let rest = rest.trim_start();
        let (fits, part) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((condition, part)) => (self.conditions.iter().any(|own| own == condition), part),
            None => (self.conditions.is_empty(), rest),
        };
        let message = self.message.to_lowercase();
        fits && words(part)
            .iter()
            .all(|word| message.contains(&word.to_lowercase()))
    }

    fn line(&self) -> String {
        match self.conditions.last() {
            Some(condition) => format!("error [{condition}] {}", self.message),
            None => format!("error {}", self.message),
        }
    }
}
