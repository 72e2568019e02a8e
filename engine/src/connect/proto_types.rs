//! Types as messages have them, as SQL's syntax tree has them.

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo, Ident, StructBracketKind, StructField,
    TimezoneInfo,
};

use super::proto::DataType;
use super::proto::data_type::Kind;
use crate::error::{Error, Result};

/// The type to which a cast may go.
pub(super) fn sql_type(data_type: &DataType) -> Result<SqlType> {
    Ok(match &data_type.kind {
        Some(Kind::Boolean(_)) => SqlType::Boolean,
        Some(Kind::Byte(_)) => SqlType::TinyInt(None),
        Some(Kind::Short(_)) => SqlType::SmallInt(None),
        Some(Kind::Integer(_)) => SqlType::Int(None),
        Some(Kind::Long(_)) => SqlType::BigInt(None),
        Some(Kind::Float(_)) => SqlType::Float(ExactNumberInfo::None),
        Some(Kind::Double(_)) => SqlType::Double(ExactNumberInfo::None),
        Some(Kind::Decimal(decimal)) => {
            SqlType::Decimal(match (decimal.precision, decimal.scale) {
                (Some(precision), scale) => ExactNumberInfo::PrecisionAndScale(
                    u64::try_from(precision).unwrap_or_default(),
                    i64::from(scale.unwrap_or(0)),
                ),
                (None, _) => ExactNumberInfo::None,
            })
        }
        Some(Kind::String(_)) => SqlType::String(None),
        Some(Kind::Binary(_)) => SqlType::Binary(None),
        Some(Kind::Date(_)) => SqlType::Date,
        Some(Kind::Timestamp(_)) => SqlType::Timestamp(None, TimezoneInfo::None),
        Some(Kind::TimestampNtz(_)) => SqlType::TimestampNtz(None),
        Some(Kind::Array(array)) => {
            let item = Box::new(part(array.element_type.as_deref())?);
            SqlType::Array(ArrayElemTypeDef::AngleBracket(item))
        }
        Some(Kind::Map(map)) => {
            let key = part(map.key_type.as_deref())?;
            let value = part(map.value_type.as_deref())?;
            SqlType::Map(Box::new(key), Box::new(value))
        }
        Some(Kind::Struct(fields)) => {
            let fields = fields.fields.iter().map(|field| {
                Ok(StructField {
                    field_name: Some(Ident::with_quote('`', &field.name)),
                    field_type: part(field.data_type.as_ref())?,
                    options: None,
                })
            });
            let fields = fields.collect::<Result<_>>()?;
            SqlType::Struct(fields, StructBracketKind::AngleBrackets)
        }
        _ => {
            return Err(Error::analysis(
                "this type is not supported in a cast in this version",
            ));
        }
    })
}

/// A type inside of another one.
fn part(data_type: Option<&DataType>) -> Result<SqlType> {
    let missing = || Error::illegal_argument("a type's part is missing");
    sql_type(data_type.ok_or_else(missing)?)
}
