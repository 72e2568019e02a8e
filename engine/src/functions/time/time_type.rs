//! The functions of Spark's type TIME, which Spark refuses unless it is told to know the type.

use arrow::datatypes::DataType;

use super::super::scalar::{Inputs, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::{Error, Result};

/// The functions.
pub(super) const TIME_TYPE: &[Scalar] = &[
    refused("make_time", "SELECT make_time(6, 30, 45.887)"),
    refused("to_time", "SELECT to_time('00:12:00')"),
    refused("try_to_time", "SELECT try_to_time('00:12:00')"),
    refused("time_diff", "SELECT time_diff('HOUR', a, b)"),
    refused("time_trunc", "SELECT time_trunc('HOUR', a)"),
    refused("time_from_seconds", "SELECT time_from_seconds(52200)"),
    refused("time_from_millis", "SELECT time_from_millis(52200000)"),
    refused("time_from_micros", "SELECT time_from_micros(52200000000)"),
    refused("time_to_seconds", "SELECT time_to_seconds(a)"),
    refused("time_to_millis", "SELECT time_to_millis(a)"),
    refused("time_to_micros", "SELECT time_to_micros(a)"),
];

const fn refused(name: &'static str, example: &'static str) -> Scalar {
    Scalar {
        name,
        forms: &[&[Takes::Rest(&Takes::Any)]],
        returns: Returns::By(unsupported),
        doc: "Refused: it is a function of the type TIME.",
        example,
        ..SCALAR
    }
}

fn unsupported(_: &Inputs<'_>) -> Result<DataType> {
    Err(Error::analysis("the type TIME is not supported")
        .with_condition("UNSUPPORTED_TIME_TYPE")
        .with_hint("use TIMESTAMP, or a number of seconds"))
}
