//! A file that is read: from its beginning or from its middle, by many at once.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::reader::{ChunkReader, Length};

use super::bucket::BucketPath;
use super::{Location, Metadata, local};

/// So many bytes are fetched at once from a store.
const FETCH_BYTES: u64 = 4 * 1024 * 1024;

/// A file open for reading.
#[derive(Debug, Clone)]
pub struct InputFile {
    content: Content,
    metadata: Metadata,
}

#[derive(Debug, Clone)]
enum Content {
    Local(Arc<File>),
    Bucket(BucketPath),
}

impl InputFile {
    pub(super) fn open(location: &Location) -> io::Result<Self> {
        match location {
            Location::Local(path) => {
                let file = File::open(path)?;
                let metadata = local::of(&file.metadata()?);
                Ok(Self {
                    content: Content::Local(Arc::new(file)),
                    metadata,
                })
            }
            Location::Bucket(path) => Ok(Self {
                metadata: path.metadata()?,
                content: Content::Bucket(path.clone()),
            }),
        }
    }

    /// What is known of the file as it was opened.
    pub fn metadata(&self) -> Metadata {
        self.metadata
    }

    /// What is known of the file as it is now.
    pub fn metadata_now(&self) -> io::Result<Metadata> {
        match &self.content {
            Content::Local(file) => file.metadata().map(|metadata| local::of(&metadata)),
            Content::Bucket(path) => path.metadata(),
        }
    }

    /// Its bytes from `start` on.
    pub fn read_from(&self, start: u64) -> io::Result<Box<dyn Read + Send>> {
        match &self.content {
            Content::Local(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                Ok(Box::new(file))
            }
            Content::Bucket(path) => Ok(Box::new(Fetched {
                path: path.clone(),
                chunk: Bytes::new(),
                next: start,
                end: self.metadata.size,
            })),
        }
    }
}

/// A file of a store, fetched chunk by chunk.
struct Fetched {
    path: BucketPath,
    chunk: Bytes,
    next: u64,
    end: u64,
}

impl Read for Fetched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() && self.next < self.end {
            let end = self.end.min(self.next + FETCH_BYTES);
            self.chunk = self.path.read(self.next..end)?;
            self.next += self.chunk.len() as u64;
        }
        let read = self.chunk.as_ref().read(buffer)?;
        self.chunk.advance(read);
        Ok(read)
    }
}

impl Length for InputFile {
    fn len(&self) -> u64 {
        self.metadata.size
    }
}

impl ChunkReader for InputFile {
    type T = BufReader<Box<dyn Read + Send>>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(self.read_from(start)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match &self.content {
            Content::Local(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start)?;
                Ok(bytes.into())
            }
            Content::Bucket(path) => Ok(path.read(start..start + length as u64)?),
        }
    }
}
