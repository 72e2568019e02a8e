//! What state a checkpoint holds: operators, stores, batches. A wrong one is refused with those there are.

use crate::checkpointing::{
    CheckpointFileManager, CommitLog, DEFAULT_STORE, OffsetSeqLog, OperatorStateMetadata,
    STATE_DIR, STATEFUL_OPERATORS, StateStoreInfo,
};
use crate::error::{Error, ErrorKind, Result, hint};
use crate::state::StateReader;
use crate::storage::Location;

/// The state in one checkpoint.
#[derive(Debug, Clone)]
pub struct CheckpointState {
    files: CheckpointFileManager,
}

/// Which store is meant.
#[derive(Debug, Clone, Default)]
pub struct StoreSelection {
    /// The operator's number.
    pub operator_id: i64,
    /// The store's name; `default` if neither this nor a side is given.
    pub name: Option<String>,
    /// Of a join of two streams, the side: `left` or `right`.
    pub side: Option<String>,
}

/// A store that was found.
#[derive(Debug, Clone)]
pub struct StateOfStore {
    /// The operator's number.
    pub operator_id: i64,
    /// Spark's name for the operator.
    pub operator_name: String,
    /// What is known of the store.
    pub info: StateStoreInfo,
    /// Whether it was asked for as a side of a join, of which the numbers of rows are no part.
    pub(super) is_side: bool,
    /// Reads it.
    pub(super) reader: StateReader,
    /// The last batch that is committed.
    last: i64,
}

impl CheckpointState {
    /// The state in the checkpoint at `root`.
    pub fn open(root: Location) -> Result<Self> {
        let files = CheckpointFileManager::new(root, false);
        let planned = OffsetSeqLog::new(&files).latest()?;
        let Some((_, planned)) = planned else {
            return Err(unreadable(
                "STDS_OFFSET_LOG_UNAVAILABLE",
                format!(
                    "'{}' is no checkpoint of a query that has begun",
                    files.root()
                ),
            )
            .with_hint([
                hint::say("give the folder that "),
                hint::checkpoint(),
                hint::say(" named, after the first batch"),
            ]));
        };
        let of_spark = !planned.metadata.conf.contains_key(STATEFUL_OPERATORS);
        if of_spark && files.root().join(STATE_DIR).exists() {
            let message = format!("the state in '{}' was written by Spark", files.root());
            return Err(unreadable("STDS_INTERNAL_ERROR", message)
                .with_hint("read it on Spark: the files of a state are each engine's own"));
        }
        Ok(Self { files })
    }

    /// The stateful operators, by number; a query without state has none.
    pub fn operators(&self) -> Result<Vec<OperatorStateMetadata>> {
        let operators = OperatorStateMetadata::read_all(&self.files)?;
        if operators.is_empty() {
            return Err(unreadable(
                "STDS_FAILED_TO_READ_OPERATOR_METADATA",
                format!(
                    "the query of '{}' keeps no state: there is nothing that it remembers from batch to batch",
                    self.files.root()
                ),
            )
            .with_hint("aggregations, dropDuplicates, joins of two streams and groups with state keep some"));
        }
        Ok(operators)
    }

    /// The first and the last batch that the logs say are done, if any is.
    pub(super) fn batches(&self) -> Result<Option<(i64, i64)>> {
        let ids = CommitLog::new(&self.files).ids()?;
        Ok(ids.first().copied().zip(ids.last().copied()))
    }

    /// The store that `selection` means.
    pub fn store(&self, selection: &StoreSelection) -> Result<StateOfStore> {
        let operator = self.operator(selection.operator_id)?;
        let (id, name) = (selection.operator_id, &operator.operator_info.operator_name);
        let is_meant = |store: &&StateStoreInfo| match (&selection.side, &selection.name) {
            (Some(side), _) => store
                .store_name
                .strip_prefix(side.as_str())
                .is_some_and(|rest| rest.starts_with('-')),
            (None, Some(name)) => store.store_name == *name,
            (None, None) => store.store_name == DEFAULT_STORE,
        };
        let stores = &operator.state_store_info;
        let Some(info) = stores.iter().find(is_meant) else {
            return Err(no_store(selection, name, stores));
        };
        let root = self
            .files
            .root()
            .join(STATE_DIR)
            .join(&id.to_string())
            .join("0");
        let directory = match info.store_name.as_str() {
            DEFAULT_STORE => root,
            name => root.join(name),
        };
        let batches = self.batches()?;
        let reader = StateReader::open(directory)?;
        let (Some((_, last)), Some(reader)) = (batches, reader) else {
            let message = format!(
                "no batch of the query of '{}' is committed yet",
                self.files.root()
            );
            return Err(unreadable("STDS_COMMITTED_BATCH_UNAVAILABLE", message)
                .with_hint("wait for its first batch"));
        };
        Ok(StateOfStore {
            operator_id: id,
            operator_name: name.clone(),
            info: info.clone(),
            is_side: selection.side.is_some(),
            reader,
            last,
        })
    }

    fn operator(&self, operator_id: i64) -> Result<OperatorStateMetadata> {
        let operators = self.operators()?;
        let is_meant =
            |operator: &&OperatorStateMetadata| operator.operator_info.operator_id == operator_id;
        let found = operators.iter().find(is_meant).cloned();
        found.ok_or_else(|| {
            let there = operators.iter().map(|operator| {
                let info = &operator.operator_info;
                format!("{} ({})", info.operator_id, info.operator_name)
            });
            let message = format!("the query has no stateful operator {operator_id}");
            unreadable("STDS_FAILED_TO_READ_OPERATOR_METADATA", message)
                .with_hint(format!("there is {}", there.collect::<Vec<_>>().join(", ")))
        })
    }
}

impl StateOfStore {
    /// The batches whose state can be read: the first, the last.
    pub fn batches(&self) -> (i64, i64) {
        let (oldest, newest) = self.reader.versions();
        (oldest - 1, (newest - 1).min(self.last))
    }

    /// The batch whose state is read: `batch_id`, which must be retained, or the last.
    pub fn batch(&self, batch_id: Option<i64>) -> Result<i64> {
        let (first, last) = self.batches();
        match batch_id {
            None => Ok(last),
            Some(batch_id) if (first..=last).contains(&batch_id) => Ok(batch_id),
            Some(batch_id) => {
                let message = format!("the state of batch {batch_id} is not there");
                Err(unreadable("STDS_COMMITTED_BATCH_UNAVAILABLE", message)
                    .with_hint(format!("the batches {first} to {last} are retained")))
            }
        }
    }
}

fn no_store(selection: &StoreSelection, operator: &str, stores: &[StateStoreInfo]) -> Error {
    let stores: Vec<&str> = stores
        .iter()
        .map(|store| store.store_name.as_str())
        .collect();
    let sides = stores.iter().any(|store| store.starts_with("left-"));
    let message = match (&selection.side, &selection.name) {
        (Some(_), _) => format!("the operator {operator} has no sides"),
        (None, Some(name)) => format!("the operator {operator} has no store '{name}'"),
        (None, None) => format!("the operator {operator} has several stores"),
    };
    let or_side = if sides {
        "; or joinSide left, right"
    } else {
        ""
    };
    unreadable("STDS_INVALID_OPTION_VALUE.WITH_MESSAGE", message)
        .with_hint(format!("its stores are {}{or_side}", stores.join(", ")))
}

fn unreadable(condition: &'static str, message: String) -> Error {
    Error::new(ErrorKind::Analysis, message).with_condition(condition)
}
