//! A batch divided as the state is: every partition of the input divides its rows by the shard of their
//! key, and then each shard works on its part.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;

use super::batch_context::BatchContext;
use super::errors::arrow_error;
use super::event_time_column::Watermarks;
use super::exec::at_once;
use super::operator_state::{OperatorMetrics, OperatorState};
use crate::error::{Error, Result};
use crate::state::{EncodedKeys, KeyEncoder, StateShard, StateStore, take_rows};

/// How a batch's rows are divided.
#[derive(Debug)]
pub(super) struct Sharding {
    /// What encodes the key that says which shard a row belongs to.
    pub encoder: Arc<KeyEncoder>,
    count: usize,
}

/// Rows that belong to one shard, with their keys.
#[derive(Debug)]
pub(super) struct ShardRows {
    pub rows: RecordBatch,
    pub keys: EncodedKeys,
}

impl Sharding {
    /// As a state is divided. One that `may_divide` is when the first large batch comes, one whose rows
    /// have many `cores` to read them: until then one core does it faster.
    pub(super) fn of(
        store: &mut StateStore,
        context: &BatchContext,
        cores: usize,
        may_divide: bool,
    ) -> Result<Arc<Self>> {
        let partitions = match context.state_partitions() {
            0 if context.is_parallel() => cores,
            partitions => partitions,
        };
        if may_divide {
            store.divide(partitions)?;
        }
        let shards = store.shards();
        let first = shards.first();
        let first = first.ok_or_else(|| Error::internal("a state without shards"))?;
        Ok(Arc::new(Self {
            encoder: Arc::clone(first.dividing_encoder()),
            count: shards.len(),
        }))
    }

    /// The rows of one partition, for each shard; `keys` are those of the rows.
    pub(super) fn divide(&self, rows: RecordBatch, keys: EncodedKeys) -> Result<Vec<ShardRows>> {
        if self.count == 1 {
            return Ok(vec![ShardRows { rows, keys }]);
        }
        let parts = keys.rows_of_shards(self.count).into_iter();
        let parts = parts.map(|indices| {
            let keys = self.encoder.take(&keys, &indices);
            let rows = take_rows(&rows, indices)?;
            Ok(ShardRows { rows, keys })
        });
        parts.collect()
    }
}

/// What a shard made of its part of a batch.
pub(super) struct ShardOutput {
    pub rows: RecordBatch,
    pub metrics: OperatorMetrics,
}

/// What `work` makes of each shard of an operator's one store and of what all partitions have for it, in the
/// order of the shards; `parallel` does it at once. The operator's counters count it.
pub(super) fn on_each_shard(
    state: &OperatorState,
    partitions: Vec<Vec<ShardRows>>,
    parallel: bool,
    work: impl Fn(&mut StateShard, Vec<ShardRows>, Watermarks) -> Result<ShardOutput> + Sync,
) -> Result<Vec<RecordBatch>> {
    let watermarks = state.watermarks();
    let mut state = state.lock();
    let shards = state.store()?.shards();
    let mut inputs: Vec<Vec<ShardRows>> = shards.iter().map(|_| Vec::new()).collect();
    for partition in partitions {
        let parts = inputs.iter_mut().zip(partition);
        parts.for_each(|(input, part)| input.push(part));
    }
    let items = shards.iter_mut().zip(inputs);
    let work = |(shard, input)| work(shard, input, watermarks);
    let done = match parallel {
        true => at_once(items, work),
        false => items.map(work).collect(),
    };
    let done = done.into_iter().collect::<Result<Vec<_>>>()?;
    let counted = done.into_iter().map(|shard| {
        state.metrics().add(&shard.metrics);
        shard.rows
    });
    Ok(counted.collect())
}

/// All rows of a shard, one part after the other.
pub(super) fn joined(
    schema: &SchemaRef,
    encoder: &KeyEncoder,
    parts: Vec<ShardRows>,
) -> Result<ShardRows> {
    let (rows, keys): (Vec<_>, Vec<_>) =
        parts.into_iter().map(|part| (part.rows, part.keys)).unzip();
    let rows = match <[RecordBatch; 1]>::try_from(rows) {
        Ok([rows]) => rows,
        Err(rows) => concat_batches(schema, &rows).map_err(arrow_error)?,
    };
    Ok(ShardRows {
        rows,
        keys: encoder.concat(keys),
    })
}
