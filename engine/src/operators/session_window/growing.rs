//! Sessions of the state and rows of a batch in order of key and time, and which of them touch: those
//! become one. As in Spark the aggregates take all of them in that order, whichever came first.

/// A session of the state, or the own one of a row of the batch. They are ordered by their fields, so that
/// of those that start together the session of the state comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch {
    /// The number of its key.
    pub key: u32,
    /// Where it starts, in microseconds.
    pub start: i64,
    /// Whether it is a row of the batch.
    pub is_new: bool,
    /// Where it ends, in microseconds.
    pub end: i64,
    /// Which of the rows of the batch it is, or of the sessions of the state.
    pub row: u32,
}

/// What the aggregates take at once: a session of the state, or rows of the batch between which there is
/// none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Whether it is rows of the batch.
    pub is_new: bool,
    /// Which run of rows, or which session of the state.
    pub number: usize,
}

/// The sessions that stretches become.
#[derive(Debug, Default)]
pub(super) struct Grown {
    /// The first stretch of each session: whether it is a row of the batch, and which.
    pub firsts: Vec<(bool, u32)>,
    /// Where each session ends.
    pub ends: Vec<i64>,
    /// The rows of the batch in order.
    pub rows: Vec<u32>,
    /// The run that each of those belongs to.
    pub run_of_row: Vec<usize>,
    /// How many runs there are.
    pub runs: usize,
    /// What the aggregates take, in order.
    pub parts: Vec<Part>,
    /// The session of each of those.
    pub session_of_part: Vec<usize>,
    /// The sessions of the state that begin none: another one has taken them in.
    pub absorbed: Vec<u32>,
}

impl Grown {
    /// Those that `stretches` become.
    pub(super) fn of(mut stretches: Vec<Stretch>) -> Self {
        stretches.sort_unstable();
        let mut grown = Self::default();
        let mut last: Option<Stretch> = None;
        for stretch in stretches {
            let touched = last.filter(|last| last.key == stretch.key && stretch.start <= last.end);
            match (touched, grown.ends.last_mut()) {
                (Some(_), Some(end)) => {
                    *end = stretch.end.max(*end);
                    if !stretch.is_new {
                        grown.absorbed.push(stretch.row);
                    }
                }
                _ => {
                    grown.firsts.push((stretch.is_new, stretch.row));
                    grown.ends.push(stretch.end);
                }
            }
            let goes_on = stretch.is_new && touched.is_some_and(|last| last.is_new);
            grown.take(stretch, goes_on);
            let end = touched.map_or(stretch.end, |last| last.end.max(stretch.end));
            last = Some(Stretch { end, ..stretch });
        }
        grown
    }

    /// Has the aggregates take a stretch of the last session, in a run that `goes_on` or a new one.
    fn take(&mut self, stretch: Stretch, goes_on: bool) {
        let is_new = stretch.is_new;
        if !goes_on {
            self.parts.push(Part {
                is_new,
                number: if is_new {
                    self.runs
                } else {
                    stretch.row as usize
                },
            });
            self.session_of_part.push(self.len().saturating_sub(1));
            self.runs += usize::from(is_new);
        }
        if is_new {
            self.rows.push(stretch.row);
            self.run_of_row.push(self.runs.saturating_sub(1));
        }
    }

    /// How many sessions there are.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }
}
