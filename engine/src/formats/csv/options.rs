//! Options of the CSV format.

use crate::datetime::TimeFormats;
use crate::error::Result;
use crate::formats::record_options::{
    CORRUPT_RECORD_COLUMN, DATE_FORMAT, MODE, ParseMode, TIME_ZONE, TIMESTAMP_FORMAT,
    TIMESTAMP_NTZ_FORMAT, corrupt_record_column, parse_mode, time_formats,
};
use crate::options::{OptionSpec, Options};

/// The options, for checks and documentation.
pub(crate) const CSV_OPTIONS: [OptionSpec; 21] = [
    OptionSpec {
        name: "header",
        doc: "true: the first line of a file names the columns; false by default",
    },
    OptionSpec {
        name: "sep",
        doc: "what stands between values: a comma by default",
    },
    OptionSpec {
        name: "delimiter",
        doc: "the same as sep",
    },
    OptionSpec {
        name: "quote",
        doc: "the character around values that contain the separator: \" by default; empty for none",
    },
    OptionSpec {
        name: "escape",
        doc: "the character before a quote inside of quotes: \\ by default; \" if quotes are doubled",
    },
    OptionSpec {
        name: "comment",
        doc: "lines that begin with this character are passed over; none by default",
    },
    OptionSpec {
        name: "nullValue",
        doc: "the text that stands for NULL: nothing between two separators by default",
    },
    OptionSpec {
        name: "emptyValue",
        doc: "what an empty value in quotes stands for: the empty text by default",
    },
    OptionSpec {
        name: "ignoreLeadingWhiteSpace",
        doc: "true: white space before a value is not part of it; false by default",
    },
    OptionSpec {
        name: "ignoreTrailingWhiteSpace",
        doc: "true: white space behind a value is not part of it; false by default",
    },
    OptionSpec {
        name: "inferSchema",
        doc: "true: find out the types of the columns; by default all are STRING",
    },
    OptionSpec {
        name: "enforceSchema",
        doc: "false: the names in the header of a file must be those of the columns; true by default",
    },
    OptionSpec {
        name: "nanValue",
        doc: "the text that stands for NaN: NaN by default",
    },
    OptionSpec {
        name: "positiveInf",
        doc: "the text that stands for infinity: Inf by default",
    },
    OptionSpec {
        name: "negativeInf",
        doc: "the text that stands for negative infinity: -Inf by default",
    },
    MODE,
    CORRUPT_RECORD_COLUMN,
    TIME_ZONE,
    DATE_FORMAT,
    TIMESTAMP_FORMAT,
    TIMESTAMP_NTZ_FORMAT,
];

/// Options that Spark has and this version does not.
pub(crate) const CSV_OPTIONS_ABSENT: [&str; 14] = [
    "charToEscapeQuoteEscaping",
    "charset",
    "compression",
    "enableDateTimeParsingFallback",
    "encoding",
    "lineSep",
    "locale",
    "maxCharsPerColumn",
    "maxColumns",
    "multiLine",
    "preferDate",
    "samplingRatio",
    "singleVariantColumn",
    "unescapedQuoteHandling",
];

/// How CSV is read.
#[derive(Debug, Clone)]
pub(crate) struct CsvOptions {
    /// What to do with a record that does not parse.
    pub mode: ParseMode,
    /// Name of the column that takes the text of a corrupt record.
    pub corrupt_record_column: String,
    /// How texts stand for times.
    pub times: TimeFormats,
    /// The first line of a file names the columns.
    pub header: bool,
    /// Find out the types of columns.
    pub infer_schema: bool,
    /// How a line is cut into values.
    pub syntax: CsvSyntax,
    /// What stands for NULL.
    pub null_value: String,
    /// What an empty value in quotes stands for.
    pub empty_value: String,
    /// Whatever the header says, columns are known by their position.
    pub enforce_schema: bool,
    /// How numbers are written that have no digits.
    pub floats: FloatNames,
}

/// How numbers are written that have no digits.
#[derive(Debug, Clone)]
pub(crate) struct FloatNames {
    /// Not a number.
    pub nan: String,
    /// Infinity.
    pub positive_inf: String,
    /// Negative infinity.
    pub negative_inf: String,
}

impl Default for FloatNames {
    fn default() -> Self {
        Self {
            nan: "NaN".to_string(),
            positive_inf: "Inf".to_string(),
            negative_inf: "-Inf".to_string(),
        }
    }
}

/// How a line is cut into values.
#[derive(Debug, Clone)]
pub(crate) struct CsvSyntax {
    /// Between values; not empty.
    pub separator: String,
    /// Around values.
    pub quote: Option<u8>,
    /// Before a quote inside of quotes.
    pub escape: Option<u8>,
    /// At the beginning of lines that are none.
    pub comment: Option<u8>,
    /// White space before a value is no part of it.
    pub ignore_leading_space: bool,
    /// White space behind a value is no part of it.
    pub ignore_trailing_space: bool,
}

impl CsvOptions {
    /// Reads them from checked options.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let text = |name| options.get(name).unwrap_or_default().to_string();
        Ok(Self {
            mode: parse_mode(options)?,
            corrupt_record_column: corrupt_record_column(Some(options)),
            times: time_formats(options)?,
            header: options.boolean("header", false)?,
            infer_schema: options.boolean("inferSchema", false)?,
            syntax: CsvSyntax {
                separator: separator(options)?,
                quote: character(options, "quote", Some(b'"'))?,
                escape: character(options, "escape", Some(b'\\'))?,
                comment: character(options, "comment", None)?,
                ignore_leading_space: options.boolean("ignoreLeadingWhiteSpace", false)?,
                ignore_trailing_space: options.boolean("ignoreTrailingWhiteSpace", false)?,
            },
            null_value: text("nullValue"),
            empty_value: text("emptyValue"),
            enforce_schema: options.boolean("enforceSchema", true)?,
            floats: FloatNames {
                nan: options.get("nanValue").unwrap_or("NaN").to_string(),
                positive_inf: options.get("positiveInf").unwrap_or("Inf").to_string(),
                negative_inf: options.get("negativeInf").unwrap_or("-Inf").to_string(),
            },
        })
    }
}

/// What stands between values, as readers and writers take it.
pub(super) fn separator(options: &Options) -> Result<String> {
    let given = ["sep", "delimiter"]
        .into_iter()
        .find_map(|name| options.get(name).map(|value| (name, value)));
    match given {
        None => Ok(",".to_string()),
        Some((name, "")) => Err(options.invalid(name, "at least one character")),
        Some((name, text)) => unescaped(text).ok_or_else(|| {
            options.invalid(
                name,
                "characters as they are, or \\t, \\r, \\b, \\f, \\\" or \\' for one, and \\\\ for a backslash",
            )
        }),
    }
}

/// The text that a text with Spark's escapes stands for.
fn unescaped(text: &str) -> Option<String> {
    if text == "\\u0000" {
        return Some("\0".to_string());
    }
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        out.push(match char {
            '\\' => match chars.next()? {
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                same @ ('"' | '\'' | '\\') => same,
                _ => return None,
            },
            char => char,
        });
    }
    Some(out)
}

/// One character, or none if the option is empty.
pub(super) fn character(options: &Options, name: &str, default: Option<u8>) -> Result<Option<u8>> {
    match options.get(name).map(str::as_bytes) {
        None => Ok(default),
        Some([]) => Ok(None),
        Some([byte]) if byte.is_ascii() => Ok(Some(*byte)),
        Some(_) => Err(options.invalid(name, "one ASCII character")),
    }
}
