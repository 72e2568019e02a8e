//! Options that the formats of text records have in common.

use std::str::FromStr;
use std::sync::Arc;

use crate::datetime::{DateTimePattern, TimeFormats, Zone};
use crate::error::Result;
use crate::options::{OptionSpec, Options};

pub(super) const MODE: OptionSpec = OptionSpec {
    name: "mode",
    doc: "what to do with a record that does not parse: PERMISSIVE (NULL, counted; the default), DROPMALFORMED (dropped, counted) or FAILFAST (the query fails)",
};

pub(super) const CORRUPT_RECORD_COLUMN: OptionSpec = OptionSpec {
    name: "columnNameOfCorruptRecord",
    doc: "name of the STRING column of the schema that takes the text of a corrupt record; `_corrupt_record` by default",
};

pub(super) const TIME_ZONE: OptionSpec = OptionSpec {
    name: "timeZone",
    doc: "zone of timestamps that name none, e.g. Europe/Berlin; UTC by default",
};

pub(super) const DATE_FORMAT: OptionSpec = OptionSpec {
    name: "dateFormat",
    doc: "pattern of dates, e.g. dd.MM.yyyy; 2024-05-01 and its like by default",
};

pub(super) const TIMESTAMP_FORMAT: OptionSpec = OptionSpec {
    name: "timestampFormat",
    doc: "pattern of timestamps, e.g. dd/MM/yyyy HH:mm:ss; 2024-05-01T07:05:09.123+02:00 and its like by default",
};

pub(super) const TIMESTAMP_NTZ_FORMAT: OptionSpec = OptionSpec {
    name: "timestampNTZFormat",
    doc: "pattern of timestamps without a zone; 2024-05-01T07:05:09.123 and its like by default",
};

const DEFAULT_CORRUPT_RECORD_COLUMN: &str = "_corrupt_record";

/// What to do with a record that does not parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ParseMode {
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

pub(super) fn parse_mode(options: &Options) -> Result<ParseMode> {
    let mode = options.parsed(MODE.name, "PERMISSIVE, DROPMALFORMED or FAILFAST")?;
    Ok(mode.unwrap_or_default())
}

pub(super) fn corrupt_record_column(options: Option<&Options>) -> String {
    let given = options.and_then(|options| options.get(CORRUPT_RECORD_COLUMN.name));
    given.unwrap_or(DEFAULT_CORRUPT_RECORD_COLUMN).to_string()
}

pub(super) fn time_formats(options: &Options) -> Result<TimeFormats> {
    let zone = options.parsed(TIME_ZONE.name, "a time zone, e.g. UTC or Europe/Berlin")?;
    Ok(TimeFormats {
        zone: zone.unwrap_or(Zone::UTC),
        date: pattern(options, DATE_FORMAT.name)?,
        timestamp: pattern(options, TIMESTAMP_FORMAT.name)?,
        timestamp_ntz: pattern(options, TIMESTAMP_NTZ_FORMAT.name)?,
    })
}

fn pattern(options: &Options, name: &str) -> Result<Option<Arc<DateTimePattern>>> {
    let Some(text) = options.get(name) else {
        return Ok(None);
    };
    let pattern = text.parse().map_err(|why: String| {
        let error = options.invalid(name, "a pattern of dates and times");
        error.context(why).with_hint(
            "use the letters of yyyy-MM-dd HH:mm:ss.SSS XXX, and quotes around text: 'T'",
        )
    });
    pattern.map(|pattern| Some(Arc::new(pattern)))
}
