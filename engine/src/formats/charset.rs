//! Texts in other encodings than UTF-8: read into it, and written from it.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::Result;
use crate::options::{OptionSpec, Options};

/// The options that name it; the first of the names is Spark's.
const NAMES: [&str; 2] = ["encoding", "charset"];

pub(super) const ENCODING: OptionSpec = OptionSpec {
    name: NAMES[0],
    doc: "the encoding of the files, e.g. ISO-8859-1 or UTF-16LE; UTF-8 by default",
};

pub(super) const CHARSET: OptionSpec = OptionSpec {
    name: NAMES[1],
    doc: "the same as encoding",
};

const READ_BYTES: usize = 64 * 1024;

/// The encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Charset {
    /// UTF-8.
    #[default]
    Utf8,
    /// A byte is a character: ISO-8859-1, and US-ASCII, which is part of it.
    Latin1,
    /// UTF-16 with a byte order mark, or big-endian without one.
    Utf16,
    /// Any other.
    Other(&'static Encoding),
}

impl Charset {
    /// What the options say.
    pub(super) fn of_options(options: &Options) -> Result<Self> {
        let given = NAMES
            .into_iter()
            .find_map(|name| options.get(name).map(|value| (name, value)));
        let Some((name, label)) = given else {
            return Ok(Self::Utf8);
        };
        Self::named(label).ok_or_else(|| {
            options.invalid(
                name,
                "the name of an encoding, e.g. UTF-8, ISO-8859-1 or UTF-16LE",
            )
        })
    }

    fn named(label: &str) -> Option<Self> {
        let label = label.trim();
        match label.to_ascii_uppercase().as_str() {
            "ISO-8859-1" | "ISO8859_1" | "LATIN1" | "US-ASCII" | "ASCII" => Some(Self::Latin1),
            "UTF-16" => Some(Self::Utf16),
            _ => match Encoding::for_label_no_replacement(label.as_bytes())? {
                encoding if encoding == UTF_8 => Some(Self::Utf8),
                encoding => Some(Self::Other(encoding)),
            },
        }
    }

    /// Reads what `reader` holds as UTF-8. Bytes that are no character become U+FFFD.
    pub(crate) fn decoder<'a>(
        self,
        mut reader: Box<dyn Read + Send + 'a>,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        let mut mark = Vec::new();
        let decoder = match self {
            Self::Utf8 => return Ok(reader),
            Self::Latin1 => None,
            Self::Utf16 => {
                reader.by_ref().take(2).read_to_end(&mut mark)?;
                let little = mark == [0xFF, 0xFE];
                if little || mark == [0xFE, 0xFF] {
                    mark.clear();
                }
                let encoding = if little { UTF_16LE } else { UTF_16BE };
                Some(encoding.new_decoder_without_bom_handling())
            }
            Self::Other(encoding) => Some(encoding.new_decoder_with_bom_removal()),
        };
        let reader = io::Cursor::new(mark).chain(reader);
        Ok(match decoder {
            None => Box::new(Latin1Reader {
                reader,
                bytes: Vec::new(),
                text: String::new(),
                position: 0,
            }),
            Some(decoder) => Box::new(DecodingReader {
                reader,
                decoder,
                bytes: Vec::new(),
                at_end: false,
                finished: false,
                text: Vec::new(),
                position: 0,
            }),
        })
    }

    /// A text in this encoding. Characters that it does not have become `?`.
    pub(super) fn encode<'a>(self, text: &'a str) -> Cow<'a, [u8]> {
        let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Cow<'a, [u8]> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        match self {
            Self::Utf8 => Cow::Borrowed(text.as_bytes()),
            Self::Latin1 => text
                .chars()
                .map(|char| u8::try_from(char).unwrap_or(b'?'))
                .collect(),
            Self::Utf16 => utf16(u16::to_be_bytes),
            Self::Other(encoding) if encoding == UTF_16BE => utf16(u16::to_be_bytes),
            Self::Other(encoding) if encoding == UTF_16LE => utf16(u16::to_le_bytes),
            Self::Other(encoding) => encode(encoding, text).into(),
        }
    }
}

/// The library writes characters that do not exist as HTML, Java as `?`.
fn encode(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = encoding.encode(text);
    if !unmappable {
        return bytes.into_owned();
    }
    let one = |char: char| {
        let text = char.to_string();
        match encoding.encode(&text) {
            (bytes, _, false) => bytes.into_owned(),
            _ => vec![b'?'],
        }
    };
    text.chars().flat_map(one).collect()
}

struct Latin1Reader<R> {
    reader: R,
    bytes: Vec<u8>,
    text: String,
    position: usize,
}

impl<R: Read> Read for Latin1Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.text.len() {
            self.bytes.resize(READ_BYTES, 0);
            let read = self.reader.read(&mut self.bytes)?;
            self.text.clear();
            self.text
                .extend(self.bytes.iter().take(read).map(|byte| char::from(*byte)));
            self.position = 0;
        }
        hand_out(self.text.as_bytes(), &mut self.position, buffer)
    }
}

struct DecodingReader<R> {
    reader: R,
    decoder: Decoder,
    /// Bytes read and not decoded yet.
    bytes: Vec<u8>,
    at_end: bool,
    /// The decoder has given all it had, and must not be asked again.
    finished: bool,
    text: Vec<u8>,
    position: usize,
}

impl<R: Read> DecodingReader<R> {
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.position = 0;
        if self.finished {
            return Ok(());
        }
        self.text.resize(READ_BYTES * 3, 0);
        loop {
            if self.bytes.is_empty() && !self.at_end {
                self.bytes.resize(READ_BYTES, 0);
                let read = self.reader.read(&mut self.bytes)?;
                self.bytes.truncate(read);
                self.at_end = read == 0;
            }
            let (result, taken, written, _) =
                self.decoder
                    .decode_to_utf8(&self.bytes, &mut self.text, self.at_end);
            self.bytes.drain(..taken);
            self.finished = self.at_end && result == CoderResult::InputEmpty;
            if written > 0 || self.finished {
                self.text.truncate(written);
                return Ok(());
            }
        }
    }
}

impl<R: Read> Read for DecodingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.text.len() {
            self.fill()?;
        }
        hand_out(&self.text, &mut self.position, buffer)
    }
}

fn hand_out(text: &[u8], position: &mut usize, buffer: &mut [u8]) -> io::Result<usize> {
    let read = text.get(*position..).unwrap_or_default().read(buffer)?;
    *position += read;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(label: &str, bytes: &[u8]) -> String {
        let charset = Charset::named(label).unwrap();
        let mut reader = charset.decoder(Box::new(bytes)).unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn texts_are_read_and_written_in_other_encodings() {
        let text = "Grüße, 漂";
        for label in ["UTF-16BE", "utf-16le", "UTF-16", "UTF-8", "gb18030"] {
            let bytes = Charset::named(label).unwrap().encode(text).into_owned();
            assert_eq!(decoded(label, &bytes), text, "{label}");
        }
        assert_eq!(decoded("ISO-8859-1", b"Gr\xfc\x80"), "Gr\u{fc}\u{80}");
        assert_eq!(decoded("windows-1252", b"\x80"), "€");
        assert_eq!(decoded("UTF-16", b"\xff\xfea\0"), "a");
        assert_eq!(decoded("UTF-16", b""), "");
        assert_eq!(*Charset::Latin1.encode("ü漂"), *b"\xfc?");
        let latin2 = Charset::named("ISO-8859-2").unwrap();
        assert_eq!(*latin2.encode("ł漂"), *b"\xb3?");
        assert!(Charset::named("UTF-99").is_none());
        let long = "ł".repeat(200_000);
        assert_eq!(decoded("ISO-8859-2", &latin2.encode(&long)), long);
    }
}
