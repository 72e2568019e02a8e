//! The types that comparisons are made in. As in Spark, text beside a whole number is read as BIGINT
//! and beside another number as DOUBLE, and intervals compare by their length; 0.0 is -0.0, and parts of
//! structs and arrays that are NULL are equal.

use arrow::datatypes::{DataType, Field};
use datafusion::scalar::ScalarValue;

use super::cast::cast_to;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::functions::{canonical, common_type, comparison_key_of, has_fractions};
use crate::type_names::sql_type;

/// Both operands in the type they are compared in.
pub(super) fn comparable(left: Typed, right: Typed) -> Result<(Typed, Typed)> {
    let common = comparison_type(left.data_type(), right.data_type())?;
    let (left, right) = (cast_to(left, &common)?, cast_to(right, &common)?);
    Ok((as_compared(left), as_compared(right)))
}

/// What is compared in place of a value.
pub(super) fn as_compared(typed: Typed) -> Typed {
    match is_nested(typed.data_type()) {
        true => {
            let nullable = typed.field.is_nullable();
            let field = Field::new("", DataType::Binary, nullable).into();
            let expr = comparison_key_of().call(vec![typed.expr]);
            Typed { expr, field }
        }
        false => as_grouped(typed),
    }
}

/// What is grouped by in place of a value: equal values are the same.
pub(super) fn as_grouped(typed: Typed) -> Typed {
    let is_plain = match typed.value() {
        Some(ScalarValue::Float64(Some(value))) => !value.is_nan() && *value != 0.0,
        Some(ScalarValue::Float32(Some(value))) => !value.is_nan() && *value != 0.0,
        _ => false,
    };
    match is_plain || !has_fractions(typed.data_type()) {
        true => typed,
        false => Typed {
            expr: canonical().call(vec![typed.expr]),
            field: typed.field,
        },
    }
}

fn has_map(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => true,
        DataType::List(item) => has_map(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_map(field.data_type())),
        _ => false,
    }
}

/// Whether values of a type are made of others.
pub(super) fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Struct(_) | DataType::List(_))
}

/// The type that two others are compared in.
pub(super) fn comparison_type(left: &DataType, right: &DataType) -> Result<DataType> {
    let common = match (left, right) {
        (DataType::Float32, whole) | (whole, DataType::Float32) if whole.is_integer() => {
            Some(DataType::Float64)
        }
        _ => common_type([left, right]),
    };
    let common = common.ok_or_else(|| {
        Error::analysis(format!(
            "{} and {} cannot be compared",
            sql_type(left),
            sql_type(right)
        ))
        .with_condition("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES")
        .with_hint("cast one side: CAST(x AS type)")
    })?;
    if has_map(&common) {
        return Err(Error::analysis("maps cannot be compared")
            .with_condition("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE")
            .with_hint("compare map_entries(m), or a value: m['key']"));
    }
    Ok(common)
}
