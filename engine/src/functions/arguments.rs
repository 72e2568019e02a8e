//! Arguments by their place. How many there are was checked when the call was typed, by the forms of
//! its function: one that is missing is an error of the engine, not of the query.

use crate::error::{Error, Result};

/// One of a function's arguments, or of their types.
pub(super) fn argument<'a, T>(function: &str, given: &'a [T], index: usize) -> Result<&'a T> {
    given
        .get(index)
        .ok_or_else(|| missing(function, index + 1, given.len()))
}

/// The first of them; there may be more.
pub(super) fn arguments<'a, T, const N: usize>(
    function: &str,
    given: &'a [T],
) -> Result<&'a [T; N]> {
    given
        .first_chunk()
        .ok_or_else(|| missing(function, N, given.len()))
}

#[cold]
fn missing(function: &str, wanted: usize, given: usize) -> Error {
    Error::internal(format!(
        "{function} needs argument {wanted}, but got only {given}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told() {
        let given = [7, 8];
        assert_eq!(argument("f", &given, 1).ok(), Some(&8));
        let [first] = arguments("f", &given).unwrap();
        assert_eq!(first, &7);
        let error = argument("f", &given, 2).unwrap_err();
        assert!(error.to_string().contains("f needs argument 3"), "{error}");
        let error = arguments::<_, 4>("f", &given).unwrap_err();
        assert!(error.to_string().contains("f needs argument 4"), "{error}");
    }
}
