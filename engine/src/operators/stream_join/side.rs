//! One side of a join: which of its rows come too late, how they stand in its state, when they leave.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions,
};
use arrow::compute::{filter_record_batch, not, prep_null_mask_filter};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::PhysicalExpr;

use super::super::errors::{arrow_error, datafusion_error};
use super::super::event_time_column::{EventTimeColumn, Watermarks, rows_in_time, to_us};
use super::super::late_rows::LateRows;
use super::super::store_layout::StoreLayout;
use super::{JoinSide, StateWatermark};
use crate::error::{Error, Result};
use crate::state::{StateShard, TableShape, split_columns};

/// Tells rows of one key apart in the state.
const INDEX: &str = "__index";

/// Whether a row has matched.
const MATCHED: &str = "__matched";

/// No number was given to a row yet.
const UNKNOWN: i64 = -1;

#[derive(Debug)]
pub(super) struct Side {
    store: &'static str,
    schema: SchemaRef,
    join: JoinSide,
    /// Rows that match nothing come out all the same.
    is_outer: bool,
    /// The columns of state rows: keys, index, what the keys do not hold, whether matched.
    state_schema: SchemaRef,
    /// Where each column of the side stands in the state.
    stored_at: Vec<usize>,
    /// The column of a state row by which it leaves.
    leaves_by: Option<usize>,
    next_index: AtomicI64,
}

/// The rows of a batch.
pub(super) struct Arrived {
    /// Those that can match.
    pub(super) rows: RecordBatch,
    /// Their keys.
    pub(super) keys: Vec<ArrayRef>,
    /// Those that cannot match, whatever the other side gives.
    pub(super) matching_nothing: RecordBatch,
    /// How many came too late.
    pub(super) late: i64,
    /// Some of those.
    pub(super) late_rows: LateRows,
}

impl Side {
    pub(super) fn try_new(
        name: &'static str,
        schema: SchemaRef,
        join: JoinSide,
        is_outer: bool,
    ) -> DataFusionResult<Self> {
        let mut fields = Vec::new();
        let mut stored_at: Vec<Option<usize>> = vec![None; schema.fields().len()];
        for (index, key) in join.keys.iter().enumerate() {
            let data_type = key.data_type(&schema)?;
            fields.push(Field::new(format!("key{index}"), data_type, true));
            let column = key.downcast_ref::<Column>();
            if let Some(place) = column.and_then(|column| stored_at.get_mut(column.index())) {
                place.get_or_insert(index);
            }
        }
        fields.push(Field::new(INDEX, DataType::Int64, false));
        let columns = schema.fields().iter().zip(&mut stored_at);
        for (field, place) in columns.filter(|(_, place)| place.is_none()) {
            *place = Some(fields.len());
            fields.push(Field::new(field.name(), field.data_type().clone(), true));
        }
        fields.push(Field::new(MATCHED, DataType::Boolean, false));
        let stored_at: Vec<usize> = stored_at.into_iter().flatten().collect();
        let leaves_by = match &join.state_watermark {
            Some(StateWatermark::Key(key)) => Some(*key),
            Some(StateWatermark::Value { column, .. }) => {
                let stored_at = stored_at.get(*column).copied();
                Some(stored_at.ok_or_else(|| Error::internal("a side lacks its event time"))?)
            }
            None => None,
        };
        Ok(Self {
            store: match name {
                "left" => "left-keyWithIndexToValue",
                _ => "right-keyWithIndexToValue",
            },
            schema,
            join,
            is_outer,
            state_schema: Arc::new(Schema::new(fields)),
            stored_at,
            leaves_by,
            next_index: AtomicI64::new(UNKNOWN),
        })
    }

    /// What its store holds. Spark has two stores for it, one of which only counts rows per key.
    pub(super) fn layout(&self) -> StoreLayout {
        let shape = TableShape::many_rows_per_key(self.join.keys.len());
        let state_watermark = self.join.state_watermark.as_ref();
        StoreLayout::new(Arc::clone(&self.state_schema), shape)
            .named(self.store)
            .expiring_by(self.event_time())
            .leaving_after(state_watermark.map_or(Some(0), StateWatermark::leaves_after_ms))
            .counted_as(2)
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn is_outer(&self) -> bool {
        self.is_outer
    }

    /// Whether its rows ever leave the state.
    pub(super) fn leaves(&self) -> bool {
        self.join.state_watermark.is_some()
    }

    /// Rows whose time is at or before it can match nothing; `None` if that is never known.
    pub(super) fn state_watermark_ms(&self, watermark_ms: i64) -> Option<i64> {
        let state_watermark = self.join.state_watermark.as_ref()?;
        Some(state_watermark.at(watermark_ms))
    }

    fn event_time(&self) -> Option<EventTimeColumn> {
        self.leaves_by.map(|column| EventTimeColumn {
            column,
            duration_us: 0,
        })
    }

    /// Through which expiry rows leave now.
    fn leaves_through(&self, watermarks: Watermarks) -> Option<i64> {
        self.state_watermark_ms(watermarks.eviction_ms).map(to_us)
    }

    /// Looks at new rows.
    pub(super) fn arrive(&self, rows: RecordBatch, watermarks: Watermarks) -> Result<Arrived> {
        let mut late_rows = LateRows::default();
        let (rows, late) = match self.join.event_time {
            Some(column) => {
                let (kept, late) = rows_in_time(&rows, column, watermarks)?;
                if late > 0 {
                    late_rows.note_column(&rows, column, watermarks.late_ms)?;
                }
                (kept, late)
            }
            None => (rows, 0),
        };
        let (rows, matching_nothing) = match &self.join.filter {
            Some(filter) => {
                let fits = satisfied(filter, &rows)?;
                let rest = filter_record_batch(&rows, &not(&fits).map_err(arrow_error)?);
                let rows = filter_record_batch(&rows, &fits).map_err(arrow_error)?;
                (rows, rest.map_err(arrow_error)?)
            }
            None => (rows, RecordBatch::new_empty(Arc::clone(&self.schema))),
        };
        let keys = self.join.keys.iter().map(|key| {
            let value = key.evaluate(&rows).map_err(datafusion_error)?;
            value.into_array(rows.num_rows()).map_err(datafusion_error)
        });
        Ok(Arrived {
            keys: keys.collect::<Result<_>>()?,
            rows,
            matching_nothing,
            late,
            late_rows,
        })
    }

    /// For each new row, whether it can still match after this batch.
    pub(super) fn stays(&self, arrived: &Arrived, watermarks: Watermarks) -> Result<Vec<bool>> {
        let rows = arrived.rows.num_rows();
        let (Some(event_time), Some(through)) =
            (self.event_time(), self.leaves_through(watermarks))
        else {
            return Ok(vec![true; rows]);
        };
        let same_index = Arc::new(Int64Array::from(vec![0; rows]));
        let matched = BooleanArray::from(vec![false; rows]);
        let columns = self.state_columns(arrived, same_index, &matched);
        let expiry = event_time.expiry(&columns)?;
        let stays = |expiry: Option<i64>| expiry.is_none_or(|at| at > through);
        Ok(expiry.into_iter().map(stays).collect())
    }

    /// Puts new rows into the state, those that `kept` says; how many.
    pub(super) fn insert(
        &self,
        shard: &mut StateShard,
        arrived: &Arrived,
        matched: &BooleanArray,
        kept: &BooleanArray,
    ) -> Result<i64> {
        let indices = self.indices(shard, arrived.rows.num_rows());
        let columns = self.state_columns(arrived, indices, matched);
        let rows = RecordBatch::try_new(Arc::clone(&self.state_schema), columns);
        let rows = filter_record_batch(&rows.map_err(arrow_error)?, kept).map_err(arrow_error)?;
        let inserted = rows.num_rows() as i64;
        self.write(shard, rows)?;
        Ok(inserted)
    }

    /// Notes that state rows have matched.
    pub(super) fn mark_matched(&self, shard: &mut StateShard, rows: &RecordBatch) -> Result<()> {
        let mut columns = rows.columns().to_vec();
        columns.pop();
        columns.push(Arc::new(BooleanArray::from(vec![true; rows.num_rows()])));
        let rows = RecordBatch::try_new(Arc::clone(&self.state_schema), columns);
        self.write(shard, rows.map_err(arrow_error)?)
    }

    /// Removes state rows; how many.
    pub(super) fn remove(&self, shard: &mut StateShard, rows: &RecordBatch) -> Result<i64> {
        let (keys, _) = split_columns(rows, self.join.keys.len() + 1)?;
        Ok(shard.remove(&shard.encode(keys)?)? as i64)
    }

    /// Removes what can match nothing any more: the rows of an outer side that never did, and how
    /// many were removed in all.
    pub(super) fn evict(
        &self,
        shard: &mut StateShard,
        watermarks: Watermarks,
    ) -> Result<(RecordBatch, i64)> {
        let nothing = RecordBatch::new_empty(Arc::clone(&self.schema));
        let Some(through) = self.leaves_through(watermarks) else {
            return Ok((nothing, 0));
        };
        let alone = match self.is_outer {
            true => {
                let rows = shard.expired(through, None)?;
                let alone = not(Self::matched(&rows)).map_err(arrow_error)?;
                self.rows(&filter_record_batch(&rows, &alone).map_err(arrow_error)?)?
            }
            false => nothing,
        };
        Ok((alone, shard.evict(through)? as i64))
    }

    /// Rows of the side from state rows.
    pub(super) fn rows(&self, state_rows: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.stored_at.iter().map(|&at| state_rows.column(at));
        let options = RecordBatchOptions::new().with_row_count(Some(state_rows.num_rows()));
        let columns = columns.cloned().collect();
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(arrow_error)
    }

    /// Which state rows have matched.
    pub(super) fn matched(state_rows: &RecordBatch) -> &BooleanArray {
        state_rows.column(state_rows.num_columns() - 1).as_boolean()
    }

    /// What tells state rows apart.
    pub(super) fn indices_of<'a>(&self, state_rows: &'a RecordBatch) -> &'a Int64Array {
        state_rows.column(self.join.keys.len()).as_primitive()
    }

    /// The columns of new rows in the state.
    fn state_columns(
        &self,
        arrived: &Arrived,
        indices: ArrayRef,
        matched: &BooleanArray,
    ) -> Vec<ArrayRef> {
        let mut columns = arrived.keys.clone();
        columns.push(indices);
        let own = self.stored_at.iter().zip(arrived.rows.columns());
        let not_keys = own.filter(|(at, _)| **at > self.join.keys.len());
        columns.extend(not_keys.map(|(_, column)| Arc::clone(column)));
        columns.push(Arc::new(matched.clone()));
        columns
    }

    /// Indices that no row has.
    fn indices(&self, shard: &StateShard, rows: usize) -> ArrayRef {
        if self.next_index.load(Ordering::Relaxed) == UNKNOWN {
            let highest = shard.highest_order();
            let next = highest.map_or(0, |highest| highest + 1);
            self.next_index.store(next, Ordering::Relaxed);
        }
        let first = self.next_index.fetch_add(rows as i64, Ordering::Relaxed);
        Arc::new(Int64Array::from_iter_values(first..first + rows as i64))
    }

    fn write(&self, shard: &mut StateShard, rows: RecordBatch) -> Result<()> {
        let (keys, _) = split_columns(&rows, self.join.keys.len() + 1)?;
        let keys = shard.encode(keys)?;
        let event_time = self.event_time();
        let expiry = event_time.map(|time| time.expiry(rows.columns()));
        shard.upsert(rows, keys, expiry.transpose()?.as_deref())
    }
}

/// The rows that satisfy a condition; NULL does not.
pub(super) fn satisfied(
    condition: &Arc<dyn PhysicalExpr>,
    rows: &RecordBatch,
) -> Result<BooleanArray> {
    let value = condition.evaluate(rows).map_err(datafusion_error)?;
    let value = value
        .into_array(rows.num_rows())
        .map_err(datafusion_error)?;
    let fits = value.as_boolean();
    Ok(match fits.null_count() {
        0 => fits.clone(),
        _ => prep_null_mask_filter(fits),
    })
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.join.state_watermark {
            Some(StateWatermark::Key(key)) => {
                let key = self.join.keys.get(*key).ok_or(fmt::Error)?;
                write!(f, "by key {key}")
            }
            Some(StateWatermark::Value { column, .. }) => {
                write!(f, "by {}", self.schema.field(*column).name())
            }
            None => write!(f, "never"),
        }
    }
}
