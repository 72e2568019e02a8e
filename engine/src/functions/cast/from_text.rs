//! Casts of text.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, DurationMicrosecondType,
    DurationSecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};

use super::Cast;
use super::decimals::read;
use crate::clock::{Clock, SystemClock};
use crate::datetime::{
    MICROS_PER_DAY, parse_date, parse_local_timestamp, parse_time_of_day, parse_timestamp,
    read_calendar, read_day_time, read_days, read_time, read_year_month,
};
use crate::error::{Error, Result};

impl Cast<'_> {
    pub(super) fn of_text(&self, texts: &StringArray) -> Result<ArrayRef> {
        Ok(match self.to {
            DataType::Boolean => Arc::new(self.truths(texts)?),
            DataType::Int8 => self.plain::<Int8Type>(texts, number)?,
            DataType::Int16 => self.plain::<Int16Type>(texts, number)?,
            DataType::Int32 => self.plain::<Int32Type>(texts, number)?,
            DataType::Int64 => self.plain::<Int64Type>(texts, number)?,
            DataType::Float32 => self.plain::<Float32Type>(texts, fraction)?,
            DataType::Float64 => self.plain::<Float64Type>(texts, fraction)?,
            DataType::Decimal128(precision, scale) => {
                let decimals = self.parsed::<Decimal128Type>(texts, |text| {
                    let number = read(text).ok_or_else(|| self.invalid(text))?;
                    let decimal = number.to_decimal(*precision, *scale);
                    decimal.ok_or_else(|| self.overflow(text))
                })?;
                Arc::new(decimals.with_data_type(self.to.clone()))
            }
            DataType::Date32 => self.plain::<Date32Type>(texts, parse_date)?,
            DataType::Timestamp(_, Some(_)) => {
                self.timestamps(self.parsed::<TimestampMicrosecondType>(texts, |text| {
                    let time = parse_timestamp(text, self.zone).or_else(|| self.today_at(text));
                    time.ok_or_else(|| self.invalid(text))
                })?)?
            }
            DataType::Timestamp(_, None) => {
                self.timestamps(self.parsed::<TimestampMicrosecondType>(texts, |text| {
                    parse_local_timestamp(text).ok_or_else(|| self.invalid(text))
                })?)?
            }
            DataType::Time64(_) => self.plain::<Time64MicrosecondType>(texts, read_time)?,
            DataType::Duration(TimeUnit::Second) => {
                self.interval::<DurationSecondType>(texts, read_days)?
            }
            DataType::Duration(_) => {
                let micros = self.interval::<DurationMicrosecondType>(texts, read_day_time)?;
                self.arrow(&micros)?
            }
            DataType::Interval(IntervalUnit::YearMonth) => {
                self.interval::<IntervalYearMonthType>(texts, read_year_month)?
            }
            DataType::Interval(_) => {
                self.interval::<IntervalMonthDayNanoType>(texts, read_calendar)?
            }
            _ => self.arrow(&(Arc::new(texts.clone()) as ArrayRef))?,
        })
    }

    /// A time of the present day.
    fn today_at(&self, text: &str) -> Option<i64> {
        let now = self.zone.to_local(SystemClock.now_ms() * 1_000)?;
        let today = i32::try_from(now.div_euclid(MICROS_PER_DAY)).ok()?;
        parse_time_of_day(text, self.zone, today)
    }

    fn truths(&self, texts: &StringArray) -> Result<BooleanArray> {
        let truth = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "1" => Some(true),
            "f" | "false" | "n" | "no" | "0" => Some(false),
            _ => None,
        };
        let truths = texts.iter().map(|text| match text {
            None => Ok(None),
            Some(text) => match truth(text) {
                None if !self.lenient => Err(self.invalid(text)),
                truth => Ok(truth),
            },
        });
        truths.collect()
    }

    /// Values for which there is but one thing to say of a text that is none.
    fn plain<T: ArrowPrimitiveType>(
        &self,
        texts: &StringArray,
        parse: impl Fn(&str) -> Option<T::Native>,
    ) -> Result<ArrayRef> {
        let parse = |text: &str| parse(text).ok_or_else(|| self.invalid(text));
        Ok(Arc::new(self.parsed::<T>(texts, parse)?))
    }

    fn interval<T: ArrowPrimitiveType>(
        &self,
        texts: &StringArray,
        parse: impl Fn(&str) -> Option<T::Native>,
    ) -> Result<ArrayRef> {
        let parse = |text: &str| parse(text).ok_or_else(|| no_interval(text));
        Ok(Arc::new(self.parsed::<T>(texts, parse)?))
    }

    fn parsed<T: ArrowPrimitiveType>(
        &self,
        texts: &StringArray,
        parse: impl Fn(&str) -> Result<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        let values = texts
            .iter()
            .map(|text| match text.map(|text| parse(trimmed(text))) {
                None => Ok(None),
                Some(Err(_)) if self.lenient => Ok(None),
                Some(value) => value.map(Some),
            });
        values.collect()
    }
}

/// A text without blanks and control characters around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_ascii_control() || char == ' ')
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// A fraction as Java writes it, which may end in `d` or `f`.
fn fraction<T: FromStr>(text: &str) -> Option<T> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let number = text.strip_suffix(['d', 'D', 'f', 'F'])?;
    let is_number = number.ends_with(|last: char| last.is_ascii_digit() || last == '.');
    number.parse().ok().filter(|_| is_number)
}

fn no_interval(text: &str) -> Error {
    Error::runtime(format!("'{text}' is not an interval of that type"))
        .with_condition("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING")
        .with_hint("write it like '1 12:30:00' (day to second), '1-2' (year to month) or '3 days'")
}
