//! `from_csv(text, schema[, options])` and `schema_of_csv(text[, options])`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, StructArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Schema};

use crate::error::{Error, Result};
use crate::formats::csv::{
    CSV_OPTIONS, CSV_OPTIONS_ABSENT, CsvDecoder, CsvOptions, schema_of_line,
};
use crate::formats::line_format::LineDecoder;
use crate::functions::collections::lists::failed;
use crate::functions::json::{check_mode, check_options, ddl, given_options, schema_argument};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "from_csv",
        forms: &[
            &[Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Map],
        ],
        returns: Returns::By(|inputs| match schema_argument(inputs, "from_csv")? {
            record @ DataType::Struct(_) => Ok(record),
            other => Err(Error::analysis(format!(
                "from_csv gives a struct, not {}",
                sql_type(&other)
            ))
            .with_condition("INVALID_SCHEMA.NON_STRUCT_TYPE")),
        }),
        call: from_csv,
        doc: "The struct that a line of CSV stands for, with fields that a schema tells; what does not fit is NULL.",
        example: "SELECT from_csv('7,x', 'id INT, name STRING')",
        ..SCALAR
    },
    Scalar {
        name: "schema_of_csv",
        forms: &[&[Takes::Text], &[Takes::Text, Takes::Map]],
        returns: Returns::By(|inputs| {
            check_options(inputs.types.get(1))?;
            Ok(DataType::Utf8)
        }),
        call: schema_of_csv,
        doc: "The schema of a line of CSV, as from_csv takes it.",
        example: "SELECT schema_of_csv('7,x')",
        ..SCALAR
    },
];

fn csv_options(call: &Call<'_>, index: usize) -> Result<CsvOptions> {
    let given = given_options(call, index, &CSV_OPTIONS, &CSV_OPTIONS_ABSENT)?;
    let mut options = CsvOptions::new(&given)?;
    if let (None, Ok(zone)) = (given.get("timeZone"), call.zone.parse()) {
        options.times.zone = zone;
    }
    Ok(options)
}

fn from_csv(call: &Call<'_>) -> Result<ArrayRef> {
    let options = csv_options(call, 2)?;
    check_mode(call.name, options.mode)?;
    let DataType::Struct(fields) = call.returns else {
        return Err(Error::internal("from_csv gives a struct"));
    };
    let columns: Vec<usize> = (0..fields.len()).collect();
    let schema = Schema::new(fields.clone());
    let mut decoder = CsvDecoder::new(&options, &schema, &columns, call.rows)?;
    let mut rows = Vec::with_capacity(call.rows);
    // What is no record, but no NULL either, is a struct of NULLs.
    let mut others = Vec::with_capacity(call.rows);
    for text in call.text(0)? {
        let before = decoder.num_rows();
        if let Some(text) = text {
            decoder.decode_line(text.as_bytes())?;
        }
        rows.push((decoder.num_rows() > before).then_some(before as u32));
        others.push(text.is_some());
    }
    let columns = match decoder.flush()? {
        None => fields
            .iter()
            .map(|field| new_null_array(field.data_type(), call.rows))
            .collect(),
        Some(batch) => {
            let rows = UInt32Array::from(rows);
            let columns = batch
                .columns()
                .iter()
                .map(|column| take(column, &rows, None));
            columns
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(failed)?
        }
    };
    let structs =
        StructArray::try_new_with_length(fields.clone(), columns, Some(others.into()), call.rows);
    Ok(Arc::new(structs.map_err(failed)?))
}

fn schema_of_csv(call: &Call<'_>) -> Result<ArrayRef> {
    let mut options = csv_options(call, 1)?;
    options.infer_schema = true;
    options.header = false;
    let schema = |text: &str| {
        let schema = schema_of_line(text, options.clone());
        ddl(&DataType::Struct(schema.fields().clone()))
    };
    let schemas = call.text(0)?.iter().map(|text| text.map(schema));
    Ok(Arc::new(schemas.collect::<StringArray>()))
}
