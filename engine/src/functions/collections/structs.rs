//! `struct(value, …)` and `named_struct(name, value, …)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field};

use super::lists::failed;
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "named_struct",
        forms: &[&[Takes::Rest(&Takes::Any)]],
        returns: Returns::By(named),
        call: |call| {
            let columns = call.arguments.iter().skip(1).step_by(2);
            record(call, columns.cloned().collect())
        },
        doc: "A struct of names and values, which take turns.",
        example: "SELECT named_struct('id', 1, 'name', 'a')",
        ..SCALAR
    },
    Scalar {
        name: "struct",
        forms: &[&[Takes::Rest(&Takes::Any)]],
        returns: Returns::By(|inputs| {
            let fields = inputs.types.iter().enumerate();
            let fields = fields.map(|(index, data_type)| {
                Field::new(format!("col{}", index + 1), data_type.clone(), true)
            });
            Ok(DataType::Struct(fields.collect()))
        }),
        call: |call| record(call, call.arguments.clone()),
        doc: "The arguments as the fields of a struct, which are called col1, col2 and so on.",
        example: "SELECT struct(1, 'a')",
        ..SCALAR
    },
];

fn named(inputs: &Inputs<'_>) -> Result<DataType> {
    let count = inputs.types.len();
    if count % 2 == 1 {
        return Err(Error::analysis("named_struct needs a value for each name")
            .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
            .with_hint("named_struct('id', 1, 'name', 'a')"));
    }
    let pairs = (0..count)
        .step_by(2)
        .zip(inputs.types.iter().skip(1).step_by(2));
    let fields = pairs.map(|(index, data_type)| {
        let name = inputs.text(index).ok_or_else(|| {
            Error::analysis("the names of named_struct are texts, the same for all rows")
                .with_condition("DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING")
                .with_hint("named_struct('id', 1, 'name', 'a')")
        })?;
        Ok(Field::new(name, data_type.clone(), true))
    });
    Ok(DataType::Struct(fields.collect::<Result<_>>()?))
}

/// A struct of columns.
fn record(call: &Call<'_>, columns: Vec<ArrayRef>) -> Result<ArrayRef> {
    let DataType::Struct(fields) = call.returns else {
        return Err(Error::internal("struct gives a struct"));
    };
    let structs = StructArray::try_new_with_length(fields.clone(), columns, None, call.rows);
    Ok(Arc::new(structs.map_err(failed)?))
}
