//! `foreach`: writers that get every row of a query.

use std::sync::Arc;

use crate::callbacks;
use crate::dataframe::DataFrame;
use crate::error::{Error, Result};
use crate::plan::relation::Relation;
use crate::row::Row;
use crate::wire::{Call, Function};

/// Takes the rows of a query one by one, as Spark's `ForeachWriter` does. Every partition of every
/// batch gets a clone of its own: it is opened, given the rows, and closed.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// #[derive(Clone)]
/// struct Printer;
///
/// impl ForeachWriter for Printer {
///     fn open(&mut self, partition_id: i64, epoch_id: i64) -> bool {
///         println!("partition {partition_id} of batch {epoch_id}");
///         true
///     }
///
///     fn process(&mut self, row: Row) -> Result<(), Error> {
///         println!("{row}");
///         Ok(())
///     }
///
///     fn close(&mut self, error: Option<&Error>) {
///         println!("closed: {error:?}");
///     }
/// }
///
/// let events = spark.read_stream().schema("user STRING, amount DOUBLE").json("data/events");
/// let query = events.write_stream().foreach_writer(Printer).start("")?;
/// # Ok::<(), Error>(())
/// ```
pub trait ForeachWriter {
    /// Prepares for the rows of a partition of a batch. `false` means that they are not wanted:
    /// after a restart the last batch can come again with the same number.
    fn open(&mut self, _partition_id: i64, _epoch_id: i64) -> bool {
        true
    }

    /// Takes a row. An error fails the query, as a panic does.
    ///
    /// # Errors
    /// If the row cannot be taken.
    fn process(&mut self, row: Row) -> Result<()>;

    /// There are no more rows, or one could not be taken. Always called after
    /// [`open`](Self::open), whatever that has said.
    fn close(&mut self, _error: Option<&Error>) {}
}

/// Writes the rows of a partition.
pub(super) type RowsFunction = dyn Fn(DataFrame, i64, i64) -> Result<()> + Send + Sync;

/// Opens a clone of the writer for every partition.
pub(super) fn rows_function<W>(writer: W) -> Arc<RowsFunction>
where
    W: ForeachWriter + Clone + Send + Sync + 'static,
{
    Arc::new(move |rows, partition_id, epoch_id| {
        let mut writer = writer.clone();
        let mut processed = Ok(());
        if writer.open(partition_id, epoch_id) {
            processed = rows.collect().and_then(|rows| {
                let mut rows = rows.into_iter();
                rows.try_for_each(|row| writer.process(row))
            });
        }
        writer.close(processed.as_ref().err());
        processed
    })
}

/// Makes the writer known to the kernel, and gives its id.
pub(super) fn register(function: Arc<RowsFunction>) -> Result<String> {
    let serve = move |call, _: Vec<u8>| match call {
        Call::Foreach {
            partition_id,
            epoch_id,
            view,
        } => {
            let rows = DataFrame::new(Relation::table(&view, false), false);
            function(rows, partition_id, epoch_id)?;
            Ok(Vec::new())
        }
        other => Err(callbacks::unexpected(&other)),
    };
    callbacks::register("foreach", Function::Foreach, 1, Arc::new(serve))
}
