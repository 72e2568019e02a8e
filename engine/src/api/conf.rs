//! The settings of Spark that mean something here.

use crate::error::{Error, Result};
use crate::options::nearest;

/// Name and default of every setting.
pub(super) const SETTINGS: &[(&str, &str)] = &[
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.streaming.multipleWatermarkPolicy", "min"),
    ("spark.sql.streaming.noDataMicroBatches.enabled", "true"),
];

/// Refuses a setting that does not exist, or a value it cannot have.
pub(super) fn check(key: &str, value: &str) -> Result<()> {
    let allowed: &[&str] = match key {
        "spark.sql.session.timeZone" => &["UTC"],
        "spark.sql.streaming.multipleWatermarkPolicy" => &["min", "max"],
        "spark.sql.streaming.noDataMicroBatches.enabled" => &["true", "false"],
        _ => {
            let error = Error::illegal_argument(format!("there is no setting '{key}'"));
            return Err(match nearest(key, SETTINGS.iter().map(|(name, _)| *name)) {
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
