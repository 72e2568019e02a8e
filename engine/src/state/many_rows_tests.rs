//! A table with many rows per key against a plain map: random writes, evictions and removals, with
//! restarts in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::{EncodedKeys, StateShard, StateStore, StateStoreKind, TableShape};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("order", DataType::Int64, false),
        Field::new("value", DataType::Int64, true),
    ]))
}

/// Key and order of each row, with its value and its expiry.
type Model = BTreeMap<(Option<String>, i64), (i64, i64)>;

fn key_columns(rows: &[(Option<String>, i64)]) -> Vec<ArrayRef> {
    let keys: StringArray = rows.iter().map(|(key, _)| key.as_deref()).collect();
    let orders = Int64Array::from_iter_values(rows.iter().map(|(_, order)| *order));
    vec![Arc::new(keys), Arc::new(orders)]
}

fn put(shard: &mut StateShard, written: &Model) {
    let rows: Vec<_> = written.keys().cloned().collect();
    let mut columns = key_columns(&rows);
    let encoded = shard.encode(&columns).unwrap();
    let values = Int64Array::from_iter_values(written.values().map(|(value, _)| *value));
    columns.push(Arc::new(values));
    let rows = RecordBatch::try_new(schema(), columns).unwrap();
    let expiry: Vec<_> = written.values().map(|(_, at)| Some(*at)).collect();
    shard.upsert(rows, encoded, Some(&expiry)).unwrap();
}

fn shared_keys(shard: &StateShard, keys: &[Option<String>]) -> EncodedKeys {
    let keys: StringArray = keys.iter().map(Option::as_deref).collect();
    let encoder = shard.shared_encoder().unwrap();
    encoder.encode(&[Arc::new(keys) as ArrayRef]).unwrap()
}

/// All rows of some keys: the number of the key, the order, the value.
fn sharing(shard: &StateShard, keys: &[Option<String>]) -> Vec<(u32, i64, i64)> {
    let held = shard.sharing(&shared_keys(shard, keys)).unwrap();
    let orders = held.rows.column(1).as_primitive::<Int64Type>();
    let values = held.rows.column(2).as_primitive::<Int64Type>();
    let numbers = held.numbers.iter().enumerate();
    let mut rows: Vec<_> = numbers
        .map(|(row, &number)| (number, orders.value(row), values.value(row)))
        .collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_table_gives_all_rows_that_share_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let shape = TableShape::many_rows_per_key(1);
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
            shape,
            version,
        )
        .unwrap()
    };
    let mut store = open(0);
    let mut model = Model::new();
    let mut seed = 11_u64;
    let mut random = |below: u64| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((seed >> 33) % below) as i64
    };
    let key_of = |number: i64| (number > 0).then(|| format!("key{number}"));
    for version in 1..=200_i64 {
        let shard = store.whole().unwrap();
        let mut written = Model::new();
        for _ in 0..random(80) {
            let row = (key_of(random(12)), random(300));
            written.insert(row, (random(1000), version + random(60)));
        }
        put(shard, &written);
        model.extend(written);
        if random(3) == 0 {
            let before = model.len();
            model.retain(|_, (_, expiry)| *expiry > version);
            assert_eq!(shard.evict(version).unwrap(), before - model.len());
        }
        if random(4) == 0 {
            let doomed: Vec<_> = model.keys().filter(|(_, order)| order % 7 == 0).collect();
            let doomed: Vec<_> = doomed.into_iter().cloned().collect();
            let encoded = shard.encode(&key_columns(&doomed)).unwrap();
            assert_eq!(shard.remove(&encoded).unwrap(), doomed.len());
            model.retain(|(_, order), _| order % 7 != 0);
        }
        store.commit().unwrap();
        if random(10) == 0 {
            store = open(version);
        }
        let shard = store.whole().unwrap();
        let keys: Vec<_> = (0..14).map(key_of).collect();
        let expected = keys.iter().enumerate().flat_map(|(number, key)| {
            let rows = model.iter().filter(move |((own, _), _)| own == key);
            rows.map(move |((_, order), (value, _))| (number as u32, *order, *value))
        });
        assert_eq!(
            sharing(shard, &keys),
            expected.collect::<Vec<_>>(),
            "version {version}"
        );
        let highest = model.keys().map(|(_, order)| *order).max();
        assert!(shard.highest_order() >= highest);
        assert_eq!(shard.is_empty(), model.is_empty());
        assert_eq!(store.num_keys(), model.len());
    }
}

#[test]
fn a_table_with_many_rows_per_key_is_divided_by_that_key() {
    let directory = tempfile::tempdir().unwrap();
    let open = |version| {
        StateStore::open(
            StateStoreKind::Memory,
            &directory.path().into(),
            false,
            schema(),
            TableShape::many_rows_per_key(1),
            version,
        )
        .unwrap()
    };
    let key_of = |number: i64| (number > 0).then(|| format!("key{number}"));
    let row = |key: i64, order: i64| ((key_of(key), order), (10 * key + order, 100 + order));
    let mut model: Model = (0..40)
        .map(|row_of| row(row_of % 10, row_of / 10))
        .collect();
    let mut store = open(0);
    put(store.whole().unwrap(), &model);
    store.divide(4).unwrap();
    assert!(store.whole().is_err());

    // Each shard has all rows of its keys, takes more of them, and forgets those that expire.
    let more: Model = (0..10).map(|key| row(key, 4)).collect();
    let keys: Vec<_> = (0..10).map(key_of).collect();
    let parts = shared_keys(&store.shards()[0], &keys).rows_of_shards(4);
    assert!(parts.iter().filter(|keys| !keys.is_empty()).count() > 1);
    for (shard, part) in store.shards().iter_mut().zip(parts) {
        let own: Vec<_> = part.iter().map(|&key| key_of(i64::from(key))).collect();
        let of_own = |model: &Model| -> Model {
            let rows = model.iter().filter(|((key, _), _)| own.contains(key));
            rows.map(|(row, values)| (row.clone(), *values)).collect()
        };
        put(shard, &of_own(&more));
        assert_eq!(sharing(shard, &own).len(), 5 * own.len());
        shard.evict(101).unwrap();
    }
    model.extend(more);
    model.retain(|_, (_, expiry)| *expiry > 101);
    assert_eq!(store.num_keys(), model.len());

    // The files know nothing of the shards.
    let version = store.commit().unwrap();
    let mut again = open(version);
    let expected = keys.iter().enumerate().flat_map(|(number, key)| {
        let rows = model.iter().filter(move |((own, _), _)| own == key);
        rows.map(move |((_, order), (value, _))| (number as u32, *order, *value))
    });
    assert_eq!(
        sharing(again.whole().unwrap(), &keys),
        expected.collect::<Vec<_>>()
    );
}
