//! `rate-micro-batch`: so many rows a batch, whatever the clock says: the same rows in every run.
//! An offset is the number of rows so far and the time of the next batch.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use serde_json::json;

use super::options::{check_no_schema, non_negative, partitions, positive};
use super::rows::{NumberBatch, Times, schema};
use crate::error::{Error, Result, hint};
use crate::options::{OptionSpec, Options};
use crate::sources::format::{Columns, SourceFormat, StreamRequest};
use crate::sources::{
    NotContinuous, Offset, ReadLimit, Source, SourceBatch, SourceContext, SourceDefinition,
};

const OPTIONS: [OptionSpec; 4] = [
    OptionSpec {
        name: "rowsPerBatch",
        doc: "how many rows a batch brings; it must be given",
    },
    OptionSpec {
        name: "numPartitions",
        doc: "how many tasks the rows are dealt out to, which only shows in their order",
    },
    OptionSpec {
        name: "startTimestamp",
        doc: "the time of the first batch, in milliseconds since 1970: 0 by default",
    },
    OptionSpec {
        name: "advanceMillisPerBatch",
        doc: "by how much the time of each batch is later: 1000 by default",
    },
];

/// The row of the table of sources.
pub(in crate::sources) const RATE_MICRO_BATCH: SourceFormat = SourceFormat {
    name: "rate-micro-batch",
    doc: "so many rows a batch, the same in every run: timestamp TIMESTAMP, value BIGINT",
    options: &[&OPTIONS],
    needs_path: false,
    columns: Columns::Fixed,
    stream: Some(define),
    table: None,
};

fn define(request: StreamRequest) -> Result<Arc<dyn SourceDefinition>> {
    check_no_schema(
        &request,
        "RatePerMicroBatchProvider",
        "timestamp TIMESTAMP, value BIGINT",
    )?;
    let what = "source format 'rate-micro-batch'";
    let options = Options::new(what, &request.options, &OPTIONS, &[])?;
    Ok(Arc::new(RatePerMicroBatch {
        rows_per_batch: positive(&options, "rowsPerBatch", 0)?,
        start_ms: non_negative(&options, "startTimestamp", 0)?,
        advance_ms: non_negative(&options, "advanceMillisPerBatch", 1000)?,
        partitions: partitions(&options)?,
    }))
}

#[derive(Debug, Clone)]
struct RatePerMicroBatch {
    rows_per_batch: i64,
    start_ms: i64,
    advance_ms: i64,
    partitions: Option<u64>,
}

impl SourceDefinition for RatePerMicroBatch {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn description(&self) -> String {
        let partitions = self.partitions.map(|partitions| partitions.to_string());
        let partitions = partitions.as_deref().unwrap_or("default");
        format!(
            "RatePerMicroBatchStream[rowsPerBatch={}, numPartitions={partitions}, startTimestamp={}, advanceMsPerBatch={}]",
            self.rows_per_batch, self.start_ms, self.advance_ms
        )
    }

    fn identity(&self) -> String {
        format!(
            "RatePerMicroBatchStream[rowsPerBatch={}, startTimestamp={}, advanceMsPerBatch={}]",
            self.rows_per_batch, self.start_ms, self.advance_ms
        )
    }

    fn not_continuous(&self) -> Option<NotContinuous> {
        Some(NotContinuous::Format(RATE_MICRO_BATCH.name))
    }

    fn create(&self, _: SourceContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(RatePerMicroBatchSource {
            stream: self.clone(),
            available_now: None,
        }))
    }
}

/// Where a batch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    /// Its first number.
    value: i64,
    /// The time of its rows, in milliseconds.
    time_ms: i64,
}

impl Position {
    fn offset(self) -> Offset {
        json!({"offset": self.value, "timestamp": self.time_ms})
    }
}

#[derive(Debug)]
struct RatePerMicroBatchSource {
    stream: RatePerMicroBatch,
    /// With `Trigger.AvailableNow`, whether that was asked for, and the end of its only batch.
    available_now: Option<Option<Position>>,
}

impl RatePerMicroBatchSource {
    fn position(&self, offset: Option<&Offset>) -> Result<Position> {
        let Some(offset) = offset else {
            return Ok(Position {
                value: 0,
                time_ms: self.stream.start_ms,
            });
        };
        let number = |name| offset.get(name).and_then(Offset::as_i64);
        match (number("offset"), number("timestamp")) {
            (Some(value), Some(time_ms)) => Ok(Position { value, time_ms }),
            _ => Err(Error::illegal_argument(format!(
                "'{offset}' is not an offset of {}",
                self.description()
            ))
            .with_hint([
                hint::say("the checkpoint belongs to a query with other sources: choose another "),
                hint::checkpoint(),
            ])),
        }
    }

    /// The first batch was planned with a smaller startTimestamp, or a log has another's offsets.
    fn backwards(&self, what: &str, start: i64, end: i64) -> Error {
        Error::illegal_argument(format!(
            "a batch of {} cannot go from {start} back to {end}",
            self.description()
        ))
        .with_condition(format!(
            "MALFORMED_STATE_IN_RATE_PER_MICRO_BATCH_SOURCE.{what}"
        ))
        .with_hint([
            hint::say("go on with the startTimestamp of the first run, or choose another "),
            hint::checkpoint(),
        ])
    }

    fn after(&self, start: Position) -> Result<Position> {
        let value = start.value.checked_add(self.stream.rows_per_batch);
        let time_ms = start.time_ms.checked_add(self.stream.advance_ms);
        let end = value.zip(time_ms);
        end.map(|(value, time_ms)| Position { value, time_ms })
            .ok_or_else(|| {
                let message = format!(
                    "{} has brought as many rows as can be counted",
                    self.description()
                );
                Error::runtime(message).with_hint("start anew with another checkpoint")
            })
    }
}

#[async_trait]
impl Source for RatePerMicroBatchSource {
    fn description(&self) -> String {
        self.stream.description()
    }

    fn schema(&self) -> SchemaRef {
        schema()
    }

    async fn latest_offset(
        &mut self,
        start: Option<&Offset>,
        _: ReadLimit,
    ) -> Result<Option<Offset>> {
        let next = self.after(self.position(start)?)?;
        let end = match &mut self.available_now {
            None => next,
            Some(end) => *end.get_or_insert(next),
        };
        Ok(Some(end.offset()))
    }

    async fn get_batch(
        &mut self,
        start: Option<&Offset>,
        end: &Offset,
    ) -> Result<Box<dyn SourceBatch>> {
        let start = self.position(start)?;
        let end = self.position(Some(end))?;
        if start.value > end.value {
            return Err(self.backwards("INVALID_OFFSET", start.value, end.value));
        }
        if start.time_ms > end.time_ms {
            return Err(self.backwards("INVALID_TIMESTAMP", start.time_ms, end.time_ms));
        }
        Ok(Box::new(NumberBatch {
            values: start.value..end.value,
            times: Times {
                start_ms: start.time_ms,
                step_ms: 0.0,
            },
            tasks: self.stream.partitions,
        }))
    }

    async fn commit(&mut self, _: &Offset) -> Result<()> {
        Ok(())
    }

    async fn prepare_for_trigger_available_now(&mut self) -> Result<()> {
        self.available_now = Some(None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::{context, defined, now};

    const GIVEN: [(&str, &str); 3] = [
        ("rowsPerBatch", "5"),
        ("startTimestamp", "1700000000000"),
        ("advanceMillisPerBatch", "1500"),
    ];

    #[test]
    fn batches_follow_each_other() {
        let stream = defined(&RATE_MICRO_BATCH, &GIVEN).unwrap();
        assert_eq!(
            stream.description(),
            "RatePerMicroBatchStream[rowsPerBatch=5, numPartitions=default, startTimestamp=1700000000000, advanceMsPerBatch=1500]"
        );
        let mut source = stream.create(context()).unwrap();
        let mut latest =
            |start: Option<&Offset>| now(source.latest_offset(start, ReadLimit::Options)).unwrap();
        let first = latest(None).unwrap();
        assert_eq!(
            first.to_string(),
            r#"{"offset":5,"timestamp":1700000001500}"#
        );
        let second = latest(Some(&first)).unwrap();
        assert_eq!(
            second.to_string(),
            r#"{"offset":10,"timestamp":1700000003000}"#
        );
        assert_eq!(source.report_latest_offset(), None);
    }

    #[test]
    fn available_now_is_one_batch() {
        let mut source = defined(&RATE_MICRO_BATCH, &GIVEN)
            .unwrap()
            .create(context())
            .unwrap();
        now(source.prepare_for_trigger_available_now()).unwrap();
        let mut latest =
            |start: Option<&Offset>| now(source.latest_offset(start, ReadLimit::Options)).unwrap();
        let begun = json!({"offset": 15, "timestamp": 3});
        let end = latest(Some(&begun)).unwrap();
        assert_eq!(end["offset"], 20);
        assert_eq!(latest(Some(&end)), Some(end.clone()));
    }

    #[test]
    fn a_batch_does_not_go_back() {
        let mut source = defined(&RATE_MICRO_BATCH, &GIVEN)
            .unwrap()
            .create(context())
            .unwrap();
        let mut condition = |start: Option<Offset>, end: Offset| {
            let batch = now(source.get_batch(start.as_ref(), &end));
            batch.unwrap_err().condition().unwrap().to_string()
        };
        let early = json!({"offset": 5, "timestamp": 1000});
        assert!(condition(None, early.clone()).ends_with(".INVALID_TIMESTAMP"));
        let late = json!({"offset": 10, "timestamp": 0});
        assert!(condition(Some(late), early).ends_with(".INVALID_OFFSET"));
    }

    #[test]
    fn options_are_refused_in_sparks_words() {
        for (options, expected) in [
            (
                &[][..],
                "Invalid value '0'. The option 'rowsPerBatch' must be positive",
            ),
            (&[("rowsPerBatch", "x")], "For input string: \"x\""),
            (
                &[GIVEN[0], ("startTimestamp", "-1")],
                "Invalid value '-1'. The option 'startTimestamp' must be non-negative",
            ),
            (
                &[GIVEN[0], ("advanceMillisPerBatch", "-1")],
                "The option 'advanceMillisPerBatch' must be non-negative",
            ),
            (
                &[GIVEN[0], ("numPartitions", "0")],
                "Invalid value '0'. The option 'numPartitions' must be positive",
            ),
        ] {
            let error = defined(&RATE_MICRO_BATCH, options).unwrap_err();
            assert!(error.message().contains(expected), "{options:?}: {error}");
        }
    }
}
