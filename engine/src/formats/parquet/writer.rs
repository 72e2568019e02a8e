//! Parquet files as Spark writes them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use crate::error::{Error, ErrorKind, Result};
use crate::options::{OptionMap, OptionSpec, Options};
use crate::storage::OutputFile;

/// Options of the sink, for checks and documentation.
pub(crate) const PARQUET_SINK_OPTIONS: [OptionSpec; 1] = [OptionSpec {
    name: "compression",
    doc: "snappy (the default), none, gzip, zstd, lz4_raw or brotli",
}];

/// The setting that says it for all sinks.
const CODEC_SETTING: &str = "spark.sql.parquet.compression.codec";

/// How a file is compressed, and what its name says of that.
#[derive(Debug, Clone)]
pub(crate) struct ParquetForm {
    compression: Compression,
    /// How the names of its files end.
    pub(crate) extension: &'static str,
}

impl ParquetForm {
    /// What the options say, or else the session.
    pub(crate) fn new(options: &Options, defaults: &OptionMap) -> Result<Self> {
        let given = options.get("compression");
        let name = given.or(defaults.get(CODEC_SETTING).map(String::as_str));
        let (compression, extension) = match name.unwrap_or("snappy").to_ascii_lowercase().as_str()
        {
            "none" | "uncompressed" => (Compression::UNCOMPRESSED, "parquet"),
            "snappy" => (Compression::SNAPPY, "snappy.parquet"),
            "gzip" => (Compression::GZIP(GzipLevel::default()), "gz.parquet"),
            "zstd" => (
                Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()),
                "zstd.parquet",
            ),
            "lz4_raw" => (Compression::LZ4_RAW, "lz4raw.parquet"),
            "brotli" => (Compression::BROTLI(BrotliLevel::default()), "br.parquet"),
            _ if given.is_some() => {
                let expected = "snappy, none, gzip, zstd, lz4_raw or brotli";
                return Err(options.invalid("compression", expected));
            }
            other => {
                return Err(Error::illegal_argument(format!(
                    "setting '{CODEC_SETTING}' is '{other}', which cannot be written"
                ))
                .with_hint("use snappy, none, gzip, zstd, lz4_raw or brotli"));
            }
        };
        Ok(Self {
            compression,
            extension,
        })
    }

    /// Starts a file.
    pub(crate) fn writer(&self, file: OutputFile, schema: &SchemaRef) -> Result<ParquetFileWriter> {
        let properties = WriterProperties::builder()
            .set_compression(self.compression)
            .set_coerce_types(true)
            .build();
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties));
        writer
            .map(|writer| ParquetFileWriter(Box::new(writer)))
            .map_err(cannot_write)
    }
}

/// A file being written.
pub(crate) struct ParquetFileWriter(Box<ArrowWriter<OutputFile>>);

impl ParquetFileWriter {
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch).map_err(cannot_write)
    }

    /// Writes what is left and gives the file back.
    pub(crate) fn finish(self) -> Result<OutputFile> {
        self.0.into_inner().map_err(cannot_write)
    }
}

fn cannot_write(error: ParquetError) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("cannot write the batch's file: {error}"),
    )
    .with_source(error)
}
