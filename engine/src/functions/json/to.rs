//! `to_json(value[, options])`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::DataType;

use super::pretty::pretty;
use super::{check_options, given_options};
use crate::error::{Error, Result};
use crate::formats::TimeForms;
use crate::formats::json::{JsonForm, write};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::options::OptionSpec;
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "to_json",
    forms: &[&[Takes::Any], &[Takes::Any, Takes::Map]],
    returns: Returns::By(written),
    call: to_json,
    doc: "A struct, an array or a map as JSON text; fields that are NULL are left out.",
    example: "SELECT to_json(named_struct('id', 7, 'name', 'x'))",
    ..SCALAR
}];

const OPTIONS: [OptionSpec; 7] = [
    OptionSpec {
        name: "ignoreNullFields",
        doc: "false: fields that are NULL are written as null; true by default",
    },
    OptionSpec {
        name: "sortKeys",
        doc: "true: fields and keys are in the order of their names; false by default",
    },
    OptionSpec {
        name: "pretty",
        doc: "true: a field a line; false by default",
    },
    OptionSpec {
        name: "timeZone",
        doc: "zone in which timestamps are written; that of the session by default",
    },
    OptionSpec {
        name: "dateFormat",
        doc: "pattern of dates; yyyy-MM-dd by default",
    },
    OptionSpec {
        name: "timestampFormat",
        doc: "pattern of timestamps; yyyy-MM-dd'T'HH:mm:ss.SSSXXX by default",
    },
    OptionSpec {
        name: "timestampNTZFormat",
        doc: "pattern of timestamps without a zone; yyyy-MM-dd'T'HH:mm:ss.SSS by default",
    },
];

fn written(inputs: &Inputs<'_>) -> Result<DataType> {
    check_options(inputs.types.get(1))?;
    match inputs.data_type(0)? {
        DataType::Struct(_) | DataType::List(_) | DataType::Map(..) | DataType::Null => {
            Ok(DataType::Utf8)
        }
        other => Err(Error::analysis(format!(
            "to_json takes a struct, an array or a map, not {}",
            sql_type(other)
        ))
        .with_condition("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA")
        .with_hint("to_json(struct(a, b))")),
    }
}

fn to_json(call: &Call<'_>) -> Result<ArrayRef> {
    let options = given_options(
        call,
        1,
        &OPTIONS,
        &["compression", "encoding", "lineSep", "locale"],
    )?;
    let zone = options.get("timeZone").unwrap_or(&call.zone);
    let form = JsonForm {
        keep_nulls: !options.boolean("ignoreNullFields", true)?,
        sorted: options.boolean("sortKeys", false)?,
        times: TimeForms::new(&options, zone)?,
    };
    let indented = options.boolean("pretty", false)?;
    let values = call.argument(0)?.as_ref();
    let mut out = StringBuilder::new();
    let mut text = String::new();
    for row in 0..call.rows {
        if crate::text::is_null(values, row) {
            out.append_null();
            continue;
        }
        text.clear();
        write(&mut text, values, row, &form);
        match indented {
            true => out.append_value(pretty(&text)),
            false => out.append_value(&text),
        }
    }
    Ok(Arc::new(out.finish()))
}
