//! Serves calls of such a function: groups come and go as JSON.

use std::fmt::Display;
use std::sync::Arc;
use std::thread::available_parallelism;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::state::{GroupState, GroupStateTimeout, Times};
use crate::callbacks;
use crate::error::{Error, Result};
use crate::types::{DataType, StructField};
use crate::wire::{Call, Function, Group, GroupResult};

/// What such a function gives: a `Vec` of rows, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a function of groups cannot give `{Self}`",
    label = "must be a `Vec` of rows that are `Serialize`, or a `Result` of one"
)]
pub trait GroupRows {
    /// The rows in JSON.
    ///
    /// # Errors
    /// If it is one, or a row cannot be written.
    fn into_json(self) -> Result<Vec<Json>>;
}

impl<T: Serialize> GroupRows for Vec<T> {
    fn into_json(self) -> Result<Vec<Json>> {
        let rows = self.iter().map(serde_json::to_value);
        rows.collect::<Result<_, _>>().map_err(Error::from)
    }
}

impl<T: Serialize, E: Display> GroupRows for std::result::Result<Vec<T>, E> {
    fn into_json(self) -> Result<Vec<Json>> {
        self.map_err(|error| Error::new(error.to_string()))?
            .into_json()
    }
}

/// Makes the function known to the kernel, and gives its id.
pub(super) fn register<K, In, S, Out, F>(
    output: &str,
    schema: &DataType,
    timeout: GroupStateTimeout,
    function: F,
) -> Result<String>
where
    K: DeserializeOwned,
    In: DeserializeOwned,
    S: Serialize + DeserializeOwned,
    Out: GroupRows,
    F: Fn(K, Vec<In>, &mut GroupState<S>) -> Out + Send + Sync + 'static,
{
    schema.field_names()?;
    let columns = schema.fields().to_vec();
    let serve = move |request, body: Vec<u8>| match request {
        Call::Groups {
            batch_timestamp_ms,
            watermark_ms,
        } => {
            let times = Times {
                batch_timestamp_ms,
                watermark_ms,
            };
            let groups: Vec<Group> = serde_json::from_slice(&body)?;
            let results = groups.into_iter().map(|group| {
                let state = read_state(group.state, group.has_timed_out, timeout, times)?;
                call(&function, group.key, group.rows, state, &columns)
            });
            Ok(serde_json::to_vec(&results.collect::<Result<Vec<_>>>()?)?)
        }
        other => Err(callbacks::unexpected(&other)),
    };
    let known = Function::GroupsWithState {
        output: output.to_string(),
        timeout: timeout.name().to_string(),
    };
    let threads = available_parallelism().map_or(1, usize::from);
    callbacks::register("groups", known, threads, Arc::new(serve))
}

fn call<K, In, S, Out>(
    function: impl Fn(K, Vec<In>, &mut GroupState<S>) -> Out,
    key: Vec<Json>,
    rows: Vec<Json>,
    mut state: GroupState<S>,
    columns: &[StructField],
) -> Result<GroupResult>
where
    K: DeserializeOwned,
    In: DeserializeOwned,
    S: Serialize,
    Out: GroupRows,
{
    let rows = rows.into_iter().map(|row| read(row, "a row"));
    let rows = rows.collect::<Result<_>>()?;
    let given = function(read_key(key)?, rows, &mut state).into_json()?;
    let left = state.leave()?;
    Ok(GroupResult {
        rows: given.into_iter().map(|row| by_name(row, columns)).collect(),
        state: left.value.map(serde_json::to_value).transpose()?,
        timeout_ms: left.timeout_ms,
    })
}

fn read_state<S: DeserializeOwned>(
    state: Option<Json>,
    has_timed_out: bool,
    timeout: GroupStateTimeout,
    times: Times,
) -> Result<GroupState<S>> {
    let state = state.map(|state| read(state, "the state")).transpose()?;
    Ok(GroupState::new(state, has_timed_out, timeout, times))
}

/// One value is the key itself; several are a tuple.
pub(in crate::streaming) fn read_key<K: DeserializeOwned>(mut key: Vec<Json>) -> Result<K> {
    if let [one] = key.as_mut_slice()
        && let Ok(key) = serde_json::from_value(one.clone())
    {
        return Ok(key);
    }
    read(Json::Array(key), "the key")
}

pub(in crate::streaming) fn read<T: DeserializeOwned>(json: Json, what: &str) -> Result<T> {
    serde_json::from_value(json)
        .map_err(|error| Error::new(format!("{what} of a group does not fit its type: {error}")))
}

/// A row as an object: a tuple has its values in the order of the columns, anything else that is
/// not an object is the value of the only one.
pub(in crate::streaming) fn by_name(row: Json, columns: &[StructField]) -> Json {
    let names = columns.iter().map(|column| column.name.clone());
    match (row, columns) {
        (Json::Object(row), _) => row.into(),
        (row, [one]) if matches!(one.data_type, DataType::Array { .. }) => {
            Map::from_iter(names.zip([row])).into()
        }
        (Json::Array(values), _) => Map::from_iter(names.zip(values)).into(),
        (row, _) => Map::from_iter(names.zip([row])).into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{by_name, read_key};
    use crate::types::DataType;

    #[test]
    fn keys_are_values_or_tuples() {
        assert_eq!(read_key::<String>(vec![json!("a")]).unwrap(), "a");
        assert_eq!(
            read_key::<(String,)>(vec![json!("a")]).unwrap(),
            ("a".to_string(),)
        );
        let pair: (String, i64) = read_key(vec![json!("a"), json!(1)]).unwrap();
        assert_eq!(pair, ("a".to_string(), 1));
        assert!(read_key::<i64>(vec![json!("a")]).is_err());
    }

    fn check(ddl: &str, row: Json, object: Json) {
        let schema = DataType::from_ddl(ddl).unwrap();
        assert_eq!(by_name(row, schema.fields()), object);
    }

    #[test]
    fn rows_become_objects() {
        check(
            "user STRING, n INT",
            json!(["a", 1]),
            json!({"user": "a", "n": 1}),
        );
        check("user STRING, n INT", json!({"n": 1}), json!({"n": 1}));
        check("n INT", json!(7), json!({"n": 7}));
        check("n INT", json!([7]), json!({"n": 7}));
        check("n ARRAY<INT>", json!([7]), json!({"n": [7]}));
    }
}
