//! Numbers and times in the options of rate sources, refused in Spark's words.

use crate::error::{Error, Result, hint};
use crate::options::Options;
use crate::sources::StreamRequest;

/// A whole number; `default` if it was not given.
pub(super) fn number(options: &Options, name: &str, default: i64) -> Result<i64> {
    let Some(text) = options.get(name) else {
        return Ok(default);
    };
    text.trim().parse().map_err(|_| {
        Error::illegal_argument(format!(
            "For input string: \"{text}\": the option '{name}' must be a whole number"
        ))
    })
}

/// A number above zero. What has no default is missing if it is not given.
pub(super) fn positive(options: &Options, name: &str, default: i64) -> Result<i64> {
    match number(options, name, default)? {
        value @ 1.. => Ok(value),
        value => Err(invalid(value, name, "must be positive")),
    }
}

/// A number that may be zero.
pub(super) fn non_negative(options: &Options, name: &str, default: i64) -> Result<i64> {
    match number(options, name, default)? {
        value @ 0.. => Ok(value),
        value => Err(invalid(value, name, "must be non-negative")),
    }
}

/// Above zero, if it was given.
pub(super) fn partitions(options: &Options) -> Result<Option<u64>> {
    const NAME: &str = "numPartitions";
    let given = options.get(NAME).map(|_| positive(options, NAME, 0));
    Ok(given.transpose()?.map(i64::unsigned_abs))
}

/// An option has a value that it cannot have.
pub(super) fn invalid(value: i64, name: &str, must: &str) -> Error {
    Error::illegal_argument(format!(
        "Invalid value '{value}'. The option '{name}' {must}"
    ))
    .with_hint([hint::option(name, "5")])
}

/// Refuses columns of the user's own. `provider` is Spark's name.
pub(super) fn check_no_schema(
    request: &StreamRequest,
    provider: &str,
    columns: &str,
) -> Result<()> {
    match request.schema {
        None => Ok(()),
        Some(_) => Err(Error::analysis(format!(
            "{provider} source does not support user-specified schema: its columns are {columns}"
        ))
        .with_hint("leave the columns out")),
    }
}
