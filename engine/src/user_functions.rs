//! Functions that users of the library write and the engine calls.

mod stateful_processor;

use std::any::Any;
use std::collections::HashMap;
use std::fmt::{self, Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use parking_lot::RwLock;
use serde_json::Value;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::cancellation::Cancellation;
use crate::error::{Error, Result};

pub(crate) use stateful_processor::StatefulProcessors;
pub use stateful_processor::{
    ProcessorGroup, ProcessorResult, StateChange, StateEntry, StateVariable, StateVariableKind,
    StatefulProcessor, StatefulProcessorDefinition, TimeMode, WrittenEntry,
};

/// The body of a scalar function.
///
/// It may block and may wait: it is called on a thread where that harms nobody. An error, or a
/// panic, fails the query that called it and nothing else.
pub trait UserDefinedFunction: Send + Sync + Debug {
    /// The values for `rows` rows, from argument columns of the declared types, each `rows` long.
    /// The result has the declared type and `rows` values. NULL arguments arrive as they are.
    /// While it waits for something it looks at `cancellation`.
    fn call(
        &self,
        arguments: &[ArrayRef],
        rows: usize,
        cancellation: &Cancellation,
    ) -> Result<ArrayRef>;
}

/// A scalar function as SQL and frames see it.
#[derive(Debug, Clone)]
pub struct ScalarFunction {
    /// Its name, found whatever its case.
    pub name: String,
    /// The types of its arguments; what is given is cast to them as Spark does.
    pub arguments: Vec<DataType>,
    /// The type of its value.
    pub returns: DataType,
    /// Whether equal arguments give equal values. Only then is a call folded into a constant, or
    /// made once where it stands twice.
    pub deterministic: bool,
    /// What it does.
    pub function: Arc<dyn UserDefinedFunction>,
}

/// The body of `mapGroupsWithState` and `flatMapGroupsWithState`. May block, wait, fail and panic
/// as a [`UserDefinedFunction`] may.
pub trait GroupsFunction: Send + Sync + Debug {
    /// Called once per batch with all groups that have new rows, then those that timed out. The
    /// results stand in the same order.
    fn call(
        &self,
        groups: Vec<Group>,
        times: BatchTimes,
        cancellation: &Cancellation,
    ) -> Result<Vec<GroupResult>>;
}

/// When a group without new rows is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupStateTimeout {
    /// Never.
    #[default]
    NoTimeout,
    /// In the first batch whose `current_timestamp()` is past the group's timeout.
    ProcessingTimeTimeout,
    /// In the first batch whose watermark is past the group's timeout.
    EventTimeTimeout,
}

impl Display for GroupStateTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTimeout => "NoTimeout",
            Self::ProcessingTimeTimeout => "ProcessingTimeTimeout",
            Self::EventTimeTimeout => "EventTimeTimeout",
        })
    }
}

impl FromStr for GroupStateTimeout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let all = [
            Self::NoTimeout,
            Self::ProcessingTimeTimeout,
            Self::EventTimeTimeout,
        ];
        let found = all
            .into_iter()
            .find(|timeout| timeout.to_string().eq_ignore_ascii_case(text.trim()));
        found.ok_or_else(|| {
            Error::illegal_argument(format!("'{text}' is not a timeout of group states"))
                .with_hint("use NoTimeout, ProcessingTimeTimeout or EventTimeTimeout")
        })
    }
}

/// What time it is in a batch, in ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchTimes {
    /// `current_timestamp()` of the batch.
    pub batch_timestamp_ms: i64,
    /// The watermark; 0 while there is none.
    pub watermark_ms: i64,
}

/// One group of one batch. Values are JSON as [`crate::json_rows`] writes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The values of the grouping expressions.
    pub key: Vec<Value>,
    /// The group's new rows as objects, NULLs included; none if it timed out.
    pub rows: Vec<Value>,
    /// What [`GroupResult::state`] was at the last call.
    pub state: Option<String>,
    /// Whether it is called because its time has come.
    pub has_timed_out: bool,
}

/// What a function made of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupResult {
    /// Rows to emit, as objects with the declared columns; a column that is left out is NULL, one
    /// that was not declared is an error.
    pub rows: Vec<Value>,
    /// The state from now on; `None` forgets the group unless it has a timeout. The engine does
    /// not look into it.
    pub state: Option<String>,
    /// When the group is called although it has no new rows, in ms since 1970. Every call decides
    /// anew: without it the group does not time out.
    pub timeout_ms: Option<i64>,
}

/// The functions of a session that `GroupMap` relations name.
pub(crate) type GroupsFunctions = Registry<RegisteredGroups>;

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct RegisteredGroups {
    pub(crate) output: SchemaRef,
    pub(crate) function: Arc<dyn GroupsFunction>,
}

/// User code by the ids under which relations name it.
#[derive(Debug)]
pub(crate) struct Registry<T>(RwLock<HashMap<String, T>>);

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: Clone> Registry<T> {
    pub(crate) fn insert(&self, id: &str, code: T) {
        self.0.write().insert(id.to_string(), code);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.0.write().remove(id);
    }

    pub(crate) fn get(&self, id: &str) -> Option<T> {
        self.0.read().get(id).cloned()
    }
}

/// Calls user code: what waits in it keeps no other task waiting, a panic is an error, and after a
/// cancellation there is no other error than that.
pub(crate) fn call_user_code<T>(
    name: &str,
    cancellation: &Cancellation,
    call: impl FnOnce() -> Result<T>,
) -> Result<T> {
    if cancellation.is_cancelled() {
        return Err(Error::cancelled());
    }
    let returned = without_blocking(|| catch_unwind(AssertUnwindSafe(call)));
    let failed = match returned {
        Ok(Ok(value)) => return Ok(value),
        _ if cancellation.is_cancelled() => return Err(Error::cancelled()),
        Ok(Err(error)) => error.context(format!("function '{name}' failed")),
        Err(panic) => Error::runtime(format!(
            "function '{name}' panicked: {}",
            panic_message(&*panic)
        )),
    };
    Err(match failed.condition() {
        Some(_) => failed,
        None => failed.with_condition("FAILED_EXECUTE_UDF"),
    })
}

/// Runs code that may block; if this is a worker of the runtime, another takes over its tasks.
fn without_blocking<T>(run: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(run)
        }
        _ => run(),
    }
}

/// The name of a function as it is shown: what stands behind '#' tells functions of one name apart.
pub(crate) fn shown_name(name: &str) -> &str {
    name.split_once('#').map_or(name, |(shown, _)| shown)
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}
