//! Values of a group in one: arrays, and texts one after the other.

use arrow::array::{Array, ArrayRef, AsArray, new_empty_array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::collections::lists::Lists;
use super::super::scalar::{Inputs, Returns};
use super::super::takes::{Takes, list_of};
use super::aggregate::{AGGREGATE, Aggregate, Counts, Setup};
use super::distinct::KnownRows;
use super::kept::{failed, list, null};
use crate::error::{Result, from_datafusion};

/// Aggregates that collect. NULLs are left out.
pub(super) const TABLE: &[Aggregate] = &[
    Aggregate {
        aliases: &["array_agg"],
        counts: Counts::All(&[0], |setup, rows| {
            Ok(list(argument(setup.name, rows, 0)?.clone()))
        }),
        doc: "All values as an array.",
        example: "SELECT collect_list(x) FROM VALUES (1), (2), (1) AS t(x)",
        ..array("collect_list")
    },
    Aggregate {
        counts: Counts::All(&[0], |setup, rows| once(argument(setup.name, rows, 0)?)),
        doc: "All values as an array, each once.",
        example: "SELECT collect_set(x) FROM VALUES (1), (2), (1) AS t(x)",
        ..array("collect_set")
    },
    Aggregate {
        forms: &[&[Takes::Array]],
        returns: Returns::By(|inputs: &Inputs<'_>| match inputs.data_type(0)? {
            DataType::List(item) => Ok(list_of(item.data_type().clone())),
            other => Ok(other.clone()),
        }),
        counts: Counts::All(&[0], |setup, rows| {
            once(Lists::new(argument(setup.name, rows, 0)?).elements())
        }),
        doc: "All elements of arrays as one array, each once.",
        example: "SELECT collect_union(x) FROM VALUES (array(1, 2)), (array(2)) AS t(x)",
        ..array("collect_union")
    },
    Aggregate {
        name: "listagg",
        aliases: &["string_agg"],
        forms: &[&[Takes::Bytes], &[Takes::Bytes, Takes::Bytes]],
        returns: Returns::Like(0),
        counts: Counts::All(&[0], joined),
        is_ordered: true,
        doc: "All texts one after the other, the second argument between them.",
        example: "SELECT listagg(x, ', ') FROM VALUES ('a'), ('b') AS t(x)",
        ..AGGREGATE
    },
];

const fn array(name: &'static str) -> Aggregate {
    Aggregate {
        name,
        forms: &[&[Takes::Any]],
        returns: Returns::By(|inputs: &Inputs<'_>| Ok(list_of(inputs.data_type(0)?.clone()))),
        empty: Some(no_values),
        ..AGGREGATE
    }
}

fn no_values(data_type: &DataType) -> DataFusionResult<ScalarValue> {
    Ok(list(match data_type {
        DataType::List(item) => new_empty_array(item.data_type()),
        other => new_empty_array(other),
    }))
}

/// Every value once, where it first was.
fn once(values: &ArrayRef) -> Result<ScalarValue> {
    let columns = [values.clone()];
    let places = KnownRows::new([values.data_type()]).and_then(|mut known| known.add(&columns));
    let values = take(values, &places.map_err(from_datafusion)?, None);
    Ok(list(values.map_err(failed)?))
}

fn joined(setup: &Setup, rows: &[ArrayRef]) -> Result<ScalarValue> {
    let values = argument(setup.name, rows, 0)?;
    if values.is_empty() {
        return null(setup);
    }
    let between = match setup.types.len() {
        1 => None,
        _ => setup.constant(1, &setup.returns)?,
    };
    Ok(match setup.returns {
        DataType::Binary => {
            let between = match &between {
                Some(ScalarValue::Binary(Some(bytes))) => bytes.as_slice(),
                _ => &[],
            };
            let values: Vec<&[u8]> = values.as_binary::<i32>().iter().flatten().collect();
            ScalarValue::Binary(Some(values.join(between)))
        }
        _ => {
            let between = match &between {
                Some(ScalarValue::Utf8(Some(text))) => text.as_str(),
                _ => "",
            };
            let values: Vec<&str> = values.as_string::<i32>().iter().flatten().collect();
            ScalarValue::Utf8(Some(values.join(between)))
        }
    })
}
