//! `foreach`: every row is handed to a writer of the user's.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use super::foreach_batch::{FOREACH_BATCH, ForeachBatchSink};
use super::{CreatedSink, ForeachBatch, Part, SinkFormat, SinkRequest};
use crate::error::{Error, Result, hint};

/// The row of the table of sinks.
pub(super) const FOREACH: SinkFormat = SinkFormat {
    name: "foreach",
    doc: "hands every row to a writer",
    stream: create,
    ..FOREACH_BATCH
};

fn create(request: SinkRequest<'_>) -> Result<CreatedSink> {
    request.format.checked_options(request.options)?;
    let function = request.function.ok_or_else(|| {
        Error::illegal_argument("the sink 'foreach' needs a writer")
            .with_hint([hint::give_function("foreach")])
    })?;
    Ok(ForeachBatchSink::by_row(function, "ForeachWriterTable").into())
}

/// Takes rows one by one: for every batch a new one is made, opened, given the rows, and closed.
pub trait ForeachWriter: Send {
    /// Prepares for the rows of a partition of a batch. All rows of a batch are in partition 0, but with
    /// the triggers whose rows leave as they come, those that come together are a partition.
    /// `false` means that they are not wanted: after a crash the last batch may come again with the
    /// same number.
    fn open(&mut self, partition_id: i64, epoch_id: i64) -> Result<bool>;

    /// Takes a row: the one at `row` of `rows`. An error fails the query.
    fn process(&mut self, rows: &RecordBatch, row: usize) -> Result<()>;

    /// There are no more rows, or one could not be taken. Called whenever [`open`](Self::open) has
    /// succeeded.
    fn close(&mut self, error: Option<&Error>);
}

/// Makes writers.
pub type MakeForeachWriter = dyn Fn() -> Box<dyn ForeachWriter> + Send + Sync;

/// Hands the rows of every batch to a writer of their own.
pub(crate) struct EachRow(Arc<MakeForeachWriter>);

impl EachRow {
    /// Rows go to what `make` makes.
    pub(crate) fn new(make: Arc<MakeForeachWriter>) -> Self {
        Self(make)
    }
}

#[async_trait]
impl ForeachBatch for EachRow {
    async fn call(
        &self,
        batch_id: i64,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        let all = Part {
            batch_id,
            number: 0,
        };
        self.call_part(all, schema, batches).await
    }

    async fn call_part(
        &self,
        part: Part,
        _schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        let mut writer = (self.0)();
        let mut processed = Ok(());
        if writer.open(part.number, part.batch_id)? {
            let rows = batches
                .iter()
                .flat_map(|rows| (0..rows.num_rows()).map(move |row| (rows, row)));
            processed = rows
                .into_iter()
                .try_for_each(|(rows, row)| writer.process(rows, row));
        }
        writer.close(processed.as_ref().err());
        processed
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use parking_lot::Mutex;

    use super::*;
    use crate::sinks::testing::{numbers, schema};

    struct Log(Arc<Mutex<Vec<String>>>);

    impl ForeachWriter for Log {
        fn open(&mut self, partition_id: i64, epoch_id: i64) -> Result<bool> {
            self.0
                .lock()
                .push(format!("open {partition_id} {epoch_id}"));
            Ok(epoch_id != 1)
        }

        fn process(&mut self, rows: &RecordBatch, row: usize) -> Result<()> {
            match rows.column(0).as_primitive::<Int64Type>().value(row) {
                3 => Err(Error::runtime("three")),
                value => {
                    self.0.lock().push(value.to_string());
                    Ok(())
                }
            }
        }

        fn close(&mut self, error: Option<&Error>) {
            let why = error.map_or("", Error::message);
            self.0.lock().push(format!("close {why}"));
        }
    }

    #[tokio::test]
    async fn a_writer_is_opened_given_rows_and_closed() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let for_writers = Arc::clone(&log);
        let each = EachRow::new(Arc::new(move || Box::new(Log(Arc::clone(&for_writers)))));
        let call = |epoch, rows: Vec<RecordBatch>| each.call(epoch, schema(), rows);
        call(0, vec![numbers(&[1]), numbers(&[2])]).await.unwrap();
        call(1, vec![numbers(&[1])]).await.unwrap();
        let error = call(2, vec![numbers(&[4, 3, 5])]).await.unwrap_err();
        assert_eq!(error.message(), "three");
        let log = log.lock().join(", ");
        assert_eq!(
            log,
            "open 0 0, 1, 2, close , open 0 1, close , open 0 2, 4, close three"
        );
    }
}
