//! The store against a plain map: random writes and evictions, with restarts in between.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, mpsc};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::columnar::ChunkLimits;
use super::{EncodedKeys, StateShard, StateStore, StateStoreKind, TableShape};
use crate::clock::Stopwatch;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("value", DataType::Int64, true),
    ]))
}

fn one_row_per_key() -> TableShape {
    TableShape::one_row_per_key(1)
}

fn contents(store: &mut StateStore) -> BTreeMap<String, i64> {
    let mut contents = BTreeMap::new();
    for shard in store.shards() {
        let rows = shard.all_rows().unwrap();
        let keys = rows.column(0).as_string::<i32>();
        let values = rows.column(1).as_primitive::<Int64Type>();
        for row in 0..rows.num_rows() {
            let known = contents.insert(keys.value(row).to_string(), values.value(row));
            assert_eq!(known, None, "a key is in one shard");
        }
    }
    contents
}

fn string_column(values: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn keys(numbers: Range<i64>) -> Vec<String> {
    numbers.map(|number| format!("key{number}")).collect()
}

/// Writes a row with this value for each key.
fn put(store: &mut StateStore, keys: &[String], value: i64, expiry: &[Option<i64>]) {
    let shard = store.whole().unwrap();
    let values = Int64Array::from(vec![value; keys.len()]);
    let columns = [string_column(keys), Arc::new(values)];
    let rows = RecordBatch::try_new(schema(), columns.to_vec()).unwrap();
    let encoded = shard.encode(&rows.columns()[..1]).unwrap();
    shard.upsert(rows, encoded, Some(expiry)).unwrap();
}

/// Makes the store look as if it was writing a snapshot, until what this returns is dropped.
fn write_slowly(store: &mut StateStore) -> mpsc::Sender<()> {
    let (done, is_done) = mpsc::channel();
    store.snapshots.start(store.version, move || {
        let _ = is_done.recv();
        Ok(())
    });
    done
}

fn has_snapshot(directory: &Path, version: i64) -> bool {
    directory.join(format!("{version}.snapshot")).exists()
}

/// The shards of a store, each with those of `keys` that are its own.
fn by_shard<'a>(
    store: &'a mut StateStore,
    keys: &[&str],
) -> Vec<(&'a mut StateShard, Vec<String>, EncodedKeys)> {
    let encoder = Arc::clone(store.shards()[0].encoder());
    let column: ArrayRef = Arc::new(StringArray::from_iter_values(keys));
    let encoded = encoder.encode(&[column]).unwrap();
    let shards = store.shards();
    let rows = encoded.rows_of_shards(shards.len());
    let with_keys = |(shard, rows): (&'a mut StateShard, Vec<u32>)| {
        let own = rows.iter().map(|&row| keys[row as usize].to_string());
        (shard, own.collect(), encoder.take(&encoded, &rows))
    };
    shards.iter_mut().zip(rows).map(with_keys).collect()
}

#[test]
fn rows_of_one_key_are_one_group() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = StateStore::open(
        StateStoreKind::Memory,
        &directory.path().into(),
        false,
        schema(),
        one_row_per_key(),
        0,
    )
    .unwrap();
    let shard = store.whole().unwrap();
    let mut write = |keys: &[&str], first_value: i64| {
        let column: ArrayRef = Arc::new(StringArray::from_iter_values(keys));
        let encoded = shard.encode(&[column]).unwrap();
        let claim = shard.claim(&encoded).unwrap();
        let groups = claim.group_of_row.clone();
        let firsts = claim.first_rows.iter();
        let written: Vec<String> = firsts.map(|&row| keys[row as usize].into()).collect();
        let held = shard.held_rows(&claim, &encoded).unwrap();
        let values = (0..written.len() as i64).map(|group| first_value + group);
        let values = Int64Array::from_iter_values(values);
        let columns = [string_column(&written), Arc::new(values)];
        let rows = RecordBatch::try_new(schema(), columns.to_vec()).unwrap();
        let held_groups = claim.held.clone();
        shard.write(claim, rows, encoded, None).unwrap();
        let held = held.column(1).as_primitive::<Int64Type>().values().to_vec();
        (groups, held_groups, held)
    };
    assert_eq!(write(&["a", "b", "a"], 10), (vec![0, 1, 0], vec![], vec![]));
    assert_eq!(
        write(&["c", "b", "c", "a", "b"], 20),
        (vec![0, 1, 0, 2, 1], vec![1, 2], vec![11, 10])
    );
    assert_eq!(store.commit().unwrap(), 1);
    let expected = [("a", 22), ("b", 21), ("c", 20)];
    let expected = expected.map(|(key, value)| (key.to_string(), value));
    assert_eq!(contents(&mut store), BTreeMap::from(expected));
}

#[test]
fn there_are_few_chunks_however_many_batches_there_were() {
    let directory = tempfile::tempdir().unwrap();
    let open = |version| {
        StateStore::open(
            StateStoreKind::Memory,
            &directory.path().into(),
            false,
            schema(),
            one_row_per_key(),
            version,
        )
        .unwrap()
    };
    let mut store = open(0);
    for version in 1..=300_i64 {
        let shard = store.whole().unwrap();
        let keys: Vec<String> = (0..300).map(|key| format!("{version}-{key}")).collect();
        let values = Int64Array::from(vec![version; keys.len()]);
        let columns = [string_column(&keys), Arc::new(values)];
        let rows = RecordBatch::try_new(schema(), columns.to_vec()).unwrap();
        let encoded = shard.encode(&rows.columns()[..1]).unwrap();
        shard.upsert(rows, encoded, None).unwrap();
        assert_eq!(store.commit().unwrap(), version);
        assert!(store.whole().unwrap().chunk_rows().len() < 40);
    }
    let mut again = open(300);
    assert!(again.whole().unwrap().chunk_rows().len() < 10);
    assert_eq!(contents(&mut again), contents(&mut store));
    assert_eq!(again.num_keys(), 300 * 300);
}

#[test]
fn a_store_holds_what_a_map_holds() {
    let directory = tempfile::tempdir().unwrap();
    // Either store goes on with what the other has written.
    let open = |version: i64| {
        let kind = match version % 2 {
            0 => StateStoreKind::Disk,
            _ => StateStoreKind::Memory,
        };
        StateStore::open(
            kind,
            &directory.path().into(),
            false,
            schema(),
            one_row_per_key(),
            version,
        )
        .unwrap()
    };
    let mut store = open(0);
    let mut model: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) % below
    };
    for version in 1..=200_i64 {
        let mut written: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for _ in 0..random(60) {
            let number = random(3000);
            let expiry = (number % 50) as i64 + version;
            written.insert(format!("key{number}"), (random(1000) as i64, expiry));
        }
        let keys: Vec<&str> = written.keys().map(String::as_str).collect();
        for (shard, keys, encoded) in by_shard(&mut store, &keys) {
            let (values, expiry): (Vec<i64>, Vec<Option<i64>>) = keys
                .iter()
                .map(|key| (written[key].0, Some(written[key].1)))
                .unzip();
            let values = Int64Array::from(values);
            let columns = [string_column(&keys), Arc::new(values)];
            let rows = RecordBatch::try_new(schema(), columns.to_vec()).unwrap();
            shard.upsert(rows, encoded, Some(&expiry)).unwrap();
        }
        model.extend(written);
        if random(3) == 0 {
            let before = model.len();
            model.retain(|_, (_, expiry)| *expiry > version);
            let shards = store.shards().iter_mut();
            let evicted: usize = shards.map(|shard| shard.evict(version).unwrap()).sum();
            assert_eq!(evicted, before - model.len());
        }
        if random(3) == 0 {
            let from = random(3000);
            let doomed = |key: &String| (from..from + 300).any(|n| *key == format!("key{n}"));
            let keys = model.keys().filter(|key| doomed(key));
            let keys: Vec<&str> = keys.map(String::as_str).collect();
            for (shard, _, encoded) in by_shard(&mut store, &keys) {
                assert_eq!(shard.remove(&encoded).unwrap(), encoded.num_keys());
            }
            model.retain(|key, _| !doomed(key));
        }
        assert_eq!(store.commit().unwrap(), version);
        if random(10) == 0 {
            store = open(version);
        }
        if random(20) == 0 {
            store.divide(3).unwrap();
        }
        let expected = model
            .iter()
            .map(|(key, (value, _))| (key.clone(), *value))
            .collect();
        assert_eq!(contents(&mut store), expected, "version {version}");
        assert_eq!(store.num_keys(), model.len());
    }
}

#[test]
fn chunks_do_not_grow_without_end() {
    let unlimited = ChunkLimits {
        rows: usize::MAX,
        bytes: usize::MAX,
    };
    let few_rows = ChunkLimits {
        rows: 1000,
        ..unlimited
    };
    let few_bytes = ChunkLimits {
        bytes: 16_000,
        ..unlimited
    };
    // Either way 1000 rows: one has 8 bytes of value, 4 of offset and at least 4 of key.
    for limits in [few_rows, few_bytes] {
        let directory = tempfile::tempdir().unwrap();
        let open = |version| {
            StateStore::open(
                StateStoreKind::Memory,
                &directory.path().into(),
                false,
                schema(),
                one_row_per_key(),
                version,
            )
            .unwrap()
        };
        let mut store = open(0);
        store.whole().unwrap().limit_chunks(limits);
        for version in 0..100_i64 {
            // The second half of the rows of a batch are replaced by the next.
            let keys = keys(version * 100..version * 100 + 200);
            put(&mut store, &keys, version, &[None; 200]);
            store.commit().unwrap();
            let chunks = store.whole().unwrap().chunk_rows();
            assert!(chunks.iter().all(|rows| *rows <= 1000), "{chunks:?}");
            assert!(chunks.len() < 60, "{chunks:?}");
        }
        assert_eq!(store.num_keys(), 10_100);
        let mut again = open(100);
        assert_eq!(contents(&mut again), contents(&mut store));
    }
}

#[test]
fn nothing_is_written_once_a_store_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut store = StateStore::open(
        StateStoreKind::Memory,
        &directory.into(),
        false,
        schema(),
        one_row_per_key(),
        0,
    )
    .unwrap();
    put(&mut store, &keys(0..100_000), 1, &vec![None; 100_000]);
    for _ in 1..=10 {
        store.commit().unwrap();
    }
    drop(store);
    assert!(has_snapshot(directory, 10));
    let temporary = |name: &std::ffi::OsStr| name.to_string_lossy().ends_with(".tmp");
    let mut files = fs::read_dir(directory).unwrap();
    assert!(files.all(|file| !temporary(&file.unwrap().file_name())));
}

#[test]
fn a_snapshot_is_left_out_while_another_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let open = |version| {
        StateStore::open(
            StateStoreKind::Memory,
            &directory.into(),
            false,
            schema(),
            one_row_per_key(),
            version,
        )
        .unwrap()
    };
    let mut store = open(0);
    let mut writing = None;
    for version in 1..=260_i64 {
        match version {
            145 => writing = Some(write_slowly(&mut store)),
            175 => writing = None,
            _ => {}
        }
        if writing.is_none() {
            store.snapshots.wait();
        }
        let keys = keys(version..version + 5);
        put(&mut store, &keys, version, &[Some(version); 5]);
        store.whole().unwrap().evict(version - 7).unwrap();
        assert_eq!(store.commit().unwrap(), version);
    }
    store.snapshots.wait();
    let snapshots = (1..=260).filter(|&version| has_snapshot(directory, version));
    let expected = [140, 180, 190, 200, 210, 220, 230, 240, 250, 260];
    assert_eq!(snapshots.collect::<Vec<_>>(), expected);
    for version in 160..=260 {
        let held = version - 6..version + 5;
        let expected = held.map(|key| (format!("key{key}"), key.min(version)));
        assert_eq!(contents(&mut open(version)), expected.collect());
    }
}

#[test]
fn a_snapshot_of_what_a_version_was_before_a_crash_does_not_count() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let open = |version| {
        StateStore::open(
            StateStoreKind::Memory,
            &directory.into(),
            false,
            schema(),
            one_row_per_key(),
            version,
        )
        .unwrap()
    };
    let held = |value: i64| BTreeMap::from([("key0".to_string(), value)]);
    let mut store = open(0);
    for version in 1..=10 {
        put(&mut store, &keys(0..1), version, &[None]);
        store.commit().unwrap();
    }
    drop(store);
    assert!(has_snapshot(directory, 10));
    let mut store = open(9);
    let writing = write_slowly(&mut store);
    put(&mut store, &keys(0..1), 77, &[None]);
    assert_eq!(store.commit().unwrap(), 10);
    assert_eq!(contents(&mut open(10)), held(77));
    drop(writing);
}

#[test]
fn rows_expire_by_expiry_and_then_by_their_place_in_a_list() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = StateStore::open(
        StateStoreKind::Memory,
        &directory.path().into(),
        false,
        schema(),
        one_row_per_key(),
        0,
    )
    .unwrap();
    put(&mut store, &keys(0..6), 0, &[Some(5); 6]);
    put(&mut store, &keys(1..2), 0, &[Some(3)]);
    put(&mut store, &keys(5..6), 0, &[Some(3)]);
    let shard = store.whole().unwrap();
    let expired = shard.expired(i64::MAX, None).unwrap();
    let expired = expired.column(0).as_string::<i32>().iter().flatten();
    let expected = ["key1", "key5", "key0", "key4", "key2", "key3"];
    assert_eq!(expired.collect::<Vec<_>>(), expected);
    assert_eq!(shard.evict(3).unwrap(), 2);
    assert_eq!(shard.evict(i64::MAX).unwrap(), 4);
    assert_eq!(store.num_keys(), 0);
}

#[test]
fn many_rows_of_one_expiry_cost_what_as_many_of_others_cost() {
    const KEYS: i64 = 100_000;
    let directory = tempfile::tempdir().unwrap();
    let rewriting = |expiry: &dyn Fn(i64) -> i64| {
        let mut store = StateStore::open(
            StateStoreKind::Memory,
            &directory.path().into(),
            false,
            schema(),
            one_row_per_key(),
            0,
        )
        .unwrap();
        let keys = keys(0..KEYS);
        let expiry = |first: i64| -> Vec<_> {
            let expiry = (0..KEYS).map(|key| Some(first + expiry(key)));
            expiry.collect()
        };
        put(&mut store, &keys, 0, &expiry(0));
        let again = expiry(2 * KEYS);
        let watch = Stopwatch::start();
        put(&mut store, &keys, 0, &again);
        watch.elapsed()
    };
    let (others, one) = (rewriting(&|key| key), rewriting(&|_| 0));
    assert!(one < 10 * others, "{one:?} instead of {others:?}");
}

#[test]
fn rows_written_without_an_expiry_get_it_from_their_keys() {
    let directory = tempfile::tempdir().unwrap();
    let open = |version| {
        StateStore::open(
            StateStoreKind::Memory,
            &directory.path().into(),
            false,
            schema(),
            one_row_per_key(),
            version,
        )
        .unwrap()
    };
    let from_keys = |keys: &[ArrayRef]| {
        let keys = keys[0].as_string::<i32>().iter();
        let expiry = keys.map(|key| key?.trim_start_matches("key").parse().ok());
        Ok(expiry.collect())
    };
    let mut store = open(0);
    put(&mut store, &keys(0..10), 1, &[None; 10]);
    store.commit().unwrap();
    let mut store = open(1);
    assert!(!store.has_expired(i64::MAX));
    store.expire_by(from_keys).unwrap();
    assert_eq!(store.whole().unwrap().evict(4).unwrap(), 5);
    put(&mut store, &keys(9..11), 2, &[Some(9), Some(10)]);
    store.commit().unwrap();
    let left = contents(&mut store);
    assert_eq!(left.len(), 6);
    // The files hold what the store did, whoever reads them.
    let mut store = open(2);
    assert_eq!(contents(&mut store), left);
    store.expire_by(from_keys).unwrap();
    assert!(store.whole().unwrap().changes().0.is_empty());
    assert_eq!(store.whole().unwrap().evict(9).unwrap(), 5);
}
