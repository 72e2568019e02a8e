//! What a store of an operator holds: its columns, its keys, when its rows expire, and where its files are.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, SchemaRef};

use super::event_time_column::EventTimeColumn;
use crate::checkpointing::DEFAULT_STORE;
use crate::error::{Error, Result};
use crate::state::{StateStore, TableShape};
use crate::storage::Location;
use crate::why::{OpenWhy, SAMPLES, StoreWhy, iso_us};

/// What one store of an operator holds.
#[derive(Debug, Clone)]
pub(crate) struct StoreLayout {
    pub(super) name: Cow<'static, str>,
    pub(super) schema: SchemaRef,
    pub(super) shape: TableShape,
    pub(super) event_time: Option<EventTimeColumn>,
    /// How far the watermark goes beyond what a row expires by before the row leaves; `None` if that alone
    /// does not make it leave.
    leaves_after_ms: Option<i64>,
    pub(super) instances: i64,
    pub(super) counted: Counted,
}

/// What of a store counts as a row of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Every row.
    Rows,
    /// All rows of a key together.
    Keys,
    /// Nothing.
    Nothing,
}

impl StoreLayout {
    /// Rows with the columns of `schema`: those of the key that `shape` says, then values.
    pub(crate) fn new(schema: SchemaRef, shape: TableShape) -> Self {
        Self {
            name: Cow::Borrowed(DEFAULT_STORE),
            schema,
            shape,
            event_time: None,
            leaves_after_ms: Some(0),
            instances: 1,
            counted: Counted::Rows,
        }
    }

    /// The same under a name, which is that of the store's folder.
    pub(crate) fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// The same, whose rows expire by the event time in them, if there is one.
    pub(crate) fn expiring_by(self, event_time: Option<EventTimeColumn>) -> Self {
        Self { event_time, ..self }
    }

    /// The same, whose rows leave when the watermark is so far beyond what they expire by; with `None` that
    /// alone does not make them leave.
    pub(crate) fn leaving_after(self, leaves_after_ms: Option<i64>) -> Self {
        Self {
            leaves_after_ms,
            ..self
        }
    }

    /// The same, for which Spark has `instances` stores.
    pub(crate) fn counted_as(self, instances: i64) -> Self {
        Self { instances, ..self }
    }

    /// The same, of which other things count as rows of the state.
    pub(crate) fn counting(self, counted: Counted) -> Self {
        Self { counted, ..self }
    }

    /// The store's folder in that of its operator.
    pub(super) fn directory(&self, of_operator: &Location) -> Location {
        match self.name.as_ref() {
            DEFAULT_STORE => of_operator.clone(),
            name => of_operator.join(&folder(name)),
        }
    }

    /// What `store` holds, and when the first of it is complete. `closes_at` gives, for the watermark in
    /// milliseconds at which something is complete, the event times that bring it about.
    pub(super) fn why(
        &self,
        store: &StateStore,
        closes_at: &dyn Fn(i64) -> Vec<String>,
    ) -> StoreWhy {
        let open = self.event_time.and_then(|event_time| {
            let leaves_after_ms = self.leaves_after_ms?;
            let expiries = store.expiries(SAMPLES);
            let first = expiries.first.first()?;
            Some(OpenWhy {
                num_times: expiries.count as i64,
                ends: expiries.first.iter().copied().map(iso_us).collect(),
                duration_ms: event_time.duration_us.div_euclid(1000),
                // A watermark is whole milliseconds, and the first that is not before the time.
                closes_at_event_time: closes_at(
                    first
                        .saturating_add(999)
                        .div_euclid(1000)
                        .saturating_add(leaves_after_ms),
                ),
            })
        });
        StoreWhy {
            name: self.name.to_string(),
            num_rows: store.num_keys() as i64,
            open,
        }
    }
}

/// Stands in for the key of state that has no key.
pub(super) fn global_key_field() -> Field {
    Field::new("__global", DataType::Boolean, false)
}

/// Its column, for `rows` rows.
pub(super) fn global_key(rows: usize) -> ArrayRef {
    Arc::new(BooleanArray::from(vec![true; rows]))
}

/// Removes the files of the store called `name` of an operator, if there are any.
pub(super) fn remove_store(of_operator: &Location, name: &str) -> Result<()> {
    let directory = of_operator.join(&folder(name));
    match directory.delete_dir() {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let message = format!("'{}' cannot be removed: {error}", directory.display());
            Err(Error::runtime(message).with_source(error))
        }
        _ => Ok(()),
    }
}

/// The name of a store as that of a folder.
fn folder(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-$".contains(c);
    let encoded = name.chars().map(|c| match is_plain(c) {
        true => c.to_string(),
        false => {
            let mut bytes = [0; 4];
            let bytes = c.encode_utf8(&mut bytes).bytes();
            bytes.map(|byte| format!("%{byte:02X}")).collect()
        }
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_folder_of_its_own() {
        assert_eq!(folder("last_seen-2"), "last_seen-2");
        assert_eq!(folder("../a b"), "%2E%2E%2Fa%20b");
        assert_eq!(folder("é%"), "%C3%A9%25");
    }
}
