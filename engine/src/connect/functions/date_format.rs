//! Dates and times by Java's patterns: `date_format(ts, 'yyyy-MM-dd')`, `to_timestamp(text, …)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use chrono::DateTime;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::connect::types::TIME_ZONE;
use crate::datetime::{DateTimePattern, Zone};
use crate::error::{Error, ErrorKind, Result};

/// `date_format(timestamp, pattern)` and `parse_timestamp(text, pattern)`.
pub(super) fn date_format_functions() -> Vec<ScalarUDF> {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()));
    [(false, timestamp), (true, DataType::Utf8)]
        .map(|(parses, input)| {
            let types = vec![input, DataType::Utf8];
            ScalarUDF::from(DateFormat {
                parses,
                signature: Signature::exact(types, Volatility::Immutable),
            })
        })
        .into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DateFormat {
    parses: bool,
    signature: Signature,
}

impl ScalarUDFImpl for DateFormat {
    fn name(&self) -> &str {
        if self.parses {
            "parse_timestamp"
        } else {
            "date_format"
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(if self.parses {
            DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()))
        } else {
            DataType::Utf8
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (values, patterns) = (&arrays[0], arrays[1].as_string::<i32>());
        let mut known: Option<(&str, DateTimePattern)> = None;
        let mut texts = StringBuilder::new();
        let mut times = Vec::new();
        for row in 0..values.len() {
            if values.is_null(row) || patterns.is_null(row) {
                texts.append_null();
                times.push(None);
                continue;
            }
            let text = patterns.value(row);
            let pattern = match known.take().filter(|(known, _)| *known == text) {
                Some((_, pattern)) => pattern,
                None => compiled(text, self.parses)?,
            };
            if self.parses {
                let value = values.as_string::<i32>().value(row);
                let micros = pattern.parse_timestamp(value, Zone::UTC);
                times.push(Some(micros.ok_or_else(|| unparsable(value, text))?));
            } else {
                let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
                let time = DateTime::from_timestamp_micros(micros);
                texts.append_option(time.map(|time| pattern.print(time.naive_utc())));
            }
            known = Some((text, pattern));
        }
        let result: ArrayRef = if self.parses {
            Arc::new(TimestampMicrosecondArray::from(times).with_timezone(TIME_ZONE))
        } else {
            Arc::new(texts.finish())
        };
        Ok(ColumnarValue::Array(result))
    }
}

/// The pattern of one row, which is mostly that of every row.
fn compiled(text: &str, parses: bool) -> Result<DateTimePattern> {
    let pattern = if parses {
        text.parse()
    } else {
        DateTimePattern::for_output(text)
    };
    pattern.map_err(|why| {
        Error::new(
            ErrorKind::Runtime,
            format!("the pattern '{text}' cannot be used: {why}"),
        )
        .with_condition("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER")
        .with_hint("put text into single quotes; letters are those of yyyy-MM-dd HH:mm:ss.SSS")
    })
}

fn unparsable(text: &str, pattern: &str) -> Error {
    Error::new(
        ErrorKind::Runtime,
        format!("'{text}' is no time of the pattern '{pattern}'"),
    )
    .with_condition("CANNOT_PARSE_TIMESTAMP")
    .with_hint("check the pattern; texts without a pattern can be tried: try_to_timestamp(text)")
}
