//! Sessions in order of key and time, and which of them touch: those become one.

/// A session or a row's own one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch {
    /// The number of its key.
    pub key: u32,
    /// Where it starts, in microseconds.
    pub start: i64,
    /// Which it is among those that are put in order; of equal ones the first comes first.
    pub row: u32,
    /// Where it ends, in microseconds.
    pub end: i64,
}

/// The sessions that stretches become.
#[derive(Debug, Default)]
pub(super) struct Grown {
    /// The stretches in order, by their numbers.
    pub order: Vec<u32>,
    /// The session of each of them, in that order.
    pub session_of: Vec<usize>,
    /// The first stretch of each session, as a place in that order.
    pub firsts: Vec<u32>,
    /// The number of the key of each session.
    pub keys: Vec<u32>,
    /// Where each session ends.
    pub ends: Vec<i64>,
}

impl Grown {
    /// Those that `stretches` become.
    pub(super) fn of(mut stretches: Vec<Stretch>) -> Self {
        stretches.sort_unstable();
        let mut grown = Self {
            order: Vec::with_capacity(stretches.len()),
            session_of: Vec::with_capacity(stretches.len()),
            ..Self::default()
        };
        for (place, stretch) in stretches.iter().enumerate() {
            match (grown.keys.last(), grown.ends.last_mut()) {
                (Some(&key), Some(end)) if key == stretch.key && stretch.start <= *end => {
                    *end = stretch.end.max(*end);
                }
                _ => {
                    grown.firsts.push(place as u32);
                    grown.keys.push(stretch.key);
                    grown.ends.push(stretch.end);
                }
            }
            grown.order.push(stretch.row);
            grown.session_of.push(grown.firsts.len() - 1);
        }
        grown
    }

    /// How many sessions there are.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The stretches that are not the first of their session.
    pub(super) fn joined_others(&self) -> impl Iterator<Item = u32> {
        let mut last = None;
        let places = self.order.iter().zip(&self.session_of);
        places.filter_map(move |(&row, &session)| {
            let is_first = last != Some(session);
            last = Some(session);
            (!is_first).then_some(row)
        })
    }
}
