//! Options that are the query's own and not its sink's.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::options::OptionSpec;
use crate::runtime::RunEnd;
use crate::state::StateStoreKind;

/// Options of every query, whatever its sink, that only an option can say.
pub const QUERY_OPTIONS: [OptionSpec; 2] = [
    OptionSpec {
        name: "stateStore",
        doc: "where the state is held: memory, or disk for a state that is larger than memory; memory by default",
    },
    OptionSpec {
        name: "durable",
        doc: "whether every batch of the checkpoint is forced to disk, to survive a power cut; false by default",
    },
];

/// What `writeStream.option(…)` says about the query itself. Names are taken in any case.
pub(super) struct QueryOptions {
    /// `checkpointLocation`: the folder of the checkpoint.
    pub checkpoint_location: Option<String>,
    /// `durable`: whether every batch is forced to disk; false by default.
    pub durable: bool,
    /// `clock`: whether the query lives by the session's manual clock (`manual`) and not by the
    /// machine's (`system`, the default).
    pub manual_clock: bool,
    /// `stateStore`: where the state is held, in `memory` or on `disk`; what the session says if it is not
    /// given.
    pub state_store: Option<StateStoreKind>,
    /// `stopAfterBatches`, `stopAfterRows`: after how many batches, or rows read, the query ends by
    /// itself. The batch in which the rows come together is run to its end.
    pub end: RunEnd,
}

impl QueryOptions {
    /// Takes them out of `options`; the rest is the sink's.
    pub(super) fn take(options: &mut BTreeMap<String, String>) -> Result<Self> {
        let mut take = |name: &str| {
            let mut keys = options.keys();
            let key = keys.find(|key| key.eq_ignore_ascii_case(name)).cloned()?;
            options.remove(&key)
        };
        let checkpoint_location = take("checkpointLocation");
        let durable = match take("durable").as_deref().map(str::trim) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(invalid("durable", "true or false", other)),
        };
        let manual_clock = match take("clock").as_deref().map(str::trim) {
            None | Some("system") => false,
            Some("manual") => true,
            Some(other) => return Err(invalid("clock", "system or manual", other)),
        };
        let state_store = match take("stateStore").as_deref().map(str::trim) {
            None => None,
            Some("memory") => Some(StateStoreKind::Memory),
            Some("disk") => Some(StateStoreKind::Disk),
            Some(other) => return Err(invalid("stateStore", "memory or disk", other)),
        };
        let mut count = |name: &str| {
            let text = take(name);
            let count = text.map(|text| match text.trim().parse() {
                Ok(count @ 1..) => Ok(count),
                _ => Err(invalid(name, "a whole number above zero", &text)),
            });
            count.transpose()
        };
        let end = RunEnd {
            batches: count("stopAfterBatches")?,
            rows: count("stopAfterRows")?,
        };
        Ok(Self {
            checkpoint_location,
            durable,
            manual_clock,
            state_store,
            end,
        })
    }
}

fn invalid(name: &str, expected: &str, given: &str) -> Error {
    Error::illegal_argument(format!("option '{name}' must be {expected}, not '{given}'"))
}
