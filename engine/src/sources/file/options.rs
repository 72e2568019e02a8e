//! Options of the streaming file source.

use crate::error::{Error, Result, hint};
use crate::interval::parse_time;
use crate::options::{OptionMap, OptionSpec, Options};
use crate::sources::file::reader::FileReader;

/// The options of the stream itself, for checks and documentation.
pub const STREAM_OPTIONS: [OptionSpec; 9] = [
    OptionSpec {
        name: "maxFilesPerTrigger",
        doc: "how many files a batch takes at most; all there are by default",
    },
    OptionSpec {
        name: "maxBytesPerTrigger",
        doc: "how many bytes of files a batch takes at most, but one file at least; not together with maxFilesPerTrigger",
    },
    OptionSpec {
        name: "latestFirst",
        doc: "true: the newest files first; false by default",
    },
    OptionSpec {
        name: "maxFileAge",
        doc: "ignore files older than this, counted from the newest file: 7d by default",
    },
    OptionSpec {
        name: "fileNameOnly",
        doc: "true: files of one name in different folders are the same file; false by default",
    },
    OptionSpec {
        name: "maxCachedFiles",
        doc: "how many files of a listing are kept for the next batches: 10000 by default",
    },
    OptionSpec {
        name: "discardCachedInputRatio",
        doc: "list anew when less than this part of a batch is left of a listing: 0.2 by default",
    },
    OptionSpec {
        name: "cleanSource",
        doc: "what becomes of files that were read: off (they stay; the default), delete or archive. As in Spark, those of the last batch stay until another one follows",
    },
    OptionSpec {
        name: "sourceArchiveDir",
        doc: "with cleanSource=archive: the directory that files are moved to, with their whole path",
    },
];

/// How much one batch takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// Everything.
    None,
    /// So many files.
    Files(u64),
    /// Files of so many bytes, but one at least.
    Bytes(u64),
}

/// What becomes of files that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CleanSource {
    /// They stay.
    Off,
    /// They are deleted.
    Delete,
    /// They are moved to this directory.
    Archive(String),
}

/// The options of a stream of files in the format `name`, if they all exist, and how to read the
/// files. What the values say about files and records is checked when the stream is defined, what
/// they say about batches when a query starts ([`FileStreamOptions`]), as in Spark.
pub(super) fn stream_reader(
    name: &str,
    given: &OptionMap,
    defaults: &OptionMap,
) -> Result<(Options, FileReader)> {
    let of_tables = |name: &&String| {
        ["modifiedAfter", "modifiedBefore"]
            .iter()
            .any(|table| table.eq_ignore_ascii_case(name))
    };
    if let Some(name) = given.keys().find(of_tables) {
        return Err(Error::illegal_argument(format!(
            "option '{name}' is not allowed in streams of files"
        ))
        .with_hint("remove it; maxFileAge is the age of files that a stream still reads"));
    }
    FileReader::of_stream(name, given, defaults, &STREAM_OPTIONS)
}

/// How files become batches.
#[derive(Debug, Clone)]
pub struct FileStreamOptions {
    /// How much one batch takes.
    pub rate_limit: RateLimit,
    /// The newest files first.
    pub latest_first: bool,
    /// Older files, counted from the newest, are ignored.
    pub max_file_age_ms: i64,
    /// Only names tell files apart.
    pub file_name_only: bool,
    /// Files kept from one listing.
    pub max_cached_files: usize,
    /// A rest of a listing smaller than this part of a batch is not kept.
    pub discard_cached_input_ratio: f64,
    /// What becomes of files that were read.
    pub clean_source: CleanSource,
}

impl FileStreamOptions {
    /// Reads and checks the values.
    pub fn new(options: &Options) -> Result<Self> {
        let rate_limit = rate_limit(options)?;
        let latest_first = options.boolean("latestFirst", false)?;
        let max_file_age_ms = match options.get("maxFileAge") {
            // The newest files come first and push the limit up: no file would follow them.
            _ if latest_first && rate_limit != RateLimit::None => i64::MAX,
            None => 7 * 24 * 3600 * 1000,
            Some(text) => parse_time(text)
                .map(|age| age.as_millis() as i64)
                .ok_or_else(|| options.invalid("maxFileAge", "a duration, e.g. 7d or 12h"))?,
        };
        Ok(Self {
            rate_limit,
            latest_first,
            max_file_age_ms,
            file_name_only: options.boolean("fileNameOnly", false)?,
            max_cached_files: options
                .parsed("maxCachedFiles", "a whole number")?
                .unwrap_or(10_000),
            discard_cached_input_ratio: options
                .parsed("discardCachedInputRatio", "a number between 0 and 1")?
                .unwrap_or(0.2),
            clean_source: clean_source(options)?,
        })
    }
}

fn clean_source(options: &Options) -> Result<CleanSource> {
    let mode = options
        .get("cleanSource")
        .map(|mode| mode.trim().to_ascii_lowercase());
    match mode.as_deref() {
        None | Some("off") => Ok(CleanSource::Off),
        Some("delete") => Ok(CleanSource::Delete),
        Some("archive") => match options.get("sourceArchiveDir") {
            Some(directory) => Ok(CleanSource::Archive(directory.to_string())),
            None => Err(Error::illegal_argument(
                "cleanSource=archive needs the directory that files are moved to",
            )
            .with_hint([hint::option("sourceArchiveDir", "DIR")])),
        },
        Some(_) => Err(options.invalid("cleanSource", "off, delete or archive")),
    }
}

fn rate_limit(options: &Options) -> Result<RateLimit> {
    let files = options.positive("maxFilesPerTrigger")?;
    let bytes = options.positive("maxBytesPerTrigger")?;
    match (files, bytes) {
        (None, None) => Ok(RateLimit::None),
        (Some(files), None) => Ok(RateLimit::Files(files)),
        (None, Some(bytes)) => Ok(RateLimit::Bytes(bytes)),
        (Some(_), Some(_)) => Err(Error::illegal_argument(
            "options 'maxFilesPerTrigger' and 'maxBytesPerTrigger' cannot be used together",
        )
        .with_hint("keep one of them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(given: &[(&str, &str)]) -> Result<FileStreamOptions> {
        let given = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let (options, _) = stream_reader("csv", &given.collect(), &OptionMap::new())?;
        FileStreamOptions::new(&options)
    }

    #[test]
    fn options_are_read_and_checked() {
        let given = options(&[
            ("path", "/data"),
            ("header", "true"),
            ("MaxFilesPerTrigger", "3"),
            ("maxFileAge", "2h"),
        ]);
        let given = given.unwrap();
        assert_eq!(
            (given.rate_limit, given.max_file_age_ms),
            (RateLimit::Files(3), 7_200_000)
        );
        let given = options(&[
            ("path", "/"),
            ("maxBytesPerTrigger", "9"),
            ("latestFirst", "true"),
        ]);
        assert_eq!(given.unwrap().max_file_age_ms, i64::MAX);
        for (given, message) in [
            (
                vec![("maxFilesPerTrigger", "1"), ("maxBytesPerTrigger", "1")],
                "cannot be used together",
            ),
            (vec![("cleanSource", "x")], "must be off, delete or archive"),
            (vec![("cleanSource", "ARCHIVE")], "needs the directory"),
            (
                vec![("modifiedAfter", "2020-01-01")],
                "not allowed in streams",
            ),
            (vec![("maxFileAge", "1 fortnight")], "must be a duration"),
            (
                vec![("samplingRatio", "1")],
                "not supported in this version",
            ),
            (
                vec![("maxFilePerTrigger", "1")],
                "unknown option 'maxFilePerTrigger'",
            ),
            (vec![("maxFilesPerTrigger", "x")], "must be a positive"),
        ] {
            let error = options(&given).unwrap_err();
            assert!(error.message().contains(message), "{error}");
        }
    }
}
