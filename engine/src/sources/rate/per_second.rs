//! `rate`: so many rows a second. An offset is a number of whole seconds since the query first
//! started, so a restart goes on counting where it was.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use super::options::{check_no_schema, invalid, partitions, positive};
use super::rows::{NumberBatch, Times, schema};
use crate::checkpointing::{CheckpointFileManager, MetadataLog};
use crate::clock::Clock;
use crate::error::{Error, Result, hint};
use crate::interval::parse_short;
use crate::options::{OptionSpec, Options};
use crate::sources::format::{Columns, SourceFormat, StreamRequest};
use crate::sources::{
    Offset, ReadLimit, Said, Source, SourceBatch, SourceContext, SourceDefinition, SourceInspector,
};
use crate::why::InputWhy;

const OPTIONS: [OptionSpec; 3] = [
    OptionSpec {
        name: "rowsPerSecond",
        doc: "how many rows a second brings: 1 by default",
    },
    OptionSpec {
        name: "rampUpTime",
        doc: "how long until it brings so many, e.g. 10s: 0s by default",
    },
    OptionSpec {
        name: "numPartitions",
        doc: "how many tasks the rows are dealt out to, which only shows in their order",
    },
];

/// The row of the table of sources.
pub(in crate::sources) const RATE: SourceFormat = SourceFormat {
    name: "rate",
    doc: "so many rows a second, for trying things out: timestamp TIMESTAMP, value BIGINT",
    options: &[&OPTIONS],
    needs_path: false,
    columns: Columns::Fixed,
    stream: Some(define),
    table: None,
};

fn define(request: StreamRequest) -> Result<Arc<dyn SourceDefinition>> {
    check_no_schema(
        &request,
        "RateStreamProvider",
        "timestamp TIMESTAMP, value BIGINT",
    )?;
    let options = Options::new("source format 'rate'", &request.options, &OPTIONS, &[])?;
    let rate = Rate {
        rows_per_second: positive(&options, "rowsPerSecond", 1)?,
        ramp_up_seconds: ramp_up_seconds(&options)?,
    };
    if rate.value_at(rate.ramp_up_seconds).is_none() {
        return Err(options.invalid("rampUpTime", "shorter with so many rows a second"));
    }
    Ok(Arc::new(RateStream {
        rate,
        partitions: partitions(&options)?,
    }))
}

fn ramp_up_seconds(options: &Options) -> Result<i64> {
    const NAME: &str = "rampUpTime";
    let text = options.get(NAME).unwrap_or("0s").trim();
    if let Some(seconds) = text.strip_prefix('-') {
        let digits = seconds.trim_end_matches(|char: char| !char.is_ascii_digit());
        if let Ok(seconds) = digits.parse::<i64>() {
            return Err(invalid(-seconds, NAME, "must not be negative"));
        }
    }
    // A bare number is one of seconds.
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time = parse_short(text).ok_or_else(|| {
        Error::illegal_argument(format!(
            "Failed to parse time string: {text}. Time must be specified as a number and its unit"
        ))
        .with_hint([
            hint::say("write it like 50s, 100ms, 2m or 1h: "),
            hint::option(NAME, "10s"),
        ])
    })?;
    Ok(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// How many rows there are when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    rows_per_second: i64,
    ramp_up_seconds: i64,
}

impl Rate {
    /// How many rows there are in the first so many seconds; `None` if that is beyond counting.
    fn value_at(self, seconds: i64) -> Option<i64> {
        let ramp = self.ramp_up_seconds;
        let step = (self.rows_per_second / ramp.checked_add(1)?).max(1);
        // While the rate grows, second s brings (s + 1) steps.
        let growing = |seconds: i64| {
            let sum = i128::from(seconds) * (i128::from(seconds) + 1) / 2;
            i64::try_from(sum * i128::from(step)).ok()
        };
        if seconds <= ramp {
            return growing(seconds);
        }
        let rest = (seconds - ramp).checked_mul(self.rows_per_second)?;
        growing(ramp)?.checked_add(rest)
    }
}

#[derive(Debug)]
struct RateStream {
    rate: Rate,
    partitions: Option<u64>,
}

impl SourceDefinition for RateStream {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    /// The missing bracket is Spark's.
    fn description(&self) -> String {
        let partitions = self.partitions.map(|partitions| partitions.to_string());
        format!(
            "{}, numPartitions={}",
            self.identity(),
            partitions.as_deref().unwrap_or("default")
        )
    }

    fn identity(&self) -> String {
        let Rate {
            rows_per_second,
            ramp_up_seconds,
        } = self.rate;
        format!("RateStreamV2[rowsPerSecond={rows_per_second}, rampUpTimeSeconds={ramp_up_seconds}")
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let files = CheckpointFileManager::new(context.metadata_path, context.durable);
        let log = MetadataLog::new(files, 1);
        let created_ms = match log.get(0)? {
            Some(entry) => {
                let text = entry.text.trim();
                let time = text.parse();
                time.map_err(|_| log.malformed("0", format!("'{text}' is not a time")))?
            }
            None => {
                let now = context.clock.now_ms();
                log.add(0, &now.to_string())?;
                now
            }
        };
        Ok(Box::new(RateSource {
            description: self.description(),
            rate: self.rate,
            partitions: self.partitions,
            clock: context.clock,
            created_ms,
            latest: 0,
            available_now: None,
        }))
    }
}

#[derive(Debug)]
struct RateSource {
    description: String,
    rate: Rate,
    partitions: Option<u64>,
    clock: Arc<dyn Clock>,
    /// When the query first started.
    created_ms: i64,
    /// The last offset that was offered. When the clock goes back, time stands still here.
    latest: i64,
    /// With `Trigger.AvailableNow`, the offset at the start of the query.
    available_now: Option<i64>,
}

impl RateSource {
    fn now(&mut self) -> i64 {
        let passed = (self.clock.now_ms() - self.created_ms).div_euclid(1000);
        self.latest = self.latest.max(passed);
        self.latest
    }

    fn seconds(&self, offset: &Offset) -> Result<i64> {
        let seconds = offset.as_i64().filter(|seconds| *seconds >= 0);
        seconds.ok_or_else(|| {
            Error::illegal_argument(format!(
                "'{offset}' is not an offset of {}",
                self.description
            ))
            .with_hint([
                hint::say("the checkpoint belongs to a query with other sources: choose another "),
                hint::checkpoint(),
            ])
        })
    }

    fn value_at(&self, seconds: i64) -> Result<i64> {
        self.rate.value_at(seconds).ok_or_else(|| {
            Error::runtime(format!(
                "{}] has brought as many rows as can be counted",
                self.description
            ))
            .with_hint("start anew with fewer rowsPerSecond")
        })
    }
}

#[async_trait]
impl Source for RateSource {
    fn description(&self) -> String {
        self.description.clone()
    }

    fn schema(&self) -> SchemaRef {
        schema()
    }

    async fn latest_offset(
        &mut self,
        start: Option<&Offset>,
        _: ReadLimit,
    ) -> Result<Option<Offset>> {
        let start = start.map(|start| self.seconds(start)).transpose()?;
        self.latest = self.latest.max(start.unwrap_or(0));
        let end = match self.available_now {
            Some(end) => end.max(start.unwrap_or(0)),
            None => self.now(),
        };
        Ok(Some(Offset::from(end)))
    }

    async fn get_batch(
        &mut self,
        start: Option<&Offset>,
        end: &Offset,
    ) -> Result<Box<dyn SourceBatch>> {
        let start = start.map_or(Ok(0), |start| self.seconds(start))?;
        let end = self.seconds(end)?;
        let values = self.value_at(start)?..self.value_at(end)?;
        let rows = values.end - values.start;
        let milliseconds = (end - start) as f64 * 1000.0;
        Ok(Box::new(NumberBatch {
            values,
            times: Times {
                start_ms: self.created_ms + start * 1000,
                step_ms: if rows > 0 {
                    milliseconds / rows as f64
                } else {
                    0.0
                },
            },
            tasks: self.partitions,
        }))
    }

    async fn commit(&mut self, _: &Offset) -> Result<()> {
        Ok(())
    }

    async fn prepare_for_trigger_available_now(&mut self) -> Result<()> {
        self.available_now = Some(self.now());
        Ok(())
    }

    fn report_latest_offset(&self) -> Option<Offset> {
        Some(Offset::from(self.available_now.unwrap_or(self.latest)))
    }

    fn inspector(&self) -> Option<Arc<dyn SourceInspector>> {
        let Rate {
            rows_per_second,
            ramp_up_seconds,
        } = self.rate;
        Some(Arc::new(Said(InputWhy::Rate {
            rows_per_second,
            ramp_up_seconds,
        })))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::cancellation::Cancellation;
    use crate::clock::ManualClock;
    use crate::options::OptionMap;
    use crate::sources::testing::{defined, now};

    #[test]
    fn the_rate_grows_as_in_spark() {
        let rate = Rate {
            rows_per_second: 10,
            ramp_up_seconds: 4,
        };
        let values: Vec<_> = (0..8)
            .map(|second| rate.value_at(second).unwrap())
            .collect();
        assert_eq!(values, [0, 2, 6, 12, 20, 30, 40, 50]);
        let most = Rate {
            rows_per_second: i64::MAX,
            ramp_up_seconds: 0,
        };
        assert_eq!((most.value_at(1), most.value_at(2)), (Some(i64::MAX), None));
    }

    #[test]
    fn options_are_refused_in_sparks_words() {
        for (option, expected) in [
            (
                ("rowsPerSecond", "0"),
                "Invalid value '0'. The option 'rowsPerSecond' must be positive",
            ),
            (
                ("rowsPerSecond", "-1"),
                "Invalid value '-1'. The option 'rowsPerSecond' must be positive",
            ),
            (("rowsPerSecond", "x"), "For input string: \"x\""),
            (
                ("numPartitions", "0"),
                "Invalid value '0'. The option 'numPartitions' must be positive",
            ),
            (
                ("rampUpTime", "-1s"),
                "Invalid value '-1'. The option 'rampUpTime' must not be negative",
            ),
            (("rampUpTime", "x"), "Failed to parse time string: x"),
            (("rowsPerBatch", "4"), "unknown option 'rowsPerBatch'"),
        ] {
            let error = defined(&RATE, &[option]).unwrap_err();
            assert!(error.message().contains(expected), "{option:?}: {error}");
        }
        let description = |options| defined(&RATE, options).unwrap().description();
        assert_eq!(
            description(&[("ROWSPERSECOND", "5"), ("numPartitions", "2")]),
            "RateStreamV2[rowsPerSecond=5, rampUpTimeSeconds=0, numPartitions=2"
        );
        assert_eq!(
            description(&[("rampUpTime", "4s")]),
            "RateStreamV2[rowsPerSecond=1, rampUpTimeSeconds=4, numPartitions=default"
        );
    }

    #[tokio::test]
    async fn a_restart_goes_on_counting_and_time_never_goes_back() {
        let dir = tempfile::tempdir().unwrap();
        let metadata_path = dir.path().join("sources/0");
        let source = |clock: ManualClock| {
            let stream = defined(&RATE, &[("rowsPerSecond", "5")]).unwrap();
            stream.create(SourceContext {
                metadata_path: metadata_path.clone().into(),
                durable: false,
                batches_to_retain: 100,
                clock: Arc::new(clock),
                cancellation: Cancellation::new(),
            })
        };
        let clock = ManualClock::new(1_796_034_118_013);
        let mut first = source(clock.clone()).unwrap();
        let written = std::fs::read_to_string(metadata_path.join("0")).unwrap();
        assert_eq!(written, "v1\n1796034118013");
        let latest = |source: &mut Box<dyn Source>, start: Option<i64>| {
            let start = start.map(Offset::from);
            now(source.latest_offset(start.as_ref(), ReadLimit::Options)).unwrap()
        };
        assert_eq!(latest(&mut first, None), Some(json!(0)));
        clock.advance(Duration::from_millis(8_999));
        assert_eq!(latest(&mut first, Some(0)), Some(json!(8)));
        assert_eq!(first.report_latest_offset(), Some(json!(8)));

        // Another process whose clock is a minute behind, then right again.
        let slow = ManualClock::new(1_796_034_067_012);
        let mut second = source(slow.clone()).unwrap();
        assert_eq!(
            latest(&mut second, Some(8)),
            Some(json!(8)),
            "nothing new, and nothing again"
        );
        slow.advance(Duration::from_secs(62));
        assert_eq!(latest(&mut second, Some(8)), Some(json!(10)));

        std::fs::write(metadata_path.join("0"), "v1\nsoon").unwrap();
        let error = source(clock).unwrap_err();
        assert!(error.message().contains("'soon' is not a time"), "{error}");
    }

    #[test]
    fn it_has_columns_of_its_own() {
        let request = StreamRequest {
            format: "rate",
            schema: Some(schema()),
            options: OptionMap::new(),
            defaults: OptionMap::new(),
            stores: Arc::default(),
        };
        let error = define(request).unwrap_err();
        assert!(
            error
                .message()
                .contains("RateStreamProvider source does not support")
        );
    }
}
