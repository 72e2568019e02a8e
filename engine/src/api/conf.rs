//! The settings of Spark that mean something here, and those that a notebook written for Spark may
//! set although they mean nothing here.

use crate::datetime::Zone;
use crate::error::{Error, Result};
use crate::nearest::nearest;

/// The time zone of local times.
pub(super) const TIME_ZONE: &str = "spark.sql.session.timeZone";

/// Whether what cannot be computed is an error.
pub(super) const ANSI: &str = "spark.sql.ansi.enabled";

/// Whether TIME can be computed with.
pub(super) const TIME_TYPE: &str = "spark.sql.timeType.enabled";

/// How many batches stay in the logs of a checkpoint.
pub(super) const BATCHES_TO_RETAIN: &str = "spark.sql.streaming.minBatchesToRetain";

/// Where state is held: on disk with Spark's RocksDBStateStoreProvider, otherwise in memory.
pub(super) const STATE_STORE_PROVIDER: &str = "spark.sql.streaming.stateStore.providerClass";

/// Name and default of every setting that changes what a query does.
pub(super) const SETTINGS: &[(&str, &str)] = &[
    (ANSI, "true"),
    (TIME_TYPE, "false"),
    (TIME_ZONE, "UTC"),
    ("spark.sql.streaming.multipleWatermarkPolicy", "min"),
    ("spark.sql.streaming.noDataMicroBatches.enabled", "true"),
];

/// Name and default of settings that only concern how a query runs, so that each run has its own.
const OF_A_RUN: &[(&str, &str)] = &[
    (BATCHES_TO_RETAIN, "100"),
    (
        STATE_STORE_PROVIDER,
        "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider",
    ),
];

/// Name and Spark's default of settings for how Spark does its work. They are kept and change
/// nothing.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("spark.sql.adaptive.enabled", "true"),
    ("spark.sql.shuffle.partitions", "200"),
    (
        "spark.sql.streaming.forceDeleteTempCheckpointLocation",
        "false",
    ),
    ("spark.sql.streaming.metricsEnabled", "false"),
    ("spark.sql.streaming.numRecentProgressUpdates", "100"),
    ("spark.sql.streaming.pollingDelay", "10ms"),
    ("spark.sql.streaming.stopTimeout", "0"),
];

/// Settings of sources and sinks of files: name, default, values, and the option that has the value
/// where a user gives none.
const OF_FORMATS: &[(&str, &str, &[&str], &str)] = &[
    (
        "spark.sql.files.ignoreCorruptFiles",
        "false",
        &["true", "false"],
        "ignoreCorruptFiles",
    ),
    (
        "spark.sql.files.ignoreMissingFiles",
        "false",
        &["true", "false"],
        "ignoreMissingFiles",
    ),
    (
        "spark.sql.parquet.compression.codec",
        "snappy",
        &[
            "none",
            "uncompressed",
            "snappy",
            "gzip",
            "lz4",
            "lz4_raw",
            "brotli",
            "zstd",
        ],
        "spark.sql.parquet.compression.codec",
    ),
    (
        "spark.sql.sources.partitionOverwriteMode",
        "static",
        &["static", "dynamic"],
        "partitionOverwriteMode",
    ),
    (
        "spark.sql.streaming.schemaInference",
        "false",
        &["true", "false"],
        "spark.sql.streaming.schemaInference",
    ),
];

/// Name and default of all settings.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_formats = OF_FORMATS
        .iter()
        .map(|(name, default, ..)| (*name, *default));
    SETTINGS
        .iter()
        .chain(OF_A_RUN)
        .chain(WITHOUT_EFFECT)
        .copied()
        .chain(of_formats)
}

/// Settings that are defaults of options, each with its option.
pub(super) fn format_options() -> impl Iterator<Item = (&'static str, &'static str)> {
    OF_FORMATS
        .iter()
        .map(|(name, _, _, option)| (*name, *option))
}

/// The option that a setting is the default of.
pub(super) fn format_option(key: &str) -> Option<&'static str> {
    format_options()
        .find(|(name, _)| *name == key)
        .map(|(_, option)| option)
}

/// The default of a setting, if there is such a setting.
pub(super) fn default(key: &str) -> Option<&'static str> {
    all()
        .find(|(name, _)| *name == key)
        .map(|(_, default)| default)
}

/// Refuses a setting that does not exist, or a value it cannot have.
pub(super) fn check(key: &str, value: &str) -> Result<()> {
    let allowed: &[&str] = match key {
        TIME_ZONE => return time_zone(value),
        ANSI => &["true", "false"],
        "spark.sql.streaming.multipleWatermarkPolicy" => &["min", "max"],
        "spark.sql.streaming.noDataMicroBatches.enabled" => &["true", "false"],
        "spark.sql.shuffle.partitions" | BATCHES_TO_RETAIN => return whole_number(key, value),
        _ if format_option(key).is_some() => {
            let mut settings = OF_FORMATS.iter();
            settings
                .find(|(name, ..)| *name == key)
                .map_or(&[][..], |(_, _, values, _)| *values)
        }
        _ if default(key).is_some() => return Ok(()),
        _ => {
            let error = Error::illegal_argument(format!("there is no setting '{key}'"));
            return Err(match nearest(key, all().map(|(name, _)| name)) {
                Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                None => error,
            });
        }
    };
    if allowed
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(value))
    {
        return Ok(());
    }
    Err(Error::illegal_argument(format!(
        "setting '{key}' cannot be '{value}' in this version"
    ))
    .with_hint(format!("it can be {}", allowed.join(", "))))
}

fn time_zone(value: &str) -> Result<()> {
    match value.parse::<Zone>() {
        Ok(_) => Ok(()),
        Err(()) => Err(
            Error::illegal_argument(format!("there is no time zone '{value}'"))
                .with_condition("INVALID_CONF_VALUE.TIME_ZONE")
                .with_hint("write it like UTC, America/New_York or +02:00"),
        ),
    }
}

fn whole_number(key: &str, value: &str) -> Result<()> {
    match value.parse::<u32>() {
        Ok(1..) => Ok(()),
        _ => Err(Error::illegal_argument(format!(
            "setting '{key}' must be a whole number above zero, not '{value}'"
        ))),
    }
}
