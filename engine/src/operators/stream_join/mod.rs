//! A join of two streams: each side remembers its rows until none of the other side can match them.
//!
//! ```text
//! left rows  ─► drop late ones ─► match with the right state ─► into the left state
//! right rows ─► drop late ones ─► match with the left state, new rows included ─► into the right state
//!      ─► rows of either side that can match nothing any more leave its state;
//!         those of an outer side that never matched come out now, with NULLs
//! ```
//! A row knows whether it has matched, so that it comes out once: as a match or alone.

mod matching;
mod side;
mod state_watermark;

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::JoinType;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

use self::matching::{Matching, Probe};
use self::side::{Arrived, Side};
pub(crate) use self::state_watermark::{Bound, StateWatermark};
use super::batch_context::BatchContext;
use super::errors::arrow_error;
use super::event_time_column::Watermarks;
use super::exec::collect;
use super::operator_state::{NoDataBatches, OperatorMetrics, OperatorState};
use super::stateful_operator::{Inputs, Rows, StatefulExec, StatefulOperator, rows_at_once};
use crate::clock::Stopwatch;
use crate::error::{Error, Result};
use crate::state::{StateShard, split_columns};

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "symmetricHashJoin";

/// What two streams are joined by.
#[derive(Debug)]
pub(crate) struct StreamJoin {
    /// Inner, left, right or full outer, or left semi.
    pub join_type: JoinType,
    /// The left side.
    pub left: JoinSide,
    /// The right side.
    pub right: JoinSide,
    /// What must hold besides equal keys, of the columns of both sides.
    pub condition: Option<Arc<dyn PhysicalExpr>>,
    /// All that must hold, as it may have been typed.
    pub condition_text: String,
}

/// One side of a join; expressions and indices are those of the side's columns.
#[derive(Debug)]
pub(crate) struct JoinSide {
    /// What must equal the keys of the other side.
    pub keys: Vec<Arc<dyn PhysicalExpr>>,
    /// What a row must satisfy to match anything.
    pub filter: Option<Arc<dyn PhysicalExpr>>,
    /// The event time, by which rows come too late.
    pub event_time: Option<usize>,
    /// When rows can match nothing any more.
    pub state_watermark: Option<StateWatermark>,
}

#[derive(Debug)]
struct SymmetricHashJoin {
    context: Arc<BatchContext>,
    state: Arc<OperatorState>,
    join_type: JoinType,
    condition_text: String,
    left: Side,
    right: Side,
    matching: Matching,
    schema: SchemaRef,
}

/// Joins `left` and `right` as `join` says; `schema` is that of the joined rows.
pub(crate) fn stream_join(
    context: Arc<BatchContext>,
    left: Arc<dyn ExecutionPlan>,
    right: Arc<dyn ExecutionPlan>,
    join: StreamJoin,
    schema: SchemaRef,
) -> DataFusionResult<StatefulExec> {
    let join_type = join.join_type;
    let fields = [left.schema(), right.schema()];
    let fields = fields.iter().flat_map(|schema| schema.fields().iter());
    let pairs = Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()));
    let keeps_left = matches!(join_type, JoinType::Left | JoinType::Full);
    let keeps_right = matches!(join_type, JoinType::Right | JoinType::Full);
    let is_semi = join_type == JoinType::LeftSemi;
    let left_side = Side::try_new("left", left.schema(), join.left, keeps_left)?;
    let right_side = Side::try_new("right", right.schema(), join.right, keeps_right)?;
    let leaves = left_side.leaves() || right_side.leaves();
    let no_data_batches = match leaves {
        true => NoDataBatches::WhenWatermarkMoved,
        false => NoDataBatches::Never,
    };
    let state = OperatorState::new(OPERATOR_NAME, no_data_batches, left_side.layout())
        .joining(sql_name(join_type));
    let operator = SymmetricHashJoin {
        context,
        state: Arc::new(state.and(right_side.layout())),
        join_type,
        condition_text: join.condition_text,
        left: left_side,
        right: right_side,
        matching: Matching::new(pairs, join.condition, is_semi),
        schema: Arc::clone(&schema),
    };
    let inputs = vec![left, right];
    Ok(StatefulExec::new(
        inputs,
        operator,
        schema,
        EmissionType::Final,
    ))
}

impl StatefulOperator for SymmetricHashJoin {
    fn node_name(&self) -> &'static str {
        "StreamingSymmetricHashJoinExec"
    }

    fn describe(&self, _schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, state cleanup [ left {}, right {} ]",
            self.join_type, self.left, self.right
        )
    }

    fn in_sql(&self) -> Option<String> {
        let name = sql_name(self.join_type);
        Some(format!("{name} JOIN ON {}", self.condition_text))
    }

    fn state(&self) -> &Arc<OperatorState> {
        &self.state
    }

    /// Either event time may be used above, so the watermark is behind all that is still held.
    fn output_watermark(&self, input_ms: i64) -> Option<i64> {
        let sides = [&self.left, &self.right];
        let held = sides
            .iter()
            .filter_map(|side| side.state_watermark_ms(input_ms));
        held.chain([input_ms]).min()
    }

    fn run(self: Arc<Self>, inputs: Inputs, context: Arc<TaskContext>) -> DataFusionResult<Rows> {
        let [left, right] = inputs.into_array()?;
        Ok(rows_at_once(async move {
            let left = self.read(left, Arc::clone(&context)).await?;
            let right = self.read(right, context).await?;
            Ok(self.join(left, right)?)
        }))
    }
}

/// What SQL calls a join.
fn sql_name(join_type: JoinType) -> &'static str {
    match join_type {
        JoinType::Left => "LEFT",
        JoinType::Right => "RIGHT",
        JoinType::Full => "FULL",
        JoinType::LeftSemi => "LEFT SEMI",
        _ => "INNER",
    }
}

/// The states of both sides.
struct Shards<'a> {
    left: &'a mut StateShard,
    right: &'a mut StateShard,
}

impl SymmetricHashJoin {
    async fn read(
        &self,
        input: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<RecordBatch> {
        let schema = input.schema();
        let parallel = self.context.is_parallel();
        let batches = collect(input, context, parallel, usize::MAX).await?;
        Ok(concat_batches(&schema, &batches)?)
    }

    fn join(&self, left: RecordBatch, right: RecordBatch) -> Result<Vec<RecordBatch>> {
        let watch = Stopwatch::start();
        let watermarks = self.state.watermarks();
        let mut metrics = OperatorMetrics::default();
        let mut output = Vec::new();
        let mut state = self.state.lock();
        let [left_store, right_store] = state.stores()?;
        let mut shards = Shards {
            left: left_store.whole()?,
            right: right_store.whole()?,
        };
        let left = self.left.arrive(left, watermarks)?;
        let right = self.right.arrive(right, watermarks)?;
        metrics.dropped_by_watermark += left.late + right.late;
        metrics.late.add(&left.late_rows);
        metrics.late.add(&right.late_rows);
        // A left row of a semi join that matches is done and not in the state, so that there the right
        // rows are first: fewer left rows come in.
        let first_is_left = self.join_type != JoinType::LeftSemi;
        for is_left in [first_is_left, !first_is_left] {
            let arrived = if is_left { &left } else { &right };
            let (matched, removed) =
                self.find_matches(arrived, is_left, &mut shards, &mut output)?;
            metrics.removed += removed;
            let through = (!is_left).then_some(watermarks);
            metrics.updated += self.remember(arrived, is_left, matched, through, &mut shards)?;
        }
        metrics.updates_ms = watch.elapsed().as_millis() as i64;

        let watch = Stopwatch::start();
        let (alone, removed) = self.left.evict(shards.left, watermarks)?;
        output.push(self.alone(&alone, true)?);
        metrics.removed += removed;
        let (alone, removed) = self.right.evict(shards.right, watermarks)?;
        output.push(self.alone(&alone, false)?);
        metrics.removed += removed;
        metrics.removals_ms = watch.elapsed().as_millis() as i64;
        state.metrics().add(&metrics);
        output.retain(|rows| rows.num_rows() > 0);
        Ok(output)
    }

    /// Joins new rows with the state of the other side; which of them match, and how many rows have left
    /// that state.
    fn find_matches(
        &self,
        arrived: &Arrived,
        is_left: bool,
        shards: &mut Shards<'_>,
        output: &mut Vec<RecordBatch>,
    ) -> Result<(BooleanArray, i64)> {
        output.push(self.alone(&arrived.matching_nothing, is_left)?);
        let (other, shard) = match is_left {
            true => (&self.right, &mut *shards.right),
            false => (&self.left, &mut *shards.left),
        };
        let probe = Probe {
            rows: &arrived.rows,
            keys: &arrived.keys,
            is_left,
        };
        // Of a left row of a semi join it does not matter how often it matches.
        let pairs_count = !(is_left && self.join_type == JoinType::LeftSemi);
        let mut matched = vec![false; arrived.rows.num_rows()];
        let removed = self.matching.find(probe, other, shard, |matches| {
            for &number in &matches.numbers {
                let row = matched.get_mut(number as usize);
                *row.ok_or_else(|| Error::internal("a match is that of no row"))? = true;
            }
            if pairs_count {
                output.push(self.joined(&matches.pairs)?);
            }
            Ok(())
        })?;
        let matched = BooleanArray::from(matched);
        if !pairs_count {
            let rows = filter_record_batch(&arrived.rows, &matched).map_err(arrow_error)?;
            output.push(self.joined(&rows)?);
        }
        Ok((matched, removed))
    }

    /// Puts new rows into the state of their side; how many. What is about to leave by `through` does not
    /// come in, but for an outer side's row without match, which comes out when it leaves. As in Spark that is
    /// so of right rows, also before the left ones of a semi join have come.
    fn remember(
        &self,
        arrived: &Arrived,
        is_left: bool,
        matched: BooleanArray,
        through: Option<Watermarks>,
        shards: &mut Shards<'_>,
    ) -> Result<i64> {
        let (side, shard) = match is_left {
            true => (&self.left, &mut *shards.left),
            false => (&self.right, &mut *shards.right),
        };
        let is_done =
            |row: usize| is_left && self.join_type == JoinType::LeftSemi && matched.value(row);
        let stays = match through {
            Some(watermarks) => side.stays(arrived, watermarks)?,
            None => vec![true; arrived.rows.num_rows()],
        };
        let kept = stays.into_iter().enumerate().map(|(row, stays)| {
            let comes_out = side.is_outer() && !matched.value(row);
            Some(!is_done(row) && (stays || comes_out))
        });
        let kept: BooleanArray = kept.collect();
        side.insert(shard, arrived, &matched, &kept)
    }

    /// Rows of the join from rows of both sides, or of the left side in a semi join.
    fn joined(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let (columns, _) = split_columns(rows, self.schema.fields().len())?;
        self.batch(columns.to_vec(), rows.num_rows())
    }

    /// Rows of the join from rows of one side that match nothing; none if the side is not outer.
    fn alone(&self, rows: &RecordBatch, is_left: bool) -> Result<RecordBatch> {
        let side = if is_left { &self.left } else { &self.right };
        if !side.is_outer() || rows.num_rows() == 0 {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let other = if is_left { &self.right } else { &self.left };
        let own = rows.columns().iter().cloned();
        let nulls = other.schema().fields().iter();
        let nulls = nulls.map(|field| new_null_array(field.data_type(), rows.num_rows()));
        let columns: Vec<ArrayRef> = match is_left {
            true => own.chain(nulls).collect(),
            false => nulls.chain(own).collect(),
        };
        self.batch(columns, rows.num_rows())
    }

    fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| Error::internal(format!("the rows of a join: {error}")))
    }
}
