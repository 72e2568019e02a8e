//! The types that comparisons are made in. As in Spark, text beside a whole number is read as BIGINT
//! and beside another number as DOUBLE, and intervals compare by their length.

use arrow::datatypes::DataType;

use super::cast::cast_to;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::functions::common_type;
use crate::type_names::sql_type;

/// Both operands in the type they are compared in.
pub(super) fn comparable(left: Typed, right: Typed) -> Result<(Typed, Typed)> {
    let common = comparison_type(left.data_type(), right.data_type())?;
    Ok((cast_to(left, &common)?, cast_to(right, &common)?))
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
    if matches!(common, DataType::Map(..)) {
        return Err(Error::analysis("maps cannot be compared")
            .with_condition("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE")
            .with_hint("compare map_entries(m), or a value: m['key']"));
    }
    Ok(common)
}
