//! Compressed files: the codecs that Spark has for text, by its names and file extensions.

use std::io::{self, Read, Write};
use std::str::FromStr;

use bzip2::read::MultiBzDecoder;
use bzip2::write::BzEncoder;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

use super::hadoop_blocks::{BlockCodec, BlockReader, BlockWriter};
use crate::error::{Error, Result, hint};
use crate::options::{OptionSpec, Options};

/// The option of writers of text.
pub(super) const COMPRESSION: OptionSpec = OptionSpec {
    name: "compression",
    doc: "none (the default), gzip, bzip2, deflate, lz4, snappy or zstd",
};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Not at all: the file can be read from anywhere.
    None,
    /// `.gz`
    Gzip,
    /// `.bz2`
    Bzip2,
    /// `.deflate`: zlib, in spite of the name.
    Deflate,
    /// `.lz4`, in Hadoop's blocks.
    Lz4,
    /// `.snappy`, in Hadoop's blocks.
    Snappy,
    /// `.zst`
    Zstd,
}

/// A writer that compresses. What it has not written yet is only written by `finish`.
pub(crate) enum Encoder<W: Write> {
    None(W),
    Gzip(GzEncoder<W>),
    Bzip2(BzEncoder<W>),
    Deflate(ZlibEncoder<W>),
    Blocks(BlockWriter<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl Compression {
    /// By the name of a file; fails for an extension that is known but cannot be read.
    pub(crate) fn of(name: &str) -> Result<Self> {
        Ok(
            match name.rsplit_once('.').map(|(_, extension)| extension) {
                Some("gz" | "gzip") => Self::Gzip,
                Some("bz2") => Self::Bzip2,
                Some("deflate") => Self::Deflate,
                Some("lz4") => Self::Lz4,
                Some("snappy") => Self::Snappy,
                Some("zst" | "zstd") => Self::Zstd,
                Some(other @ ("xz" | "7z" | "zip" | "br")) => {
                    return Err(Error::illegal_argument(format!(
                        "cannot read '{name}': there is no codec for '.{other}'"
                    ))
                    .with_hint([
                        hint::say("use .gz, .bz2 or .zst, or leave such files out: "),
                        hint::option("pathGlobFilter", "*.json"),
                    ]));
                }
                _ => Self::None,
            },
        )
    }

    /// What the option `compression` or `codec` says; none if it was not given.
    pub(super) fn of_options(options: &Options) -> Result<Self> {
        let name = ["compression", "codec"]
            .into_iter()
            .find(|name| options.get(name).is_some());
        let Some(name) = name else {
            return Ok(Self::None);
        };
        let expected = "none, gzip, bzip2, deflate, lz4, snappy or zstd";
        Ok(options.parsed(name, expected)?.unwrap_or(Self::None))
    }

    /// What the names of its files end with.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Bzip2 => ".bz2",
            Self::Deflate => ".deflate",
            Self::Lz4 => ".lz4",
            Self::Snappy => ".snappy",
            Self::Zstd => ".zst",
        }
    }

    /// Reads what `reader` holds compressed.
    pub(crate) fn decoder<'a>(
        self,
        reader: Box<dyn Read + Send + 'a>,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::None => reader,
            Self::Gzip => Box::new(MultiGzDecoder::new(reader)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(reader)),
            Self::Deflate => Box::new(ZlibDecoder::new(reader)),
            Self::Lz4 => Box::new(BlockReader::new(reader, BlockCodec::Lz4)),
            Self::Snappy => Box::new(BlockReader::new(reader, BlockCodec::Snappy)),
            Self::Zstd => Box::new(zstd::Decoder::new(reader)?),
        })
    }

    /// Compresses into `writer`.
    pub(super) fn encoder<W: Write>(self, writer: W) -> io::Result<Encoder<W>> {
        Ok(match self {
            Self::None => Encoder::None(writer),
            Self::Gzip => Encoder::Gzip(GzEncoder::new(writer, flate2::Compression::default())),
            Self::Bzip2 => Encoder::Bzip2(BzEncoder::new(writer, bzip2::Compression::default())),
            Self::Deflate => {
                Encoder::Deflate(ZlibEncoder::new(writer, flate2::Compression::default()))
            }
            Self::Lz4 => Encoder::Blocks(BlockWriter::new(writer, BlockCodec::Lz4)),
            Self::Snappy => Encoder::Blocks(BlockWriter::new(writer, BlockCodec::Snappy)),
            Self::Zstd => Encoder::Zstd(zstd::Encoder::new(writer, 0)?),
        })
    }
}

impl FromStr for Compression {
    type Err = ();

    fn from_str(name: &str) -> std::result::Result<Self, ()> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "none" | "uncompressed" => Self::None,
            "gzip" => Self::Gzip,
            "bzip2" => Self::Bzip2,
            "deflate" => Self::Deflate,
            "lz4" => Self::Lz4,
            "snappy" => Self::Snappy,
            "zstd" => Self::Zstd,
            _ => return Err(()),
        })
    }
}

impl<W: Write> Encoder<W> {
    /// Writes what is left and gives the writer back.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::None(writer) => Ok(writer),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Bzip2(encoder) => encoder.finish(),
            Self::Deflate(encoder) => encoder.finish(),
            Self::Blocks(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(writer) => writer.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Bzip2(encoder) => encoder.write(bytes),
            Self::Deflate(encoder) => encoder.write(bytes),
            Self::Blocks(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        // A flush in the middle would only make the file larger.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text: String = (0..60_000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
        for name in ["none", "GZIP", "bzip2", "deflate", "lz4", "snappy", "zstd"] {
            let codec: Compression = name.parse().unwrap();
            let mut encoder = codec.encoder(Vec::new()).unwrap();
            encoder.write_all(text.as_bytes()).unwrap();
            let bytes = encoder.finish().unwrap();
            let is_plain = codec == Compression::None;
            assert_eq!(bytes.len() < text.len(), !is_plain, "{name}");
            let file = format!("x.json{}", codec.extension());
            assert_eq!(Compression::of(&file).unwrap(), codec);
            let mut decoder = codec.decoder(Box::new(bytes.as_slice())).unwrap();
            let mut read = String::new();
            decoder.read_to_string(&mut read).unwrap();
            assert!(read == text, "{name}");

            let torn = &bytes[..bytes.len() / 2];
            let mut decoder = codec.decoder(Box::new(torn)).unwrap();
            let read = decoder.read_to_end(&mut Vec::new());
            assert_eq!(read.is_ok(), codec == Compression::None, "{name}");
        }
        assert!(Compression::of("x.json.xz").is_err());
        assert!("brotli".parse::<Compression>().is_err());
    }
}
