//! Decimals from text, rounded half up to the column's scale, as Spark does.

/// The unscaled value, or `None` if the text is no number or does not fit `precision` digits.
pub(super) fn parse_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Digits up to this position count; the one behind it rounds.
    let kept = whole.len() as i64 + i64::from(exponent) + i64::from(scale);
    let mut value: i128 = 0;
    for (position, byte) in (0..).zip(whole.bytes().chain(fraction.bytes())) {
        let digit = i128::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        if position < kept {
            value = value.checked_mul(10)?.checked_add(digit)?;
        } else if position == kept && digit >= 5 {
            value += 1;
        }
    }
    let given = (whole.len() + fraction.len()) as i64;
    if value != 0 {
        for _ in given..kept {
            value = value.checked_mul(10)?;
        }
    }
    let fits = value < 10_i128.pow(u32::from(precision));
    fits.then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_rounded_and_counted() {
        for (text, expected) in [
            ("12.34", Some(1234)),
            ("12.345", Some(1235)),
            ("-12.345", Some(-1235)),
            ("-0.004", Some(0)),
            ("1e2", Some(10000)),
            ("125e-4", Some(1)),
            ("0e99", Some(0)),
            ("999.99", Some(99999)),
            ("999.995", None),
            ("1e30", None),
            ("1.2.3", None),
            ("", None),
            ("NaN", None),
        ] {
            assert_eq!(parse_decimal(text, 5, 2), expected, "{text}");
        }
    }
}
