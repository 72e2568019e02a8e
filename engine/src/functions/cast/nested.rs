//! Casts of arrays, maps and structs, value by value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::datatypes::DataType;

use super::{Cast, cast_values, failed};
use crate::error::Result;

impl Cast<'_> {
    pub(super) fn of_nested(&self, values: &ArrayRef) -> Result<ArrayRef> {
        Ok(match (values.data_type(), self.to) {
            (DataType::List(_), DataType::List(item)) => {
                let list = values.as_list::<i32>();
                let items = self.part(list.values(), item.data_type())?;
                let list = ListArray::try_new(
                    Arc::clone(item),
                    list.offsets().clone(),
                    items,
                    list.nulls().cloned(),
                );
                Arc::new(list.map_err(failed)?)
            }
            (DataType::Map(..), DataType::Map(entry, sorted)) => {
                let map = values.as_map();
                let entries: ArrayRef = Arc::new(map.entries().clone());
                let entries = self.part(&entries, entry.data_type())?;
                let map = MapArray::try_new(
                    Arc::clone(entry),
                    map.offsets().clone(),
                    entries.as_struct().clone(),
                    map.nulls().cloned(),
                    *sorted,
                );
                Arc::new(map.map_err(failed)?)
            }
            (DataType::Struct(_), DataType::Struct(fields)) => {
                let parts = values.as_struct();
                let pairs = parts.columns().iter().zip(fields);
                let columns = pairs.map(|(column, field)| self.part(column, field.data_type()));
                let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
                let nulls = parts.nulls().cloned();
                let built = match columns.is_empty() {
                    true => Ok(StructArray::new_empty_fields(values.len(), nulls)),
                    false => StructArray::try_new(fields.clone(), columns, nulls),
                };
                Arc::new(built.map_err(failed)?)
            }
            _ => self.arrow(values)?,
        })
    }

    fn part(&self, values: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
        cast_values(values, to, self.zone, self.mode)
    }
}
