//! Options of the JSON format.

use std::str::FromStr;

use super::time::Zone;
use crate::error::Result;
use crate::options::{OptionSpec, Options};

/// The options, for checks and documentation.
pub const JSON_OPTIONS: [OptionSpec; 3] = [
    OptionSpec {
        name: "mode",
        doc: "what to do with a record that does not parse: PERMISSIVE (NULL, counted; the default), DROPMALFORMED (dropped, counted) or FAILFAST (the query fails)",
    },
    OptionSpec {
        name: "columnNameOfCorruptRecord",
        doc: "name of the STRING column of the schema that takes the text of a corrupt record; `_corrupt_record` by default",
    },
    OptionSpec {
        name: "timeZone",
        doc: "zone of timestamps that name none, e.g. Europe/Berlin; UTC by default",
    },
];

/// Options that Spark has and this version does not.
pub const JSON_OPTIONS_ABSENT: [&str; 22] = [
    "allowBackslashEscapingAnyCharacter",
    "allowComments",
    "allowNonNumericNumbers",
    "allowNumericLeadingZeros",
    "allowSingleQuotes",
    "allowUnquotedControlChars",
    "allowUnquotedFieldNames",
    "charset",
    "compression",
    "dateFormat",
    "dropFieldIfAllNull",
    "enableDateTimeParsingFallback",
    "encoding",
    "lineSep",
    "locale",
    "multiLine",
    "prefersDecimal",
    "primitivesAsString",
    "samplingRatio",
    "singleVariantColumn",
    "timestampFormat",
    "timestampNTZFormat",
];

/// What to do with a record that does not parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParseMode {
    /// Keep it, with NULL for what could not be read.
    #[default]
    Permissive,
    /// Leave it out.
    DropMalformed,
    /// Fail.
    FailFast,
}

impl FromStr for ParseMode {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        match text.to_ascii_uppercase().as_str() {
            "PERMISSIVE" => Ok(Self::Permissive),
            "DROPMALFORMED" => Ok(Self::DropMalformed),
            "FAILFAST" => Ok(Self::FailFast),
            _ => Err(()),
        }
    }
}

/// How JSON is read.
#[derive(Debug, Clone)]
pub struct JsonOptions {
    /// What to do with a record that does not parse.
    pub mode: ParseMode,
    /// Name of the column that takes the text of a corrupt record.
    pub corrupt_record_column: String,
    /// Zone of timestamps that name none.
    pub zone: Zone,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self {
            mode: ParseMode::default(),
            corrupt_record_column: "_corrupt_record".to_string(),
            zone: Zone::UTC,
        }
    }
}

impl JsonOptions {
    /// Reads them from checked options.
    pub fn new(options: &Options) -> Result<Self> {
        let default = Self::default();
        let column = options.get("columnNameOfCorruptRecord").map(str::to_string);
        Ok(Self {
            mode: options
                .parsed("mode", "PERMISSIVE, DROPMALFORMED or FAILFAST")?
                .unwrap_or_default(),
            corrupt_record_column: column.unwrap_or(default.corrupt_record_column),
            zone: options
                .parsed("timeZone", "a time zone, e.g. UTC or Europe/Berlin")?
                .unwrap_or(default.zone),
        })
    }
}
