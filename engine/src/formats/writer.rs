//! Parquet, JSON, CSV and text as Spark writes them.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Schema, SchemaRef};

use super::charset::{CHARSET, Charset, ENCODING};
use super::compression::{COMPRESSION, Compression, Encoder};
use super::csv::{CSV_FORM_OPTIONS, CsvForm};
use super::json::{JsonForm, write as write_json};
use super::parquet::{ParquetFileWriter, ParquetForm};
use super::record_options::{DATE_FORMAT, TIME_ZONE, TIMESTAMP_FORMAT, TIMESTAMP_NTZ_FORMAT};
use super::text::check_one_string;
use super::time_forms::TimeForms;
use crate::error::{Error, ErrorKind, Result, check_unique_columns};
use crate::options::{OptionMap, OptionSpec, Options};
use crate::storage::OutputFile;
use crate::type_names::sql_type;

pub(crate) use super::parquet::PARQUET_SINK_OPTIONS;

const LINE_SEP: OptionSpec = OptionSpec {
    name: "lineSep",
    doc: "what ends a line: a line feed by default",
};

const CODEC: OptionSpec = OptionSpec {
    name: "codec",
    doc: "the same as compression",
};

/// Options of the CSV sink beside those of its values, for checks and documentation.
pub(crate) const CSV_SINK_OPTIONS: [OptionSpec; 6] = [
    OptionSpec {
        name: "header",
        doc: "true: the first line of every file names the columns; false by default",
    },
    LINE_SEP,
    ENCODING,
    CHARSET,
    COMPRESSION,
    CODEC,
];

/// Options of the values of the CSV sink, for checks and documentation.
pub(crate) const CSV_VALUE_OPTIONS: &[OptionSpec] = &CSV_FORM_OPTIONS;

/// Options of the JSON sink, for checks and documentation.
pub(crate) const JSON_SINK_OPTIONS: [OptionSpec; 10] = [
    OptionSpec {
        name: "ignoreNullFields",
        doc: "false: fields that are NULL are written as null; true by default",
    },
    TIME_ZONE,
    DATE_FORMAT,
    TIMESTAMP_FORMAT,
    TIMESTAMP_NTZ_FORMAT,
    LINE_SEP,
    ENCODING,
    CHARSET,
    COMPRESSION,
    CODEC,
];

/// Options of the text sink, for checks and documentation.
pub(crate) const TEXT_SINK_OPTIONS: [OptionSpec; 3] = [LINE_SEP, COMPRESSION, CODEC];

/// What a file looks like inside.
#[derive(Debug, Clone)]
pub(crate) enum FileFormat {
    /// Parquet.
    Parquet(ParquetForm),
    /// A record of text per row.
    Lines(Arc<LineForm>),
}

/// How rows become lines of text.
#[derive(Debug)]
pub(crate) struct LineForm {
    record: RecordForm,
    separator: String,
    charset: Charset,
    compression: Compression,
}

#[derive(Debug)]
enum RecordForm {
    /// One JSON object per line.
    Json(JsonForm),
    /// Separated values; perhaps with a line that names them.
    Csv(CsvForm, bool),
    /// The one column.
    Text,
}

impl FileFormat {
    /// The format `name` (`parquet`, `json`, `csv` or `text`), with checked options. `defaults` are
    /// the session's.
    pub(crate) fn new(name: &str, options: &Options, defaults: &OptionMap) -> Result<Self> {
        let zone = options.get(TIME_ZONE.name);
        let zone = zone
            .or(defaults.get(TIME_ZONE.name).map(String::as_str))
            .unwrap_or("UTC");
        let record = match name {
            "parquet" => return ParquetForm::new(options, defaults).map(Self::Parquet),
            "json" => RecordForm::Json(JsonForm {
                keep_nulls: !options.boolean("ignoreNullFields", true)?,
                sorted: false,
                times: TimeForms::new(options, zone)?,
            }),
            "csv" => RecordForm::Csv(
                CsvForm::new(options, zone)?,
                options.boolean("header", false)?,
            ),
            _ => RecordForm::Text,
        };
        let separator = options.get(LINE_SEP.name).unwrap_or("\n");
        if separator.is_empty() {
            return Err(options.invalid(LINE_SEP.name, "at least one character"));
        }
        Ok(Self::Lines(Arc::new(LineForm {
            record,
            separator: separator.to_string(),
            charset: Charset::of_options(options)?,
            compression: Compression::of_options(options)?,
        })))
    }

    /// How the names of its files end.
    pub(crate) fn extension(&self) -> String {
        match self {
            Self::Parquet(form) => form.extension.to_string(),
            Self::Lines(form) => {
                let name = match form.record {
                    RecordForm::Json(_) => "json",
                    RecordForm::Csv(..) => "csv",
                    RecordForm::Text => "txt",
                };
                format!("{name}{}", form.compression.extension())
            }
        }
    }

    /// Refuses columns that the format cannot hold.
    pub(crate) fn check(&self, schema: &Schema) -> Result<()> {
        check_unique_columns(schema.fields().iter().map(|field| field.name().as_str()))?;
        let Self::Lines(form) = self else {
            return Ok(());
        };
        match form.record {
            RecordForm::Json(_) => Ok(()),
            RecordForm::Text => check_one_string(schema),
            RecordForm::Csv(..) => check_flat(schema),
        }
    }

    /// Starts a file.
    pub(crate) fn writer(&self, file: OutputFile, schema: &SchemaRef) -> Result<FileWriter> {
        Ok(match self {
            Self::Parquet(form) => FileWriter::Parquet(form.writer(file, schema)?),
            Self::Lines(form) => {
                let file = BufWriter::new(file);
                let encoder = form.compression.encoder(file).map_err(cannot_write)?;
                let mut writer = LineWriter {
                    form: Arc::clone(form),
                    encoder,
                    text: String::new(),
                };
                writer.start(schema)?;
                FileWriter::Lines(Box::new(writer))
            }
        })
    }
}

fn check_flat(schema: &Schema) -> Result<()> {
    let column = schema.fields().iter().find(|field| {
        field.data_type().is_nested() || matches!(field.data_type(), DataType::Binary)
    });
    match column {
        None => Ok(()),
        Some(field) => Err(Error::analysis(format!(
            "column '{}' has type {}, which csv cannot hold",
            field.name(),
            sql_type(field.data_type())
        ))
        .with_condition("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE")
        .with_hint("select its parts, e.g. window.start AS start, or write json or parquet")),
    }
}

/// A file being written.
pub(crate) enum FileWriter {
    Parquet(ParquetFileWriter),
    Lines(Box<LineWriter>),
}

/// A file of text being written.
pub(crate) struct LineWriter {
    form: Arc<LineForm>,
    encoder: Encoder<BufWriter<OutputFile>>,
    text: String,
}

impl FileWriter {
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Parquet(writer) => writer.write(batch),
            Self::Lines(writer) => writer.write(batch),
        }
    }

    /// Writes what is left and gives the file back.
    pub(crate) fn finish(self) -> Result<OutputFile> {
        match self {
            Self::Parquet(writer) => writer.finish(),
            Self::Lines(writer) => {
                let file = writer.encoder.finish().map_err(cannot_write)?;
                file.into_inner()
                    .map_err(|error| cannot_write(error.into_error()))
            }
        }
    }
}

impl LineWriter {
    /// Writes what stands before all rows.
    fn start(&mut self, schema: &SchemaRef) -> Result<()> {
        if self.form.charset == Charset::Utf16 {
            self.encoder
                .write_all(&[0xFE, 0xFF])
                .map_err(cannot_write)?;
        }
        let form = Arc::clone(&self.form);
        if let RecordForm::Csv(csv, true) = &form.record {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            csv.write_header(&mut self.text, names);
            self.text.push_str(&form.separator);
        }
        self.flush()
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let form = Arc::clone(&self.form);
        let rows = 0..batch.num_rows();
        match &form.record {
            RecordForm::Json(json) => {
                let objects = StructArray::from(batch.clone());
                for row in rows {
                    write_json(&mut self.text, &objects, row, json);
                    self.text.push_str(&form.separator);
                }
            }
            RecordForm::Csv(csv, _) => {
                for row in rows {
                    csv.write_row(&mut self.text, batch.columns(), row);
                    self.text.push_str(&form.separator);
                }
            }
            RecordForm::Text => {
                let texts = batch.column(0).as_string::<i32>();
                for row in rows {
                    if texts.is_valid(row) {
                        self.text.push_str(texts.value(row));
                    }
                    self.text.push_str(&form.separator);
                }
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        let bytes = self.form.charset.encode(&self.text);
        self.encoder.write_all(&bytes).map_err(cannot_write)?;
        drop(bytes);
        self.text.clear();
        Ok(())
    }
}

fn cannot_write(error: std::io::Error) -> Error {
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
        ArrayRef, BinaryArray, Decimal128Array, Float64Array, StringArray,
        TimestampMicrosecondArray,
    };
    use arrow::datatypes::Field;

    use super::*;
    use crate::storage::Location;

    fn format(name: &str, given: &[(&str, &str)]) -> FileFormat {
        let given: OptionMap = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let known: Vec<&[OptionSpec]> = match name {
            "csv" => vec![&CSV_SINK_OPTIONS, CSV_VALUE_OPTIONS],
            "json" => vec![&JSON_SINK_OPTIONS],
            _ => vec![&TEXT_SINK_OPTIONS],
        };
        let options = Options::new("test", &given, known.into_iter().flatten(), &[]).unwrap();
        FileFormat::new(name, &options, &OptionMap::new()).unwrap()
    }

    fn written(format: &FileFormat, batch: &RecordBatch) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let file = Location::Local(path.clone()).create().unwrap();
        let mut writer = format.writer(file, &batch.schema()).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap().finish(false).unwrap();
        fs::read(&path).unwrap()
    }

    fn text(format: &FileFormat, batch: &RecordBatch) -> String {
        String::from_utf8(written(format, batch)).unwrap()
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
            text(&format("json", &[]), &batch),
            "{\"window\":{\"start\":\"2024-01-01T12:00:00.123Z\"},\"bytes\":\"YWI=\",\"price\":12.50}\n\
             {\"window\":{},\"bytes\":\"\",\"name\":\"ü\\\"\",\"price\":0.03}\n"
        );
        let times = RecordBatch::try_from_iter([("t", times())]).unwrap();
        let given = [
            ("timestampFormat", "dd.MM.yyyy HH:mm"),
            ("timeZone", "Europe/Berlin"),
            ("ignoreNullFields", "false"),
            ("lineSep", ";"),
        ];
        assert_eq!(
            text(&format("json", &given), &times),
            "{\"t\":\"01.01.2024 13:00\"};{\"t\":null};"
        );
    }

    #[test]
    fn csv_as_spark_writes_it() {
        let number: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None]));
        let words: ArrayRef = Arc::new(StringArray::from(vec!["a;b", "c"]));
        let columns = [("t", times()), ("n", number), ("s", words)];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let csv = format("csv", &[("SEP", ";"), ("header", "true")]);
        let expected = "t;n;s\n2024-01-01T12:00:00.123Z;1.5;\"a;b\"\n;;c\n";
        assert_eq!(text(&csv, &batch), expected);
        let given = [
            ("nullValue", "-"),
            ("dateFormat", "yyyy"),
            ("timestampFormat", "yyyy"),
            ("quoteAll", "true"),
            ("encoding", "UTF-16BE"),
        ];
        let expected = "\"2024\",\"1.5\",\"a;b\"\n-,-,\"c\"\n";
        let bytes: Vec<u8> = expected.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(written(&format("csv", &given), &batch), bytes);
    }

    #[test]
    fn texts_are_lines_and_may_be_compressed() {
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
        let batch = RecordBatch::try_from_iter([("s", words)]).unwrap();
        assert_eq!(text(&format("text", &[]), &batch), "a\n\nb\n");
        let gzip = format("text", &[("compression", "gzip")]);
        assert_eq!(gzip.extension(), "txt.gz");
        let bytes = written(&gzip, &batch);
        let mut decoder = Compression::Gzip
            .decoder(Box::new(bytes.as_slice()))
            .unwrap();
        let mut read = String::new();
        std::io::Read::read_to_string(&mut decoder, &mut read).unwrap();
        assert_eq!(read, "a\n\nb\n");
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        assert!(gzip.check(&batch.schema()).is_err());
    }
}
