//! What all stateful operators share: their stores, their figures, their use of the watermark.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use parking_lot::{Mutex, MutexGuard};

use super::event_time_column::{EventTimeColumn, Watermarks};
use super::late_rows::LateRows;
use super::state_schema::StateSchema;
use super::store_layout::{Counted, StoreLayout, remove_store};
use crate::checkpointing::StateStoreInfo;
use crate::clock::{Stopwatch, format_iso8601};
use crate::error::{Error, Result};
use crate::state::{StateShard, StateStore, StateStoreKind};
use crate::storage::Location;
use crate::streaming_query_progress::StateOperatorProgress;
use crate::why::OperatorWhy;

/// Counters of one batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct OperatorMetrics {
    /// Keys written.
    pub updated: i64,
    /// Keys removed.
    pub removed: i64,
    /// Groups or rows that came too late.
    pub dropped_by_watermark: i64,
    /// Some of them.
    pub late: LateRows,
    /// Milliseconds spent on writes.
    pub updates_ms: i64,
    /// Milliseconds spent on removals.
    pub removals_ms: i64,
}

impl OperatorMetrics {
    /// Adds what a part of the operator counted.
    pub(crate) fn add(&mut self, part: &Self) {
        self.updated += part.updated;
        self.removed += part.removed;
        self.dropped_by_watermark += part.dropped_by_watermark;
        self.late.add(&part.late);
        self.updates_ms += part.updates_ms;
        self.removals_ms += part.removals_ms;
    }
}

/// When an operator wants a batch although there are no new rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoDataBatches {
    /// When the watermark has moved, to remove or emit what is complete.
    WhenWatermarkMoved,
    /// When the batch's timestamp is past the expiry of a row.
    WhenExpired,
    /// When the batch's timestamp has come to the expiry of a row.
    WhenDue,
    /// Never.
    Never,
}

/// What one stateful operator of a query remembers. Outlives the physical nodes, which are made anew
/// per batch.
#[derive(Debug)]
pub(crate) struct OperatorState {
    /// Spark's name for the operator.
    pub name: &'static str,
    /// What an operator with one store has.
    first_layout: StoreLayout,
    more_layouts: Vec<StoreLayout>,
    variables: Option<StateSchema>,
    no_data_batches: NoDataBatches,
    /// What it says of itself whenever it is asked why.
    traits: OperatorWhy,
    watermarks: Mutex<Watermarks>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// One per layout, once they are open.
    stores: Vec<StateStore>,
    /// What the next batch starts from.
    version: i64,
    metrics: OperatorMetrics,
    /// What came too late in the batch whose progress was taken last, and how much.
    late: (i64, LateRows),
    custom_metrics: BTreeMap<&'static str, i64>,
    commit_ms: i64,
}

/// The stores and the counters, locked for one batch.
pub(crate) struct StateGuard<'a>(MutexGuard<'a, Inner>);

impl OperatorState {
    /// The state of an operator with one store.
    pub(crate) fn new(
        name: &'static str,
        no_data_batches: NoDataBatches,
        layout: StoreLayout,
    ) -> Self {
        Self {
            name,
            first_layout: layout,
            more_layouts: Vec::new(),
            variables: None,
            no_data_batches,
            traits: OperatorWhy {
                operator_name: name.to_string(),
                ..OperatorWhy::default()
            },
            watermarks: Mutex::default(),
            inner: Mutex::default(),
        }
    }

    /// The same with another store.
    pub(crate) fn and(mut self, layout: StoreLayout) -> Self {
        self.more_layouts.push(layout);
        self
    }

    /// The same, an aggregation that computes nothing but counts, if so.
    pub(super) fn counting_only(mut self, only_counts: bool) -> Self {
        self.traits.only_counts = only_counts;
        self
    }

    /// The same, a join of this type.
    pub(super) fn joining(mut self, join_type: &str) -> Self {
        self.traits.join_type = Some(join_type.to_string());
        self
    }

    /// The same, whose stores are the variables of user code, which may be others after a restart.
    pub(super) fn with_variables(self, variables: StateSchema) -> Self {
        Self {
            variables: Some(variables),
            ..self
        }
    }

    fn layouts(&self) -> impl Iterator<Item = &StoreLayout> {
        std::iter::once(&self.first_layout).chain(&self.more_layouts)
    }

    /// The event time by which rows of the first store expire, if they do so.
    pub(crate) fn event_time(&self) -> Option<EventTimeColumn> {
        self.first_layout.event_time
    }

    /// The watermarks of the batch that is being executed.
    pub(crate) fn watermarks(&self) -> Watermarks {
        *self.watermarks.lock()
    }

    /// Sets the watermarks of the batch that is executed next.
    pub(crate) fn set_watermarks(&self, watermarks: Watermarks) {
        *self.watermarks.lock() = watermarks;
    }

    /// Whether it wants batches without new rows when its watermark has moved.
    pub(crate) fn follows_watermark(&self) -> bool {
        self.no_data_batches == NoDataBatches::WhenWatermarkMoved
    }

    /// Whether it wants a batch at `now_ms`, although nothing else has changed.
    pub(crate) fn has_expired(&self, now_ms: i64) -> bool {
        let through = match self.no_data_batches {
            NoDataBatches::WhenExpired => now_ms - 1,
            NoDataBatches::WhenDue => now_ms,
            NoDataBatches::WhenWatermarkMoved | NoDataBatches::Never => return false,
        };
        let inner = self.inner.lock();
        inner.stores.iter().any(|store| store.has_expired(through))
    }

    /// The columns of the rows of the first store.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.first_layout.schema
    }

    /// Its stores, as the checkpoint lists them.
    pub(crate) fn store_infos(&self) -> Vec<StateStoreInfo> {
        let info = |layout: &StoreLayout| StateStoreInfo {
            store_name: layout.name.to_string(),
            num_cols_prefix_key: layout.shape.shared_columns() as i32,
            num_partitions: 1,
        };
        self.layouts().map(info).collect()
    }

    /// Opens version `version` of its stores in `directory`. The event time in the rows counts also
    /// for rows that were written when the query had no watermark.
    pub(crate) fn open(
        &self,
        kind: StateStoreKind,
        directory: &Location,
        durable: bool,
        version: i64,
    ) -> Result<()> {
        let Some(variables) = &self.variables else {
            return self.open_stores(kind, directory, durable, version, &[]);
        };
        let operator = directory.parent().unwrap_or_else(|| directory.clone());
        variables.go_on(operator, durable, version, |new| {
            let mut deleted = variables.deleted.iter();
            deleted.try_for_each(|name| remove_store(directory, name))?;
            self.open_stores(kind, directory, durable, version, new)
        })
    }

    /// Those whose names are in `new` were not in use when `version` was written.
    fn open_stores(
        &self,
        kind: StateStoreKind,
        directory: &Location,
        durable: bool,
        version: i64,
        new: &[&str],
    ) -> Result<()> {
        let open = |layout: &StoreLayout| {
            let directory = layout.directory(directory);
            let schema = Arc::clone(&layout.schema);
            let open = match new.contains(&layout.name.as_ref()) {
                true => StateStore::open_again,
                false => StateStore::open,
            };
            let mut store = open(kind, &directory, durable, schema, layout.shape, version)?;
            if let Some(event_time) = layout.event_time {
                store.expire_by(|columns| event_time.expiry(columns))?;
            }
            Ok(store)
        };
        let stores = self.layouts().map(open).collect::<Result<_>>()?;
        let mut inner = self.inner.lock();
        inner.stores = stores;
        inner.version = version;
        Ok(())
    }

    /// So many versions stay readable.
    pub(crate) fn retain(&self, versions: i64) {
        for store in &mut self.inner.lock().stores {
            store.retain(versions);
        }
    }

    /// Locks the state for one batch.
    pub(crate) fn lock(&self) -> StateGuard<'_> {
        StateGuard(self.inner.lock())
    }

    /// Writes the next version.
    pub(crate) fn commit(&self) -> Result<()> {
        let watch = Stopwatch::start();
        let mut inner = self.inner.lock();
        for store in &mut inner.stores {
            store.commit()?;
        }
        inner.version += 1;
        inner.commit_ms = watch.elapsed().as_millis() as i64;
        Ok(())
    }

    /// What the operator holds, and did since the last call.
    pub(crate) fn take_progress(&self) -> StateOperatorProgress {
        let mut inner = self.inner.lock();
        let metrics = std::mem::take(&mut inner.metrics);
        inner.late = (metrics.dropped_by_watermark, metrics.late);
        let rows = self.layouts().zip(&inner.stores);
        let rows = rows.map(|(layout, store)| match layout.counted {
            Counted::Rows => store.num_keys(),
            Counted::Keys => store.num_shared_keys(),
            Counted::Nothing => 0,
        });
        let rows: usize = rows.sum();
        let bytes: usize = inner.stores.iter().map(StateStore::memory_bytes).sum();
        StateOperatorProgress {
            operator_name: self.name.to_string(),
            num_rows_total: rows as i64,
            num_rows_updated: metrics.updated,
            all_updates_time_ms: metrics.updates_ms,
            num_rows_removed: metrics.removed,
            all_removals_time_ms: metrics.removals_ms,
            commit_time_ms: std::mem::take(&mut inner.commit_ms),
            memory_used_bytes: bytes as i64,
            num_rows_dropped_by_watermark: metrics.dropped_by_watermark,
            // To Spark a state that is divided over cores is still one: the division is ours.
            num_shuffle_partitions: 1,
            num_state_store_instances: self.layouts().map(|layout| layout.instances).sum(),
            custom_metrics: std::mem::take(&mut inner.custom_metrics)
                .into_iter()
                .map(|(name, value)| (name.to_string(), value))
                .collect(),
        }
    }

    /// What it holds and what came too late for it in the batch whose progress was taken last.
    /// `closes_at` gives, for the watermark in milliseconds at which something is complete, the event
    /// times that bring it about.
    pub(crate) fn why(&self, closes_at: &dyn Fn(i64) -> Vec<String>) -> OperatorWhy {
        let mut inner = self.inner.lock();
        let (dropped, late) = std::mem::take(&mut inner.late);
        let stores = self.layouts().zip(&inner.stores);
        OperatorWhy {
            watermark: Some(format_iso8601(self.watermarks().eviction_ms)),
            stores: stores
                .map(|(layout, store)| layout.why(store, closes_at))
                .collect(),
            late: late.told(dropped),
            ..self.traits.clone()
        }
    }
}

impl StateGuard<'_> {
    /// The store of an operator that has one.
    pub(crate) fn store(&mut self) -> Result<&mut StateStore> {
        self.stores::<1>().map(|[store]| store)
    }

    /// The stores of an operator that has `N`.
    pub(crate) fn stores<const N: usize>(&mut self) -> Result<[&mut StateStore; N]> {
        let stores: std::result::Result<&mut [StateStore; N], _> =
            self.0.stores.as_mut_slice().try_into();
        let stores = stores.map_err(|_| Error::internal("the state was not opened"))?;
        Ok(stores.each_mut())
    }

    /// The stores, in the order of their layouts.
    pub(crate) fn all_stores(&mut self) -> &mut [StateStore] {
        &mut self.0.stores
    }

    /// Whether no batch has been committed yet.
    pub(crate) fn is_first_batch(&self) -> bool {
        self.0.version == 0
    }

    /// Adds to a counter that only this kind of operator has.
    pub(crate) fn count(&mut self, metric: &'static str, by: i64) {
        *self.0.custom_metrics.entry(metric).or_default() += by;
    }

    /// Sets a figure that only this kind of operator has.
    pub(crate) fn set(&mut self, metric: &'static str, value: i64) {
        self.0.custom_metrics.insert(metric, value);
    }

    /// All of the state, if the operator has one store and never divides it.
    pub(crate) fn whole(&mut self) -> Result<&mut StateShard> {
        self.store()?.whole()
    }

    /// Counters to add to.
    pub(crate) fn metrics(&mut self) -> &mut OperatorMetrics {
        &mut self.0.metrics
    }
}
