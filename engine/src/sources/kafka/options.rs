//! The options of the Kafka source.

use std::time::Duration;

use super::boundary::{Boundary, Missing};
use super::rate_limit::RateLimit;
use super::topics::Topics;
use crate::error::{Error, Result};
use crate::interval::parse_time;
use crate::kafka::{BOOTSTRAP_SERVERS, ClientSettings, Role, own_options};
use crate::options::{OptionMap, OptionSpec, Options};

/// Options of streams and tables.
pub(super) const BOTH: [OptionSpec; 16] = [
    BOOTSTRAP_SERVERS,
    OptionSpec {
        name: "subscribe",
        doc: "the topics, separated by commas",
    },
    OptionSpec {
        name: "subscribePattern",
        doc: "a regular expression: all topics whose whole name it matches",
    },
    OptionSpec {
        name: "assign",
        doc: "partitions of topics as JSON: {\"clicks\":[0,1]}",
    },
    OptionSpec {
        name: "startingOffsets",
        doc: "where a new query begins: earliest, latest, or JSON with an offset for every partition, -2 for earliest and -1 for latest: {\"clicks\":{\"0\":23,\"1\":-2}}; latest by default, earliest for a table",
    },
    OptionSpec {
        name: "startingTimestamp",
        doc: "begin with the records of this time or later, in milliseconds; wins over the other starting options",
    },
    OptionSpec {
        name: "startingOffsetsByTimestamp",
        doc: "the same with a time for every partition, as JSON: {\"clicks\":{\"0\":1700000000000}}; wins over startingOffsets",
    },
    OptionSpec {
        name: "startingOffsetsByTimestampStrategy",
        doc: "where a partition begins that has no record of that time or later: error, the default, or latest",
    },
    OptionSpec {
        name: "includeHeaders",
        doc: "true: a column headers; false by default",
    },
    OptionSpec {
        name: "failOnDataLoss",
        doc: "whether the query fails if records are gone before they were read: true by default; false: it goes on with what there is",
    },
    OptionSpec {
        name: "minPartitions",
        doc: "read large partitions in parts, so that there are about this many",
    },
    OptionSpec {
        name: "maxRecordsPerPartition",
        doc: "read partitions in parts of no more than this many records",
    },
    OptionSpec {
        name: "groupIdPrefix",
        doc: "how the names of the consumer groups begin: spark-kafka-source by default",
    },
    OptionSpec {
        name: "kafkaConsumer.pollTimeoutMs",
        doc: "how long to wait for records that should be there: 120000 by default",
    },
    OptionSpec {
        name: "fetchOffset.numRetries",
        doc: "how often offsets are asked for again: 3 by default",
    },
    OptionSpec {
        name: "fetchOffset.retryIntervalMs",
        doc: "how long to wait before that: 1000 by default",
    },
];

/// Options of streams.
pub(super) const STREAM: [OptionSpec; 3] = [
    OptionSpec {
        name: "maxOffsetsPerTrigger",
        doc: "about how many records one batch takes, shared among the partitions by what they have",
    },
    OptionSpec {
        name: "minOffsetsPerTrigger",
        doc: "wait with a batch until there are this many records",
    },
    OptionSpec {
        name: "maxTriggerDelay",
        doc: "but no longer than this: 15m by default",
    },
];

/// Options of tables.
pub(super) const TABLE: [OptionSpec; 4] = [
    OptionSpec {
        name: "endingOffsets",
        doc: "where a table ends: latest, the default, or JSON as for startingOffsets",
    },
    OptionSpec {
        name: "endingTimestamp",
        doc: "end before the first record of this time or later, in milliseconds",
    },
    OptionSpec {
        name: "endingOffsetsByTimestamp",
        doc: "the same with a time for every partition, as JSON",
    },
    OptionSpec {
        name: "endingOffsetsByTimestampStrategy",
        doc: "accepted as in Spark: without such a record a partition is read to its end",
    },
];

/// What a source was asked for.
#[derive(Debug, Clone)]
pub(super) struct KafkaOptions {
    pub settings: ClientSettings,
    pub topics: Topics,
    pub start: Boundary,
    /// Of tables.
    pub end: Boundary,
    pub include_headers: bool,
    pub fail_on_data_loss: bool,
    pub min_partitions: Option<u64>,
    pub max_records_per_partition: Option<u64>,
    pub rate_limit: RateLimit,
    pub group: GroupName,
    pub patience: Patience,
}

/// How long the source tries what does not work at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub poll_timeout: Duration,
    pub retries: u32,
    pub retry_interval: Duration,
}

/// What the source's consumers call themselves. Nothing is committed under the name.
#[derive(Debug, Clone)]
pub(super) enum GroupName {
    Given(String),
    Prefix(String),
}

/// What reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadBy {
    Stream,
    Table,
}

impl KafkaOptions {
    pub(super) fn new(given: &OptionMap, defaults: &OptionMap, by: ReadBy) -> Result<Self> {
        let all = BOTH.iter().chain(&STREAM).chain(&TABLE);
        let options = Options::new("source 'kafka'", &own_options(given), all, &[])?;
        // As in Spark, what to read is looked at before where it is.
        let topics = Topics::new(&options)?;
        let settings = ClientSettings::new(Role::Consumer, given, defaults)?;
        if by == ReadBy::Stream {
            for (name, what) in [
                ("endingOffsets", "ending offset"),
                ("endingOffsetsByTimestamp", "ending timestamp"),
            ] {
                if options.get(name).is_some() {
                    let message = format!("{what} not valid in streaming queries");
                    return Err(Error::illegal_argument(message).with_hint(format!(
                        "remove the option {name}; read a table to end somewhere"
                    )));
                }
            }
        }
        let group = match settings.get("group.id") {
            Some(group) => GroupName::Given(group.to_string()),
            None => {
                let own = match by {
                    ReadBy::Stream => "spark-kafka-source",
                    ReadBy::Table => "spark-kafka-relation",
                };
                GroupName::Prefix(options.get("groupIdPrefix").unwrap_or(own).to_string())
            }
        };
        let default_start = match by {
            ReadBy::Stream => Boundary::Latest,
            ReadBy::Table => Boundary::Earliest,
        };
        let missing = match options.get("startingOffsetsByTimestampStrategy") {
            None => Missing::Error,
            Some(text) if text.trim().eq_ignore_ascii_case("error") => Missing::Error,
            Some(text) if text.trim().eq_ignore_ascii_case("latest") => Missing::Latest,
            Some(_) => {
                let name = "startingOffsetsByTimestampStrategy";
                return Err(options
                    .invalid(name, "error or latest")
                    .with_hint("remove it, or write latest"));
            }
        };
        Ok(Self {
            topics,
            start: Boundary::starting(&options, default_start, missing)?,
            end: Boundary::ending(&options)?,
            include_headers: options.boolean("includeHeaders", false)?,
            fail_on_data_loss: options.boolean("failOnDataLoss", true)?,
            min_partitions: positive(&options, "minPartitions")?,
            max_records_per_partition: positive(&options, "maxRecordsPerPartition")?,
            rate_limit: rate_limit(&options)?,
            group,
            patience: Patience {
                poll_timeout: millis(&options, "kafkaConsumer.pollTimeoutMs", 120_000)?,
                retries: options
                    .parsed("fetchOffset.numRetries", "a whole number")?
                    .unwrap_or(3),
                retry_interval: millis(&options, "fetchOffset.retryIntervalMs", 1000)?,
            },
            settings,
        })
    }
}

fn rate_limit(options: &Options) -> Result<RateLimit> {
    const COUNT: &str = "a whole number of records, 0 or more";
    let max: Option<u64> = options.parsed("maxOffsetsPerTrigger", COUNT)?;
    let min: Option<u64> = options.parsed("minOffsetsPerTrigger", COUNT)?;
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let message = format!(
            "The value of minOffsetPerTrigger({min}) is higher than the maxOffsetsPerTrigger({max})."
        );
        return Err(Error::illegal_argument(message)
            .with_hint("make minOffsetsPerTrigger the smaller of the two"));
    }
    let max_delay = match options.get("maxTriggerDelay") {
        None => Duration::from_secs(15 * 60),
        Some(text) => parse_time(text)
            .ok_or_else(|| options.invalid("maxTriggerDelay", "a time, e.g. 50s, 100ms or 5m"))?,
    };
    Ok(RateLimit {
        max,
        min,
        max_delay,
    })
}

fn positive(options: &Options, name: &str) -> Result<Option<u64>> {
    match options.parsed(name, "a positive whole number")? {
        Some(0) => Err(Error::illegal_argument(format!("{name} must be positive"))),
        value => Ok(value),
    }
}

fn millis(options: &Options, name: &str, default: u64) -> Result<Duration> {
    let millis = options.parsed(name, "a whole number of milliseconds")?;
    Ok(Duration::from_millis(millis.unwrap_or(default)))
}
