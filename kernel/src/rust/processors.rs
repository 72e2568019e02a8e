//! Processors of `transformWithState`, whose bodies are in the process of user code.

use std::sync::Arc;

use tidebook::wire::{self, Call};
use tidebook_engine::{
    BatchTimes, Cancellation, Error, ProcessorGroup, ProcessorResult, Result, StateChange,
    StateEntry, StateVariable, StateVariableKind, StatefulProcessor, StatefulProcessorDefinition,
    WrittenEntry, parse_ddl,
};

use super::functions::Remote;

/// A processor as the engine knows it.
pub(super) fn definition(
    remote: Arc<Remote>,
    output: &str,
    variables: Vec<wire::StateVariable>,
    deleted: Vec<String>,
) -> Result<StatefulProcessorDefinition> {
    let declared = |variable: wire::StateVariable| StateVariable {
        name: variable.name,
        kind: match variable.kind {
            wire::StateVariableKind::Value => StateVariableKind::Value,
            wire::StateVariableKind::List => StateVariableKind::List,
            wire::StateVariableKind::Map => StateVariableKind::Map,
        },
        value_type: variable.value_type,
        ttl_ms: variable.ttl_ms,
    };
    Ok(StatefulProcessorDefinition {
        output: parse_ddl(output)?,
        variables: variables.into_iter().map(declared).collect(),
        deleted,
        processor: Arc::new(Processor { remote }),
    })
}

#[derive(Debug)]
struct Processor {
    remote: Arc<Remote>,
}

impl StatefulProcessor for Processor {
    fn call(
        &self,
        groups: Vec<ProcessorGroup>,
        times: BatchTimes,
        cancellation: &Cancellation,
    ) -> Result<Vec<ProcessorResult>> {
        let groups: Vec<wire::ProcessorGroup> = groups.into_iter().map(asked).collect();
        let body = serde_json::to_vec(&groups).map_err(unreadable)?;
        let call = Call::Processor {
            batch_timestamp_ms: times.batch_timestamp_ms,
            watermark_ms: times.watermark_ms,
        };
        let is_cancelled = || cancellation.is_cancelled();
        let answer = self.remote.call(&call, &body, &is_cancelled)?;
        let results: Vec<wire::ProcessorResult> =
            serde_json::from_slice(&answer).map_err(unreadable)?;
        Ok(results.into_iter().map(answered).collect())
    }
}

fn asked(group: ProcessorGroup) -> wire::ProcessorGroup {
    let entry = |entry: StateEntry| wire::StateEntry {
        key: entry.key,
        value: entry.value,
    };
    let held = |held: Vec<StateEntry>| held.into_iter().map(entry).collect();
    wire::ProcessorGroup {
        key: group.key,
        initial: group.initial,
        rows: group.rows,
        expired_timers: group.expired_timers,
        timers: group.timers,
        state: group.state.into_iter().map(held).collect(),
    }
}

fn answered(result: wire::ProcessorResult) -> ProcessorResult {
    let written = |written: wire::WrittenEntry| WrittenEntry {
        replaces: written.replaces,
        entry: StateEntry {
            key: written.entry.key,
            value: written.entry.value,
        },
    };
    let change = |change: wire::StateChange| StateChange {
        variable: change.variable,
        removed: change.removed,
        written: change.written.into_iter().map(written).collect(),
    };
    ProcessorResult {
        rows: result.rows,
        timer_rows: result.timer_rows,
        changes: result.changes.into_iter().map(change).collect(),
        registered_timers: result.registered_timers,
        deleted_timers: result.deleted_timers,
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::internal(format!("the state of a processor cannot be read: {error}"))
}
