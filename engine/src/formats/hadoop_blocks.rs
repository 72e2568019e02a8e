//! Hadoop's files of LZ4 and Snappy: blocks, each with its length before and after compression.
//!
//! ```text
//! length of the block (4 bytes, big-endian)
//!   length of a compressed chunk (4 bytes), the chunk        until the block is complete
//! ```

use std::io::{self, Read, Write};

/// A block holds so many bytes: Hadoop's buffer of 256 KiB, less what compression may add.
const BLOCK_BYTES: usize = 128 * 1024;
/// More than any block has; a length beyond it is none.
const MAX_BLOCK_BYTES: usize = 256 * 1024 * 1024;

/// What compresses the blocks.
#[derive(Debug, Clone, Copy)]
pub(super) enum BlockCodec {
    Lz4,
    Snappy,
}

impl BlockCodec {
    fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Lz4 => Ok(lz4_flex::block::compress(bytes)),
            Self::Snappy => Ok(snap::raw::Encoder::new().compress_vec(bytes)?),
        }
    }

    /// Appends the chunk, which has at most `left` bytes.
    fn decompress(self, chunk: &[u8], left: usize, block: &mut Vec<u8>) -> io::Result<()> {
        let start = block.len();
        let size = match self {
            Self::Lz4 => left,
            Self::Snappy => snap::raw::decompress_len(chunk)?,
        };
        if size > left {
            return Err(invalid("a chunk is longer than its block"));
        }
        block.resize(start + size, 0);
        let (_, room) = block.split_at_mut(start);
        let filled = match self {
            Self::Lz4 => lz4_flex::block::decompress_into(chunk, room)
                .map_err(|error| invalid(&error.to_string()))?,
            Self::Snappy => snap::raw::Decoder::new().decompress(chunk, room)?,
        };
        block.truncate(start + filled);
        Ok(())
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_string())
}

/// Reads blocks.
pub(super) struct BlockReader<R> {
    reader: R,
    codec: BlockCodec,
    block: Vec<u8>,
    position: usize,
    chunk: Vec<u8>,
}

impl<R: Read> BlockReader<R> {
    pub(super) fn new(reader: R, codec: BlockCodec) -> Self {
        Self {
            reader,
            codec,
            block: Vec::new(),
            position: 0,
            chunk: Vec::new(),
        }
    }

    /// The next length; none at the end of the file.
    fn length(&mut self) -> io::Result<Option<usize>> {
        let mut bytes = [0; 4];
        let mut left: &mut [u8] = &mut bytes;
        while !left.is_empty() {
            match self.reader.read(left)? {
                0 if left.len() == 4 => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => left = left.get_mut(read..).unwrap_or_default(),
            }
        }
        match u32::from_be_bytes(bytes) as usize {
            length if length > MAX_BLOCK_BYTES => Err(invalid("it is not in Hadoop's blocks")),
            length => Ok(Some(length)),
        }
    }

    /// Reads the next block; `false` at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        self.block.clear();
        self.position = 0;
        let Some(length) = self.length()? else {
            return Ok(false);
        };
        while self.block.len() < length {
            let chunk = self.length()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            self.chunk.resize(chunk, 0);
            self.reader.read_exact(&mut self.chunk)?;
            let left = length - self.block.len();
            self.codec.decompress(&self.chunk, left, &mut self.block)?;
        }
        Ok(true)
    }
}

impl<R: Read> Read for BlockReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.block.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        let mut rest = self.block.get(self.position..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.position += read;
        Ok(read)
    }
}

/// Writes blocks.
pub(crate) struct BlockWriter<W> {
    writer: W,
    codec: BlockCodec,
    block: Vec<u8>,
}

impl<W: Write> BlockWriter<W> {
    pub(super) fn new(writer: W, codec: BlockCodec) -> Self {
        Self {
            writer,
            codec,
            block: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.write_block()?;
        Ok(self.writer)
    }

    fn write_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let chunk = self.codec.compress(&self.block)?;
        self.writer
            .write_all(&(self.block.len() as u32).to_be_bytes())?;
        self.writer.write_all(&(chunk.len() as u32).to_be_bytes())?;
        self.block.clear();
        self.writer.write_all(&chunk)
    }
}

impl<W: Write> Write for BlockWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = BLOCK_BYTES - self.block.len();
        let (taken, _) = bytes.split_at(bytes.len().min(room));
        self.block.extend_from_slice(taken);
        if self.block.len() == BLOCK_BYTES {
            self.write_block()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
