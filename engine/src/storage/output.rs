//! A file that is written. **It is gone again unless it was written to its end.**

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use object_store::MultipartUpload;

use super::bucket::BucketPath;
use super::durable::{create_folders, sync_file, sync_folder};
use super::{Location, Metadata, local};

/// A store takes a large file in parts of so many bytes.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// A file open for writing.
pub struct OutputFile(Content);

enum Content {
    Local {
        path: PathBuf,
        file: File,
        /// Where the name of the file, or of a folder above it, is new.
        changed: Vec<PathBuf>,
        finished: bool,
    },
    Bucket {
        path: BucketPath,
        part: Vec<u8>,
        upload: Option<Box<dyn MultipartUpload>>,
    },
}

impl OutputFile {
    pub(super) fn create(location: &Location) -> io::Result<Self> {
        Ok(Self(match location {
            Location::Local(path) => {
                let (file, changed) = create(path)?;
                Content::Local {
                    path: path.clone(),
                    file,
                    changed,
                    finished: false,
                }
            }
            Location::Bucket(path) => Content::Bucket {
                path: path.clone(),
                part: Vec::new(),
                upload: None,
            },
        }))
    }

    /// Writes what is left; what the file is then. With `durable`, it survives a power cut.
    pub fn finish(mut self, durable: bool) -> io::Result<Metadata> {
        match &mut self.0 {
            Content::Local {
                path,
                file,
                changed,
                finished,
            } => {
                if durable {
                    sync_file(file, path)?;
                    changed.iter().try_for_each(|folder| sync_folder(folder))?;
                }
                let metadata = local::of(&file.metadata()?);
                *finished = true;
                Ok(metadata)
            }
            Content::Bucket { path, part, upload } => {
                let part = std::mem::take(part);
                match upload.take() {
                    None => path.put(part, true)?,
                    Some(mut upload) => {
                        if !part.is_empty() {
                            path.upload(&mut upload, part)?;
                        }
                        path.end_upload(upload, true)?;
                    }
                }
                path.metadata()
            }
        }
    }
}

/// The new file, and the folders in which there is a new name.
fn create(path: &Path) -> io::Result<(File, Vec<PathBuf>)> {
    let Some(folder) = path.parent() else {
        return Ok((File::create_new(path)?, Vec::new()));
    };
    let mut changed = vec![folder.to_path_buf()];
    let file = match File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            changed.extend(create_folders(folder)?);
            File::create_new(path)?
        }
        created => created?,
    };
    Ok((file, changed))
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Content::Local { file, .. } => file.write(bytes),
            Content::Bucket { path, part, upload } => {
                part.extend_from_slice(bytes);
                if part.len() >= PART_BYTES {
                    let mut started = match upload.take() {
                        Some(started) => started,
                        None => path.start_upload()?,
                    };
                    let sent = path.upload(&mut started, std::mem::take(part));
                    *upload = Some(started);
                    sent?;
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Content::Local { file, .. } => file.flush(),
            Content::Bucket { .. } => Ok(()),
        }
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        // If that fails, the file is an orphan, which no reader looks at.
        match &mut self.0 {
            Content::Local {
                path,
                finished: false,
                ..
            } => drop(fs::remove_file(path)),
            Content::Bucket { path, upload, .. } => {
                if let Some(upload) = upload.take() {
                    let _ = path.end_upload(upload, false);
                }
            }
            Content::Local { .. } => {}
        }
    }
}
