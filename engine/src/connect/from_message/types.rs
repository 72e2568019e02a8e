//! Types as messages have them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

use crate::connect::proto;
use crate::connect::proto::data_type::Kind;
use crate::datetime::TIME_ZONE;
use crate::error::{Error, Result};
use crate::sql::parse_type;

/// The type that a message is.
pub fn type_of(message: &proto::DataType) -> Result<DataType> {
    Ok(match &message.kind {
        Some(Kind::Null(_)) => DataType::Null,
        Some(Kind::Boolean(_)) => DataType::Boolean,
        Some(Kind::Byte(_)) => DataType::Int8,
        Some(Kind::Short(_)) => DataType::Int16,
        Some(Kind::Integer(_)) => DataType::Int32,
        Some(Kind::Long(_)) => DataType::Int64,
        Some(Kind::Float(_)) => DataType::Float32,
        Some(Kind::Double(_)) => DataType::Float64,
        Some(Kind::Decimal(decimal)) => {
            let (precision, scale) = (decimal.precision.unwrap_or(10), decimal.scale.unwrap_or(0));
            parse_type(&format!("DECIMAL({precision}, {scale})"))?
        }
        Some(Kind::String(_) | Kind::Char(_) | Kind::VarChar(_)) => DataType::Utf8,
        Some(Kind::Binary(_)) => DataType::Binary,
        Some(Kind::Date(_)) => DataType::Date32,
        Some(Kind::Timestamp(_)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()))
        }
        Some(Kind::TimestampNtz(_)) => DataType::Timestamp(TimeUnit::Microsecond, None),
        Some(Kind::Time(time)) => match time.precision {
            None | Some(6) => DataType::Time64(TimeUnit::Microsecond),
            Some(digits) => parse_type(&format!("TIME({digits})"))?,
        },
        Some(Kind::YearMonthInterval(_)) => DataType::Interval(IntervalUnit::YearMonth),
        Some(Kind::DayTimeInterval(_)) => DataType::Duration(TimeUnit::Microsecond),
        Some(Kind::CalendarInterval(_)) => DataType::Interval(IntervalUnit::MonthDayNano),
        Some(Kind::Array(array)) => {
            let item = part(array.element_type.as_deref())?;
            DataType::List(Arc::new(Field::new_list_field(item, true)))
        }
        Some(Kind::Map(map)) => {
            let key = Field::new("key", part(map.key_type.as_deref())?, false);
            let value = Field::new("value", part(map.value_type.as_deref())?, true);
            map_type(key, value)
        }
        Some(Kind::Struct(fields)) => {
            let fields = fields.fields.iter().map(|field| {
                let data_type = part(field.data_type.as_ref())?;
                Ok(Field::new(&field.name, data_type, true))
            });
            DataType::Struct(fields.collect::<Result<_>>()?)
        }
        Some(Kind::Unparsed(unparsed)) => parse_type(&unparsed.data_type_string)?,
        _ => {
            return Err(
                Error::analysis("this type is not supported in this version")
                    .with_condition("UNSUPPORTED_DATATYPE"),
            );
        }
    })
}

/// A map of such keys and values.
pub(super) fn map_type(key: Field, value: Field) -> DataType {
    let entries = DataType::Struct(Fields::from(vec![key, value]));
    DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
}

/// A type inside of another one.
fn part(message: Option<&proto::DataType>) -> Result<DataType> {
    type_of(message.ok_or_else(|| super::missing("a type's part"))?)
}
