//! Maps of given entries: `map`, `map_concat`, `map_from_arrays`, `map_from_entries`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_empty_array};
use arrow::compute::take;
use arrow::datatypes::DataType;

use super::entries::{check_key_type, common, key_and_value, widened};
use super::lists::{Lists, Maps, Picks, failed};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of, map_of};
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "map",
        forms: &[&[Takes::Rest(&Takes::Any)]],
        returns: Returns::By(map_type),
        call: map,
        doc: "A map of keys and values, which take turns; no key may be NULL or come twice.",
        example: "SELECT map('a', 1, 'b', 2)",
        ..SCALAR
    },
    Scalar {
        name: "map_concat",
        forms: &[&[Takes::Rest(&Takes::Alike)]],
        returns: Returns::By(|inputs| match inputs.types.first() {
            Some(map @ DataType::Map(..)) => Ok(map.clone()),
            None => Ok(map_of(DataType::Utf8, DataType::Utf8)),
            Some(other) => Err(Error::analysis(format!(
                "map_concat takes maps, not {}",
                sql_type(other)
            ))
            .with_condition("DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES")),
        }),
        call: map_concat,
        doc: "A map with the entries of all maps; no key may come twice.",
        example: "SELECT map_concat(map('a', 1), map('b', 2))",
        ..SCALAR
    },
    Scalar {
        name: "map_from_arrays",
        forms: &[&[Takes::Array, Takes::Array]],
        returns: Returns::By(|inputs| {
            let [keys, values] = inputs.first()?.each_ref().map(|array| match array {
                DataType::List(item) => item.data_type().clone(),
                _ => DataType::Null,
            });
            check_key_type(&keys)?;
            Ok(map_of(keys, values))
        }),
        call: map_from_arrays,
        doc: "A map of an array of keys and one of values, which must be equally long.",
        example: "SELECT map_from_arrays(array('a', 'b'), array(1, 2))",
        ..SCALAR
    },
    Scalar {
        name: "map_from_entries",
        forms: &[&[Takes::Array]],
        returns: Returns::By(|inputs| {
            let array = inputs.data_type(0)?;
            if let DataType::List(item) = array
                && let DataType::Struct(fields) = item.data_type()
                && let [key, value] = fields.as_ref()
            {
                check_key_type(key.data_type())?;
                return Ok(map_of(key.data_type().clone(), value.data_type().clone()));
            }
            Err(Error::analysis(format!(
                "map_from_entries takes an array of structs of two fields, not {}",
                sql_type(array)
            ))
            .with_condition("DATATYPE_MISMATCH.MAP_FROM_ENTRIES_WRONG_TYPE"))
        }),
        call: map_from_entries,
        doc: "A map of an array of structs of a key and a value; NULL if a struct is NULL.",
        example: "SELECT map_from_entries(array(struct('a', 1), struct('b', 2)))",
        ..SCALAR
    },
    Scalar {
        name: "map_entries",
        forms: &[&[Takes::Map]],
        returns: Returns::By(|inputs| match inputs.data_type(0)? {
            DataType::Map(entries, _) => Ok(list_of(entries.data_type().clone())),
            other => Ok(other.clone()),
        }),
        call: map_entries,
        doc: "The entries of a map as an array of structs of key and value.",
        example: "SELECT map_entries(map('a', 1))",
        ..SCALAR
    },
];

fn map_type(inputs: &Inputs<'_>) -> Result<DataType> {
    let types = &inputs.types;
    if types.len() % 2 == 1 {
        return Err(Error::analysis("map needs a value for each key")
            .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
            .with_hint("map('a', 1, 'b', 2)"));
    }
    let key = common("map", types.iter().step_by(2))?;
    check_key_type(&key)?;
    Ok(map_of(key, common("map", types.iter().skip(1).step_by(2))?))
}

fn map(call: &Call<'_>) -> Result<ArrayRef> {
    let (key, value) = key_and_value(call.returns)?;
    let part = |skipped: usize, data_type: &DataType| {
        let part = call.arguments.iter().skip(skipped).step_by(2);
        part.map(|part| widened(part, data_type))
            .collect::<Result<Vec<_>>>()
    };
    let (mut keys, mut values) = (part(0, key.data_type())?, part(1, value.data_type())?);
    let entries = keys.len();
    if entries == 0 {
        keys.push(new_empty_array(key.data_type()));
        values.push(new_empty_array(value.data_type()));
    }
    let picks = Picks::of_rows(call.rows, |row, picks| {
        (0..entries).for_each(|entry| picks.push(entry, row));
        Some(())
    });
    picks.maps(
        &keys.iter().collect::<Vec<_>>(),
        &values.iter().collect::<Vec<_>>(),
        call.returns,
    )
}

fn map_concat(call: &Call<'_>) -> Result<ArrayRef> {
    let none = [new_empty_array(call.returns)];
    let maps = match call.len() {
        0 => &none[..],
        _ => &call.arguments[..],
    };
    let maps: Vec<Maps<'_>> = maps.iter().map(Maps::new).collect();
    let picks = Picks::of_rows(call.rows, |row, picks| {
        for (source, maps) in maps.iter().enumerate().take(call.len()) {
            picks.extend(source, maps.row(row)?);
        }
        Some(())
    });
    let keys: Vec<&ArrayRef> = maps.iter().map(|maps| &maps.keys).collect();
    let values: Vec<&ArrayRef> = maps.iter().map(|maps| &maps.values).collect();
    picks.maps(&keys, &values, call.returns)
}

fn map_from_arrays(call: &Call<'_>) -> Result<ArrayRef> {
    let [keys, values] = call.first()?.each_ref().map(Lists::new);
    // Keys and values are picked side by side, but stand at different places.
    let mut of_values = Vec::new();
    let picks = Picks::try_of_rows(call.rows, |row, picks| {
        let (Some(ours), Some(theirs)) = (keys.row(row), values.row(row)) else {
            return Ok(None);
        };
        if ours.len() != theirs.len() {
            return Err(Error::runtime(format!(
                "map_from_arrays has {} keys and {} values",
                ours.len(),
                theirs.len()
            ))
            .with_hint("compare size(keys) and size(values) first"));
        }
        of_values.extend(theirs.map(|element| element as u32));
        picks.extend(0, ours);
        Ok(Some(()))
    })?;
    let of_values = UInt32Array::from(of_values);
    let of_values = take(values.elements(), &of_values, None);
    picks.maps_of(
        picks.values(&[keys.elements()])?,
        of_values.map_err(failed)?,
        call.returns,
    )
}

fn map_from_entries(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let picks = Picks::of_rows(call.rows, |row, picks| {
        let range = lists.row(row)?;
        let has_null = range.clone().any(|entry| lists.is_null(entry));
        (!has_null).then(|| picks.extend(0, range))
    });
    let entries = lists.elements().as_struct();
    picks.maps(&[entries.column(0)], &[entries.column(1)], call.returns)
}

fn map_entries(call: &Call<'_>) -> Result<ArrayRef> {
    let [argument] = call.first()?;
    let (maps, entries) = (Maps::new(argument), argument.as_map());
    let first = entries.value_offsets().first().map_or(0, |first| *first);
    let used = entries.entries().slice(first as usize, maps.keys.len());
    let used: ArrayRef = Arc::new(used);
    let picks = Picks::of_rows(call.rows, |row, picks| {
        picks.extend(0, maps.row(row)?);
        Some(())
    });
    picks.lists(&[&used], call.returns)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{Expr, lit};
    use datafusion::prelude::SessionContext;
    use datafusion::scalar::ScalarValue;

    use super::*;
    use crate::functions::scalar::udf;
    use crate::text::format_value;

    async fn value(arguments: Vec<Expr>) -> std::result::Result<String, String> {
        let frame = SessionContext::new()
            .read_empty()
            .map_err(|error| error.to_string())?;
        let frame = frame.select(vec![udf(&TABLE[0]).call(arguments).alias("map")]);
        let rows = frame.map_err(|error| error.to_string())?.collect().await;
        let rows = rows.map_err(|error| error.to_string())?;
        Ok(format_value(rows[0].column(0), 0))
    }

    #[tokio::test]
    async fn keys_and_values_take_turns() {
        let two = vec![
            lit(1_i32),
            lit("x"),
            lit(2.5_f64),
            lit(ScalarValue::Utf8(None)),
        ];
        assert_eq!(value(two).await.unwrap(), "{1.0 -> x, 2.5 -> NULL}");
        assert_eq!(value(vec![]).await.unwrap(), "{}");
        let twice = vec![lit(0.0_f64), lit(1), lit(-0.0_f64), lit(2)];
        assert!(
            value(twice)
                .await
                .unwrap_err()
                .contains("DUPLICATED_MAP_KEY")
        );
        let null = vec![lit(ScalarValue::Utf8(None)), lit(1)];
        assert!(value(null).await.unwrap_err().contains("NULL_MAP_KEY"));
    }
}
