//! A session: its views, its queries, its clock.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::ViewTable;
use datafusion::execution::config::SessionConfig;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use parking_lot::RwLock;

use super::{InlineFunctions, StreamingQuery, StreamingQueryManager};
use crate::analyzer::{analyze, session_state};
use crate::cancellation::{Cancellation, cancellable_state};
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::connect::proto::command::CommandType;
use crate::connect::{proto, relation_of};
use crate::datetime::TIME_ZONE;
use crate::error::{
    Error, Result, SEARCH_PATH, check_unique_columns, from_datafusion, hint, quoted,
};
use crate::nearest::nearest;
use crate::options::FormatDefaults;
use crate::plan::{
    StreamingRelation, TimeSource, is_streaming, resolve_current_time, streaming_relations,
};
use crate::runtime::{FaultHook, run_cancellable};
use crate::sinks::ForeachBatch;
use crate::sources::MemoryStream;
use crate::storage::Stores;
use crate::text::in_zone;
use crate::tree::Relation;
use crate::user_functions::{GroupsFunctions, StatefulProcessors};

/// Rows of a batch query, already computed.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Their schema, also when there are none.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl Rows {
    /// How many rows.
    pub fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// What a SQL statement gave.
#[derive(Debug, Clone)]
pub enum SqlOutput {
    /// A query: its rows.
    Rows(Rows),
    /// A statement without rows (`CREATE TEMPORARY VIEW …`): one sentence on what it did.
    Done(String),
}

/// What a command gave.
#[derive(Debug, Clone)]
pub enum CommandOutput {
    /// A view was registered.
    View(ViewInfo),
    /// A streaming query was started.
    Query(StreamingQuery),
    /// It was done and there is nothing to say about it.
    Done,
}

/// One name that SQL can select from.
#[derive(Debug, Clone)]
pub struct ViewInfo {
    /// Its name.
    pub name: String,
    /// Whether it is a stream (`%%stream` reads it) or a table (`%%sql` reads it).
    pub is_streaming: bool,
    /// Its columns.
    pub schema: SchemaRef,
}

/// Receives what the console sink prints: the query's name and the text of one batch.
pub type Console = Arc<dyn Fn(&str, String) + Send + Sync>;

/// A session. Cheap to clone; all clones are the same session.
#[derive(Clone)]
pub struct Session {
    pub(super) inner: Arc<SessionInner>,
}

pub(super) struct SessionInner {
    pub(super) context: SessionContext,
    pub(super) streams: StreamingQueryManager,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) manual_clock: ManualClock,
    pub(super) fault: Option<FaultHook>,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) partitions: usize,
    pub(super) state_partitions: usize,
    pub(super) console: RwLock<Option<Console>>,
    pub(super) foreach_batch: RwLock<HashMap<String, Arc<dyn ForeachBatch>>>,
    pub(super) inline_functions: RwLock<Option<Arc<dyn InlineFunctions>>>,
    pub(super) groups_functions: Arc<GroupsFunctions>,
    pub(super) stateful_processors: Arc<StatefulProcessors>,
    pub(super) format_defaults: Arc<FormatDefaults>,
    pub(super) stores: Arc<Stores>,
    pub(super) conf: RwLock<HashMap<String, String>>,
    /// Lower-case name → name as it was given.
    names: RwLock<HashMap<String, String>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Builds a session that differs from the usual one.
#[derive(Default)]
pub struct SessionBuilder {
    clock: Option<Arc<dyn Clock>>,
    fault: Option<FaultHook>,
    partitions: Option<usize>,
    state_partitions: usize,
}

impl SessionBuilder {
    /// Time for triggers and `current_timestamp()`; the machine's clock by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How many partitions large batches use; the machine's cores by default.
    pub fn partitions(mut self, partitions: usize) -> Self {
        self.partitions = Some(partitions.max(1));
        self
    }

    /// For tests: into how many parts states that can be divided are divided from the first batch on.
    /// By default that is left to the first large batch.
    pub fn state_partitions(mut self, partitions: usize) -> Self {
        self.state_partitions = partitions;
        self
    }

    /// For tests: called at every step of every batch; an error ends the query there.
    pub fn fault_hook(mut self, hook: FaultHook) -> Self {
        self.fault = Some(hook);
        self
    }

    /// The session. Must be called inside a tokio runtime with more than one thread.
    pub fn build(self) -> Result<Session> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let partitions = self.partitions.unwrap_or(cores);
        let mut config = SessionConfig::new().with_target_partitions(partitions);
        let options = config.options_mut();
        // This rule moves struct fields through projections under names that collide.
        options.optimizer.enable_leaf_expression_pushdown = false;
        options.execution.time_zone = Some("UTC".into());
        options.execution.enable_ansi_mode = true;
        options.execution.parquet.schema_force_view_types = false;
        let groups_functions = Arc::new(GroupsFunctions::default());
        let config = config.with_extension(Arc::clone(&groups_functions));
        let stateful_processors = Arc::new(StatefulProcessors::default());
        let config = config.with_extension(Arc::clone(&stateful_processors));
        let format_defaults = Arc::new(FormatDefaults::default());
        let config = config.with_extension(Arc::clone(&format_defaults));
        let stores = Arc::new(Stores::default());
        let config = config.with_extension(Arc::clone(&stores));
        let context = SessionContext::new_with_state(session_state(config));
        Ok(Session {
            inner: Arc::new(SessionInner {
                context,
                streams: StreamingQueryManager::new(),
                clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
                manual_clock: ManualClock::new(0),
                fault: self.fault,
                runtime: tokio::runtime::Handle::current(),
                partitions,
                state_partitions: self.state_partitions,
                console: RwLock::default(),
                foreach_batch: RwLock::default(),
                inline_functions: RwLock::default(),
                groups_functions,
                stateful_processors,
                format_defaults,
                stores,
                conf: RwLock::default(),
                names: RwLock::default(),
            }),
        })
    }
}

impl Session {
    /// An empty session. Must be called inside a tokio runtime with more than one thread.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Builds a session with a clock or partitions of your own.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// Runs a batch relation and collects its rows.
    pub fn collect<'a>(&'a self, relation: &'a proto::Relation) -> BoxFuture<'a, Result<Rows>> {
        async move {
            let plan = self.plan(relation).await?;
            self.run(plan).await
        }
        .boxed()
    }

    /// Runs a command: `CreateDataframeView`, `WriteOperation`, `WriteStreamOperationStart`.
    pub fn execute<'a>(
        &'a self,
        command: &'a proto::Command,
    ) -> BoxFuture<'a, Result<CommandOutput>> {
        async move {
            match &command.command_type {
                Some(CommandType::CreateDataframeView(view)) => {
                    let input = view.input.as_ref();
                    let input =
                        input.ok_or_else(|| Error::illegal_argument("the view has no input"))?;
                    let plan = self.plan(input).await?;
                    self.create_view(&view.name, plan, view.replace)
                        .map(CommandOutput::View)
                }
                Some(CommandType::WriteStreamOperationStart(start)) => {
                    super::start::start(self, start)
                        .await
                        .map(CommandOutput::Query)
                }
                Some(CommandType::WriteOperation(write)) => super::write::write(self, write)
                    .await
                    .map(|()| CommandOutput::Done),
                _ => Err(Error::analysis(
                    "this command is not supported in this version",
                )),
            }
        }
        .boxed()
    }

    /// The schema a relation would have; plans it, runs nothing.
    pub fn schema<'a>(&'a self, relation: &'a proto::Relation) -> BoxFuture<'a, Result<SchemaRef>> {
        async move {
            let plan = self.plan(relation).await?;
            Ok(Arc::clone(plan.schema().inner()))
        }
        .boxed()
    }

    /// All views, memory tables included, by name.
    pub fn views(&self) -> Vec<ViewInfo> {
        let mut keys: Vec<String> = self.inner.names.read().keys().cloned().collect();
        keys.sort();
        keys.iter().filter_map(|key| self.view(key)).collect()
    }

    /// What stands behind the name of a view, whatever its case.
    pub(super) fn table(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        let provider = self.inner.context.table_provider(name.to_lowercase());
        futures::executor::block_on(provider).ok()
    }

    /// One view, whatever the case of its name.
    pub fn view(&self, name: &str) -> Option<ViewInfo> {
        let key = name.to_lowercase();
        let shown = self.inner.names.read().get(&key).cloned()?;
        let provider = self.table(name)?;
        let is_streaming = provider
            .get_logical_plan()
            .is_some_and(|plan| is_streaming(&plan))
            || provider.is::<StreamingRelation>();
        Some(ViewInfo {
            name: shown,
            is_streaming,
            schema: provider.schema(),
        })
    }

    /// A stream that is fed by hand, readable as `name`.
    pub fn memory_stream(&self, name: &str, schema: SchemaRef) -> Result<MemoryStream> {
        let stream = MemoryStream::new(name, schema);
        let relation = StreamingRelation::new(Arc::new(stream.clone()));
        self.register(name, Arc::new(relation), false)?;
        Ok(stream)
    }

    /// Sets where the console sink prints. Without it, it prints nowhere: the engine itself writes
    /// to no terminal.
    pub fn set_console(&self, console: Console) {
        *self.inner.console.write() = Some(console);
    }

    /// Prints a text of a query where its console sink prints.
    pub fn print(&self, query: &str, text: String) {
        let console = self.inner.console.read().clone();
        if let Some(console) = console {
            console(query, text);
        }
    }

    /// Sets an option for all sources and sinks that know it and are made from now on without it,
    /// e.g. `kafka.bootstrap.servers`; `None` takes it away.
    pub fn set_format_default(&self, option: &str, value: Option<&str>) {
        self.inner.format_defaults.set(option, value);
    }

    /// Sets one of Spark's settings for queries that start from now on.
    pub fn set_conf(&self, key: &str, value: &str) -> Result<()> {
        super::conf::check(key, value)?;
        if key == super::conf::TIME_ZONE {
            self.set_time_zone(value);
        }
        if key == super::conf::ANSI {
            self.set_ansi(value.eq_ignore_ascii_case("true"));
        }
        if key == super::conf::TIME_TYPE {
            self.set_time_type(value.eq_ignore_ascii_case("true"));
        }
        if let Some(option) = super::conf::format_option(key) {
            let value = value.trim().to_lowercase();
            self.inner.format_defaults.set(option, Some(&value));
        }
        let mut conf = self.inner.conf.write();
        conf.insert(key.to_string(), value.to_string());
        Ok(())
    }

    /// Puts one setting, or all of them, back to its default.
    pub(super) fn reset_conf(&self, key: Option<&str>) {
        if key.is_none_or(|key| key == super::conf::TIME_ZONE) {
            self.set_time_zone(TIME_ZONE);
        }
        if key.is_none_or(|key| key == super::conf::ANSI) {
            self.set_ansi(true);
        }
        if key.is_none_or(|key| key == super::conf::TIME_TYPE) {
            self.set_time_type(false);
        }
        for (name, option) in super::conf::format_options() {
            if key.is_none_or(|key| key == name) {
                self.inner.format_defaults.set(option, None);
            }
        }
        let mut conf = self.inner.conf.write();
        match key {
            Some(key) => drop(conf.remove(key)),
            None => conf.clear(),
        }
    }

    fn set_ansi(&self, enabled: bool) {
        let state = self.inner.context.state_ref();
        let mut state = state.write();
        crate::functions::set_ansi(state.config_mut().options_mut(), enabled);
    }

    fn set_time_type(&self, enabled: bool) {
        let state = self.inner.context.state_ref();
        let mut state = state.write();
        crate::functions::set_time_type(state.config_mut().options_mut(), enabled);
    }

    fn set_time_zone(&self, zone: &str) {
        let state = self.inner.context.state_ref();
        let mut state = state.write();
        let options = state.config_mut().options_mut();
        options.execution.time_zone = Some(zone.to_string());
        self.inner.format_defaults.set("timeZone", Some(zone));
    }

    /// The session's queries.
    pub fn streams(&self) -> &StreamingQueryManager {
        &self.inner.streams
    }

    pub(super) async fn plan(&self, relation: &proto::Relation) -> Result<LogicalPlan> {
        let planned = self.plan_tree(&relation_of(relation, self)?).await;
        planned.map_err(|error| match &relation.rel_type {
            Some(proto::relation::RelType::Sql(sql)) => error.shown_in(&sql.query),
            _ => error,
        })
    }

    pub(super) async fn plan_tree(&self, relation: &Relation) -> Result<LogicalPlan> {
        let state = self.inner.context.state();
        let plan = analyze(&state, relation).await;
        plan.map_err(|error| self.suggest_view(error))
    }

    pub(super) fn create_view(
        &self,
        name: &str,
        plan: LogicalPlan,
        replace: bool,
    ) -> Result<ViewInfo> {
        let schema = Arc::clone(plan.schema().inner());
        check_unique_columns(schema.fields().iter().map(|field| field.name().as_str()))?;
        let is_streaming = is_streaming(&plan);
        self.register(name, Arc::new(ViewTable::new(plan, None)), replace)?;
        Ok(ViewInfo {
            name: name.to_string(),
            is_streaming,
            schema,
        })
    }

    pub(super) fn register(
        &self,
        name: &str,
        table: Arc<dyn TableProvider>,
        replace: bool,
    ) -> Result<()> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if name.is_empty()
            || !name.chars().all(is_word)
            || name.starts_with(|c: char| c.is_numeric())
        {
            return Err(
                Error::illegal_argument(format!("'{name}' cannot be the name of a view"))
                    .with_hint("use letters, digits and underscores, beginning with a letter"),
            );
        }
        let key = name.to_lowercase();
        if !replace && self.inner.names.read().contains_key(&key) {
            return Err(
                Error::analysis(format!("a view named '{name}' exists already"))
                    .with_condition("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS")
                    .with_hint("choose another name, or CREATE OR REPLACE TEMPORARY VIEW"),
            );
        }
        self.remove(name)?;
        let reference = TableReference::bare(key.clone());
        self.inner
            .context
            .register_table(reference, table)
            .map_err(from_datafusion)?;
        self.inner.names.write().insert(key, name.to_string());
        Ok(())
    }

    pub(super) fn remove(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let key = name.to_lowercase();
        self.inner.names.write().remove(&key);
        let reference = TableReference::bare(key);
        self.inner
            .context
            .deregister_table(reference)
            .map_err(from_datafusion)
    }

    /// Runs a plan as a batch.
    pub(super) async fn run(&self, plan: LogicalPlan) -> Result<Rows> {
        let cancellation = Cancellation::new();
        let frame = self.batch_frame(plan, &cancellation)?;
        let schema = Arc::clone(frame.schema().inner());
        let collected = async move { frame.collect().await.map_err(from_datafusion) };
        let batches = run_cancellable(&self.inner.runtime, &cancellation, collected).await;
        // A limit may have been reached while user code still computes rows that nobody wants.
        cancellation.cancel();
        let batches = batches?;
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        let (schema, batches) = in_zone(schema, batches, &self.time_zone())?;
        Ok(Rows { schema, batches })
    }

    /// The zone of local times.
    pub(super) fn time_zone(&self) -> String {
        let zone = self.conf(super::conf::TIME_ZONE);
        zone.unwrap_or_else(|| TIME_ZONE.to_string())
    }

    /// A plan, ready to be executed as a batch by whoever holds `cancellation`.
    pub(super) fn batch_frame(
        &self,
        plan: LogicalPlan,
        cancellation: &Cancellation,
    ) -> Result<DataFrame> {
        if let Some(stream) = streaming_relations(&plan).first() {
            return Err(Error::analysis(format!(
                "{} is a stream, which a batch query cannot read",
                self.stream_name(&plan)
                    .unwrap_or_else(|| stream.description())
            ))
            .with_hint([
                hint::say("start a streaming query: "),
                hint::start_query(),
                hint::say(", with this SELECT as its body"),
            ]));
        }
        let now = TimeSource::Fixed(self.inner.clock.now_ms());
        let plan = resolve_current_time(plan, &now).map_err(from_datafusion)?;
        let state = cancellable_state(self.inner.context.state(), cancellation);
        Ok(DataFrame::new(state, plan))
    }

    /// The name of the first stream that a plan reads, if it was read by name.
    fn stream_name(&self, plan: &LogicalPlan) -> Option<String> {
        use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
        let mut found = None;
        let visited = plan.apply(|node| {
            if let LogicalPlan::SubqueryAlias(alias) = node
                && is_streaming(node)
                && self.inner.names.read().contains_key(alias.alias.table())
            {
                found = Some(format!("'{}'", alias.alias.table()));
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(visited.is_ok(), "the visitor does not fail");
        found
    }

    fn suggest_view(&self, error: Error) -> Error {
        if error.condition() != Some("TABLE_OR_VIEW_NOT_FOUND") {
            return error;
        }
        let name = error
            .message()
            .split('\'')
            .nth(1)
            .unwrap_or_default()
            .to_string();
        self.unknown_view(&name)
    }

    pub(super) fn unknown_view(&self, name: &str) -> Error {
        let names: Vec<String> = self.inner.names.read().values().cloned().collect();
        let error = Error::analysis(format!("table or view '{name}' does not exist"))
            .with_condition("TABLE_OR_VIEW_NOT_FOUND")
            .with_parameter("relationName", quoted(name))
            .with_parameter("searchPath", SEARCH_PATH);
        match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None if names.is_empty() => error.with_hint([
                hint::say("define a stream with "),
                hint::define_stream(None, None),
                hint::say(", or a view with CREATE TEMPORARY VIEW"),
            ]),
            None => error.with_hint(format!("there are {}", names.join(", "))),
        }
    }
}
