//! What the variables of an operator's state are, written down beside it, so that a query that was changed
//! does not go on with state that it would misread.

use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::checkpointing::CheckpointFileManager;
use crate::error::{Error, ErrorKind, Result, hint};
use crate::storage::Location;
use crate::user_functions::StateVariable;

/// Its file, in the operator's folder.
const FILE: &str = "_stateSchema";

/// The variables of one operator, and what else may not change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateSchema {
    /// In which time timers and TTLs are.
    pub(super) time_mode: String,
    /// The operator's output mode.
    pub(super) output_mode: String,
    /// The variables that are declared.
    pub(super) variables: Vec<StateVariable>,
    /// Variables that were declared once; their state stays where it is.
    #[serde(default)]
    pub(super) earlier: Vec<StateVariable>,
    /// Variables that were declared once and whose state goes now.
    #[serde(skip)]
    pub(super) deleted: Vec<String>,
}

impl StateSchema {
    /// Compares it with what was written when the operator's state last was in use, and writes it in
    /// that one's place. Before that, `open` opens the state; it is given the names of the variables that
    /// were not in use then.
    pub(super) fn go_on(
        &self,
        operator: Location,
        durable: bool,
        version: i64,
        open: impl FnOnce(&[&str]) -> Result<()>,
    ) -> Result<()> {
        let files = CheckpointFileManager::new(operator, durable);
        let written = match version {
            0 => None,
            _ => read(&files)?,
        };
        let mut next = self.clone();
        let mut new: Vec<&str> = Vec::new();
        if let Some(mut written) = written {
            let is_kept = |variable: &StateVariable| !self.deleted.contains(&variable.name);
            written.variables.retain(is_kept);
            written.earlier.retain(is_kept);
            self.check(&written)?;
            let names = |variables: &[StateVariable], name: &str| {
                variables.iter().any(|variable| variable.name == name)
            };
            let declared = self.variables.iter().map(|variable| variable.name.as_str());
            new.extend(declared.filter(|name| !names(&written.variables, name)));
            let known = written.variables.into_iter().chain(written.earlier);
            next.earlier
                .extend(known.filter(|variable| !names(&self.variables, &variable.name)));
        }
        open(&new)?;
        let text = serde_json::to_vec_pretty(&next)
            .map_err(|error| Error::internal(format!("the state's schema: {error}")))?;
        let content = |file: &mut dyn Write| file.write_all(&text);
        files.replace(FILE, &content)
    }

    fn check(&self, written: &Self) -> Result<()> {
        let settings = [
            ("timeMode", &written.time_mode, &self.time_mode),
            ("outputMode", &written.output_mode, &self.output_mode),
        ];
        for (name, old, new) in settings {
            if old != new {
                return Err(changed(
                    format!("the {name} was {old} when the query last ran, and is {new} now"),
                    "STATE_STORE_INVALID_CONFIG_AFTER_RESTART",
                ));
            }
        }
        for variable in &self.variables {
            let mut known = written.variables.iter().chain(&written.earlier);
            let Some(old) = known.find(|known| known.name == variable.name) else {
                continue;
            };
            let name = &variable.name;
            if old.kind != variable.kind {
                return Err(changed(
                    format!(
                        "the state variable '{name}' was a {} when the query last ran, and is a {} now",
                        old.kind, variable.kind
                    ),
                    "STATE_STORE_INVALID_VARIABLE_TYPE_CHANGE",
                ));
            }
            let has_ttl =
                |variable: &StateVariable| variable.ttl_ms.is_some_and(|ttl_ms| ttl_ms > 0);
            if has_ttl(old) != has_ttl(variable) {
                let (was, is) = match has_ttl(variable) {
                    true => ("no TTL", "one"),
                    false => ("a TTL", "none"),
                };
                return Err(changed(
                    format!(
                        "the state variable '{name}' had {was} when the query last ran, and has {is} now"
                    ),
                    "STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE",
                ));
            }
            if old.value_type != variable.value_type {
                return Err(changed(
                    format!(
                        "the state variable '{name}' held {} when the query last ran, and is declared to hold {} now",
                        old.value_type, variable.value_type
                    ),
                    "STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE",
                ));
            }
        }
        Ok(())
    }
}

fn read(files: &CheckpointFileManager) -> Result<Option<StateSchema>> {
    let Some(text) = files.read(FILE)? else {
        return Ok(None);
    };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| {
        let message = format!(
            "'{}/{FILE}' is no schema of a state: {error}",
            files.root().display()
        );
        Error::new(ErrorKind::StreamingQuery, message).with_hint([
            hint::say("start the query with a new "),
            hint::checkpoint(),
            hint::say(" directory"),
        ])
    })
}

fn changed(message: String, condition: &'static str) -> Error {
    Error::new(ErrorKind::StreamingQuery, message)
        .with_condition(condition)
        .with_hint([
            hint::say("change it back, or start the query with a new "),
            hint::checkpoint(),
            hint::say(" directory"),
        ])
}
