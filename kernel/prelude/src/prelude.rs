//! What every cell sees: the kernel writes `use tidebook::prelude::*;` above it.

pub use serde::{Deserialize, Serialize};

pub use crate::column::Column;
pub use crate::conf::RuntimeConf;
pub use crate::dataframe::DataFrame;
pub use crate::display::{
    Bundle, DisplayHandle, DisplayValue, Html, Markdown, Png, ProgressBar, Svg, clear_output,
    display, display_with_id, html, markdown, png, progress, svg,
};
pub use crate::error::{Error, Result, SparkError};
pub use crate::functions::*;
pub use crate::group::GroupedData;
pub use crate::plan::JoinType;
pub use crate::readwriter::{DataFrameReader, DataFrameWriter, SaveMode};
pub use crate::row::{Row, Value};
pub use crate::session::{SparkSession, SparkSession as spark};
pub use crate::streaming::{
    DataStreamReader, DataStreamWriter, ExpiredTimerInfo, ForeachWriter, GroupState,
    GroupStateTimeout, ListState, MapState, OutputMode, QUERY_IDLE_EVENT, QUERY_PROGRESS_EVENT,
    QUERY_STARTED_EVENT, QUERY_TERMINATED_EVENT, QueryIdleEvent, QueryProgressEvent,
    QueryStartedEvent, QueryTerminatedEvent, StatefulProcessor, StatefulProcessorHandle,
    StatefulProcessorWithInitialState, StreamingQuery, StreamingQueryException,
    StreamingQueryListener, StreamingQueryListenerEvent, StreamingQueryManager,
    StreamingQueryProgress, StreamingQueryStatus, TimeMode, TimerValues, Trigger, TtlConfig,
    ValueState,
};
pub use crate::timestamp::Timestamp;
pub use crate::types::{DataType, StructField};
pub use crate::udf::{Udf, UdfRegistration, udf, vectorized_udf};
pub use crate::window::{FrameBound, FrameType, Window, WindowSpec};
