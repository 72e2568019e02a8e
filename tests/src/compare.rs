//! Whether two lists of lines say the same. Long floating-point numbers may differ in their last
//! digits: an aggregate adds in another order than Spark.

/// Equal, up to the last digits of long floating-point numbers.
pub fn same_lines(expected: &[String], got: &[String]) -> bool {
    expected.len() == got.len()
        && expected
            .iter()
            .zip(got)
            .all(|(one, other)| same_line(one, other))
}

fn same_line(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (one, other) = (tokens(one), tokens(other));
    one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .all(|(one, other)| one == other || nearly(one, other))
}

fn tokens(line: &str) -> Vec<&str> {
    line.split_inclusive([' ', ',', '[', ']', '{', '}', '(', ')', ':'])
        .collect()
}

/// Only numbers so long that they must come out of a floating-point computation.
fn nearly(one: &str, other: &str) -> bool {
    const LONG: usize = 14;
    let trim = |text: &str| text.trim_end_matches([' ', ',', ']', '}', ')']).to_owned();
    let (one, other) = (trim(one), trim(other));
    let (Ok(a), Ok(b)) = (one.parse::<f64>(), other.parse::<f64>()) else {
        return false;
    };
    let long = one.len().max(other.len()) >= LONG && (one.contains('.') || other.contains('.'));
    long && (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}
