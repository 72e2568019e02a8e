//! `to_csv(struct[, options])`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;

use crate::error::{Error, Result};
use crate::formats::csv::{CSV_FORM_OPTIONS, CsvForm};
use crate::functions::json::{check_options, given_options};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::text::is_null;
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "to_csv",
    forms: &[&[Takes::Any], &[Takes::Any, Takes::Map]],
    returns: Returns::By(written),
    call: to_csv,
    doc: "The fields of a struct as a line of CSV.",
    example: "SELECT to_csv(named_struct('id', 7, 'name', 'x'))",
    ..SCALAR
}];

fn written(inputs: &Inputs<'_>) -> Result<DataType> {
    check_options(inputs.types.get(1))?;
    match inputs.data_type(0)? {
        DataType::Struct(_) | DataType::Null => Ok(DataType::Utf8),
        other => Err(
            Error::analysis(format!("to_csv takes a struct, not {}", sql_type(other)))
                .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
                .with_hint("to_csv(struct(a, b))"),
        ),
    }
}

fn to_csv(call: &Call<'_>) -> Result<ArrayRef> {
    let absent = [
        "charToEscapeQuoteEscaping",
        "charset",
        "compression",
        "encoding",
        "header",
        "lineSep",
    ];
    let form = CsvForm::new(
        &given_options(call, 1, &CSV_FORM_OPTIONS, &absent)?,
        &call.zone,
    )?;
    let values = call.argument(0)?.as_ref();
    let mut out = StringBuilder::new();
    let mut line = String::new();
    for row in 0..call.rows {
        if is_null(values, row) {
            out.append_null();
            continue;
        }
        line.clear();
        form.write_row(&mut line, values.as_struct().columns(), row);
        out.append_value(&line);
    }
    Ok(Arc::new(out.finish()))
}
