//! Numbers as people read them.

/// `1,234,567`.
pub(super) fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if value < 0 {
        text.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with thousands separators and `decimals` digits after the point.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value.abs() >= 1e15 {
        return format!("{value:e}");
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = thousands(whole.parse().unwrap_or_default());
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = if value < 0.0 && !is_zero { "-" } else { "" };
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

/// A number with as many digits as say something: `3`, `3.25`, `1,234.5`, `0.0012`.
pub(super) fn short(value: f64) -> String {
    let magnitude = value.abs();
    let decimals = match magnitude {
        _ if value.fract() == 0.0 => 0,
        m if m >= 1000.0 => 1,
        m if m >= 1.0 => 2,
        m if m >= 0.01 => 4,
        _ => return format!("{value:.2e}"),
    };
    let text = fixed(value, decimals);
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Rows per second: one decimal below ten, whole numbers above.
pub(super) fn rate(value: f64) -> String {
    fixed(value, usize::from(value.abs() < 9.95))
}

/// Bytes in binary units.
pub(super) fn bytes(value: i64) -> String {
    // But for the largest.
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    if value < 1024 {
        return format!("{value} B");
    }
    let mut scaled = value as f64 / 1024.0;
    for unit in UNITS {
        if scaled < 1023.95 {
            return format!("{scaled:.1} {unit}");
        }
        scaled /= 1024.0;
    }
    format!("{scaled:.1} TiB")
}

/// A duration given in milliseconds: `850 ms`, `1.2 s`, `2 min 3 s`, `1 h 30 min`, `1 day`.
pub(super) fn duration(ms: i64) -> String {
    let two = |big: i64, big_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big} {big_unit}"),
        _ => format!("{big} {big_unit} {small} {small_unit}"),
    };
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{} s", short((ms as f64 / 100.0).round() / 10.0)),
        60_000..3_600_000 => two(ms / 60_000, "min", ms % 60_000 / 1_000, "s"),
        3_600_000..86_400_000 => two(ms / 3_600_000, "h", ms % 3_600_000 / 60_000, "min"),
        86_400_000..172_800_000 => two(1, "day", ms % 86_400_000 / 3_600_000, "h"),
        _ => two(ms / 86_400_000, "days", ms % 86_400_000 / 3_600_000, "h"),
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn count(value: i64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_groups_of_three() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(-1_000), "-1,000");
        assert_eq!(thousands(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn decimals_fit_the_size() {
        assert_eq!(short(3.0), "3");
        assert_eq!(short(3.25), "3.25");
        assert_eq!(short(1234.5), "1,234.5");
        assert_eq!(short(-0.05), "-0.05");
        assert_eq!(short(0.0012), "1.20e-3");
        assert_eq!(fixed(-0.001, 1), "0.0");
        assert_eq!(fixed(f64::NAN, 1), "–");
        assert_eq!(rate(9.97), "10");
        assert_eq!(rate(3.149), "3.1");
        assert_eq!(rate(12_345.6), "12,346");
    }

    #[test]
    fn units_change_where_people_change_them() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(1_250), "1.3 s");
        assert_eq!(duration(2_000), "2 s");
        assert_eq!(duration(123_000), "2 min 3 s");
        assert_eq!(duration(5_400_000), "1 h 30 min");
        assert_eq!(duration(86_400_000), "1 day");
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(1_000, "row"), "1,000 rows");
    }
}
