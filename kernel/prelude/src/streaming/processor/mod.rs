//! `transformWithState`: a processor of your own that keeps values, lists and maps for every group, and
//! sets timers.

mod context;
mod handle;
mod serve;
mod shape;
mod state;

pub use handle::{StatefulProcessorHandle, TtlConfig};
pub use state::{ListState, MapState, ValueState};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dataframe::DataFrame;
use crate::error::Result;
use crate::group::GroupedData;
use crate::plan::expression::{Expression, messages};
use crate::protobuf::Message;
use crate::types::DataType;

/// What is done with the groups of a stream. One processor works on all of them, one after the other;
/// what it keeps for a group is in state variables, nowhere else.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Click {
///     page: String,
/// }
///
/// #[derive(Default)]
/// struct Visits {
///     handle: StatefulProcessorHandle,
///     clicks: ValueState<i64>,
///     pages: MapState<String, i64>,
/// }
///
/// impl StatefulProcessor for Visits {
///     type Key = String;
///     type Row = Click;
///     type Output = (String, i64);
///
///     fn init(&mut self, handle: &StatefulProcessorHandle) {
///         self.handle = handle.clone();
///         self.clicks = handle.value_state("clicks", TtlConfig::NONE);
///         self.pages = handle.map_state("pages", TtlConfig::NONE);
///     }
///
///     fn handle_input_rows(
///         &mut self,
///         user: &String,
///         rows: Vec<Click>,
///         times: &TimerValues,
///     ) -> Result<Vec<(String, i64)>> {
///         let clicks = self.clicks.get().unwrap_or(0) + rows.len() as i64;
///         self.clicks.update(clicks);
///         for click in rows {
///             let seen = self.pages.get_value(&click.page).unwrap_or(0);
///             self.pages.update_value(click.page, seen + 1);
///         }
///         self.handle.register_timer(times.current_watermark_ms() + 60_000);
///         Ok(vec![])
///     }
///
///     fn handle_expired_timer(
///         &mut self,
///         user: &String,
///         _timer: &ExpiredTimerInfo,
///         _times: &TimerValues,
///     ) -> Result<Vec<(String, i64)>> {
///         Ok(vec![(user.clone(), self.clicks.get().unwrap_or(0))])
///     }
/// }
///
/// let visits = spark
///     .table("clicks")?
///     .with_watermark("ts", "1 minute")
///     .group_by(["user"])
///     .transform_with_state(
///         Visits::default(),
///         TimeMode::EventTime,
///         "append",
///         "user STRING, clicks BIGINT",
///     )?;
/// # Ok::<(), Error>(())
/// ```
pub trait StatefulProcessor: Send + 'static {
    /// The grouping columns: one is a plain value, several are a tuple.
    type Key: DeserializeOwned;
    /// A row of the stream.
    type Row: DeserializeOwned;
    /// A row that it gives: its fields go to the columns of the same names, those of a tuple in order.
    type Output: Serialize;

    /// Called once, before anything else: here it gets its state variables from `handle`.
    fn init(&mut self, handle: &StatefulProcessorHandle);

    /// Called with the new rows of a key, at least one.
    ///
    /// # Errors
    /// One fails the query, as a panic does.
    fn handle_input_rows(
        &mut self,
        key: &Self::Key,
        rows: Vec<Self::Row>,
        timer_values: &TimerValues,
    ) -> Result<Vec<Self::Output>>;

    /// Called for a key's timer whose time has come; the timer is gone when it returns. Timers fire
    /// after the rows of a batch, the earliest first; one that is registered here with a time that has
    /// passed fires in the next batch.
    ///
    /// # Errors
    /// As of [`handle_input_rows`](Self::handle_input_rows).
    fn handle_expired_timer(
        &mut self,
        _key: &Self::Key,
        _timer: &ExpiredTimerInfo,
        _timer_values: &TimerValues,
    ) -> Result<Vec<Self::Output>> {
        Ok(Vec::new())
    }

    /// Called when no query needs it any more.
    fn close(&mut self) {}
}

/// A processor that begins with state that was there before the stream.
pub trait StatefulProcessorWithInitialState: StatefulProcessor {
    /// A row of the initial state.
    type InitialState: DeserializeOwned;

    /// Called in the first batch of a query, with each row of the initial state, before the rows of its
    /// key.
    ///
    /// # Errors
    /// As of [`handle_input_rows`](StatefulProcessor::handle_input_rows).
    fn handle_initial_state(
        &mut self,
        key: &Self::Key,
        initial_state: Self::InitialState,
        timer_values: &TimerValues,
    ) -> Result<()>;
}

/// Which time timers and TTLs of a processor live by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeMode {
    /// None: no timers, no TTL.
    #[default]
    None,
    /// The time of the batch.
    ProcessingTime,
    /// The watermark; there is no TTL.
    EventTime,
}

impl TimeMode {
    fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::ProcessingTime => "ProcessingTime",
            Self::EventTime => "EventTime",
        }
    }
}

/// A time mode, or the name of the column that is the event time of the rows that a processor gives,
/// so that another operation with state can read them.
#[derive(Debug, Clone)]
pub struct ProcessorTime {
    mode: TimeMode,
    event_time: Option<String>,
}

impl From<TimeMode> for ProcessorTime {
    fn from(mode: TimeMode) -> Self {
        Self {
            mode,
            event_time: None,
        }
    }
}

impl From<&str> for ProcessorTime {
    fn from(column: &str) -> Self {
        Self {
            mode: TimeMode::EventTime,
            event_time: Some(column.to_string()),
        }
    }
}

/// What time it is in a batch, in ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerValues {
    processing_time_ms: i64,
    watermark_ms: i64,
}

impl TimerValues {
    /// The time of the batch.
    pub fn current_processing_time_ms(&self) -> i64 {
        self.processing_time_ms
    }

    /// The watermark; 0 while there is none.
    pub fn current_watermark_ms(&self) -> i64 {
        self.watermark_ms
    }
}

/// A timer whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiredTimerInfo {
    expiry_time_ms: i64,
}

impl ExpiredTimerInfo {
    /// The time for which it was registered, in ms since 1970.
    pub fn expiry_time_ms(&self) -> i64 {
        self.expiry_time_ms
    }
}

impl GroupedData {
    /// Has `processor` work on the groups of a stream. `time` is a [`TimeMode`], or the name of the
    /// column of its rows that is their event time. The output mode is `append` if its rows never
    /// change, else `update`; `output` is the schema of its rows, in DDL. Example:
    /// [`StatefulProcessor`].
    ///
    /// # Errors
    /// If `output` is not a schema, or `init` did what it may not do.
    pub fn transform_with_state<P: StatefulProcessor>(
        &self,
        processor: P,
        time: impl Into<ProcessorTime>,
        output_mode: impl AsRef<str>,
        output: &str,
    ) -> Result<DataFrame> {
        let time = time.into();
        let schema = DataType::from_ddl(output)?;
        let id = serve::register(processor, None, output, &schema, time.mode)?;
        Ok(self.processed(&id, &schema, &time, output_mode.as_ref(), None))
    }

    /// As [`transform_with_state`](Self::transform_with_state), with rows of which the processor makes
    /// state in the first batch, grouped by the same columns.
    ///
    /// # Errors
    /// As of that.
    pub fn transform_with_initial_state<P: StatefulProcessorWithInitialState>(
        &self,
        processor: P,
        time: impl Into<ProcessorTime>,
        output_mode: impl AsRef<str>,
        output: &str,
        initial_state: &GroupedData,
    ) -> Result<DataFrame> {
        let time = time.into();
        let schema = DataType::from_ddl(output)?;
        let initial: serve::HandleInitial<P> = |processor, key, row, times| {
            let row = crate::streaming::groups::read(row, "an initial state")?;
            processor.handle_initial_state(key, row, times)
        };
        let id = serve::register(processor, Some(initial), output, &schema, time.mode)?;
        let initial_state = Some(initial_state);
        Ok(self.processed(&id, &schema, &time, output_mode.as_ref(), initial_state))
    }

    /// The relation `GroupMap`. Its processor is known to the kernel by its id.
    fn processed(
        &self,
        id: &str,
        output: &DataType,
        time: &ProcessorTime,
        output_mode: &str,
        initial_state: Option<&GroupedData>,
    ) -> DataFrame {
        let known = Message::new()
            .raw(1, id.as_bytes())
            .message(3, output.to_message())
            .bool(4, true);
        let function = Message::new()
            .string(1, id)
            .bool(2, true)
            .message(3, Expression::attribute("*").to_message())
            .message(5, known);
        let mut info = Message::new().string(1, time.mode.name());
        if let Some(column) = &time.event_time {
            info = info.string(2, column);
        }
        let relation = self.df().relation().then(31, |group| {
            let group = group
                .messages(2, messages(self.keys()))
                .message(3, function);
            let group = match initial_state {
                Some(initial) => group
                    .raw(5, initial.df().relation().bytes())
                    .messages(6, messages(initial.keys())),
                None => group,
            };
            group.string(8, output_mode).message(11, info)
        });
        self.df().with(relation)
    }
}
