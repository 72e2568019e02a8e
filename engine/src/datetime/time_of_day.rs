//! Times of the day, the values of TIME: microseconds since midnight, and their text.

use super::scanner::Scanner;
use super::text::scan_time;
use super::{MICROS_PER_DAY, MICROS_PER_SECOND};

/// Microseconds since midnight: `12:13`, `12:13:14.5`, `T12:13:14`, `1:02 PM`.
pub(crate) fn read_time(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_prefix('T').unwrap_or(text);
    if !text.get(..3).or(text.get(..2))?.contains(':') {
        return None;
    }
    let mut scanner = Scanner::new(text);
    let micros = scan_time(&mut scanner)?;
    let noon = MICROS_PER_DAY / 2;
    let hour = micros / (3_600 * MICROS_PER_SECOND);
    match scanner.rest.trim_start().to_ascii_uppercase().as_str() {
        "" => Some(micros),
        "AM" | "PM" if !(1..=12).contains(&hour) => None,
        "AM" => Some(micros % noon),
        "PM" => Some(micros % noon + noon),
        _ => None,
    }
}

/// `12:13:14`, and as many digits behind a point as there are.
pub(crate) fn time_text(micros: i64) -> String {
    let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let text = format!("{hour:02}:{minute:02}:{second:02}");
    match fraction {
        0 => text,
        fraction => format!("{text}.{fraction:06}")
            .trim_end_matches('0')
            .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, shown) in [
            ("12:13:14", "12:13:14"),
            ("1:2", "01:02:00"),
            ("T23:59:59.999999", "23:59:59.999999"),
            ("12:00:00.1000001", "12:00:00.1"),
            ("12:30 AM", "00:30:00"),
            ("1:02:03 pm", "13:02:03"),
        ] {
            let read = read_time(text).map(time_text);
            assert_eq!(read.as_deref(), Some(shown), "{text}");
        }
        for text in ["", "12", "24:00", "12:60", "x", "12:13:14Z", "13:00 PM"] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }
}
