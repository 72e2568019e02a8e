//! What ends a record in a file of text, and in which encoding the file is.

use memchr::{memchr, memchr2, memmem};

use super::charset::{CHARSET, Charset, ENCODING};
use super::csv::{CsvSyntax, end_of_record};
use crate::error::Result;
use crate::options::{OptionSpec, Options};

const LINE_SEP: OptionSpec = OptionSpec {
    name: "lineSep",
    doc: "what ends a line; by default a line feed, a carriage return, or both",
};

const MULTI_LINE: OptionSpec = OptionSpec {
    name: "multiLine",
    doc: "true: a record may go on over the ends of lines; a file of JSON is then one record or one array; false by default",
};

const WHOLE_TEXT: OptionSpec = OptionSpec {
    name: "wholetext",
    doc: "true: a file is a row; false by default",
};

/// Options of the files of JSON and CSV, beside those of their records.
pub(crate) const RECORD_FILE_OPTIONS: [OptionSpec; 4] = [LINE_SEP, MULTI_LINE, ENCODING, CHARSET];

/// Options of files of text.
pub(crate) const TEXT_OPTIONS: [OptionSpec; 4] = [LINE_SEP, WHOLE_TEXT, ENCODING, CHARSET];

/// What ends a record.
#[derive(Debug, Clone, Default)]
pub(crate) enum RecordEnd {
    /// The end of a line: `\n`, `\r` or `\r\n`.
    #[default]
    Line,
    /// These bytes.
    Separator(Vec<u8>),
    /// Only the end of the file.
    File,
    /// The end of a line, or these bytes, outside of quotes.
    Csv(CsvSyntax, Option<Vec<u8>>),
}

/// How a file of text is cut into records.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordFile {
    pub(crate) end: RecordEnd,
    pub(crate) charset: Charset,
}

impl RecordFile {
    /// Reads it from checked options; with `csv`, records are CSV.
    pub(super) fn new(options: &Options, csv: Option<&CsvSyntax>) -> Result<Self> {
        let separator = options.get(LINE_SEP.name);
        let characters = separator.map(|text| text.chars().count());
        if characters == Some(0) {
            return Err(options.invalid(LINE_SEP.name, "at least one character"));
        }
        if csv.is_some() && characters.is_some_and(|count| count > 2) {
            return Err(options.invalid(LINE_SEP.name, "one or two characters"));
        }
        let separator = separator.map(|text| text.as_bytes().to_vec());
        let is_whole =
            options.boolean(MULTI_LINE.name, false)? || options.boolean(WHOLE_TEXT.name, false)?;
        let end = match (is_whole, csv, separator) {
            (true, Some(syntax), separator) => RecordEnd::Csv(syntax.clone(), separator),
            (true, None, _) => RecordEnd::File,
            (false, _, Some(separator)) => RecordEnd::Separator(separator),
            (false, _, None) => RecordEnd::Line,
        };
        Ok(Self {
            end,
            charset: Charset::of_options(options)?,
        })
    }

    /// Whether reading may begin in the middle of a file.
    pub(crate) fn is_splittable(&self) -> bool {
        let ends_are_found = match &self.end {
            RecordEnd::Line => true,
            RecordEnd::Separator(separator) => separator.len() == 1,
            RecordEnd::File | RecordEnd::Csv(..) => false,
        };
        ends_are_found && self.charset == Charset::Utf8
    }

    /// Where the record at the beginning of `text` ends, and where the next one begins; none if
    /// the end is not in `text`. There is none before `searched`. `is_all` says that nothing
    /// follows.
    pub(crate) fn find(
        &self,
        text: &[u8],
        searched: usize,
        is_all: bool,
    ) -> Option<(usize, usize)> {
        let rest = text.get(searched..)?;
        match &self.end {
            RecordEnd::Line => {
                let end = searched + memchr2(b'\n', b'\r', rest)?;
                match text.get(end..)? {
                    [b'\r', b'\n', ..] => Some((end, end + 2)),
                    // Whether a line feed follows is not known yet.
                    [b'\r'] if !is_all => None,
                    _ => Some((end, end + 1)),
                }
            }
            RecordEnd::Separator(separator) => {
                let found = match separator[..] {
                    [byte] => memchr(byte, rest),
                    _ => memmem::find(rest, separator),
                };
                found.map(|found| (searched + found, searched + found + separator.len()))
            }
            RecordEnd::File => None,
            RecordEnd::Csv(syntax, separator) => {
                end_of_record(text, syntax, separator.as_deref(), is_all)
            }
        }
    }

    /// How many bytes at the end of what was searched may be the beginning of an end.
    pub(crate) fn overlap(&self) -> usize {
        match &self.end {
            RecordEnd::Line => 1,
            RecordEnd::Separator(separator) => separator.len() - 1,
            RecordEnd::File | RecordEnd::Csv(..) => 0,
        }
    }
}
