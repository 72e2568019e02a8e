//! Messages, from librdkafka's own memory straight into columns.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Builder, Int64Builder, ListBuilder, RecordBatch,
    RecordBatchOptions, StringBuilder, StructBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use rdkafka::message::{BorrowedMessage, Headers as _};
use rdkafka::{Message as _, Timestamp};

use crate::error::{Error, ErrorKind, Result};

const UTC: &str = "UTC";

/// A batch is given out when it has this many rows …
const MAX_ROWS: usize = 8192;
/// … or its keys and values this many bytes.
const MAX_BYTES: usize = 8 << 20;

static WITHOUT_HEADERS: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(fields())));
static WITH_HEADERS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = fields();
    fields.push(nullable("headers", DataType::List(Arc::new(header()))));
    Arc::new(Schema::new(fields))
});

/// The columns of a topic.
pub(super) fn schema(include_headers: bool) -> SchemaRef {
    match include_headers {
        true => WITH_HEADERS.clone(),
        false => WITHOUT_HEADERS.clone(),
    }
}

fn fields() -> Vec<Field> {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
    vec![
        nullable("key", DataType::Binary),
        nullable("value", DataType::Binary),
        nullable("topic", DataType::Utf8),
        nullable("partition", DataType::Int32),
        nullable("offset", DataType::Int64),
        nullable("timestamp", timestamp),
        nullable("timestampType", DataType::Int32),
    ]
}

fn header() -> Field {
    nullable("element", DataType::Struct(header_fields()))
}

fn header_fields() -> Fields {
    Fields::from(vec![
        nullable("key", DataType::Utf8),
        nullable("value", DataType::Binary),
    ])
}

fn nullable(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

enum Column {
    Key(BinaryBuilder),
    Value(BinaryBuilder),
    Topic(StringBuilder),
    Partition(Int32Builder),
    Offset(Int64Builder),
    Timestamp(TimestampMicrosecondBuilder),
    TimestampType(Int32Builder),
    Headers(ListBuilder<StructBuilder>),
}

/// The rows of a batch that grows.
pub(super) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl Rows {
    /// No rows yet. `projection` holds indices into [`schema`].
    pub(super) fn new(include_headers: bool, projection: &[usize]) -> Result<Self> {
        let schema = schema(include_headers).project(projection);
        let schema = schema.map_err(|error| {
            Error::internal(format!("read columns {projection:?}: {error}")).with_source(error)
        })?;
        let columns = projection.iter().map(|index| match index {
            0 => Column::Key(BinaryBuilder::new()),
            1 => Column::Value(BinaryBuilder::new()),
            2 => Column::Topic(StringBuilder::new()),
            3 => Column::Partition(Int32Builder::new()),
            4 => Column::Offset(Int64Builder::new()),
            5 => Column::Timestamp(TimestampMicrosecondBuilder::new().with_timezone(UTC)),
            6 => Column::TimestampType(Int32Builder::new()),
            _ => {
                let header = StructBuilder::from_fields(header_fields(), 0);
                Column::Headers(ListBuilder::new(header).with_field(header_field()))
            }
        });
        Ok(Self {
            columns: columns.collect(),
            schema: Arc::new(schema),
            rows: 0,
            bytes: 0,
        })
    }

    /// The columns asked for.
    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Adds a row.
    pub(super) fn append(&mut self, message: &BorrowedMessage<'_>) -> Result<()> {
        for column in &mut self.columns {
            match column {
                Column::Key(builder) => {
                    self.bytes += message.key_len();
                    builder.append_option(message.key());
                }
                Column::Value(builder) => {
                    self.bytes += message.payload_len();
                    builder.append_option(message.payload());
                }
                Column::Topic(builder) => builder.append_value(message.topic()),
                Column::Partition(builder) => builder.append_value(message.partition()),
                Column::Offset(builder) => builder.append_value(message.offset()),
                Column::Timestamp(builder) => builder.append_value(micros(message)?),
                Column::TimestampType(builder) => {
                    builder.append_value(match message.timestamp() {
                        Timestamp::NotAvailable => -1,
                        Timestamp::CreateTime(_) => 0,
                        Timestamp::LogAppendTime(_) => 1,
                    });
                }
                Column::Headers(builder) => append_headers(builder, message),
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether it is time to give the batch out.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES
    }

    /// The rows so far, if there are any; there are none any more afterwards.
    pub(super) fn take(&mut self) -> Result<Option<RecordBatch>> {
        if self.rows == 0 {
            return Ok(None);
        }
        let columns = self.columns.iter_mut().map(|column| -> ArrayRef {
            match column {
                Column::Key(builder) | Column::Value(builder) => Arc::new(builder.finish()),
                Column::Topic(builder) => Arc::new(builder.finish()),
                Column::Partition(builder) | Column::TimestampType(builder) => {
                    Arc::new(builder.finish())
                }
                Column::Offset(builder) => Arc::new(builder.finish()),
                Column::Timestamp(builder) => Arc::new(builder.finish()),
                Column::Headers(builder) => Arc::new(builder.finish()),
            }
        });
        let columns = columns.collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        batch.map(Some).map_err(|error| {
            Error::internal(format!("make rows of messages: {error}")).with_source(error)
        })
    }
}

fn header_field() -> Arc<Field> {
    Arc::new(header())
}

/// A message without headers has NULL, not an empty list.
fn append_headers(builder: &mut ListBuilder<StructBuilder>, message: &BorrowedMessage<'_>) {
    let Some(headers) = message.headers() else {
        builder.append_null();
        return;
    };
    let entries = builder.values();
    for header in headers.iter() {
        if let Some(key) = entries.field_builder::<StringBuilder>(0) {
            key.append_value(header.key);
        }
        if let Some(value) = entries.field_builder::<BinaryBuilder>(1) {
            value.append_option(header.value);
        }
        entries.append(true);
    }
    builder.append(true);
}

fn micros(message: &BorrowedMessage<'_>) -> Result<i64> {
    let millis = message.timestamp().to_millis().unwrap_or(-1);
    millis.checked_mul(1000).ok_or_else(|| {
        let message = format!(
            "Record at topic {} partition {} offset {} has timestamp value {millis} that overflows when converting to microseconds: record timestamps must be in milliseconds since epoch",
            message.topic(),
            message.partition(),
            message.offset()
        );
        Error::new(ErrorKind::Runtime, message)
            .with_condition("KAFKA_MALFORMED_RECORD_TIMESTAMP")
            .with_hint("let the producer write milliseconds, or leave the column timestamp out")
    })
}
