//! Times as text in JSON and CSV.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type};
use chrono::{DateTime, NaiveDateTime};

use crate::datetime::{DateTimePattern, Zone};
use crate::error::{Error, Result};
use crate::options::Options;
use crate::text::{format_value, timestamp_micros};

/// How timestamps are written where no pattern says it.
const TIMESTAMP_FORMAT: &str = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX";

/// How times are written in JSON and CSV.
#[derive(Debug)]
pub(crate) struct TimeForms {
    /// The zone of timestamps; UTC if they have no pattern.
    pub zone: Zone,
    pub date: Option<DateTimePattern>,
    pub timestamp: Option<DateTimePattern>,
    pub timestamp_ntz: Option<DateTimePattern>,
}

impl TimeForms {
    /// Those of options.
    pub(crate) fn new(options: &Options, zone: &str) -> Result<Self> {
        let pattern = |name: &str| match options.get(name) {
            None => Ok(None),
            Some(text) => DateTimePattern::for_output(text).map(Some).map_err(|why| {
                options
                    .invalid(name, "a pattern of dates and times")
                    .context(why)
            }),
        };
        let parsed = zone
            .parse()
            .map_err(|()| Error::illegal_argument(format!("there is no time zone '{zone}'")))?;
        let timestamp = match pattern("timestampFormat")? {
            None if zone != "UTC" => DateTimePattern::for_output(TIMESTAMP_FORMAT).ok(),
            given => given,
        };
        Ok(Self {
            zone: parsed,
            date: pattern("dateFormat")?,
            timestamp,
            timestamp_ntz: pattern("timestampNTZFormat")?,
        })
    }
}

/// A time as text; other values as a cast gives them.
pub(crate) fn time(values: &dyn Array, row: usize, forms: &TimeForms) -> String {
    let utc = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
    let printed = |pattern: &Option<DateTimePattern>, time: NaiveDateTime, form: &str| match pattern
    {
        Some(pattern) => pattern.print(time),
        None => time.format(form).to_string(),
    };
    match values.data_type() {
        DataType::Date32 => {
            let days = values.as_primitive::<Date32Type>().value(row);
            let midnight = utc(i64::from(days) * 86_400_000_000).naive_utc();
            printed(&forms.date, midnight, "%Y-%m-%d")
        }
        DataType::Timestamp(_, None) => {
            let time = utc(timestamp_micros(values, row)).naive_utc();
            printed(&forms.timestamp_ntz, time, "%Y-%m-%dT%H:%M:%S%.3f")
        }
        DataType::Timestamp(_, Some(_)) => {
            let micros = timestamp_micros(values, row);
            match &forms.timestamp {
                Some(pattern) => pattern.print_at(micros, forms.zone).unwrap_or_default(),
                None => utc(micros).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            }
        }
        _ => format_value(values, row),
    }
}
