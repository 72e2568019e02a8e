//! When the rows of one side can match nothing any more.

/// What says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StateWatermark {
    /// The key at this index, a time or a window of time: rows of the other side with the same key
    /// come too late once the watermark has passed it.
    Key(usize),
    /// The event time in the column at this index: rows of the other side that are near enough to it
    /// come too late once the watermark has passed all of the bounds.
    Value {
        /// Index among the side's columns.
        column: usize,
        /// What the condition says of the two times.
        bounds: Vec<Bound>,
    },
}

/// A condition `the other side's time * times + offset < this side's time`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    /// How often the other side's time counts: once, or not at all.
    pub times: f64,
    /// Microseconds.
    pub offset_us: f64,
    /// `<=` instead of `<`.
    pub or_equal: bool,
}

impl StateWatermark {
    /// Rows whose time is at or before it can match nothing, now that the watermark is
    /// `watermark_ms`. In milliseconds and with Spark's rounding.
    pub(super) fn at(&self, watermark_ms: i64) -> i64 {
        match self {
            Self::Key(_) => watermark_ms,
            Self::Value { bounds, .. } => {
                let bounds = bounds.iter().map(|bound| bound.at(watermark_ms));
                bounds.min().unwrap_or(i64::MIN)
            }
        }
    }
}

impl StateWatermark {
    /// How far the watermark goes beyond the time of a row before the row can match nothing; `None` if there
    /// are rows to which that never happens, because a bound stays where it is.
    pub(super) fn leaves_after_ms(&self) -> Option<i64> {
        match self {
            Self::Value { bounds, .. } if bounds.iter().any(|bound| bound.times == 0.0) => None,
            // Far enough from zero, towards which Spark rounds.
            _ => Some(SOME_TIME_MS - self.at(SOME_TIME_MS)),
        }
    }
}

/// Years after the epoch, and less than a float holds in microseconds.
const SOME_TIME_MS: i64 = 1_000_000_000_000;

impl Bound {
    fn at(&self, watermark_ms: i64) -> i64 {
        let time_us = self.times * watermark_ms as f64 * 1000.0 + self.offset_us;
        (time_us / 1000.0) as i64 - i64::from(self.or_equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_bound_decides_and_equality_costs_a_millisecond() {
        let bound = |offset_us, or_equal| Bound {
            times: 1.0,
            offset_us,
            or_equal,
        };
        let value = |bounds| StateWatermark::Value { column: 0, bounds };
        assert_eq!(StateWatermark::Key(0).at(7), 7);
        assert_eq!(value(vec![bound(-5_000.0, false)]).at(7), 2);
        assert_eq!(value(vec![bound(-5_000.0, true)]).at(7), 1);
        assert_eq!(
            value(vec![bound(0.0, false), bound(-2_500.0, false)]).at(7),
            4
        );
    }

    #[test]
    fn a_row_leaves_when_the_watermark_is_past_every_bound() {
        let bound = |times, offset_us| Bound {
            times,
            offset_us,
            or_equal: true,
        };
        let after = |bounds| StateWatermark::Value { column: 0, bounds }.leaves_after_ms();
        assert_eq!(StateWatermark::Key(0).leaves_after_ms(), Some(0));
        assert_eq!(after(vec![bound(1.0, -5_000.0)]), Some(6));
        assert_eq!(after(vec![bound(1.0, -2_500.0)]), Some(4));
        assert_eq!(after(vec![bound(1.0, 7_000.0), bound(1.0, 0.0)]), Some(1));
        // The time of the other side does not count: the watermark never passes such a bound.
        assert_eq!(after(vec![bound(0.0, 1.7e15)]), None);
        assert_eq!(after(vec![bound(1.0, 0.0), bound(0.0, 1.7e15)]), None);
    }
}
