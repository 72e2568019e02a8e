//! What frames of user code ask of a session beside their rows.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use futures::{FutureExt as _, TryFutureExt as _};

use super::conf;
use super::statements::all_functions;
use super::{Rows, Session};
use crate::cancellation::{Cancellation, cancellable_state};
use crate::connect::proto;
use crate::error::{Error, Result, from_datafusion};
use crate::output_mode::OutputMode;
use crate::plan::{IncrementalExecution, StreamingPlan, explained, is_streaming};
use crate::runtime::run_cancellable;
use crate::sql::{Statement, parse_statement};

/// What a SQL statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlKind {
    /// It gives rows and changes nothing.
    Query,
    /// It does something.
    Command,
}

impl Session {
    /// Says what a SQL statement is, without looking at what it names and without running it.
    pub fn sql_kind(&self, text: &str) -> Result<SqlKind> {
        Ok(match parse_statement(text)? {
            Statement::Query(_) => SqlKind::Query,
            _ => SqlKind::Command,
        })
    }

    /// Whether a relation reads a stream; plans it, runs nothing.
    pub fn is_streaming<'a>(
        &'a self,
        relation: &'a proto::Relation,
    ) -> BoxFuture<'a, Result<bool>> {
        async move { Ok(is_streaming(&self.plan(relation).await?)) }.boxed()
    }

    /// The optimised and the physical plan of a relation as text.
    pub fn explain<'a>(&'a self, relation: &'a proto::Relation) -> BoxFuture<'a, Result<String>> {
        async move {
            let plan = self.plan(relation).await?;
            self.explain_plan(plan).await
        }
        .boxed()
    }

    /// The same of a plan.
    pub(super) fn explain_plan(&self, plan: LogicalPlan) -> BoxFuture<'_, Result<String>> {
        async move {
            if !is_streaming(&plan) {
                return self.explain_batch(plan).await;
            }
            let output_mode = OutputMode::default();
            let streaming = StreamingPlan { plan, output_mode };
            let cancellation = Cancellation::new();
            let execution = self.incremental_execution(streaming, &cancellation);
            Ok(execution.await?.explain())
        }
        .boxed()
    }

    async fn explain_batch(&self, plan: LogicalPlan) -> Result<String> {
        let cancellation = Cancellation::new();
        let frame = self.batch_frame(plan, &cancellation)?;
        let planned = async move {
            let (state, plan) = frame.into_parts();
            let optimized = state.optimize(&plan)?;
            let planner = state.query_planner();
            let physical = planner.create_physical_plan(&optimized, &state).await?;
            Ok::<_, DataFusionError>(explained(&optimized, physical.as_ref()))
        };
        let planned = planned.map_err(from_datafusion);
        run_cancellable(&self.inner.runtime, &cancellation, planned).await
    }

    /// Plans a streaming query, which may call user code to fold it into constants.
    pub(super) async fn incremental_execution(
        &self,
        streaming: StreamingPlan,
        cancellation: &Cancellation,
    ) -> Result<IncrementalExecution> {
        let state = cancellable_state(self.inner.context.state(), cancellation);
        let partitions = self.inner.partitions;
        let planned =
            async move { IncrementalExecution::try_new(&state, &streaming, partitions).await };
        let execution = run_cancellable(&self.inner.runtime, cancellation, planned).await?;
        execution.context.divide_states(self.inner.state_partitions);
        Ok(execution)
    }

    /// Makes rows readable as the view `name`, in the place of one of the same name.
    pub fn create_rows_view(&self, name: &str, rows: Rows) -> Result<()> {
        let Rows { schema, batches } = rows;
        // Columns of one query may differ between batches in what they say about themselves.
        let batches = batches
            .into_iter()
            .map(|batch| {
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let columns = batch.columns().to_vec();
                RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
            })
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| Error::internal(error.to_string()).with_source(error))?;
        let table = MemTable::try_new(schema, vec![batches]).map_err(from_datafusion)?;
        self.register(name, Arc::new(table), true)
    }

    /// Removes a view.
    pub fn drop_view(&self, name: &str) -> Result<()> {
        match self.remove(name)? {
            Some(_) => Ok(()),
            None => Err(self.unknown_view(name)),
        }
    }

    /// One of Spark's settings: as it was set, or its default. `None` if there is no such setting.
    pub fn conf(&self, key: &str) -> Option<String> {
        let set = self.inner.conf.read().get(key).cloned();
        set.or_else(|| conf::default(key).map(str::to_string))
    }

    /// All of Spark's settings that there are, as they were set or by default.
    pub fn all_conf(&self) -> Vec<(String, String)> {
        let set = self.inner.conf.read();
        let all = conf::all().map(|(name, default)| {
            let value = set.get(name).map_or(default, String::as_str);
            (name.to_string(), value.to_string())
        });
        all.collect()
    }

    /// Puts one setting back to its default; one that does not exist has none.
    pub fn unset_conf(&self, key: &str) {
        self.reset_conf(Some(key));
    }

    /// The names of all functions that SQL can call, in order.
    pub fn function_names(&self) -> Vec<String> {
        all_functions(&self.inner.context.state())
    }

    /// A session of its own that begins with the views and settings of this one.
    pub fn fork(&self) -> Result<Self> {
        let fork = Self::builder()
            .clock(Arc::clone(&self.inner.clock))
            .partitions(self.inner.partitions)
            .build()?;
        for (key, value) in self.inner.conf.read().iter() {
            fork.set_conf(key, value)?;
        }
        for view in self.views() {
            if let Some(table) = self.table(&view.name) {
                fork.register(&view.name, table, true)?;
            }
        }
        Ok(fork)
    }
}
