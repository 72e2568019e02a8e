//! Durations after which a group times out.

use std::time::Duration;

use crate::error::{Error, Result};

/// Milliseconds, a [`Duration`], or text such as `"1 hour 30 minutes"`.
pub trait StateDuration {
    /// Milliseconds, more than 0.
    ///
    /// # Errors
    /// If it is not such a time.
    fn millis(self) -> Result<i64>;
}

impl StateDuration for i64 {
    fn millis(self) -> Result<i64> {
        match self {
            1.. => Ok(self),
            _ => Err(refused(&format!("{self} ms"))),
        }
    }
}

impl StateDuration for Duration {
    fn millis(self) -> Result<i64> {
        let millis = i64::try_from(self.as_millis());
        millis.map_err(|_| refused(&format!("{self:?}")))?.millis()
    }
}

impl StateDuration for &str {
    fn millis(self) -> Result<i64> {
        parse(self)
            .filter(|millis| *millis > 0)
            .ok_or_else(|| refused(&format!("'{self}'")))
    }
}

fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text
        .strip_prefix("interval ")
        .or(text.strip_prefix("INTERVAL "))
        .unwrap_or(text);
    let mut words = text.split_whitespace();
    let mut total = 0_i64;
    while let Some(number) = words.next() {
        let number: i64 = number.parse().ok()?;
        let unit = words.next()?.to_ascii_lowercase();
        let millis = match unit.strip_suffix('s').unwrap_or(&unit) {
            "millisecond" => 1,
            "second" => 1000,
            "minute" => 60 * 1000,
            "hour" => 60 * 60 * 1000,
            "day" => 24 * 60 * 60 * 1000,
            "week" => 7 * 24 * 60 * 60 * 1000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(millis)?)?;
    }
    Some(total)
}

fn refused(what: &str) -> Error {
    Error::of(
        "IllegalArgumentException",
        format!("{what} is no timeout of a group"),
    )
    .with_hint("write it as \"10 minutes\"")
}

#[cfg(test)]
mod tests {
    use super::StateDuration;

    #[test]
    fn reads_durations() {
        assert_eq!("1 hour 30 minutes".millis().unwrap(), 5_400_000);
        assert_eq!("interval 500 milliseconds".millis().unwrap(), 500);
        for wrong in ["", "0 seconds", "10", "ten minutes", "1 month"] {
            assert!(wrong.millis().is_err(), "{wrong}");
        }
    }
}
