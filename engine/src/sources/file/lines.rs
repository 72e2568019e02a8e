//! Records of a file of text, or of a byte range of it, plain or compressed.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, hint};
use crate::formats::compression::Compression;
use crate::formats::record_end::RecordFile;
use crate::storage::{InputFile, Location};

const READ_BYTES: usize = 1024 * 1024;
const UTF8_BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads a file record by record.
pub(super) struct Lines {
    reader: Box<dyn Read + Send>,
    file: Arc<RecordFile>,
    /// Bytes read and not yet handed out are `buffer[position..filled]`.
    buffer: Vec<u8>,
    position: usize,
    filled: usize,
    /// Where `buffer` begins, in bytes of the uncompressed file.
    offset: u64,
    /// Records that start here or later belong to someone else.
    end: u64,
    at_end_of_file: bool,
}

#[expect(
    clippy::indexing_slicing,
    reason = "`position` is at most `filled`, and that is at most the length of the buffer"
)]
impl Lines {
    /// The records that start within `range` of `input`, whose content is what `file` says; files
    /// that cannot be split can only be read as a whole.
    pub(super) fn open(
        input: &InputFile,
        compression: Compression,
        file: &Arc<RecordFile>,
        range: Range<u64>,
    ) -> io::Result<Self> {
        // Begin one byte early: only then is it known whether a record starts at the very start.
        let start = range.start.saturating_sub(1);
        let reader = compression.decoder(input.read_from(start)?)?;
        let mut lines = Self {
            reader: file.charset.decoder(reader)?,
            file: Arc::clone(file),
            buffer: Vec::new(),
            position: 0,
            filled: 0,
            offset: start,
            end: range.end,
            at_end_of_file: false,
        };
        if range.start > 0 {
            lines.next()?;
        } else {
            lines.fill()?;
            if lines.buffer[..lines.filled].starts_with(UTF8_BYTE_ORDER_MARK) {
                lines.position = UTF8_BYTE_ORDER_MARK.len();
            }
        }
        Ok(lines)
    }

    /// Where the next record starts, in bytes of the uncompressed file.
    pub(super) fn offset(&self) -> u64 {
        self.offset + self.position as u64
    }

    /// The next record, without its end.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.offset() >= self.end {
            return Ok(None);
        }
        // From `position` on.
        let mut searched = 0;
        let (end, next) = loop {
            let unread = &self.buffer[self.position..self.filled];
            match self.file.find(unread, searched, self.at_end_of_file) {
                Some(found) => break found,
                None if self.at_end_of_file => break (unread.len(), unread.len()),
                None => {
                    searched = unread.len().saturating_sub(self.file.overlap());
                    self.fill()?;
                }
            }
        };
        let start = self.position;
        if start == self.filled {
            return Ok(None);
        }
        self.position += next;
        Ok(Some(&self.buffer[start..start + end]))
    }

    /// Reads on, keeping what was not handed out.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.position..self.filled, 0);
        self.offset += self.position as u64;
        self.filled -= self.position;
        self.position = 0;
        // A record that is searched for its end again and again gets the larger, the longer it is.
        let wanted = self.filled + READ_BYTES.max(self.filled);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.filled < self.buffer.len() {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.at_end_of_file = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The number of the record that starts at `offset`, counted from 1.
pub(super) fn record_number(
    input: &InputFile,
    compression: Compression,
    file: &Arc<RecordFile>,
    offset: u64,
) -> io::Result<u64> {
    let mut lines = Lines::open(input, compression, file, 0..offset)?;
    let mut number = 1;
    while lines.next()?.is_some() {
        number += 1;
    }
    Ok(number)
}

/// A file that was listed cannot be opened.
pub(super) fn cannot_open(location: &Location, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::new(
            ErrorKind::Io,
            format!("file '{location}' was listed, but is gone now"),
        )
        .with_condition("FAILED_READ_FILE.FILE_NOT_EXIST")
        .with_hint([
            hint::say(
                "put the file back; a stream's files must stay until it has read them, unless ",
            ),
            hint::option("ignoreMissingFiles", "true"),
        ])
        .with_source(error);
    }
    Error::io(format!("open '{location}'"), error)
}

/// What a file holds is not what it should be, or cannot be read.
pub(super) fn cannot_read(location: &Location, error: io::Error) -> Error {
    Error::io(format!("read file '{location}'"), error)
        .with_condition("FAILED_READ_FILE.NO_HINT")
        .with_hint([
            hint::say("replace the file, or read on behind such files: "),
            hint::option("ignoreCorruptFiles", "true"),
        ])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    use super::*;
    use crate::formats::line_format::LineFormat;
    use crate::options::Options;

    fn format(given: &[(&str, &str)]) -> Arc<RecordFile> {
        let given = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let known = LineFormat::options("text").unwrap().known;
        let options = Options::new("test", &given, known.iter().copied().flatten(), &[]).unwrap();
        LineFormat::new("text", &options).unwrap().file
    }

    fn read(path: &Path, file: &Arc<RecordFile>, range: Range<u64>) -> Vec<String> {
        let location = Location::Local(path.to_path_buf());
        let compression = Compression::of(&location.name()).unwrap();
        let input = location.open().unwrap();
        let mut lines = Lines::open(&input, compression, file, range).unwrap();
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            read.push(String::from_utf8(line.to_vec()).unwrap());
        }
        read
    }

    #[test]
    fn ranges_give_every_line_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let text = "a\nbb\n\nccc\r\ndd\ree";
        fs::write(&path, text).unwrap();
        let len = text.len() as u64;
        let by_b = format(&[("lineSep", "b")]);
        for (format, all) in [
            (format(&[]), vec!["a", "bb", "", "ccc", "dd", "ee"]),
            (by_b, vec!["a\n", "", "\n\nccc\r\ndd\ree"]),
        ] {
            for cut in 0..=len {
                let mut lines = read(&path, &format, 0..cut);
                if cut > 0 {
                    lines.extend(read(&path, &format, cut..len));
                } else {
                    lines = read(&path, &format, 0..len);
                }
                assert_eq!(lines, all, "cut at {cut}");
            }
        }
        let input = Location::Local(path).open().unwrap();
        let number = record_number(&input, Compression::None, &format(&[]), 6);
        assert_eq!(number.unwrap(), 4);
    }

    #[test]
    fn files_may_be_one_record_or_in_another_encoding() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "a\nb\r\nc").unwrap();
        let whole = format(&[("wholetext", "true")]);
        assert_eq!(read(&path, &whole, 0..u64::MAX), ["a\nb\r\nc"]);
        assert!(!whole.is_splittable());
        let longer = format(&[("lineSep", "\r\n")]);
        assert_eq!(read(&path, &longer, 0..u64::MAX), ["a\nb", "c"]);
        let bytes: Vec<u8> = "ü\nł\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(&path, bytes).unwrap();
        let utf16 = format(&[("encoding", "UTF-16LE")]);
        assert_eq!(read(&path, &utf16, 0..u64::MAX), ["ü", "ł"]);
    }

    #[test]
    fn lines_longer_than_a_read_and_compressed_files() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(3 * READ_BYTES);
        let text = format!("\u{feff}first\n{long}\nlast\n");
        let plain = dir.path().join("x.json");
        fs::write(&plain, &text).unwrap();
        let gzip = dir.path().join("x.json.gz");
        let mut writer =
            flate2::write::GzEncoder::new(fs::File::create(&gzip).unwrap(), Default::default());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap();
        let zst = dir.path().join("x.json.zst");
        fs::write(&zst, zstd::encode_all(text.as_bytes(), 0).unwrap()).unwrap();
        for path in [plain, gzip, zst] {
            assert_eq!(
                read(&path, &format(&[]), 0..u64::MAX),
                ["first", &long, "last"]
            );
        }
    }
}
