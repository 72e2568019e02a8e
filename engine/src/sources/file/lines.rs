//! Lines of a file, or of a byte range of it, plain or compressed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{Error, ErrorKind, Result};

const READ_BYTES: usize = 1024 * 1024;
const UTF8_BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How a file is compressed; its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: the file can be read from anywhere.
    None,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Compression {
    /// By the file's extension; fails for one that is known but cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz" | "gzip") => Ok(Self::Gzip),
            Some("zst" | "zstd") => Ok(Self::Zstd),
            Some(other @ ("bz2" | "xz" | "lz4" | "snappy" | "deflate")) => Err(Error::new(
                ErrorKind::IllegalArgument,
                format!(
                    "cannot read '{}': compression '{other}' is not supported in this version",
                    path.display()
                ),
            )
            .with_hint(
                "use .gz or .zst, or leave such files out: --option pathGlobFilter='*.json'",
            )),
            _ => Ok(Self::None),
        }
    }
}

/// Reads a file line by line.
pub struct Lines {
    reader: Box<dyn Read + Send>,
    /// Bytes read and not yet handed out are `buffer[position..filled]`.
    buffer: Vec<u8>,
    position: usize,
    filled: usize,
    /// Where `buffer` begins, in bytes of the uncompressed file.
    offset: u64,
    /// Lines that start here or later belong to someone else.
    end: u64,
    at_end_of_file: bool,
}

impl Lines {
    /// The lines that start within `range`; compressed files can only be read as a whole.
    pub fn open(path: &Path, compression: Compression, range: Range<u64>) -> Result<Self> {
        let mut file = File::open(path).map_err(|error| cannot_open(path, error))?;
        let failed = |error| Error::io(format!("read '{}'", path.display()), error);
        // Begin one byte early: only then is it known whether a line starts at the very start.
        let start = range.start.saturating_sub(1);
        if start > 0 {
            file.seek(SeekFrom::Start(start)).map_err(failed)?;
        }
        let reader: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(file),
            Compression::Gzip => Box::new(MultiGzDecoder::new(file)),
            Compression::Zstd => Box::new(zstd::Decoder::new(file).map_err(failed)?),
        };
        let mut lines = Self {
            reader,
            buffer: Vec::new(),
            position: 0,
            filled: 0,
            offset: start,
            end: range.end,
            at_end_of_file: false,
        };
        if range.start > 0 {
            lines.next().map_err(failed)?;
        } else {
            lines.fill().map_err(failed)?;
            if lines.buffer[..lines.filled].starts_with(UTF8_BYTE_ORDER_MARK) {
                lines.position = UTF8_BYTE_ORDER_MARK.len();
            }
        }
        Ok(lines)
    }

    /// Where the next line starts, in bytes of the uncompressed file.
    pub fn offset(&self) -> u64 {
        self.offset + self.position as u64
    }

    /// The next line, without its end, which is `\n` or `\r\n`.
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.offset() >= self.end {
            return Ok(None);
        }
        let mut searched = self.position;
        let end_of_line = loop {
            match memchr::memchr(b'\n', &self.buffer[searched..self.filled]) {
                Some(at) => break searched + at,
                None if self.at_end_of_file => break self.filled,
                None => {
                    let unread = self.filled - self.position;
                    self.fill()?;
                    searched = self.position + unread;
                }
            }
        };
        let start = self.position;
        if start == self.filled {
            return Ok(None);
        }
        self.position = (end_of_line + 1).min(self.filled);
        let line = &self.buffer[start..end_of_line];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Reads on, keeping what was not handed out.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.position..self.filled, 0);
        self.offset += self.position as u64;
        self.filled -= self.position;
        self.position = 0;
        if self.buffer.len() < self.filled + READ_BYTES {
            self.buffer.resize(self.filled + READ_BYTES, 0);
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

/// The number of the line that starts at `offset`, counted from 1.
pub fn line_number(path: &Path, compression: Compression, offset: u64) -> Result<u64> {
    let mut lines = Lines::open(path, compression, 0..offset)?;
    let mut number = 1;
    let failed = |error| Error::io(format!("read '{}'", path.display()), error);
    while lines.next().map_err(failed)?.is_some() {
        number += 1;
    }
    Ok(number)
}

/// A file that was listed cannot be opened.
pub fn cannot_open(path: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::new(
            ErrorKind::Io,
            format!("file '{}' was listed, but is gone now", path.display()),
        )
        .with_condition("FAILED_READ_FILE.FILE_NOT_EXIST")
        .with_hint("put the file back; a stream's files must stay until it has read them")
        .with_source(error);
    }
    Error::io(format!("open '{}'", path.display()), error)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn read(path: &Path, compression: Compression, range: Range<u64>) -> Vec<String> {
        let mut lines = Lines::open(path, compression, range).unwrap();
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
        let text = "a\nbb\n\nccc\r\ndddd";
        fs::write(&path, text).unwrap();
        let all = ["a", "bb", "", "ccc", "dddd"];
        let len = text.len() as u64;
        for cut in 0..=len {
            let mut lines = read(&path, Compression::None, 0..cut);
            if cut > 0 {
                lines.extend(read(&path, Compression::None, cut..len));
            } else {
                lines = read(&path, Compression::None, 0..len);
            }
            assert_eq!(lines, all, "cut at {cut}");
        }
        assert_eq!(line_number(&path, Compression::None, 6).unwrap(), 4);
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
            flate2::write::GzEncoder::new(File::create(&gzip).unwrap(), Default::default());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap();
        let zst = dir.path().join("x.json.zst");
        fs::write(&zst, zstd::encode_all(text.as_bytes(), 0).unwrap()).unwrap();
        for path in [plain, gzip, zst] {
            let compression = Compression::of(&path).unwrap();
            assert_eq!(
                read(&path, compression, 0..u64::MAX),
                ["first", &long, "last"]
            );
        }
        assert!(Compression::of(Path::new("x.json.bz2")).is_err());
    }
}
