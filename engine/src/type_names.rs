//! Spark's names of types: one for schemas (`struct<a:int>`) and one for SQL and messages
//! (`STRUCT<a: INT>`). Types that Spark does not have are shown as Arrow calls them.

use arrow::datatypes::{DataType, FieldRef, IntervalUnit, TimeUnit};

/// The name in a schema: Spark's `simpleString`.
pub fn simple_string(data_type: &DataType) -> String {
    name(data_type, false)
}

/// The name in SQL, as it may stand in a column's definition.
pub fn sql_type(data_type: &DataType) -> String {
    name(data_type, true)
}

fn name(data_type: &DataType, is_sql: bool) -> String {
    let word = |word: &str| match is_sql {
        true => word.to_uppercase(),
        false => word.to_owned(),
    };
    let comma = if is_sql { ", " } else { "," };
    match data_type {
        DataType::Null => word("void"),
        DataType::Boolean => word("boolean"),
        DataType::Int8 => word("tinyint"),
        DataType::Int16 | DataType::UInt8 => word("smallint"),
        DataType::Int32 | DataType::UInt16 => word("int"),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => word("bigint"),
        DataType::Float32 => word("float"),
        DataType::Float64 => word("double"),
        DataType::Decimal128(precision, scale) => {
            format!("{}({precision},{scale})", word("decimal"))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => word("string"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => word("binary"),
        DataType::Date32 | DataType::Date64 => word("date"),
        DataType::Timestamp(_, Some(_)) => word("timestamp"),
        DataType::Timestamp(TimeUnit::Microsecond, None) => word("timestamp_ntz"),
        DataType::Time64(TimeUnit::Microsecond) => format!("{}(6)", word("time")),
        DataType::Duration(TimeUnit::Microsecond) => word("interval day to second"),
        DataType::Duration(TimeUnit::Second) => word("interval day"),
        DataType::Interval(IntervalUnit::YearMonth) => word("interval year to month"),
        DataType::Interval(IntervalUnit::MonthDayNano) => word("interval"),
        DataType::Struct(fields) => {
            let colon = if is_sql { ": " } else { ":" };
            let named = |field: &FieldRef| {
                format!("{}{colon}{}", field.name(), name(field.data_type(), is_sql))
            };
            let fields: Vec<String> = fields.iter().map(named).collect();
            format!("{}<{}>", word("struct"), fields.join(comma))
        }
        DataType::List(item) | DataType::LargeList(item) => {
            format!("{}<{}>", word("array"), name(item.data_type(), is_sql))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => {
                let types = pair.iter().map(|field| name(field.data_type(), is_sql));
                let types: Vec<String> = types.collect();
                format!("{}<{}>", word("map"), types.join(comma))
            }
            other => name(other, is_sql),
        },
        DataType::Dictionary(_, value) => name(value, is_sql),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn names_as_spark_writes_them() {
        let field = |name: &str, data_type| Field::new(name, data_type, true);
        let entries = vec![
            field("key", DataType::Utf8),
            field("value", DataType::Int64),
        ];
        let entries = Field::new("entries", DataType::Struct(entries.into()), false);
        let zone = Some("UTC".into());
        let nested = DataType::Struct(
            vec![
                field("When", DataType::Timestamp(TimeUnit::Microsecond, zone)),
                field(
                    "prices",
                    DataType::new_list(DataType::Decimal128(10, 2), true),
                ),
                field("counts", DataType::Map(entries.into(), false)),
            ]
            .into(),
        );
        assert_eq!(
            simple_string(&nested),
            "struct<When:timestamp,prices:array<decimal(10,2)>,counts:map<string,bigint>>"
        );
        assert_eq!(
            sql_type(&nested),
            "STRUCT<When: TIMESTAMP, prices: ARRAY<DECIMAL(10,2)>, counts: MAP<STRING, BIGINT>>"
        );
    }
}
