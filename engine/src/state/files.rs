//! The state on disk: `V.delta` with what version V changed, `V.snapshot` with all of it.
//!
//! Both are Arrow IPC streams of the state's columns followed by `__expiry`; a delta's schema
//! metadata says how many of the columns are the key, and through which expiry rows were evicted
//! after the delta's rows were written.
//! Each ends with a checksum.
//! Version V is the newest snapshot at or before V and every delta after it.

use std::collections::HashMap;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::WINDOW_DURATION_US;
use super::checksum::{Summed, damage};
use super::table::HeldStill;
use crate::checkpointing::CheckpointFileManager;
use crate::error::{Error, ErrorKind, Hint, Result, hint};
use crate::storage::Location;

const EXPIRY_COLUMN: &str = "__expiry";
const EVICTED_THROUGH: &str = "tidebook.evictedThrough";
const KEY_COLUMNS: &str = "tidebook.keyColumns";

/// So many versions stay readable, as many as the offset log keeps batches.
const VERSIONS_TO_RETAIN: i64 = 100;

/// So many rows are encoded at once, so that they stay in the processor's cache.
const ROWS_AT_ONCE: usize = 4096;

#[derive(Debug, Clone)]
pub(super) struct StateFiles {
    files: CheckpointFileManager,
    key_columns: usize,
    pub(super) versions_to_retain: i64,
}

/// Rows to be written, some at a time.
type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// The content of one file.
pub(super) struct Delta {
    pub(super) rows: Vec<RecordBatch>,
    pub(super) evicted_through: Option<i64>,
}

impl StateFiles {
    /// The files in `directory`; `key_columns` of the state's columns are the key.
    pub(super) fn new(directory: impl Into<Location>, durable: bool, key_columns: usize) -> Self {
        Self {
            files: CheckpointFileManager::new(directory, durable),
            key_columns,
            versions_to_retain: VERSIONS_TO_RETAIN,
        }
    }

    /// The oldest and the newest version that can be read, if there are any besides 0.
    pub(super) fn readable(&self) -> Result<Option<(i64, i64)>> {
        let (deltas, snapshots) = (self.versions("delta")?, self.versions("snapshot")?);
        let newest = deltas.iter().chain(&snapshots).max().copied();
        let oldest = match deltas.contains(&1) {
            true => Some(1),
            false => snapshots.into_iter().min(),
        };
        Ok(oldest.zip(newest))
    }

    /// The columns of `version`, and how many of them are the key.
    pub(super) fn written(&self, version: i64) -> Result<(SchemaRef, usize)> {
        let snapshots = self.versions("snapshot")?;
        let kind = match snapshots.contains(&version) {
            true => "snapshot",
            false => "delta",
        };
        let written = self.reader(&name(version, kind))?.schema();
        let keys = written.metadata().get(KEY_COLUMNS);
        let keys = keys.and_then(|count| count.parse().ok()).unwrap_or(1);
        let fields = written.fields().iter();
        let own: Vec<_> = fields
            .filter(|field| field.name() != EXPIRY_COLUMN)
            .cloned()
            .collect();
        Ok((Arc::new(Schema::new(own)), keys))
    }

    /// What changed with `version`.
    pub(super) fn delta(&self, version: i64, schema: &SchemaRef) -> Result<Delta> {
        self.read(&name(version, "delta"), schema)
    }

    /// What has to be applied, in order, to reach `version`.
    pub(super) fn load(&self, version: i64, schema: &SchemaRef) -> Result<Vec<Delta>> {
        if version == 0 {
            return Ok(Vec::new());
        }
        let snapshot = self
            .versions("snapshot")?
            .into_iter()
            .filter(|snapshot| *snapshot <= version)
            .max();
        let mut deltas = Vec::new();
        if let Some(snapshot) = snapshot {
            deltas.push(self.read(&name(snapshot, "snapshot"), schema)?);
        }
        for delta in snapshot.unwrap_or(0) + 1..=version {
            deltas.push(self.delta(delta, schema)?);
        }
        Ok(deltas)
    }

    /// The newest version at or before `version` of which there is a file; 0 if there is none.
    pub(super) fn newest(&self, version: i64) -> Result<i64> {
        let mut written = self.versions("delta")?;
        written.extend(self.versions("snapshot")?);
        let known = written.into_iter().filter(|known| *known <= version);
        Ok(known.max().unwrap_or(0))
    }

    /// Writes what changed with `version`. When the version is written again, a snapshot of what it
    /// was the first time is no longer one.
    pub(super) fn write_delta(
        &self,
        version: i64,
        schema: &SchemaRef,
        rows: &[RecordBatch],
        evicted_through: Option<i64>,
    ) -> Result<()> {
        self.files.delete(&name(version, "snapshot"))?;
        let slices = || Box::new(rows.iter().flat_map(slices)) as Batches<'_>;
        self.write(version, "delta", schema, &slices, evicted_through)
    }

    /// Writes all `rows` of `version` and then drops files that no version needs any more.
    pub(super) fn write_snapshot(
        &self,
        version: i64,
        schema: &SchemaRef,
        rows: &[HeldStill],
    ) -> Result<()> {
        let stored = || {
            let parts = rows
                .iter()
                .flat_map(|rows| match rows.stored(ROWS_AT_ONCE) {
                    Ok(batches) => batches,
                    Err(error) => Box::new(std::iter::once(Err(error))),
                });
            Box::new(parts) as Batches<'_>
        };
        self.write(version, "snapshot", schema, &stored, None)?;
        self.purge(version - self.versions_to_retain)
    }

    /// Drops what no version from `oldest` on needs.
    fn purge(&self, oldest: i64) -> Result<()> {
        let snapshots = self.versions("snapshot")?;
        let Some(base) = snapshots.iter().copied().filter(|v| *v <= oldest).max() else {
            return Ok(());
        };
        for (kind, keep_from) in [("snapshot", base), ("delta", base + 1)] {
            for version in self.versions(kind)? {
                if version < keep_from {
                    self.files.delete(&name(version, kind))?;
                }
            }
        }
        Ok(())
    }

    fn write<'a>(
        &self,
        version: i64,
        kind: &str,
        schema: &SchemaRef,
        rows: &dyn Fn() -> Batches<'a>,
        evicted_through: Option<i64>,
    ) -> Result<()> {
        let evicted = evicted_through.map(|through| (EVICTED_THROUGH, through.to_string()));
        let facts = std::iter::once((KEY_COLUMNS, self.key_columns.to_string())).chain(evicted);
        let facts = facts.map(|(key, value)| (key.to_string(), value)).collect();
        let schema = stored_schema(schema).as_ref().clone().with_metadata(facts);
        let content = |file: &mut dyn Write| write_rows(file, &schema, rows());
        let written = self.files.replace(&name(version, kind), &content);
        written.map_err(|error| error.context(format!("write state version {version}")))
    }

    fn versions(&self, kind: &str) -> Result<Vec<i64>> {
        let names = self.files.list()?;
        let version = |name: &String| {
            let (version, extension) = name.split_once('.')?;
            (extension == kind).then(|| version.parse().ok()).flatten()
        };
        Ok(names.iter().filter_map(version).collect())
    }

    /// Refuses state of other types than `schema` has; names do not matter.
    fn check_columns(&self, written: &Schema, schema: &Schema) -> Result<()> {
        let types = |schema: &Schema| -> Vec<DataType> {
            let fields = schema.fields().iter();
            let fields = fields.filter(|field| field.name() != EXPIRY_COLUMN);
            fields.map(|field| field.data_type().clone()).collect()
        };
        let (theirs, ours) = (types(written), types(schema));
        let their_keys = written.metadata().get(KEY_COLUMNS);
        let their_keys = their_keys.and_then(|count| count.parse().ok());
        let their_keys: usize = their_keys.unwrap_or(self.key_columns);
        if theirs == ours && their_keys == self.key_columns {
            return Ok(());
        }
        let condition = if theirs
            .iter()
            .take(their_keys)
            .eq(ours.iter().take(self.key_columns))
        {
            "STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE"
        } else {
            "STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE"
        };
        let message = format!(
            "the state in '{}' was written by another query: it holds [{}], this query needs [{}]",
            self.files.root().display(),
            names(written),
            names(schema),
        );
        Err(Error::new(ErrorKind::StreamingQuery, message)
            .with_condition(condition)
            .with_hint([
                hint::say("start the changed query with a new "),
                hint::checkpoint(),
                hint::say(" directory"),
            ]))
    }

    fn read(&self, name: &str, schema: &SchemaRef) -> Result<Delta> {
        let reader = self.reader(name)?;
        let written = reader.schema();
        self.check_columns(&written, schema)?;
        let evicted_through = written
            .metadata()
            .get(EVICTED_THROUGH)
            .and_then(|through| through.parse().ok());
        let rows = reader
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| self.unreadable(name, error))?;
        Ok(Delta {
            rows,
            evicted_through,
        })
    }

    fn unreadable(&self, name: &str, error: ArrowError) -> Error {
        let path = self.files.root().join(name);
        Error::internal(format!("read state {}: {error}", path.display()))
    }

    /// Opens a file that is not damaged.
    fn reader(&self, name: &str) -> Result<StreamReader<BufReader<impl Read>>> {
        let path = self.files.root().join(name);
        let what = || format!("read state {}", path.display());
        let open = || -> io::Result<_> {
            let input = path.open()?;
            let damage = damage(input.read_from(0)?, input.metadata().size)?;
            Ok((input.read_from(0)?, damage))
        };
        let hint = Hint::from([
            hint::say("put an undamaged copy back, or start anew with another "),
            hint::checkpoint(),
            hint::say(" and another output"),
        ]);
        let (file, damage) =
            open().map_err(|error| Error::io(what(), error).with_hint(hint.clone()))?;
        if let Some(why) = damage {
            let message = format!("the state file '{}' is damaged: {why}", path.display());
            return Err(Error::new(ErrorKind::Io, message)
                .with_condition("CHECKPOINT_FILE_CHECKSUM_VERIFICATION_FAILED")
                .with_hint(hint));
        }
        let reader = StreamReader::try_new(BufReader::new(file), None);
        reader.map_err(|error| self.unreadable(name, error))
    }
}

/// The rows of `batch`, a few at a time.
fn slices(batch: &RecordBatch) -> impl Iterator<Item = Result<RecordBatch>> {
    let starts = (0..batch.num_rows()).step_by(ROWS_AT_ONCE);
    starts.map(move |from| Ok(batch.slice(from, ROWS_AT_ONCE.min(batch.num_rows() - from))))
}

fn write_rows(
    file: &mut dyn Write,
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> io::Result<()> {
    let mut file = Summed::new(BufWriter::new(file));
    let mut writer = StreamWriter::try_new(&mut file, schema).map_err(io_error)?;
    for batch in batches {
        let batch = batch.map_err(io::Error::other)?;
        writer.write(&batch).map_err(io_error)?;
    }
    writer.finish().map_err(io_error)?;
    drop(writer);
    file.finish()
}

fn io_error(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    }
}

fn name(version: i64, kind: &str) -> String {
    format!("{version}.{kind}")
}

/// Appends the expiry column; without `expiry`, the rows never expire.
pub(super) fn with_expiry(
    rows: &RecordBatch,
    expiry: Option<&[Option<i64>]>,
) -> Result<RecordBatch> {
    let expiry: Int64Array = match expiry {
        Some(expiry) => expiry.iter().copied().collect(),
        None => Int64Array::new_null(rows.num_rows()),
    };
    stored(rows, expiry)
}

/// Rows as the files hold them: with their expiry as the last column.
pub(super) fn stored(rows: &RecordBatch, expiry: Int64Array) -> Result<RecordBatch> {
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(expiry));
    RecordBatch::try_new(stored_schema(rows.schema_ref()), columns)
        .map_err(|error| Error::internal(format!("state: {error}")))
}

/// The inverse of [`stored`], with the operator's own schema.
pub(super) fn split_expiry(
    rows: &RecordBatch,
    schema: &SchemaRef,
) -> Result<(RecordBatch, Vec<Option<i64>>)> {
    let (expiry, columns) = rows
        .columns()
        .split_last()
        .ok_or_else(|| Error::internal("state: rows without columns"))?;
    let expiry = expiry.as_primitive::<Int64Type>();
    let expiry = (0..expiry.len())
        .map(|row| expiry.is_valid(row).then(|| expiry.value(row)))
        .collect();
    let rows = RecordBatch::try_new(schema.clone(), columns.to_vec())
        .map_err(|error| Error::internal(format!("state: {error}")))?;
    Ok((rows, expiry))
}

fn stored_schema(schema: &SchemaRef) -> SchemaRef {
    let mut fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| Field::clone(field).with_metadata(kept_metadata(field)))
        .collect();
    fields.push(Field::new(EXPIRY_COLUMN, DataType::Int64, true));
    Arc::new(Schema::new(fields))
}

/// Of what is known of a column, the files hold what says what its values mean.
fn kept_metadata(field: &Field) -> HashMap<String, String> {
    let duration = field.metadata().get_key_value(WINDOW_DURATION_US);
    let duration = duration.map(|(key, value)| (key.clone(), value.clone()));
    duration.into_iter().collect()
}

fn names(schema: &Schema) -> String {
    let fields = schema.fields().iter();
    let named = fields.filter(|field| field.name() != EXPIRY_COLUMN);
    let named = named.map(|field| format!("{} {}", field.name(), field.data_type()));
    named.collect::<Vec<_>>().join(", ")
}
