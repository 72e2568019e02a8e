//! Serves the calls of a processor: groups and their state come and go as JSON.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::context::Phase;
use super::{ExpiredTimerInfo, StatefulProcessor, StatefulProcessorHandle, TimeMode, TimerValues};
use crate::callbacks;
use crate::error::{Error, Result};
use crate::streaming::groups::{by_name, read, read_key};
use crate::types::{DataType, StructField};
use crate::wire::{Call, Function, ProcessorGroup, ProcessorResult};

/// Hands a row of an initial state to a processor that can do with one.
pub(super) type HandleInitial<P> =
    fn(&mut P, &<P as StatefulProcessor>::Key, Json, &TimerValues) -> Result<()>;

/// A processor and what it holds.
struct Served<P: StatefulProcessor> {
    processor: P,
    initial: Option<HandleInitial<P>>,
    handle: StatefulProcessorHandle,
    columns: Vec<StructField>,
}

impl<P: StatefulProcessor> Drop for Served<P> {
    fn drop(&mut self) {
        self.processor.close();
    }
}

/// Has the processor declare its variables and makes it known to the kernel; gives its id.
pub(super) fn register<P: StatefulProcessor>(
    mut processor: P,
    initial: Option<HandleInitial<P>>,
    output: &str,
    schema: &DataType,
    time_mode: TimeMode,
) -> Result<String> {
    schema.field_names()?;
    let handle = StatefulProcessorHandle::default();
    {
        let mut context = handle.shared.lock();
        context.phase = Phase::Init;
        context.time_mode = time_mode;
    }
    processor.init(&handle);
    let (variables, deleted) = {
        let mut context = handle.shared.lock();
        if let Some(error) = context.take_error() {
            return Err(error);
        }
        context.phase = Phase::Processing;
        (context.declared.clone(), context.deleted.clone())
    };
    let served = Mutex::new(Served {
        processor,
        initial,
        handle,
        columns: schema.fields().to_vec(),
    });
    let serve = move |request, body: Vec<u8>| match request {
        Call::Processor {
            batch_timestamp_ms,
            watermark_ms,
        } => {
            let times = TimerValues {
                processing_time_ms: batch_timestamp_ms,
                watermark_ms,
            };
            let groups: Vec<ProcessorGroup> = serde_json::from_slice(&body)?;
            let mut served = served.lock().unwrap_or_else(PoisonError::into_inner);
            let results = groups.into_iter().map(|group| served.group(group, &times));
            Ok(serde_json::to_vec(&results.collect::<Result<Vec<_>>>()?)?)
        }
        other => Err(callbacks::unexpected(&other)),
    };
    let known = Function::StatefulProcessor {
        output: output.to_string(),
        variables,
        deleted,
    };
    callbacks::register("processor", known, 1, Arc::new(serve))
}

impl<P: StatefulProcessor> Served<P> {
    fn group(&mut self, mut group: ProcessorGroup, times: &TimerValues) -> Result<ProcessorResult> {
        let key: P::Key = read_key(std::mem::take(&mut group.key))?;
        self.handle.shared.lock().begin(&mut group);
        for row in group.initial {
            let initial = self
                .initial
                .ok_or_else(|| Error::new("the processor cannot do with an initial state"))?;
            initial(&mut self.processor, &key, row, times)?;
        }
        let mut result = ProcessorResult::default();
        if !group.rows.is_empty() {
            let rows = group.rows.into_iter().map(|row| read(row, "a row"));
            let rows = rows.collect::<Result<_>>()?;
            let given = self.processor.handle_input_rows(&key, rows, times)?;
            result.rows = self.rows(given)?;
        }
        for expiry_time_ms in group.expired_timers {
            let timer = ExpiredTimerInfo { expiry_time_ms };
            let given = self.processor.handle_expired_timer(&key, &timer, times)?;
            let rows = self.rows(given)?;
            result.timer_rows.push(rows);
            // As in Spark, what has fired is gone once its handler has returned.
            self.handle.shared.lock().fired(expiry_time_ms);
        }
        let (changes, registered, deleted) = self.handle.shared.lock().end()?;
        result.changes = changes;
        result.registered_timers = registered;
        result.deleted_timers = deleted;
        Ok(result)
    }

    fn rows(&self, given: Vec<P::Output>) -> Result<Vec<Json>> {
        let rows = given.iter().map(|row| {
            let row = serde_json::to_value(row)?;
            Ok(by_name(row, &self.columns))
        });
        rows.collect()
    }
}
