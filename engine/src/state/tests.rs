//! The store against a plain map: random writes and evictions, with restarts in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::{EncodedKeys, StateShard, StateStore};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("value", DataType::Int64, true),
    ]))
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
    let mut store = StateStore::open(directory.path(), false, schema(), 1, 0).unwrap();
    let shard = store.whole().unwrap();
    let mut write = |keys: &[&str], first_value: i64| {
        let column: ArrayRef = Arc::new(StringArray::from_iter_values(keys));
        let encoded = shard.encode(&[column]).unwrap();
        let claim = shard.claim(&encoded);
        let groups = claim.group_of_row.clone();
        let firsts = claim.first_rows.iter();
        let written: Vec<String> = firsts.map(|&row| keys[row as usize].into()).collect();
        let held = shard.held_rows(&claim).unwrap();
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
    let open = |version| StateStore::open(directory.path(), false, schema(), 1, version).unwrap();
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
        assert!(store.whole().unwrap().num_chunks() < 40);
    }
    let mut again = open(300);
    assert!(again.whole().unwrap().num_chunks() < 40);
    assert_eq!(contents(&mut again), contents(&mut store));
    assert_eq!(again.num_keys(), 300 * 300);
}

#[test]
fn a_store_holds_what_a_map_holds() {
    let directory = tempfile::tempdir().unwrap();
    let open = |version| StateStore::open(directory.path(), false, schema(), 1, version).unwrap();
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
            let evicted: usize = shards.map(|shard| shard.evict(version)).sum();
            assert_eq!(evicted, before - model.len());
        }
        if random(3) == 0 {
            let from = random(3000);
            let doomed = |key: &String| (from..from + 300).any(|n| *key == format!("key{n}"));
            let keys = model.keys().filter(|key| doomed(key));
            let keys: Vec<&str> = keys.map(String::as_str).collect();
            for (shard, _, encoded) in by_shard(&mut store, &keys) {
                let slots = (0..encoded.num_keys())
                    .map(|row| shard.find(encoded.hash(row), encoded.key(row)).unwrap());
                let slots: Vec<_> = slots.collect();
                shard.remove(&slots).unwrap();
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
