//! `spark.sql.timeType.enabled`: whether there are functions of TIME, casts to it and arithmetic with it. Its
//! literals, comparisons and texts are always there, as in Spark.

use arrow::datatypes::DataType;
use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::extensions_options;

use super::time_type::TIME_TYPE;
use crate::error::{Error, Result};

extensions_options! {
    /// The type TIME.
    pub struct TimeType {
        /// Whether it can be computed with.
        pub enabled: bool, default = false
    }
}

impl ConfigExtension for TimeType {
    const PREFIX: &'static str = "time_type";
}

/// Functions of times that are of TIME where it is their argument.
const OF_TIMES: &[&str] = &["date_part", "hour", "minute", "second"];

/// Sets whether TIME can be computed with.
pub(crate) fn set_time_type(options: &mut ConfigOptions, enabled: bool) {
    options.extensions.insert(TimeType { enabled });
}

/// Refuses what is computed with TIME where the session does not.
pub(crate) fn check_time_type(options: &ConfigOptions, is_of_time: bool) -> Result<()> {
    let own = options.extensions.get::<TimeType>();
    if !is_of_time || own.is_some_and(|own| own.enabled) {
        return Ok(());
    }
    Err(
        Error::analysis("nothing is computed with TIME in this session")
            .with_condition("UNSUPPORTED_TIME_TYPE")
            .with_hint(
                "SET spark.sql.timeType.enabled = true; or use TIMESTAMP, or a number of seconds",
            ),
    )
}

/// Whether a function with such arguments is one of TIME.
pub(crate) fn is_of_time(function: &str, mut arguments: impl Iterator<Item = DataType>) -> bool {
    TIME_TYPE.iter().any(|row| row.name == function)
        || OF_TIMES.contains(&function)
            && arguments.any(|data_type| matches!(data_type, DataType::Time64(_)))
}
