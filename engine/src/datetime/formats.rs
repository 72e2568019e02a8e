//! The zone and the patterns that one reader of texts was given.

use std::sync::Arc;

use super::pattern::DateTimePattern;
use super::text::{parse_date, parse_timestamp, parse_timestamp_ntz};
use super::zone::Zone;

/// How texts stand for times; without a pattern, by the rules of Spark's casts.
#[derive(Debug, Clone)]
pub(crate) struct TimeFormats {
    /// Zone of timestamps that name none.
    pub zone: Zone,
    /// Pattern of dates.
    pub date: Option<Arc<DateTimePattern>>,
    /// Pattern of timestamps.
    pub timestamp: Option<Arc<DateTimePattern>>,
    /// Pattern of timestamps without a zone.
    pub timestamp_ntz: Option<Arc<DateTimePattern>>,
}

impl Default for TimeFormats {
    fn default() -> Self {
        Self {
            zone: Zone::UTC,
            date: None,
            timestamp: None,
            timestamp_ntz: None,
        }
    }
}

impl TimeFormats {
    /// Days since 1970.
    pub(crate) fn parse_date(&self, text: &str) -> Option<i32> {
        match &self.date {
            None => parse_date(text),
            Some(pattern) => pattern.parse_date(text),
        }
    }

    /// Microseconds since 1970.
    #[inline]
    pub(crate) fn parse_timestamp(&self, text: &str) -> Option<i64> {
        match &self.timestamp {
            None => parse_timestamp(text, self.zone),
            Some(pattern) => pattern.parse_timestamp(text, self.zone),
        }
    }

    /// Microseconds since 1970 of a time that belongs to no zone.
    pub(crate) fn parse_timestamp_ntz(&self, text: &str) -> Option<i64> {
        match &self.timestamp_ntz {
            None => parse_timestamp_ntz(text),
            Some(pattern) => pattern.parse_timestamp_ntz(text),
        }
    }
}
