//! Writes rows to files of a folder, or of one folder for each value of some columns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;
use uuid::Uuid;

use super::cannot_write;
use super::layout::Layout;
use crate::error::{Error, Result};
use crate::formats::{FileWriter, partition_folder::folder_name};
use crate::storage::{Location, Metadata};
use crate::text::{format_value, is_null};

/// So many files are open at once; when there are more folders, the one that has waited longest for
/// rows is closed.
const MAX_OPEN_FILES: usize = 100;

/// Writes rows to files, which have names of their own and are all told at the end.
pub(super) struct FilesWriter {
    directory: Location,
    layout: Arc<Layout>,
    /// Part of the names of all files, with the number of the writer among those of a batch.
    id: Uuid,
    part: usize,
    /// By the folder.
    open: HashMap<String, OpenFile>,
    /// How many files there were in each folder.
    counts: HashMap<String, usize>,
    written: Vec<WrittenFile>,
    /// Counts up with every batch of rows.
    time: u64,
}

struct OpenFile {
    writer: FileWriter,
    location: Location,
    rows: u64,
    last_used: u64,
}

/// A file that is written to its end.
#[derive(Debug)]
pub(super) struct WrittenFile {
    /// The folders below the directory; empty if there are none.
    pub folder: String,
    pub location: Location,
    pub metadata: Metadata,
    /// Deletes it unless it counts.
    guard: Unfinished,
}

impl WrittenFile {
    /// The file is part of the output.
    pub(super) fn keep(mut self) {
        self.guard.0 = None;
    }
}

/// A file that goes again.
#[derive(Debug)]
struct Unfinished(Option<Location>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(location) = &self.0 {
            // If that fails, the file is an orphan, which no reader looks at.
            let _ = location.delete();
        }
    }
}

impl FilesWriter {
    /// Files below `directory`. All writers of a batch have one `id` and each a `part` of its own.
    pub(super) fn new(directory: Location, layout: Arc<Layout>, id: Uuid, part: usize) -> Self {
        Self {
            directory,
            layout,
            id,
            part,
            open: HashMap::new(),
            counts: HashMap::new(),
            written: Vec::new(),
            time: 0,
        }
    }

    /// Writes rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.time += 1;
        let failed = |error| Error::internal(format!("rows of a folder: {error}"));
        let layout = Arc::clone(&self.layout);
        if layout.folders.is_empty() {
            return self.write_to("", batch);
        }
        let in_files = batch.project(&layout.in_files).map_err(failed)?;
        let folders = folders(batch, &layout.folders);
        if let [(folder, _)] = &folders[..] {
            return self.write_to(folder, &in_files);
        }
        for (folder, rows) in folders {
            let rows = rows_of(&in_files, &UInt32Array::from(rows)).map_err(failed)?;
            self.write_to(&folder, &rows)?;
        }
        Ok(())
    }

    /// Makes a file although there are no rows: it says which columns there are.
    pub(super) fn write_empty(&mut self) -> Result<()> {
        self.open_file("").map(drop)
    }

    /// Writes what is left; the files.
    pub(super) fn finish(mut self) -> Result<Vec<WrittenFile>> {
        let folders: Vec<String> = self.open.keys().cloned().collect();
        for folder in folders {
            self.close(&folder)?;
        }
        self.written
            .sort_by(|left, right| left.folder.cmp(&right.folder));
        Ok(self.written)
    }

    fn write_to(&mut self, folder: &str, rows: &RecordBatch) -> Result<()> {
        let mut done = 0;
        while done < rows.num_rows() {
            let max_rows = self.layout.max_rows.unwrap_or(u64::MAX);
            let file = self.open_file(folder)?;
            let room = usize::try_from(max_rows - file.rows).unwrap_or(usize::MAX);
            let count = room.min(rows.num_rows() - done);
            file.writer.write(&rows.slice(done, count))?;
            file.rows += count as u64;
            done += count;
            if file.rows == max_rows {
                self.close(folder)?;
            }
        }
        Ok(())
    }

    fn open_file(&mut self, folder: &str) -> Result<&mut OpenFile> {
        if !self.open.contains_key(folder) {
            if self.open.len() >= MAX_OPEN_FILES {
                let oldest = self.open.iter().min_by_key(|(_, file)| file.last_used);
                if let Some(oldest) = oldest.map(|(folder, _)| folder.clone()) {
                    self.close(&oldest)?;
                }
            }
            let count = self.counts.entry(folder.to_string()).or_default();
            // Spark's own names.
            let dot = if folder.is_empty() { '-' } else { '.' };
            let name = format!(
                "part-{:05}-{}{dot}c{count:03}.{}",
                self.part,
                self.id,
                self.layout.format.extension()
            );
            *count += 1;
            let location = match folder {
                "" => self.directory.join(&name),
                folder => self.directory.join(folder).join(&name),
            };
            let file = location
                .create()
                .map_err(|error| cannot_write(&location, error))?;
            let file = OpenFile {
                writer: self.layout.format.writer(file, &self.layout.schema)?,
                location,
                rows: 0,
                last_used: 0,
            };
            self.open.insert(folder.to_string(), file);
        }
        let time = self.time;
        let file = self.open.get_mut(folder);
        let file = file.ok_or_else(|| Error::internal("a file is not open"))?;
        file.last_used = time;
        Ok(file)
    }

    fn close(&mut self, folder: &str) -> Result<()> {
        let Some(file) = self.open.remove(folder) else {
            return Ok(());
        };
        let failed = |error| cannot_write(&file.location, error);
        let output = file.writer.finish()?;
        let metadata = output.finish(self.layout.durable).map_err(failed)?;
        self.written.push(WrittenFile {
            folder: folder.to_string(),
            guard: Unfinished(Some(file.location.clone())),
            location: file.location,
            metadata,
        });
        Ok(())
    }
}

/// The folders of the rows of a batch, each with its rows, in the order in which they come.
fn folders(batch: &RecordBatch, columns: &[usize]) -> Vec<(String, Vec<u32>)> {
    let mut folders: HashMap<String, Vec<u32>> = HashMap::new();
    let schema = batch.schema();
    for row in 0..batch.num_rows() {
        let names = columns.iter().map(|column| {
            let values: &ArrayRef = batch.column(*column);
            let value = (!is_null(values, row)).then(|| format_value(values, row));
            folder_name(schema.field(*column).name(), value.as_deref())
        });
        let folder = names.collect::<Vec<_>>().join("/");
        folders.entry(folder).or_default().push(row as u32);
    }
    let mut folders: Vec<_> = folders.into_iter().collect();
    folders.sort_unstable_by_key(|(_, rows)| rows.first().copied());
    folders
}

fn rows_of(batch: &RecordBatch, rows: &UInt32Array) -> Result<RecordBatch, ArrowError> {
    let columns = batch
        .columns()
        .iter()
        .map(|column| take(column, rows, None));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(batch.schema(), columns.collect::<Result<_, _>>()?, &options)
}
