//! What Spark answered to a script (`tests/golden/spark-4.3.0/…json`), held against the script.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::action::Action;
use crate::outcome::{Failure, Outcome};
use crate::rows::ndjson;
use crate::script::{Script, Step};

/// The recording of one script.
#[derive(Debug)]
pub struct Recording {
    steps: Vec<Value>,
}

impl Recording {
    /// Reads the recording of a script, if there is one.
    pub fn read(golden: &Path, script: &Script) -> Result<Option<Self>> {
        let path = golden.join(format!("{}.json", script.name));
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path)?;
        let value: Value =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        let steps = value.get("steps").and_then(Value::as_array);
        let steps = steps.context("no steps")?.clone();
        Ok(Some(Self { steps }))
    }

    /// Where script and recording do not agree: steps that Spark was never asked, input that is
    /// not the same, answers that are not the expected ones, and marks of differences where there
    /// are none.
    pub fn disagreements(&self, script: &Script) -> Vec<String> {
        let mut found = Vec::new();
        let mut note = |step: &Step, what: String| {
            found.push(format!(
                "{}:{}: {what}",
                script.path.display(),
                step.line + 1
            ));
        };
        if self.steps.len() != script.steps.len() {
            let steps = (script.steps.len(), self.steps.len());
            return vec![format!("{}: {steps:?} steps; record it again", script.name)];
        }
        let mut schemas = BTreeMap::new();
        for (step, recorded) in script.steps.iter().zip(&self.steps) {
            if recorded["step"].as_str() != Some(&step.input()) {
                note(step, "changed since it was recorded".to_owned());
                continue;
            }
            if let Some(text) = recorded["text"].as_str()
                && input_text(step, &mut schemas).as_deref() != Some(text)
            {
                note(step, format!("Spark was given another file: {text}"));
            }
            remember_schema(step, &mut schemas);
            let outcome = outcome_of(recorded);
            let agrees = outcome.is_expected_by(step);
            match (&step.spark_differs, agrees) {
                (None, false) => {
                    let lines = outcome.lines().join("\n    ");
                    note(step, format!("Spark answered:\n    {lines}"));
                }
                (Some(_), true) => note(step, "marked as different, but Spark agrees".to_owned()),
                _ => {}
            }
        }
        found
    }
}

fn remember_schema(step: &Step, schemas: &mut BTreeMap<String, String>) {
    if let Ok(Action::Source(source)) = Action::of(step, "$DIR") {
        schemas.insert(source.name, source.schema);
    }
}

fn input_text(step: &Step, schemas: &mut BTreeMap<String, String>) -> Option<String> {
    match Action::of(step, "$DIR").ok()? {
        Action::AddData(name, rows) => ndjson(schemas.get(&name)?, &rows).ok(),
        Action::AddText(_, text) => Some(text),
        _ => None,
    }
}

fn outcome_of(recorded: &Value) -> Outcome {
    if let Some(error) = recorded.get("error") {
        return Outcome::Failed(failure(error));
    }
    if let Some(figures) = recorded["figures"].as_object() {
        let pairs = figures
            .iter()
            .map(|(key, value)| (key.clone(), text(value)));
        return Outcome::Figures(pairs.collect());
    }
    let Some(lines) = recorded["lines"].as_array() else {
        return Outcome::Done;
    };
    let lines: Vec<_> = lines.iter().map(text).collect();
    match recorded["errors"].as_object() {
        None => Outcome::Lines(lines),
        Some(errors) => Outcome::Modes(
            lines
                .iter()
                .map(|line| {
                    let mode = line.split(' ').next().unwrap_or_default();
                    let result = errors.get(mode).map_or(Ok(()), |error| Err(failure(error)));
                    (mode.to_owned(), result)
                })
                .collect(),
        ),
    }
}

fn failure(error: &Value) -> Failure {
    let conditions = error["conditions"].as_array();
    Failure {
        conditions: conditions.into_iter().flatten().map(text).collect(),
        message: text(&error["message"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
