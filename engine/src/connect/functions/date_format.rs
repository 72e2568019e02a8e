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

/// `date_format(timestamp, pattern)`, `parse_timestamp(text, pattern)`, and the form of the latter
/// that gives NULL for a text that does not match.
pub(super) fn date_format_functions() -> Vec<ScalarUDF> {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()));
    [
        (Function::Print, timestamp),
        (Function::Parse, DataType::Utf8),
        (Function::TryParse, DataType::Utf8),
    ]
    .map(|(function, input)| {
        let types = vec![input, DataType::Utf8];
        ScalarUDF::from(DateFormat {
            function,
            signature: Signature::exact(types, Volatility::Immutable),
        })
    })
    .into()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    Print,
    Parse,
    TryParse,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DateFormat {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for DateFormat {
    fn name(&self) -> &str {
        match self.function {
            Function::Print => "date_format",
            Function::Parse => "parse_timestamp",
            Function::TryParse => "try_parse_timestamp",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match self.function {
            Function::Print => DataType::Utf8,
            Function::Parse | Function::TryParse => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()))
            }
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (values, patterns) = (&arrays[0], arrays[1].as_string::<i32>());
        let parses = self.function != Function::Print;
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
                None => compiled(text, parses)?,
            };
            if parses {
                let value = values.as_string::<i32>().value(row);
                let micros = pattern.parse_timestamp(value, Zone::UTC);
                if micros.is_none() && self.function == Function::Parse {
                    return Err(unparsable(value, text).into());
                }
                times.push(micros);
            } else {
                let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
                let time = DateTime::from_timestamp_micros(micros);
                texts.append_option(time.map(|time| pattern.print(time.naive_utc())));
            }
            known = Some((text, pattern));
        }
        let result: ArrayRef = if parses {
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
        format!("'{text}' does not match the pattern '{pattern}'"),
    )
    .with_condition("CANNOT_PARSE_TIMESTAMP")
    .with_hint("check the pattern; texts without a pattern can be tried: try_to_timestamp(text)")
}
