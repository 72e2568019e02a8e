//! What a `transformWithState` and its processor, which a user of the library writes, say to each other.

use std::fmt::{self, Debug, Display};
use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BatchTimes, Registry};
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};

/// The body of `transformWithState`. May block, wait, fail and panic as a
/// [`UserDefinedFunction`](crate::UserDefinedFunction) may.
///
/// The engine keeps the state and knows when timers fire and values expire; the processor says what
/// becomes of one group's state.
pub trait StatefulProcessor: Send + Sync + Debug {
    /// Called once per batch with the groups that have rows, and once more with those whose timers
    /// fire. The results stand in the same order.
    fn call(
        &self,
        groups: Vec<ProcessorGroup>,
        times: BatchTimes,
        cancellation: &Cancellation,
    ) -> Result<Vec<ProcessorResult>>;
}

/// A processor with what it declares.
#[derive(Debug, Clone)]
pub struct StatefulProcessorDefinition {
    /// The columns of its rows.
    pub output: SchemaRef,
    /// Its state, in the order in which groups have it.
    pub variables: Vec<StateVariable>,
    /// State variables of earlier runs, by name, whose state is not to be kept any longer.
    pub deleted: Vec<String>,
    /// What it does.
    pub processor: Arc<dyn StatefulProcessor>,
}

/// Which time timers and TTLs of a processor live by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TimeMode {
    /// None: it has no timers and no TTL.
    #[default]
    None,
    /// `current_timestamp()` of the batch.
    ProcessingTime,
    /// The watermark; it has timers, but no TTL.
    EventTime,
}

impl Display for TimeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::ProcessingTime => "ProcessingTime",
            Self::EventTime => "EventTime",
        })
    }
}

impl FromStr for TimeMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::None, Self::ProcessingTime, Self::EventTime];
        let found = all
            .into_iter()
            .find(|mode| mode.to_string().eq_ignore_ascii_case(text.trim()));
        found.ok_or_else(|| {
            Error::analysis(format!("'{text}' is not a time mode"))
                .with_condition("STATEFUL_PROCESSOR_UNKNOWN_TIME_MODE")
                .with_hint("use None, ProcessingTime or EventTime")
        })
    }
}

/// What a state variable holds for each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateVariableKind {
    /// One value.
    #[serde(rename = "ValueState")]
    Value,
    /// Values in an order.
    #[serde(rename = "ListState")]
    List,
    /// Values by keys of the user's.
    #[serde(rename = "MapState")]
    Map,
}

impl Display for StateVariableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "ValueState",
            Self::List => "ListState",
            Self::Map => "MapState",
        })
    }
}

/// A state variable that a processor declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateVariable {
    /// Its name, which no other variable of the processor has.
    pub name: String,
    /// What it holds.
    pub kind: StateVariableKind,
    /// The type of its values, and of its keys, in words of the processor's. A query does not go on
    /// with a variable of another type.
    pub value_type: String,
    /// How long what is written is there, in ms; `None` for ever.
    pub ttl_ms: Option<i64>,
}

/// One group of one batch. Values are JSON as [`crate::json_rows`] writes them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessorGroup {
    /// The values of the grouping expressions.
    pub key: Vec<Value>,
    /// Its rows of the initial state, which come first; only in a query's first batch.
    pub initial: Vec<Value>,
    /// Its new rows.
    pub rows: Vec<Value>,
    /// Its timers that fire, the earliest first. A group with any has no rows in the same call.
    pub expired_timers: Vec<i64>,
    /// Its timers, the earliest first; those that fire are still among them.
    pub timers: Vec<i64>,
    /// What each variable holds for it.
    pub state: Vec<Vec<StateEntry>>,
}

/// A value that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// Under which key, if the variable is a map; text that the engine only compares.
    pub key: Option<String>,
    /// The value, in text that the engine does not look into.
    pub value: String,
}

/// What a processor did with one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessorResult {
    /// Rows to emit for new rows, as objects with the declared columns.
    pub rows: Vec<Value>,
    /// Rows to emit for each timer that fired, in their order.
    pub timer_rows: Vec<Vec<Value>>,
    /// What became of the variables, each with its number, which stands once.
    pub changes: Vec<StateChange>,
    /// Timers from now on that were not there, in ms since 1970.
    pub registered_timers: Vec<i64>,
    /// Timers that are not there any more.
    pub deleted_timers: Vec<i64>,
}

/// What became of one variable of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateChange {
    /// The variable's number.
    pub variable: usize,
    /// The numbers of the entries that are no longer there.
    pub removed: Vec<usize>,
    /// What was written; its TTL begins anew. What is new stands behind what is held.
    pub written: Vec<WrittenEntry>,
}

/// A value that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenEntry {
    /// In whose place, by number; `None` for a new one.
    pub replaces: Option<usize>,
    /// What is held from now on.
    pub entry: StateEntry,
}

/// The processors of a session that `GroupMap` relations name.
pub(crate) type StatefulProcessors = Registry<StatefulProcessorDefinition>;
