//! The options of the table of a state.

use super::checkpoint::StoreSelection;
use crate::error::{Error, Result};
use crate::options::{OptionMap, OptionSpec, Options};

const BATCH_ID: &str = "batchId";
const OPERATOR_ID: &str = "operatorId";
const STORE_NAME: &str = "storeName";
const JOIN_SIDE: &str = "joinSide";
const CHANGE_FEED: &str = "readChangeFeed";
const CHANGE_START: &str = "changeStartBatchId";
const CHANGE_END: &str = "changeEndBatchId";

/// Where the checkpoint is.
pub(super) const PATH: OptionSpec = OptionSpec {
    name: "path",
    doc: "the checkpoint",
};

/// Options of `statestore`.
pub(super) const OPTIONS: [OptionSpec; 8] = [
    PATH,
    OptionSpec {
        name: BATCH_ID,
        doc: "the batch after which the state is read; the last one that is committed by default",
    },
    OptionSpec {
        name: OPERATOR_ID,
        doc: "which stateful operator of the query, from 0, the one nearest the sink; 0 by default",
    },
    OptionSpec {
        name: STORE_NAME,
        doc: "which store of the operator; the one called default by default",
    },
    OptionSpec {
        name: JOIN_SIDE,
        doc: "of a join of two streams: left or right, the rows that are kept of that side",
    },
    OptionSpec {
        name: CHANGE_FEED,
        doc: "whether the rows are what batches changed, with batch_id and change_type, instead of the state; false by default",
    },
    OptionSpec {
        name: CHANGE_START,
        doc: "with readChangeFeed: the first batch",
    },
    OptionSpec {
        name: CHANGE_END,
        doc: "with readChangeFeed: the last batch; the last one that is committed by default",
    },
];

/// Options that Spark has and this version has not.
const ABSENT: [&str; 5] = [
    "snapshotStartBatchId",
    "snapshotPartitionId",
    "stateVarName",
    "readRegisteredTimers",
    "flattenCollectionTypes",
];

/// What to read.
#[derive(Debug, Clone)]
pub(super) enum Reading {
    /// The state after a batch; the last one if it is not said.
    State(Option<i64>),
    /// What batches have changed, from the first through the second or the last.
    Changes(i64, Option<i64>),
}

/// The options of one table of a state.
#[derive(Debug, Clone)]
pub(super) struct StateOptions {
    pub(super) store: StoreSelection,
    pub(super) reading: Reading,
}

impl StateOptions {
    /// Checks what was given.
    pub(super) fn new(given: &OptionMap) -> Result<Self> {
        let options = Options::new("source format 'statestore'", given, &OPTIONS, &ABSENT)?;
        let number = |name: &str| {
            let number = options.parsed::<i64>(name, "a whole number from 0")?;
            match number {
                Some(..0) => {
                    let error = options.invalid(name, "a whole number from 0");
                    Err(error.with_condition("STDS_INVALID_OPTION_VALUE.IS_NEGATIVE"))
                }
                number => Ok(number),
            }
        };
        let side = options
            .get(JOIN_SIDE)
            .map(|side| side.trim().to_lowercase());
        let side = match side.as_deref() {
            None | Some("none") => None,
            Some(side @ ("left" | "right")) => Some(side.to_string()),
            Some(_) => {
                let error = options.invalid(JOIN_SIDE, "left, right or none");
                return Err(error.with_condition("STDS_INVALID_OPTION_VALUE.WITH_MESSAGE"));
            }
        };
        let name = options.get(STORE_NAME).map(str::trim).map(str::to_string);
        if side.is_some() && name.is_some() {
            return Err(conflict(STORE_NAME, JOIN_SIDE));
        }
        let store = StoreSelection {
            operator_id: number(OPERATOR_ID)?.unwrap_or(0),
            name,
            side,
        };
        let (batch, start, end) = (
            number(BATCH_ID)?,
            number(CHANGE_START)?,
            number(CHANGE_END)?,
        );
        let reading = match options.boolean(CHANGE_FEED, false)? {
            false if start.is_some() => return Err(needs(CHANGE_START, CHANGE_FEED)),
            false if end.is_some() => return Err(needs(CHANGE_END, CHANGE_FEED)),
            false => Reading::State(batch),
            true if batch.is_some() => return Err(conflict(BATCH_ID, CHANGE_FEED)),
            true if store.side.is_some() => return Err(conflict(JOIN_SIDE, CHANGE_FEED)),
            true => match (start, end) {
                (None, _) => return Err(needs(CHANGE_FEED, CHANGE_START)),
                (Some(start), Some(end)) if end < start => {
                    let expected = format!("{start}, which is {CHANGE_START}, or more");
                    let error = options.invalid(CHANGE_END, expected);
                    return Err(error.with_condition("STDS_INVALID_OPTION_VALUE.WITH_MESSAGE"));
                }
                (Some(start), end) => Reading::Changes(start, end),
            },
        };
        Ok(Self { store, reading })
    }
}

fn conflict(one: &str, other: &str) -> Error {
    let message = format!("options '{one}' and '{other}' of a state exclude each other");
    Error::illegal_argument(message)
        .with_condition("STDS_CONFLICT_OPTIONS")
        .with_hint("leave one of them out")
}

fn needs(given: &str, missing: &str) -> Error {
    Error::illegal_argument(format!("option '{given}' of a state needs '{missing}'"))
        .with_condition("STDS_REQUIRED_OPTION_UNSPECIFIED")
        .with_hint(format!("add {missing}"))
}
