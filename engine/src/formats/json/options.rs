//! Options of the JSON format.

use super::parser::Leniency;
use crate::datetime::TimeFormats;
use crate::error::Result;
use crate::formats::record_options::{
    CORRUPT_RECORD_COLUMN, DATE_FORMAT, MODE, ParseMode, TIME_ZONE, TIMESTAMP_FORMAT,
    TIMESTAMP_NTZ_FORMAT, corrupt_record_column, parse_mode, time_formats,
};
use crate::options::{OptionSpec, Options};

/// The options, for checks and documentation.
pub(crate) const JSON_OPTIONS: [OptionSpec; 14] = [
    MODE,
    CORRUPT_RECORD_COLUMN,
    TIME_ZONE,
    DATE_FORMAT,
    TIMESTAMP_FORMAT,
    TIMESTAMP_NTZ_FORMAT,
    OptionSpec {
        name: "allowSingleQuotes",
        doc: "true, the default: names and strings may stand in single quotes",
    },
    OptionSpec {
        name: "allowNonNumericNumbers",
        doc: "true, the default: NaN, Infinity, -INF and their like are numbers",
    },
    OptionSpec {
        name: "allowUnquotedFieldNames",
        doc: "true: names may stand without quotes; false by default",
    },
    OptionSpec {
        name: "allowComments",
        doc: "true: // and /* */ are comments; false by default",
    },
    OptionSpec {
        name: "allowNumericLeadingZeros",
        doc: "true: numbers may start with zeros; false by default",
    },
    OptionSpec {
        name: "allowBackslashEscapingAnyCharacter",
        doc: "true: a backslash may stand before any character; false by default",
    },
    OptionSpec {
        name: "allowUnquotedControlChars",
        doc: "true: strings may contain control characters; false by default",
    },
    OptionSpec {
        name: "primitivesAsString",
        doc: "true: a schema that is found out has STRING for every number and boolean; false by default",
    },
];

/// Options that Spark has and this version does not.
pub(crate) const JSON_OPTIONS_ABSENT: [&str; 12] = [
    "charset",
    "compression",
    "dropFieldIfAllNull",
    "enableDateTimeParsingFallback",
    "encoding",
    "inferTimestamp",
    "lineSep",
    "locale",
    "multiLine",
    "prefersDecimal",
    "samplingRatio",
    "singleVariantColumn",
];

/// How JSON is read.
#[derive(Debug, Clone)]
pub(crate) struct JsonOptions {
    /// What to do with a record that does not parse.
    pub mode: ParseMode,
    /// Name of the column that takes the text of a corrupt record.
    pub corrupt_record_column: String,
    /// How texts stand for times.
    pub times: TimeFormats,
    /// What is taken for JSON although it is none.
    pub leniency: Leniency,
    /// A schema that is found out has no numbers and booleans.
    pub primitives_as_string: bool,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self {
            mode: ParseMode::default(),
            corrupt_record_column: corrupt_record_column(None),
            times: TimeFormats::default(),
            leniency: Leniency::default(),
            primitives_as_string: false,
        }
    }
}

impl JsonOptions {
    /// Reads them from checked options.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let allowed = |name, default| options.boolean(name, default);
        Ok(Self {
            mode: parse_mode(options)?,
            corrupt_record_column: corrupt_record_column(Some(options)),
            times: time_formats(options)?,
            leniency: Leniency {
                single_quotes: allowed("allowSingleQuotes", true)?,
                unquoted_names: allowed("allowUnquotedFieldNames", false)?,
                comments: allowed("allowComments", false)?,
                leading_zeros: allowed("allowNumericLeadingZeros", false)?,
                non_numeric_numbers: allowed("allowNonNumericNumbers", true)?,
                any_escape: allowed("allowBackslashEscapingAnyCharacter", false)?,
                control_characters: allowed("allowUnquotedControlChars", false)?,
            },
            primitives_as_string: options.boolean("primitivesAsString", false)?,
        })
    }
}
