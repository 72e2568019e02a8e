//! Settings of the session.

use serde::Deserialize;

use crate::connection::{ask, tell};
use crate::error::Result;
use crate::wire::Request;

/// Reads and changes settings; see [`SparkSession::conf`](crate::SparkSession::conf).
#[derive(Debug, Clone, Copy)]
pub struct RuntimeConf;

#[derive(Deserialize)]
struct Setting {
    value: Option<String>,
}

impl RuntimeConf {
    /// Changes a setting.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// spark.conf().set("spark.sql.streaming.multipleWatermarkPolicy", "max")?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such setting, or it cannot have this value.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        let request = Request::SetConf {
            key: key.to_string(),
            value: value.to_string(),
        };
        tell(&request, &[])
    }

    /// A setting's value, if it has one.
    pub fn get(&self, key: &str) -> Result<Option<String>> {
        let request = Request::GetConf {
            key: key.to_string(),
        };
        ask::<Setting>(&request, &[]).map(|setting| setting.value)
    }

    /// A setting's value, or `default` if it has none.
    pub fn get_with_default(&self, key: &str, default: Option<&str>) -> Result<Option<String>> {
        Ok(self.get(key)?.or_else(|| default.map(str::to_string)))
    }
}
