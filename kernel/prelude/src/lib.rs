//! What a Rust cell of Tidebook sees: Spark's session, thin enough to compile with every cell.
//!
//! Names and signatures are those of the official client of Spark Connect for Rust, the crate
//! `apache-spark-connect`, so that a cell's code also compiles there. Where this crate takes more
//! (`col("n").gt(5)`, `.cast("double")`), it takes the other form as well.
//!
//! ```text
//!  cell ─ prelude ─ DataFrame, Column, functions ─ plan ─ protobuf     builds a spark.connect.Plan
//!                   StreamingQuery, display, … ─ connection ─ wire     asks the kernel
//!                   udf, foreach_batch, listeners ─ callbacks ─ wire   is asked by the kernel
//! ```
//!
//! A plan is bytes and a data frame holds nothing else; what has an answer is asked over a unix
//! socket, and runs in the kernel.
//!
//! ```no_run
//! use tidebook::prelude::*;
//!
//! let counts = spark
//!     .read_stream()
//!     .schema("user STRING, ts TIMESTAMP")
//!     .json("data/events")
//!     .with_watermark("ts", "10 minutes")
//!     .group_by([window("ts", "5 minutes"), col("user")])
//!     .count();
//! let query = counts
//!     .write_stream()
//!     .format("memory")
//!     .output_mode("append")
//!     .trigger(Trigger::AvailableNow)
//!     .query_name("counts")
//!     .start("")?;
//! query.await_termination(Some(60.0))?;
//! spark.table("counts")?.show(20)?;
//! # Ok::<(), Error>(())
//! ```

pub mod prelude;

pub mod column;
pub mod conf;
pub mod dataframe;
pub mod display;
pub mod functions;
pub mod group;
pub mod readwriter;
pub mod row;
pub mod session;
pub mod streaming;
pub mod types;
pub mod udf;
pub mod window;

mod error;
mod plan;
mod protobuf;
mod text;
mod timestamp;

mod callbacks;
mod cell;
pub mod columns;
mod connection;
mod idle;
pub mod wire;

#[doc(hidden)]
pub use cell::{flush, say, start};
pub use column::Column;
pub use connection::Interrupted;
pub use dataframe::DataFrame;
pub use error::{Error, Result, SparkError};
pub use functions::{col, lit, lit_boolean, lit_double, lit_string};
pub use group::GroupedData;
pub use plan::JoinType;
pub use plan::expression::{CastTo, Expression, SortOrder};
pub use readwriter::{DataFrameReader, DataFrameWriter, SaveMode};
pub use row::{Row, Value};
pub use session::{SparkSession, SparkSessionBuilder};
pub use streaming::{
    DataStreamReader, DataStreamWriter, ForeachWriter, OutputMode, StreamingQuery,
    StreamingQueryListener, StreamingQueryManager, StreamingQueryProgress, StreamingQueryStatus,
    Trigger,
};
pub use timestamp::Timestamp;
pub use types::{DataType, StructField};
pub use udf::{Udf, udf, vectorized_udf};
pub use window::{FrameBound, FrameType, Window, WindowSpec};
