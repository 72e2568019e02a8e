//! How files become rows: records of text, or Parquet; and which files may be passed over.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use super::listing::{LISTING_OPTIONS, Listing, TABLE_OPTIONS};
use super::partitions::PartitionColumns;
use super::schema::schema_of_files;
use crate::error::Result;
use crate::formats::line_format::LineFormat;
use crate::formats::nullable;
use crate::options::{OptionMap, OptionSpec, Options};

/// The options that say which files may be passed over, for checks and documentation.
pub const PASSED_OVER_OPTIONS: [OptionSpec; 2] = [
    OptionSpec {
        name: "ignoreMissingFiles",
        doc: "true: a file that was listed and is gone has no rows; false by default: the query fails",
    },
    OptionSpec {
        name: "ignoreCorruptFiles",
        doc: "true: a file that cannot be read has no more rows; false by default: the query fails",
    },
];

/// Options of Parquet files.
pub const PARQUET_OPTIONS: [OptionSpec; 1] = [OptionSpec {
    name: "mergeSchema",
    doc: "true: a schema that is found out has the columns of all files; false by default: those of one file",
}];

const PARQUET_OPTIONS_ABSENT: [&str; 2] = ["datetimeRebaseMode", "int96RebaseMode"];

/// How files become rows.
#[derive(Debug, Clone)]
pub(super) struct FileReader {
    pub(super) format: ReadFormat,
    /// Which of the files that are not as they should be have no rows.
    pub(super) passed_over: PassedOver,
    /// Files must not change while they are read.
    pub(super) unchanged: bool,
}

#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one per source")]
pub(super) enum ReadFormat {
    /// Records of text.
    Lines(LineFormat),
    /// Parquet.
    Parquet {
        /// A schema that is found out has the columns of all files.
        merge_schema: bool,
    },
}

/// Files that are passed over instead of being errors.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PassedOver {
    pub(super) missing: bool,
    pub(super) corrupt: bool,
}

impl FileReader {
    /// The options of a table of files in the format `name`, if they all exist, and how to read the
    /// files.
    pub(super) fn of_table(
        name: &str,
        given: &OptionMap,
        defaults: &OptionMap,
    ) -> Result<(Options, Self)> {
        let what = format!("table format '{name}'");
        Self::new(what, name, given, defaults, &TABLE_OPTIONS)
    }

    /// The same of a stream, which has the options `stream` beside those of files.
    pub(super) fn of_stream(
        name: &str,
        given: &OptionMap,
        defaults: &OptionMap,
        stream: &[OptionSpec],
    ) -> Result<(Options, Self)> {
        let what = format!("source format '{name}'");
        let (options, reader) = Self::new(what, name, given, defaults, stream)?;
        // Who reads a stream sees a file once, and would never see the rest of it.
        let unchanged = true;
        Ok((
            options,
            Self {
                unchanged,
                ..reader
            },
        ))
    }

    fn new(
        what: String,
        name: &str,
        given: &OptionMap,
        defaults: &OptionMap,
        more: &[OptionSpec],
    ) -> Result<(Options, Self)> {
        let lines = LineFormat::options(name);
        let (own, own_absent): (&[&[OptionSpec]], &[&str]) = match &lines {
            Some(lines) => (lines.known, lines.absent),
            None => (&[&PARQUET_OPTIONS], &PARQUET_OPTIONS_ABSENT),
        };
        let known = LISTING_OPTIONS.iter().chain(&PASSED_OVER_OPTIONS);
        let known = known.chain(more).chain(own.iter().copied().flatten());
        let mut all = given.clone();
        all.retain(|name, _| !crate::storage::is_setting(name));
        for option in known.clone() {
            let is_given = all
                .keys()
                .any(|name| name.eq_ignore_ascii_case(option.name));
            if let Some(value) = defaults.get(option.name).filter(|_| !is_given) {
                all.insert(option.name.to_string(), value.clone());
            }
        }
        let options = Options::new(what, &all, known, own_absent)?;
        let format = match lines {
            Some(_) => ReadFormat::Lines(LineFormat::new(name, &options)?),
            None => ReadFormat::Parquet {
                merge_schema: options.boolean("mergeSchema", false)?,
            },
        };
        let reader = Self {
            format,
            passed_over: PassedOver {
                missing: options.boolean("ignoreMissingFiles", false)?,
                corrupt: options.boolean("ignoreCorruptFiles", false)?,
            },
            unchanged: false,
        };
        Ok((options, reader))
    }

    /// The columns of the files, and of their folders: as they were given, or as they are found
    /// out.
    pub(super) fn columns(
        &self,
        listings: &[Listing],
        given: Option<SchemaRef>,
    ) -> Result<(SchemaRef, PartitionColumns)> {
        let mut partitions = PartitionColumns::default();
        for listing in listings {
            let found = PartitionColumns::discover(listing, given.as_deref())?;
            if !found.is_empty() {
                partitions = found;
            }
        }
        let in_files = match given {
            Some(given) => given,
            None => schema_of_files(self, listings)?,
        };
        let in_files = nullable(&partitions.without(&in_files));
        self.check(&in_files)?;
        Ok((Arc::new(partitions.behind(&in_files)), partitions))
    }

    /// Refuses columns that cannot be read.
    fn check(&self, schema: &Schema) -> Result<()> {
        match &self.format {
            ReadFormat::Lines(format) => format.check(schema),
            ReadFormat::Parquet { .. } => Ok(()),
        }
    }
}
