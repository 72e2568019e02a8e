//! Parquet, JSON and CSV as Spark writes them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::json::writer::LineDelimited;
use arrow::json::{Writer as JsonWriter, WriterBuilder as JsonWriterBuilder};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;

use crate::error::{Error, ErrorKind, Result, check_unique_columns};
use crate::json::SparkEncoders;
use crate::options::{OptionSpec, Options};
use crate::type_names::sql_type;

/// Spark writes milliseconds, whatever the precision.
const TIMESTAMP_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.3f";
const TIMESTAMP_TZ_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

/// Options of the CSV sink, for checks and documentation.
pub const CSV_SINK_OPTIONS: [OptionSpec; 3] = [
    OptionSpec {
        name: "header",
        doc: "true: the first line of every file names the columns; false by default",
    },
    OptionSpec {
        name: "sep",
        doc: "the character between values: a comma by default",
    },
    OptionSpec {
        name: "delimiter",
        doc: "the same as sep",
    },
];

/// What a file looks like inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Parquet, compressed with Snappy.
    Parquet,
    /// One JSON object per line; NULL fields are left out.
    Json,
    /// Comma-separated values.
    Csv {
        /// Whether the first line names the columns.
        header: bool,
        /// Between values.
        separator: u8,
    },
}

impl FileFormat {
    /// The format `name` (`parquet`, `json` or `csv`), with checked options.
    pub fn new(name: &str, options: &Options) -> Result<Self> {
        match name {
            "parquet" => Ok(Self::Parquet),
            "json" => Ok(Self::Json),
            _ => {
                let separator = ["sep", "delimiter"]
                    .into_iter()
                    .find_map(|name| options.get(name).map(|value| (name, value)));
                let separator = match separator.map(|(name, value)| (name, value.as_bytes())) {
                    None => b',',
                    Some((_, b"\\t")) => b'\t',
                    Some((_, [byte])) if byte.is_ascii() => *byte,
                    Some((name, _)) => return Err(options.invalid(name, "one ASCII character")),
                };
                let header = options.boolean("header", false)?;
                Ok(Self::Csv { header, separator })
            }
        }
    }

    /// How the names of its files end.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "snappy.parquet",
            Self::Json => "json",
            Self::Csv { .. } => "csv",
        }
    }

    /// Refuses columns that the format cannot hold.
    pub(crate) fn check(self, schema: &Schema) -> Result<()> {
        check_unique_columns(schema.fields().iter().map(|field| field.name().as_str()))?;
        let format = match self {
            Self::Csv { .. } => "csv",
            Self::Parquet | Self::Json => return Ok(()),
        };
        let column = schema.fields().iter().find(|field| {
            field.data_type().is_nested() || matches!(field.data_type(), DataType::Binary)
        });
        match column {
            None => Ok(()),
            Some(field) => Err(Error::analysis(format!(
                "column '{}' has type {}, which {format} cannot hold",
                field.name(),
                sql_type(field.data_type())
            ))
            .with_condition("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE")
            .with_hint("select its parts, e.g. window.start AS start, or write json or parquet")),
        }
    }

    /// Starts a file.
    pub(crate) fn writer(self, file: File, schema: &SchemaRef) -> Result<FileWriter> {
        Ok(match self {
            Self::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .build();
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties));
                FileWriter::Parquet(Box::new(writer.map_err(cannot_write)?))
            }
            Self::Json => FileWriter::Json(json_writer(BufWriter::new(file))),
            Self::Csv { header, separator } => FileWriter::Csv(Box::new(
                arrow::csv::WriterBuilder::new()
                    .with_header(header)
                    .with_delimiter(separator)
                    .with_timestamp_format(TIMESTAMP_FORMAT.to_string())
                    .with_timestamp_tz_format(TIMESTAMP_TZ_FORMAT.to_string())
                    .build(BufWriter::new(file)),
            )),
        })
    }
}

/// Writes one JSON object per row, as Spark does: NULL fields are left out.
fn json_writer<W: Write>(out: W) -> JsonWriter<W, LineDelimited> {
    JsonWriterBuilder::new()
        .with_explicit_nulls(false)
        .with_timestamp_format(TIMESTAMP_FORMAT.to_string())
        .with_timestamp_tz_format(TIMESTAMP_TZ_FORMAT.to_string())
        .with_encoder_factory(Arc::new(SparkEncoders))
        .build(out)
}

/// A file being written.
pub(crate) enum FileWriter {
    Parquet(Box<ArrowWriter<File>>),
    Json(JsonWriter<BufWriter<File>, LineDelimited>),
    Csv(Box<arrow::csv::Writer<BufWriter<File>>>),
}

impl FileWriter {
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Parquet(writer) => writer.write(batch).map_err(cannot_write),
            Self::Json(writer) => writer.write(batch).map_err(cannot_write),
            Self::Csv(writer) => writer.write(batch).map_err(cannot_write),
        }
    }

    /// Writes what is left and gives the file back.
    pub(crate) fn finish(self) -> Result<File> {
        let flush = |mut writer: BufWriter<File>| {
            writer.flush().map_err(cannot_write)?;
            writer.into_inner().map_err(cannot_write)
        };
        match self {
            Self::Parquet(writer) => writer.into_inner().map_err(cannot_write),
            Self::Json(mut writer) => {
                writer.finish().map_err(cannot_write)?;
                flush(writer.into_inner())
            }
            Self::Csv(writer) => flush(writer.into_inner()),
        }
    }
}

fn cannot_write(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("cannot write the batch's file: {error}"),
    )
    .with_hint_if_full(&error)
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow::array::{
        ArrayRef, BinaryArray, Decimal128Array, Float64Array, StringArray, StructArray,
        TimestampMicrosecondArray,
    };
    use arrow::datatypes::Field;

    use super::*;
    use crate::options::OptionMap;

    fn written(format: FileFormat, batch: &RecordBatch) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mut writer = format
            .writer(File::create(&path).unwrap(), &batch.schema())
            .unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
        fs::read_to_string(&path).unwrap()
    }

    fn times() -> ArrayRef {
        let times = TimestampMicrosecondArray::from(vec![Some(1_704_110_400_123_456), None]);
        Arc::new(times.with_timezone("UTC"))
    }

    #[test]
    fn json_as_spark_writes_it() {
        let window = Field::new("start", times().data_type().clone(), true);
        let window: ArrayRef = Arc::new(StructArray::from(vec![(Arc::new(window), times())]));
        let bytes: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"ab", b""]));
        let name: ArrayRef = Arc::new(StringArray::from(vec![None, Some("ü\"")]));
        let price = Decimal128Array::from(vec![1250, 3])
            .with_precision_and_scale(10, 2)
            .unwrap();
        let price: ArrayRef = Arc::new(price);
        let columns = [
            ("window", window),
            ("bytes", bytes),
            ("name", name),
            ("price", price),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        assert_eq!(
            written(FileFormat::Json, &batch),
            "{\"window\":{\"start\":\"2024-01-01T12:00:00.123Z\"},\"bytes\":\"YWI=\",\"price\":12.50}\n\
             {\"window\":{},\"bytes\":\"\",\"name\":\"ü\\\"\",\"price\":0.03}\n"
        );
    }

    #[test]
    fn csv_as_spark_writes_it() {
        let number: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None]));
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a;b", "c"]));
        let columns = [("t", times()), ("n", number), ("s", text)];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let given: OptionMap = [("SEP", ";"), ("header", "true")]
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .into();
        let options = Options::new("test", &given, &CSV_SINK_OPTIONS, &[]).unwrap();
        let csv = FileFormat::new("csv", &options).unwrap();
        let expected = "t;n;s\n2024-01-01T12:00:00.123Z;1.5;\"a;b\"\n;;c\n";
        assert_eq!(written(csv, &batch), expected);
    }
}
