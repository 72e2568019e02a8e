//! How many elements there are: `size`, `array_size`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::datatypes::DataType;

use super::lists::{Lists, Maps};
use crate::error::Result;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "size",
        aliases: &["cardinality"],
        forms: &[&[Takes::Array], &[Takes::Map]],
        returns: Returns::Int,
        call: size,
        doc: "How many elements an array has, or entries a map.",
        example: "SELECT size(map('a', 1, 'b', 2))",
        ..SCALAR
    },
    Scalar {
        name: "array_size",
        forms: &[&[Takes::Array]],
        returns: Returns::Int,
        call: size,
        doc: "How many elements an array has.",
        example: "SELECT array_size(array(1, 2))",
        ..SCALAR
    },
];

fn size(call: &Call<'_>) -> Result<ArrayRef> {
    let [values] = call.first()?;
    let sizes: Int32Array = match values.data_type() {
        DataType::Map(..) => {
            let maps = Maps::new(values);
            (0..call.rows)
                .map(|row| Some(maps.row(row)?.len() as i32))
                .collect()
        }
        _ => {
            let lists = Lists::new(values);
            (0..call.rows)
                .map(|row| Some(lists.row(row)?.len() as i32))
                .collect()
        }
    };
    Ok(Arc::new(sizes))
}
