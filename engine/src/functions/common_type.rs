//! The type that values of different types have together: in `coalesce`, `CASE`, `UNION`, `IN`, arrays,
//! and beside each other in comparisons. Spark's rules in ANSI mode: numbers widen, text becomes what
//! stands beside it, a date becomes a timestamp.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

use super::decimal::decimal_of;

/// The common type of all, `None` if there is none. NULL has every type; nothing at all is NULL.
pub(crate) fn common_type<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Option<DataType> {
    folded(types, wider)
}

/// The common type of all, where text does not become what stands beside it.
pub(crate) fn without_text<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Option<DataType> {
    folded(types, |one, other| {
        let alike = one.is_string() == other.is_string() || one.is_null() || other.is_null();
        if alike { wider(one, other) } else { None }
    })
}

/// The common type of all, if one of two always holds the values of the other: text beside text, no
/// decimal that is wider than both.
pub(crate) fn tightest<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Option<DataType> {
    let is_decimal = |data_type: &DataType| matches!(data_type, DataType::Decimal128(..));
    folded(types, |one, other| {
        let common = without_text([one, other])?;
        let has_decimal = is_decimal(one) || is_decimal(other);
        let holds = !has_decimal || is_decimal(&common) && (&common == one || &common == other);
        holds.then_some(common)
    })
}

fn folded<'a>(
    types: impl IntoIterator<Item = &'a DataType>,
    wider: impl Fn(&DataType, &DataType) -> Option<DataType>,
) -> Option<DataType> {
    let mut types = types.into_iter();
    let first = types.next().cloned().unwrap_or(DataType::Null);
    types.try_fold(first, |common, next| wider(&common, next))
}

/// The common type of two.
pub(crate) fn wider(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Binary, Boolean, Date32, Duration, Float32, Float64, Int64, List, Map, Null};
    use DataType::{Interval, Struct, Timestamp, Utf8};
    Some(match (left, right) {
        _ if left == right => left.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (one, other) if one.is_string() && other.is_string() => Utf8,
        (text, other) | (other, text) if text.is_string() => match other {
            other if other.is_integer() => Int64,
            other if other.is_numeric() => Float64,
            Boolean | Binary | Date32 | Timestamp(..) | DataType::Time64(_) => other.clone(),
            _ => return None,
        },
        (Date32, Timestamp(..)) => right.clone(),
        (Timestamp(..), Date32) => left.clone(),
        (Timestamp(unit, zone), Timestamp(_, other)) => {
            Timestamp(*unit, zone.clone().or_else(|| other.clone()))
        }
        (Duration(_), Duration(_)) => Duration(TimeUnit::Microsecond),
        (Interval(_), Interval(_)) => left.clone(),
        (List(one), List(other)) => List(item(one, other)?),
        (Map(one, sorted), Map(other, _)) => Map(item(one, other)?, *sorted),
        (Struct(one), Struct(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other.iter());
            Struct(
                pairs
                    .map(|(one, other)| item(one, other))
                    .collect::<Option<Fields>>()?,
            )
        }
        (one, other) if one.is_numeric() && other.is_numeric() => match (one, other) {
            (Float64, _) | (_, Float64) => Float64,
            // A FLOAT does not hold every whole number or decimal.
            (Float32, _) | (_, Float32) => Float64,
            (one, other) if one.is_integer() && other.is_integer() => {
                match one.primitive_width() >= other.primitive_width() {
                    true => one.clone(),
                    false => other.clone(),
                }
            }
            (one, other) => wider_decimal(&decimal_of(one)?, &decimal_of(other)?)?,
        },
        _ => return None,
    })
}

/// The decimal that holds every value of two others, as far as 38 digits do.
fn wider_decimal(left: &DataType, right: &DataType) -> Option<DataType> {
    let (DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)) = (left, right) else {
        return None;
    };
    let scale = (*s1).max(*s2);
    let whole = (*p1 as i8 - s1).max(*p2 as i8 - s2);
    let whole = whole.clamp(0, 38);
    // What is before the point goes before what is behind it.
    let scale = scale.min(38 - whole);
    Some(DataType::Decimal128((whole + scale) as u8, scale))
}

fn item(one: &FieldRef, other: &FieldRef) -> Option<FieldRef> {
    let data_type = wider(one.data_type(), other.data_type())?;
    let nullable = one.is_nullable() || other.is_nullable();
    Some(Arc::new(Field::new(one.name(), data_type, nullable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_types_are_those_of_spark() {
        use DataType::{Decimal128, Float32, Float64, Int8, Int32, Int64, Null, Utf8};
        let common = |types: &[DataType]| common_type(types);
        assert_eq!(common(&[Int8, Int32, Null]), Some(Int32));
        assert_eq!(common(&[Float32, Int32]), Some(Float64));
        assert_eq!(common(&[Utf8, Int32]), Some(Int64));
        assert_eq!(common(&[Utf8, DataType::Date32]), Some(DataType::Date32));
        assert_eq!(common(&[Decimal128(3, 2), Int32]), Some(Decimal128(12, 2)));
        assert_eq!(common(&[DataType::Boolean, Int32]), None);
        assert_eq!(common(&[]), Some(Null));
    }
}
