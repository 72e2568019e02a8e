//! Functions of this theme in sessions of other zones than Greenwich.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use datafusion::scalar::ScalarValue;

use super::super::cast::spark_cast;
use super::super::scalar::{registered, timestamp_type};
use super::{IntervalOperator, TABLES, interval_operator};

const NEW_YORK: &str = "America/New_York";
const NTZ: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// What a function gives in a session of `zone`.
fn value(
    function: &ScalarUDF,
    arguments: Vec<ScalarValue>,
    zone: &str,
) -> datafusion::error::Result<ScalarValue> {
    let mut options = ConfigOptions::new();
    options.execution.time_zone = Some(zone.to_string());
    let fields = arguments
        .iter()
        .map(|value| Arc::new(Field::new("x", value.data_type(), true)));
    let arg_fields: Vec<_> = fields.collect();
    let scalars: Vec<_> = arguments.iter().map(Some).collect();
    let return_field = function.return_field_from_args(ReturnFieldArgs {
        arg_fields: &arg_fields,
        scalar_arguments: &scalars,
    })?;
    let value = function.invoke_with_args(ScalarFunctionArgs {
        args: arguments.into_iter().map(ColumnarValue::Scalar).collect(),
        arg_fields,
        number_rows: 1,
        return_field,
        config_options: Arc::new(options),
    })?;
    match value {
        ColumnarValue::Scalar(value) => Ok(value),
        ColumnarValue::Array(values) => ScalarValue::try_from_array(&values, 0),
    }
}

fn cast(value_: impl Into<ScalarValue>, to: &DataType, zone: &str) -> ScalarValue {
    let given = value_.into();
    match spark_cast(&given.data_type(), to, false) {
        Some(function) => value(&function, vec![given], zone).unwrap(),
        None => given.cast_to(to).unwrap(),
    }
}

fn text(value: ScalarValue, zone: &str) -> String {
    match cast(value, &DataType::Utf8, zone) {
        ScalarValue::Utf8(Some(text)) => text,
        other => other.to_string(),
    }
}

fn called(name: &str, arguments: Vec<ScalarValue>, zone: &str) -> String {
    let mut functions = TABLES.iter().flat_map(|table| registered(table));
    let is_it = |function: &ScalarUDF| {
        function.name() == name || function.aliases().iter().any(|alias| alias == name)
    };
    let function = functions.find(is_it).unwrap();
    text(value(&function, arguments, zone).unwrap(), zone)
}

fn in_new_york(text: &str) -> ScalarValue {
    cast(text, &timestamp_type(), NEW_YORK)
}

#[test]
fn casts_are_of_the_session() {
    let noon = in_new_york("2024-02-29 12:00:00");
    assert_eq!(text(noon.clone(), "UTC"), "2024-02-29 17:00:00");
    assert_eq!(text(noon.clone(), NEW_YORK), "2024-02-29 12:00:00");
    assert_eq!(
        text(cast(noon.clone(), &NTZ, NEW_YORK), "UTC"),
        "2024-02-29 12:00:00"
    );
    let local = cast("2024-02-29 23:30:00", &NTZ, NEW_YORK);
    assert_eq!(
        text(cast(local, &timestamp_type(), NEW_YORK), "UTC"),
        "2024-03-01 04:30:00"
    );
    let late = cast("2024-03-01 04:30:00Z", &timestamp_type(), NEW_YORK);
    assert_eq!(
        text(cast(late, &DataType::Date32, NEW_YORK), "UTC"),
        "2024-02-29"
    );
    let date = cast("2024-02-29", &DataType::Date32, NEW_YORK);
    assert_eq!(
        text(cast(date, &timestamp_type(), NEW_YORK), "UTC"),
        "2024-02-29 05:00:00"
    );
}

#[test]
fn fields_are_of_the_session() {
    let late = in_new_york("2024-02-29 23:30:00");
    assert_eq!(called("hour", vec![late.clone()], NEW_YORK), "23");
    assert_eq!(
        called("date_part", vec!["day".into(), late.clone()], NEW_YORK),
        "29"
    );
    let cut = |unit: &str| called("date_trunc", vec![unit.into(), late.clone()], NEW_YORK);
    assert_eq!(cut("day"), "2024-02-29 00:00:00");
    assert_eq!(cut("hour"), "2024-02-29 23:00:00");
    assert_eq!(cut("year"), "2024-01-01 00:00:00");
    assert_eq!(cut("nothing"), "NULL");
    let pattern = || ScalarValue::from("d HH XXX");
    assert_eq!(
        called("date_format", vec![late, pattern()], NEW_YORK),
        "29 23 -05:00"
    );
    assert_eq!(called("current_timezone", vec![], NEW_YORK), NEW_YORK);
}

#[test]
fn days_are_of_the_session_and_hours_are_not() {
    let before = in_new_york("2013-03-09 12:00:00");
    let plus = |unit: &str, count: i64| {
        called(
            "timestampadd",
            vec![unit.into(), count.into(), before.clone()],
            NEW_YORK,
        )
    };
    assert_eq!(plus("DAY", 1), "2013-03-10 12:00:00");
    assert_eq!(plus("HOUR", 23), "2013-03-10 12:00:00");
    assert_eq!(plus("MONTH", -1), "2013-02-09 12:00:00");
    let added = interval_operator(IntervalOperator::PlusTime).unwrap();
    let day = ScalarValue::DurationMicrosecond(Some(86_400_000_000));
    let next = value(&added, vec![before.clone(), day], NEW_YORK).unwrap();
    assert_eq!(text(next.clone(), NEW_YORK), "2013-03-10 12:00:00");
    let minus = interval_operator(IntervalOperator::Difference).unwrap();
    let between = value(&minus, vec![next, before], NEW_YORK).unwrap();
    assert_eq!(
        text(between, NEW_YORK),
        "INTERVAL '1 00:00:00' DAY TO SECOND"
    );
}

#[test]
fn texts_are_of_the_session() {
    let arguments = || vec!["2024-02-29".into(), "yyyy-MM-dd".into()];
    assert_eq!(
        called("to_timestamp", arguments(), NEW_YORK),
        "2024-02-29 00:00:00"
    );
    assert_eq!(called("to_date", arguments(), NEW_YORK), "2024-02-29");
    assert_eq!(
        called("unix_timestamp", arguments(), NEW_YORK),
        "1709182800"
    );
    assert_eq!(
        called("from_unixtime", vec![0_i64.into()], NEW_YORK),
        "1969-12-31 19:00:00"
    );
    let local = cast("2024-02-29 12:00:00", &NTZ, "UTC");
    let arguments = vec!["Asia/Tokyo".into(), local];
    assert_eq!(
        called("convert_timezone", arguments, NEW_YORK),
        "2024-03-01 02:00:00"
    );
}
