//! The state of the group that a processor works on: a copy of what the engine holds, and what was done
//! to it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TimeMode;
use crate::error::Error;
use crate::wire::{ProcessorGroup, StateChange, StateEntry, StateVariable, WrittenEntry};

/// Changes of variables, new timers, and timers that are gone.
type Changes = (Vec<StateChange>, Vec<i64>, Vec<i64>);

/// What a handle, its variables and the caller of the processor share.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Context>>);

#[derive(Debug, Default)]
pub(super) struct Context {
    pub(super) phase: Phase,
    pub(super) time_mode: TimeMode,
    pub(super) declared: Vec<StateVariable>,
    pub(super) deleted: Vec<String>,
    variables: Vec<Variable>,
    timers: BTreeSet<i64>,
    held_timers: Vec<i64>,
    /// The first thing that went wrong.
    error: Option<Error>,
}

/// What a processor is asked to do.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing yet: a handle of no processor.
    #[default]
    Unbound,
    /// Declare its variables.
    Init,
    /// Work on a group.
    Processing,
}

/// What one variable holds of the group.
#[derive(Debug, Default)]
pub(super) struct Variable {
    entries: Vec<Entry>,
    /// How many there were.
    held: usize,
}

#[derive(Debug)]
struct Entry {
    /// Its number, if it was held.
    number: Option<usize>,
    written: bool,
    content: StateEntry,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Context> {
        // A panic fails the query, which then begins with fresh copies.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// Begins with a group.
    pub(super) fn begin(&mut self, group: &mut ProcessorGroup) {
        self.phase = Phase::Processing;
        self.error = None;
        self.held_timers = std::mem::take(&mut group.timers);
        self.timers = self.held_timers.iter().copied().collect();
        let state = std::mem::take(&mut group.state).into_iter();
        self.variables = state.map(Variable::new).collect();
        let declared = self.declared.len();
        self.variables.resize_with(declared, Variable::default);
    }

    /// What was done to the group: to its variables, timers that are new, and timers that are gone.
    pub(super) fn end(&mut self) -> Result<Changes, Error> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let variables = std::mem::take(&mut self.variables).into_iter().enumerate();
        let changes = variables.filter_map(|(number, variable)| variable.change(number));
        let timers = std::mem::take(&mut self.timers);
        let held = std::mem::take(&mut self.held_timers);
        let gone = held.iter().filter(|time| !timers.contains(time));
        let new = timers.iter().filter(|time| !held.contains(time));
        Ok((
            changes.collect(),
            new.copied().collect(),
            gone.copied().collect(),
        ))
    }

    /// A timer has fired.
    pub(super) fn fired(&mut self, time_ms: i64) {
        self.timers.remove(&time_ms);
    }

    /// Notes what went wrong, for when the processor returns.
    pub(super) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// The timers of the group, if the processor may have any.
    pub(super) fn timers(&mut self, operation: &str) -> Option<&mut BTreeSet<i64>> {
        if self.phase != Phase::Processing {
            self.fail(wrong_phase(operation));
            return None;
        }
        if self.time_mode == TimeMode::None {
            let error = illegal(format!("{operation} needs a time mode, but it is None"))
                .with_condition(
                    "STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_TIME_MODE",
                )
                .with_hint("use TimeMode::ProcessingTime or TimeMode::EventTime");
            self.fail(error);
            return None;
        }
        Some(&mut self.timers)
    }

    /// A variable of the group.
    pub(super) fn variable(&mut self, number: usize) -> Option<&mut Variable> {
        if self.phase != Phase::Processing {
            let error = match self.phase {
                Phase::Unbound => illegal(
                    "a state variable was used that no handle has given".to_string(),
                )
                .with_condition("STATE_STORE_HANDLE_NOT_INITIALIZED")
                .with_hint(
                    "set it in init: self.count = handle.value_state(\"count\", TtlConfig::NONE)",
                ),
                _ => wrong_phase("a state variable"),
            };
            self.fail(error);
            return None;
        }
        self.variables.get_mut(number)
    }

    /// A value in the text of a state.
    pub(super) fn text(&mut self, number: usize, value: &impl Serialize) -> Option<String> {
        match serde_json::to_string(value) {
            Ok(text) if text == "null" => {
                let name = self.name(number);
                let error = illegal(format!("the state variable '{name}' cannot hold nothing"))
                    .with_condition("ILLEGAL_STATE_STORE_VALUE.NULL_VALUE")
                    .with_hint("clear it instead");
                self.fail(error);
                None
            }
            Ok(text) => Some(text),
            Err(error) => {
                self.fail(error.into());
                None
            }
        }
    }

    /// The value of such a text.
    pub(super) fn value<T: DeserializeOwned>(&mut self, number: usize, text: &str) -> Option<T> {
        match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let name = self.name(number);
                let message = format!(
                    "what the state variable '{name}' holds does not fit its type: {error}"
                );
                self.fail(Error::new(message));
                None
            }
        }
    }

    pub(super) fn name(&self, number: usize) -> String {
        let declared = self.declared.get(number);
        declared.map_or_else(String::new, |declared| declared.name.clone())
    }
}

impl Variable {
    fn new(held: Vec<StateEntry>) -> Self {
        let entries = held.into_iter().enumerate();
        let entries = entries.map(|(number, content)| Entry {
            number: Some(number),
            written: false,
            content,
        });
        let entries: Vec<Entry> = entries.collect();
        Self {
            held: entries.len(),
            entries,
        }
    }

    pub(super) fn contents(&self) -> impl Iterator<Item = &StateEntry> {
        self.entries.iter().map(|entry| &entry.content)
    }

    /// Writes in the place of the entry with this key, or adds one.
    pub(super) fn write(&mut self, key: Option<String>, value: String) {
        let same = |entry: &&mut Entry| entry.content.key == key;
        if let Some(entry) = self.entries.iter_mut().find(same) {
            entry.content.value = value;
            entry.written = true;
            return;
        }
        self.append(StateEntry { key, value });
    }

    /// Adds an entry behind the others.
    pub(super) fn append(&mut self, content: StateEntry) {
        self.entries.push(Entry {
            number: None,
            written: true,
            content,
        });
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(super) fn remove(&mut self, key: &str) {
        let is = |entry: &Entry| entry.content.key.as_deref() == Some(key);
        self.entries.retain(|entry| !is(entry));
    }

    /// What became of it, if anything did.
    fn change(self, variable: usize) -> Option<StateChange> {
        let kept: BTreeSet<usize> = self
            .entries
            .iter()
            .filter_map(|entry| entry.number)
            .collect();
        let removed = (0..self.held).filter(|number| !kept.contains(number));
        let written = self.entries.into_iter().filter(|entry| entry.written);
        let change = StateChange {
            variable,
            removed: removed.collect(),
            written: written
                .map(|entry| WrittenEntry {
                    replaces: entry.number,
                    entry: entry.content,
                })
                .collect(),
        };
        (!(change.removed.is_empty() && change.written.is_empty())).then_some(change)
    }
}

pub(super) fn illegal(message: String) -> Error {
    Error::of("IllegalArgumentException", message)
}

pub(super) fn wrong_phase(operation: &str) -> Error {
    illegal(format!("{operation} is not possible here"))
        .with_condition("STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_HANDLE_STATE")
        .with_hint("declare state variables in init; use them, and timers, in the methods that handle rows and timers")
}
