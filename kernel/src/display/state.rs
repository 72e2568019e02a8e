//! The rows of a store: a line that says which, and a table with a column per field of key and value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use tidebook_engine::{Rows, StoreState, format_value};

use super::html::{DIM, escape};
use super::number::count;
use super::{MimeBundle, table, windows};

const KEY: &str = "key.";

/// Rows of a state with the fields of their structs as columns: `key.user`, `value.count`.
#[derive(Debug, Clone)]
pub(crate) struct StateRows {
    rows: Rows,
    /// How many rows the store has.
    total: usize,
}

impl StateRows {
    /// All rows of `store`.
    pub(crate) fn new(store: &StoreState) -> Self {
        let fields = store.rows.schema.fields().iter();
        let flat = fields.flat_map(|field| match field.data_type() {
            DataType::Struct(inner) => {
                let named = inner.iter().map(|inner| {
                    let name = format!("{}.{}", field.name(), inner.name());
                    Field::clone(inner).with_name(name).with_nullable(true)
                });
                named.collect()
            }
            _ => vec![Field::clone(field)],
        });
        let schema = Arc::new(Schema::new(flat.collect::<Vec<_>>()));
        let batches = store.rows.batches.iter().filter_map(|batch| {
            let columns = batch.columns().iter().flat_map(|column| fields_of(column));
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let columns = columns.collect();
            RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options).ok()
        });
        let batches = batches.collect();
        Self {
            total: store.rows.num_rows(),
            rows: Rows { schema, batches },
        }
    }

    /// How many rows are left.
    pub(crate) fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    /// The columns of the key, as [`Self::retain`] takes them.
    pub(crate) fn keys(&self) -> Vec<String> {
        let fields = self.rows.schema.fields().iter();
        let keys = fields.filter_map(|field| field.name().strip_prefix(KEY));
        keys.map(str::to_owned).collect()
    }

    /// Keeps the rows with this value, as it is shown, in a column of their key: `VALUE` in any,
    /// `COLUMN=VALUE` in that one.
    pub(crate) fn retain(&mut self, key: &str) {
        let keys = self.keys();
        let named = key.split_once('=').and_then(|(column, value)| {
            let at = keys
                .iter()
                .position(|key| key.eq_ignore_ascii_case(column.trim()))?;
            Some((at, value.trim()))
        });
        let (columns, value) = match named {
            Some((at, value)) => (at..at + 1, value),
            None => (0..keys.len(), key),
        };
        let kept = self.rows.batches.iter().filter_map(|batch| {
            let columns = batch.columns().get(columns.clone())?;
            let is_kept = |row: usize| Some(columns.iter().any(|column| shows(column, row, value)));
            let kept = (0..batch.num_rows()).map(is_kept).collect();
            filter_record_batch(batch, &kept).ok()
        });
        self.rows.batches = kept.collect();
    }
}

fn fields_of(column: &ArrayRef) -> Vec<ArrayRef> {
    match column.as_struct_opt() {
        Some(fields) => fields.columns().to_vec(),
        None => vec![Arc::clone(column)],
    }
}

/// Whether a cell is shown as `text`; a window also by its start.
fn shows(column: &dyn Array, row: usize, text: &str) -> bool {
    if format_value(column, row) == text {
        return true;
    }
    windows::window(column, row).is_some_and(|window| window == text)
        || windows::is_window(column.data_type())
            && column
                .as_struct()
                .columns()
                .first()
                .is_some_and(|start| format_value(start, row) == text)
}

/// What is shown of `store`: at most `max_rows` of `rows`, which are all of it or some.
pub(crate) fn state(store: &StoreState, rows: &StateRows, max_rows: usize) -> MimeBundle {
    let found = rows.num_rows();
    let number = match found == rows.total {
        true => count(found as i64, "row"),
        false => format!("{found} of {}", count(rows.total as i64, "row")),
    };
    let title = format!(
        "operator {} ({}), store {}, after batch {}: {number}",
        store.operator_id, store.operator_name, store.store_name, store.batch_id,
    );
    let shown = table(&rows.rows, max_rows);
    let part = |mime: &str| {
        let part = shown.data.get(mime).and_then(|part| part.as_str());
        part.unwrap_or_default().to_owned()
    };
    MimeBundle::html(
        format!(
            "<div style=\"font-size:12px;{DIM}\">{}</div>{}",
            escape(&title),
            part("text/html")
        ),
        format!("{title}\n{}", part("text/plain")),
    )
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, Int64Array, StringArray, StructArray};

    use super::*;

    fn store() -> StoreState {
        let key: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b=c"), None]));
        let value: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let field = |name: &str, array: &ArrayRef| {
            Arc::new(Field::new(name, array.data_type().clone(), true))
        };
        let key = StructArray::from(vec![(field("user", &key), key)]);
        let value = StructArray::from(vec![(field("count", &value), value)]);
        let batch = RecordBatch::try_from_iter([
            ("key", Arc::new(key) as ArrayRef),
            ("value", Arc::new(value) as ArrayRef),
            (
                "partition_id",
                Arc::new(Int32Array::from(vec![0; 3])) as ArrayRef,
            ),
        ]);
        let batch = batch.unwrap();
        StoreState {
            operator_id: 0,
            operator_name: "stateStoreSave".to_owned(),
            store_name: "default".to_owned(),
            batch_id: 4,
            rows: Rows {
                schema: batch.schema(),
                batches: vec![batch],
            },
        }
    }

    #[test]
    fn the_fields_of_key_and_value_are_columns() {
        let store = store();
        let rows = StateRows::new(&store);
        assert_eq!(rows.keys(), ["user"]);
        let plain = state(&store, &rows, 2).data["text/plain"].clone();
        let plain = plain.as_str().unwrap();
        assert!(
            plain
                .starts_with("operator 0 (stateStoreSave), store default, after batch 4: 3 rows\n"),
            "{plain}"
        );
        assert!(
            plain.contains("|key.user|value.count|partition_id|"),
            "{plain}"
        );
        assert!(plain.ends_with("only showing top 2 rows\n"), "{plain}");
    }

    #[test]
    fn a_key_is_found_by_what_is_shown_of_it() {
        for (key, found) in [
            ("a", 1),
            ("user=a", 1),
            ("USER = a", 1),
            ("b=c", 1),
            ("NULL", 1),
            ("1", 0),
            ("user=z", 0),
        ] {
            let mut rows = StateRows::new(&store());
            rows.retain(key);
            assert_eq!(rows.num_rows(), found, "{key}");
        }
    }
}
