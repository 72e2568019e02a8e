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
}
