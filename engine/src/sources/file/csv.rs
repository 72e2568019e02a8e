//! Options of CSV tables, and the schema of CSV files that were given none.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::file_format::csv::CsvFormat;

use crate::error::Result;
use crate::options::{OptionSpec, Options};

/// The options of CSV, for checks and documentation.
pub const CSV_OPTIONS: [OptionSpec; 6] = [
    OptionSpec {
        name: "header",
        doc: "true: the first line of a file names the columns; false by default",
    },
    OptionSpec {
        name: "sep",
        doc: "the character between values: a comma by default",
    },
    OptionSpec {
        name: "delimiter",
        doc: "the same as sep",
    },
    OptionSpec {
        name: "quote",
        doc: "the character around values that contain the separator: \" by default",
    },
    OptionSpec {
        name: "escape",
        doc: "the character before a quote inside of quotes; by default the quote is doubled",
    },
    OptionSpec {
        name: "inferSchema",
        doc: "true: find out the types of the columns; by default all are STRING",
    },
];

/// Options that Spark has and this version does not.
pub const CSV_OPTIONS_ABSENT: [&str; 14] = [
    "charset",
    "columnNameOfCorruptRecord",
    "comment",
    "compression",
    "dateFormat",
    "emptyValue",
    "encoding",
    "enforceSchema",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "mode",
    "multiLine",
    "nullValue",
    "timestampFormat",
];

/// How CSV is read.
#[derive(Debug, Clone, Copy)]
pub struct CsvOptions {
    header: bool,
    separator: u8,
    quote: u8,
    escape: Option<u8>,
    infer_schema: bool,
}

impl CsvOptions {
    /// Reads them from checked options.
    pub fn new(options: &Options) -> Result<Self> {
        let separator = character(options, "sep")?.or(character(options, "delimiter")?);
        Ok(Self {
            header: options.boolean("header", false)?,
            separator: separator.unwrap_or(b','),
            quote: character(options, "quote")?.unwrap_or(b'"'),
            escape: character(options, "escape")?,
            infer_schema: options.boolean("inferSchema", false)?,
        })
    }

    /// DataFusion's reader with these options.
    pub fn format(&self) -> CsvFormat {
        CsvFormat::default()
            .with_has_header(self.header)
            .with_delimiter(self.separator)
            .with_quote(self.quote)
            .with_escape(self.escape)
    }

    /// Spark's schema for what DataFusion found: `_c0`, `_c1`, … without a header, and STRING
    /// unless types were asked for.
    pub fn schema(&self, found: &Schema) -> SchemaRef {
        let fields = found.fields().iter().enumerate().map(|(index, field)| {
            let name = match self.header {
                true => field.name().clone(),
                false => format!("_c{index}"),
            };
            let data_type = match self.infer_schema {
                true => field.data_type().clone(),
                false => DataType::Utf8,
            };
            Field::new(name, data_type, true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

fn character(options: &Options, name: &str) -> Result<Option<u8>> {
    match options.get(name).map(str::as_bytes) {
        None => Ok(None),
        Some(b"\\t") => Ok(Some(b'\t')),
        Some([byte]) if byte.is_ascii() => Ok(Some(*byte)),
        Some(_) => Err(options.invalid(name, "one ASCII character")),
    }
}
