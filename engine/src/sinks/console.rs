//! Batches printed as tables, for a first look at a query.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;

use crate::error::Result;
use crate::options::{OptionSpec, Options};
use crate::output_mode::OutputMode;
use crate::sinks::{CreatedSink, Part, Sink, SinkFormat, SinkRequest, Target, collect};
use crate::text::{ShowForm, in_zone, show};

/// Takes the text of one batch. The engine itself writes to no terminal.
pub type ConsoleWriter = Arc<dyn Fn(String) + Send + Sync>;

/// The options, for checks and documentation.
pub(super) const CONSOLE_OPTIONS: [OptionSpec; 2] = [
    OptionSpec {
        name: "numRows",
        doc: "how many rows of a batch are printed: 20 by default",
    },
    OptionSpec {
        name: "truncate",
        doc: "true: cut values longer than 20 characters, the default; false: print them in full",
    },
];

const RULE: &str = "-------------------------------------------";
const TRUNCATED_CHARS: usize = 20;

/// The row of the table of sinks.
pub(super) const CONSOLE: SinkFormat = SinkFormat {
    name: "console",
    doc: "prints the first rows of every batch",
    output_modes: &OutputMode::ALL,
    options: &[&CONSOLE_OPTIONS],
    absent_options: &[],
    target: Target::None,
    temporary_checkpoint: true,
    forgets: false,
    needs_function: false,
    stream: create,
    batch: None,
};

fn create(request: SinkRequest<'_>) -> Result<CreatedSink> {
    let options = request.format.checked_options(request.options)?;
    Ok(ConsoleSink::new(&options, request.console, request.time_zone)?.into())
}

/// Prints the first rows of every batch.
pub struct ConsoleSink {
    write: ConsoleWriter,
    time_zone: String,
    num_rows: usize,
    truncate: usize,
}

impl ConsoleSink {
    /// A sink that prints through `write`, times as they are in `time_zone`.
    pub fn new(options: &Options, write: ConsoleWriter, time_zone: String) -> Result<Self> {
        let truncate = options.boolean("truncate", true)?;
        Ok(Self {
            write,
            time_zone,
            num_rows: options.parsed("numRows", "a whole number")?.unwrap_or(20),
            truncate: if truncate { TRUNCATED_CHARS } else { 0 },
        })
    }
}

#[async_trait]
impl Sink for ConsoleSink {
    fn description(&self) -> String {
        "ConsoleSink".to_string()
    }

    fn takes_parts(&self) -> bool {
        true
    }

    async fn add_batch(
        &self,
        batch_id: i64,
        _output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let schema = rows.schema();
        let (batches, count) = collect(rows).await?;
        self.print(batch_id, schema, batches)?;
        Ok(Some(count))
    }

    /// A part without rows is not printed: most have none.
    async fn add_part(
        &self,
        part: Part,
        _output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let schema = rows.schema();
        let (batches, count) = collect(rows).await?;
        if count > 0 {
            self.print(part.batch_id, schema, batches)?;
        }
        Ok(Some(count))
    }
}

impl ConsoleSink {
    fn print(&self, batch_id: i64, schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        let (schema, batches) = in_zone(schema, batches, &self.time_zone)?;
        let form = ShowForm {
            rows: self.num_rows,
            truncate: self.truncate,
            vertical: false,
        };
        let table = show(&schema, &batches, form);
        (self.write)(format!("{RULE}\nBatch: {batch_id}\n{RULE}\n{table}\n"));
        Ok(())
    }
}

impl fmt::Debug for ConsoleSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleSink")
            .field("num_rows", &self.num_rows)
            .field("truncate", &self.truncate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use futures::stream;
    use parking_lot::Mutex;

    use super::*;
    use crate::options::OptionMap;
    use crate::sinks::testing::rows_of;

    #[tokio::test]
    async fn a_batch_as_spark_prints_it() {
        let printed = Arc::new(Mutex::new(String::new()));
        let write = {
            let printed = printed.clone();
            Arc::new(move |text: String| printed.lock().push_str(&text))
        };
        let given: OptionMap = [("numRows".to_string(), "2".to_string())].into();
        let options = Options::new("sink 'console'", &given, &CONSOLE_OPTIONS, &[]).unwrap();
        let sink = ConsoleSink::new(&options, write, "UTC".to_string()).unwrap();
        let written = sink
            .add_batch(3, OutputMode::Update, rows_of(&[1, 2, 3]))
            .await;
        assert_eq!(written.unwrap(), Some(3));
        let expected = format!(
            "{RULE}\nBatch: 3\n{RULE}\n+-----+\n|value|\n+-----+\n|    1|\n|    2|\n+-----+\nonly showing top 2 rows\n\n"
        );
        assert_eq!(*printed.lock(), expected);
    }

    #[tokio::test]
    async fn times_are_those_of_the_session() {
        let printed = Arc::new(Mutex::new(String::new()));
        let write = {
            let printed = printed.clone();
            Arc::new(move |text: String| printed.lock().push_str(&text))
        };
        let options = Options::new("sink 'console'", &OptionMap::new(), &CONSOLE_OPTIONS, &[]);
        let zone = "America/New_York".to_string();
        let sink = ConsoleSink::new(&options.unwrap(), write, zone).unwrap();
        let noon = TimestampMicrosecondArray::from(vec![1_704_110_400_000_000]);
        let noon: ArrayRef = Arc::new(noon.with_timezone("UTC"));
        let rows = RecordBatch::try_from_iter([("ts", noon)]).unwrap();
        let stream = RecordBatchStreamAdapter::new(rows.schema(), stream::iter([Ok(rows)]));
        let written = sink
            .add_batch(0, OutputMode::Append, Box::pin(stream))
            .await;
        assert_eq!(written.unwrap(), Some(1));
        let printed = printed.lock();
        assert!(printed.contains("|2024-01-01 07:00:00|"), "{printed}");
    }
}
