//! Literals as messages have them.

use std::sync::Arc;

use arrow::array::{ArrayRef, MapArray, StructArray, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::scalar::ScalarStructBuilder;
use datafusion::scalar::ScalarValue;

use super::types::{map_type, type_of};
use super::{missing, not_supported};
use crate::connect::proto::expression::Literal;
use crate::connect::proto::expression::literal::specialized_array::ValueType;
use crate::connect::proto::expression::literal::{Array, LiteralType, Map, Struct};
use crate::connect::proto::{self, data_type::Kind};
use crate::datetime::TIME_ZONE;
use crate::error::{Error, Result, from_datafusion};
use crate::sql::{literal, parse_expression, shown, shown_as, whole_interval};
use crate::tree::Expression;

/// The literal that a message is.
pub(super) fn literal_of(message: &Literal) -> Result<Expression> {
    let time = |name: &str, value: ScalarValue| {
        let shown = format!("{name} '{}'", shown(&value)?);
        Ok(shown_as(value, shown))
    };
    let value = scalar_of(message)?;
    match &value {
        ScalarValue::Date32(Some(_)) => time("DATE", value),
        ScalarValue::TimestampMicrosecond(Some(_), None) => time("TIMESTAMP_NTZ", value),
        ScalarValue::TimestampMicrosecond(Some(_), Some(_)) => time("TIMESTAMP", value),
        ScalarValue::Time64Microsecond(Some(_)) => time("TIME", value),
        ScalarValue::DurationMicrosecond(Some(micros)) => {
            whole_interval(i128::from(*micros), false)
        }
        ScalarValue::IntervalYearMonth(Some(months)) => whole_interval(i128::from(*months), true),
        ScalarValue::Binary(Some(bytes)) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            let shown = format!("X'{digits}'");
            Ok(shown_as(value, shown))
        }
        value if value.is_null() => Ok(shown_as(value.clone(), "NULL".to_string())),
        _ => Ok(literal(value)),
    }
}

fn scalar_of(message: &Literal) -> Result<ScalarValue> {
    let Some(value) = &message.literal_type else {
        return Err(missing("a literal's value"));
    };
    let data_type = message.data_type.as_ref();
    Ok(match value {
        LiteralType::Null(data_type) if data_type.kind.is_none() => ScalarValue::Null,
        LiteralType::Null(data_type) => null_of(&type_of(data_type)?)?,
        LiteralType::Binary(bytes) => ScalarValue::Binary(Some(bytes.to_vec())),
        LiteralType::Boolean(value) => ScalarValue::Boolean(Some(*value)),
        LiteralType::Byte(value) => ScalarValue::Int8(Some(narrow(*value)?)),
        LiteralType::Short(value) => ScalarValue::Int16(Some(narrow(*value)?)),
        LiteralType::Integer(value) => ScalarValue::Int32(Some(*value)),
        LiteralType::Long(value) => ScalarValue::Int64(Some(*value)),
        LiteralType::Float(value) => ScalarValue::Float32(Some(*value)),
        LiteralType::Double(value) => ScalarValue::Float64(Some(*value)),
        LiteralType::Decimal(decimal) => {
            decimal_of(&decimal.value, decimal.precision, decimal.scale)?
        }
        LiteralType::String(text) => ScalarValue::Utf8(Some(text.clone())),
        LiteralType::Date(days) => ScalarValue::Date32(Some(*days)),
        LiteralType::Timestamp(micros) => {
            ScalarValue::TimestampMicrosecond(Some(*micros), Some(TIME_ZONE.into()))
        }
        LiteralType::TimestampNtz(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), None),
        LiteralType::Time(time) => {
            ScalarValue::Time64Microsecond(Some(time.nano.div_euclid(1_000)))
        }
        LiteralType::YearMonthInterval(months) => ScalarValue::IntervalYearMonth(Some(*months)),
        LiteralType::DayTimeInterval(micros) => ScalarValue::DurationMicrosecond(Some(*micros)),
        LiteralType::CalendarInterval(interval) => {
            let nanos = interval.microseconds.checked_mul(1_000);
            let nanos = nanos.ok_or_else(|| Error::illegal_argument("an interval is too long"))?;
            ScalarValue::new_interval_mdn(interval.months, interval.days, nanos)
        }
        LiteralType::Array(array) => array_of(array, data_type)?,
        LiteralType::Map(map) => map_of(map, data_type)?,
        LiteralType::Struct(fields) => struct_of(fields, data_type)?,
        LiteralType::SpecializedArray(array) => match &array.value_type {
            Some(values) => special_array(values),
            None => return Err(missing("an array's values")),
        },
        other => return Err(not_supported("literal", other)),
    })
}

/// NULL of a type.
fn null_of(data_type: &DataType) -> Result<ScalarValue> {
    ScalarValue::try_new_null(data_type).map_err(from_datafusion)
}

fn narrow<T: TryFrom<i32>>(value: i32) -> Result<T> {
    let wrong = |_| Error::illegal_argument(format!("the number {value} does not fit its type"));
    T::try_from(value).map_err(wrong)
}

/// A decimal from its text; without a precision it has the digits written.
fn decimal_of(text: &str, precision: Option<i32>, scale: Option<i32>) -> Result<ScalarValue> {
    let wrong = || Error::illegal_argument(format!("'{text}' is not a decimal"));
    let written = match parse_expression(&format!("{text}BD")) {
        Ok(Expression::Literal(literal)) => literal.value,
        _ => return Err(wrong()),
    };
    let Some(precision) = precision else {
        return Ok(written);
    };
    let (precision, scale) = (narrow::<u8>(precision)?, narrow::<i8>(scale.unwrap_or(0))?);
    let cast = written.cast_to(&DataType::Decimal128(precision, scale));
    cast.map_err(|_| wrong())
}

/// The type of the elements: as the message says, or as the first one has it.
fn element_type(given: Option<&proto::DataType>, values: &[ScalarValue]) -> Result<DataType> {
    match given {
        Some(given) => type_of(given),
        None => {
            let typed = values
                .iter()
                .find(|value| !value.is_null())
                .or(values.first());
            Ok(typed.map_or(DataType::Null, ScalarValue::data_type))
        }
    }
}

/// Values of one type.
fn values_of(messages: &[Literal], given: Option<&proto::DataType>) -> Result<ArrayRef> {
    let values = messages.iter().map(scalar_of).collect::<Result<Vec<_>>>()?;
    let data_type = element_type(given, &values)?;
    if values.is_empty() {
        return Ok(new_empty_array(&data_type));
    }
    let values = values.into_iter().map(|value| match value.is_null() {
        true => null_of(&data_type),
        false => value.cast_to(&data_type).map_err(from_datafusion),
    });
    let values = values.collect::<Result<Vec<_>>>()?;
    ScalarValue::iter_to_array(values).map_err(from_datafusion)
}

#[allow(deprecated)] // Spark 3.5 and 4.0 say the type there.
fn array_of(array: &Array, data_type: Option<&proto::DataType>) -> Result<ScalarValue> {
    let given = match data_type.and_then(|data_type| data_type.kind.as_ref()) {
        Some(Kind::Array(array)) => array.element_type.as_deref(),
        _ => array.element_type.as_ref(),
    };
    Ok(list_of(values_of(&array.elements, given)?))
}

fn list_of(values: ArrayRef) -> ScalarValue {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    let list = arrow::array::ListArray::new(field, offsets, values, None);
    ScalarValue::List(Arc::new(list))
}

#[allow(deprecated)] // Spark 3.5 and 4.0 say the types there.
fn map_of(map: &Map, data_type: Option<&proto::DataType>) -> Result<ScalarValue> {
    let (key, value) = match data_type.and_then(|data_type| data_type.kind.as_ref()) {
        Some(Kind::Map(map)) => (map.key_type.as_deref(), map.value_type.as_deref()),
        _ => (map.key_type.as_ref(), map.value_type.as_ref()),
    };
    let keys = values_of(&map.keys, key)?;
    let values = values_of(&map.values, value)?;
    let key = Field::new("key", keys.data_type().clone(), false);
    let value = Field::new("value", values.data_type().clone(), true);
    let count = keys.len();
    let DataType::Map(field, _) = map_type(key.clone(), value.clone()) else {
        return Err(Error::internal("a map's type is none"));
    };
    let entries = StructArray::try_new(Fields::from(vec![key, value]), vec![keys, values], None);
    let map = entries.and_then(|entries| {
        MapArray::try_new(
            field,
            OffsetBuffer::from_lengths([count]),
            entries,
            None,
            false,
        )
    });
    let map =
        map.map_err(|error| Error::illegal_argument(format!("a map literal is none: {error}")))?;
    Ok(ScalarValue::Map(Arc::new(map)))
}

#[allow(deprecated)] // Spark 3.5 and 4.0 say the type there.
fn struct_of(message: &Struct, data_type: Option<&proto::DataType>) -> Result<ScalarValue> {
    let given = data_type.or(message.struct_type.as_ref());
    let given = given.ok_or_else(|| missing("a struct's type"))?;
    let DataType::Struct(fields) = type_of(given)? else {
        return Err(Error::illegal_argument("a struct's type is none"));
    };
    if fields.len() != message.elements.len() {
        return Err(Error::illegal_argument(
            "a struct has not the fields of its type",
        ));
    }
    let mut builder = ScalarStructBuilder::new();
    for (field, element) in fields.iter().zip(&message.elements) {
        let value = match scalar_of(element)? {
            value if value.is_null() => null_of(field.data_type())?,
            value => value.cast_to(field.data_type()).map_err(from_datafusion)?,
        };
        builder = builder.with_scalar(FieldRef::clone(field), value);
    }
    builder.build().map_err(from_datafusion)
}

fn special_array(values: &ValueType) -> ScalarValue {
    use arrow::array::{
        BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    };
    list_of(match values {
        ValueType::Bools(bools) => Arc::new(BooleanArray::from(bools.values.clone())),
        ValueType::Ints(ints) => Arc::new(Int32Array::from(ints.values.clone())),
        ValueType::Longs(longs) => Arc::new(Int64Array::from(longs.values.clone())),
        ValueType::Floats(floats) => Arc::new(Float32Array::from(floats.values.clone())),
        ValueType::Doubles(doubles) => Arc::new(Float64Array::from(doubles.values.clone())),
        ValueType::Strings(strings) => Arc::new(StringArray::from(strings.values.clone())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(value: LiteralType) -> Literal {
        Literal {
            data_type: None,
            literal_type: Some(value),
        }
    }

    fn text(value: LiteralType) -> String {
        match literal_of(&typed(value)).unwrap() {
            Expression::Literal(literal) => {
                let shown = shown(&literal.value).unwrap();
                literal.shown.unwrap_or(shown)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    #[allow(deprecated)]
    fn literals_of_all_kinds() {
        let number = |number| typed(LiteralType::Integer(number));
        let null = typed(LiteralType::Null(proto::DataType::default()));
        let elements = vec![number(1), null, number(3)];
        let array = Array {
            element_type: None,
            elements,
        };
        assert_eq!(text(LiteralType::Array(array)), "[1, NULL, 3]");
        let map = Map {
            keys: vec![typed(LiteralType::String("k".to_string()))],
            values: vec![number(2)],
            ..Default::default()
        };
        assert_eq!(text(LiteralType::Map(map)), "{k -> 2}");
        let decimal = crate::connect::proto::expression::literal::Decimal {
            value: "-1.5".to_string(),
            precision: Some(5),
            scale: Some(2),
        };
        assert_eq!(text(LiteralType::Decimal(decimal)), "-1.50");
        assert_eq!(text(LiteralType::Date(0)), "DATE '1970-01-01'");
        assert_eq!(
            text(LiteralType::Timestamp(1)),
            "TIMESTAMP '1970-01-01 00:00:00.000001'"
        );
        assert_eq!(
            text(LiteralType::DayTimeInterval(1_000_000)),
            "INTERVAL '0 00:00:01' DAY TO SECOND"
        );
        assert!(literal_of(&typed(LiteralType::Byte(300))).is_err());
        assert!(literal_of(&Literal::default()).is_err());
    }
}
