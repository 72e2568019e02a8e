//! The store against a plain map: random writes and evictions, with restarts in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::StateStore;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("value", DataType::Int64, true),
    ]))
}

fn contents(store: &StateStore) -> BTreeMap<String, i64> {
    let rows = store.all_rows().unwrap();
    let keys = rows.column(0).as_string::<i32>();
    let values = rows.column(1).as_primitive::<Int64Type>();
    (0..rows.num_rows())
        .map(|row| (keys.value(row).to_string(), values.value(row)))
        .collect()
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
        let keys: StringArray = written.keys().map(|key| Some(key.as_str())).collect();
        let values: Int64Array = written.values().map(|(value, _)| Some(*value)).collect();
        let expiry: Vec<Option<i64>> = written.values().map(|(_, expiry)| Some(*expiry)).collect();
        let rows = RecordBatch::try_new(schema(), vec![Arc::new(keys), Arc::new(values)]).unwrap();
        let encoded = store.encode(&rows.columns()[..1]).unwrap();
        store.upsert(rows, encoded, Some(&expiry)).unwrap();
        model.extend(written);
        if random(3) == 0 {
            let before = model.len();
            model.retain(|_, (_, expiry)| *expiry > version);
            assert_eq!(store.evict(version), before - model.len());
        }
        if random(3) == 0 {
            let from = random(3000);
            let doomed = |key: &String| (from..from + 300).any(|n| *key == format!("key{n}"));
            let keys: StringArray = model.keys().filter(|key| doomed(key)).map(Some).collect();
            let encoded = store.encode(&[Arc::new(keys)]).unwrap();
            let slots = (0..encoded.num_keys())
                .map(|row| store.find(encoded.hash(row), encoded.key(row)).unwrap());
            let slots: Vec<_> = slots.collect();
            store.remove(&slots).unwrap();
            model.retain(|key, _| !doomed(key));
        }
        assert_eq!(store.commit().unwrap(), version);
        if random(10) == 0 {
            store = open(version);
        }
        let expected = model
            .iter()
            .map(|(key, (value, _))| (key.clone(), *value))
            .collect();
        assert_eq!(contents(&store), expected, "version {version}");
        assert_eq!(store.num_keys(), model.len());
    }
}
