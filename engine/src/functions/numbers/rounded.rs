//! Whole numbers without their last digits.

/// Where a number goes that stands between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// To the nearest; from the middle, away from zero.
    HalfUp,
    /// To the nearest; from the middle, to the even one.
    HalfEven,
    /// To the larger.
    Up,
    /// To the smaller.
    Down,
}

/// `value` divided by 10 to the power of `digits`.
pub(super) fn without_digits(value: i128, digits: u32, mode: Mode) -> i128 {
    let Some(unit) = 10_i128.checked_pow(digits) else {
        // More digits than there are: what is left is less than half of one.
        return match mode {
            Mode::Up => i128::from(value > 0),
            Mode::Down => -i128::from(value < 0),
            Mode::HalfUp | Mode::HalfEven => 0,
        };
    };
    let (below, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
    if rest == 0 {
        return below;
    }
    let other_half = unit - rest;
    let goes_up = match mode {
        Mode::Up => true,
        Mode::Down => false,
        _ if rest != other_half => rest > other_half,
        Mode::HalfUp => value > 0,
        Mode::HalfEven => below.rem_euclid(2) == 1,
    };
    below + i128::from(goes_up)
}

/// A number rounded to so many digits behind the point, as it is written.
pub(super) fn rounded_double(value: f64, digits: i32, mode: Mode) -> f64 {
    let written = format!("{value:e}");
    let Some((mantissa, exponent)) = written.split_once('e') else {
        return value;
    };
    let fraction = mantissa
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len() as i32);
    let (Ok(mantissa), Ok(exponent)) = (
        mantissa.replace('.', "").parse::<i128>(),
        exponent.parse::<i32>(),
    ) else {
        return value;
    };
    let dropped = i64::from(fraction) - i64::from(exponent) - i64::from(digits);
    if dropped <= 0 {
        return value;
    }
    let dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
    let left = without_digits(mantissa, dropped, mode);
    if left == 0 {
        return 0.0;
    }
    format!("{left}e{}", -i64::from(digits))
        .parse()
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_go_where_the_mode_says() {
        let of = |value, mode| without_digits(value, 1, mode);
        assert_eq!([of(25, Mode::HalfUp), of(-25, Mode::HalfUp)], [3, -3]);
        assert_eq!([of(25, Mode::HalfEven), of(-35, Mode::HalfEven)], [2, -4]);
        assert_eq!([of(21, Mode::Up), of(-29, Mode::Up)], [3, -2]);
        assert_eq!([of(29, Mode::Down), of(-21, Mode::Down)], [2, -3]);
        assert_eq!(without_digits(7, 60, Mode::Up), 1);
    }

    #[test]
    fn doubles_are_rounded_as_they_are_written() {
        assert_eq!(rounded_double(2.345, 2, Mode::HalfUp), 2.35);
        assert_eq!(rounded_double(-2.5, 0, Mode::HalfUp), -3.0);
        assert_eq!(rounded_double(2.5, 0, Mode::HalfEven), 2.0);
        assert_eq!(rounded_double(1234.5, -2, Mode::HalfUp), 1200.0);
        assert_eq!(rounded_double(1e300, 5, Mode::HalfUp), 1e300);
        assert!(rounded_double(f64::NAN, 1, Mode::HalfUp).is_nan());
    }
}
