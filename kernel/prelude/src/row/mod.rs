//! Rows of a collected data frame.

mod de;
mod value;

use std::fmt;

use serde::de::DeserializeOwned;

pub use value::Value;

use crate::error::{Error, Result};

/// One row: named values.
#[derive(Clone, PartialEq)]
pub struct Row {
    fields: Vec<String>,
    values: Vec<Value>,
}

impl Row {
    /// A row of `values`, named `fields`. Values without a name are dropped, names without a value
    /// are `NULL`.
    pub fn new(fields: Vec<String>, mut values: Vec<Value>) -> Self {
        values.resize(fields.len(), Value::Null);
        Self { fields, values }
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of the column with this index, counted from 0.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.values.get(index)
    }

    /// The value of the column with this name.
    pub fn get_by_name(&self, name: &str) -> Option<&Value> {
        self.values.get(name.position(self)?)
    }

    /// The value of a column, by name or index, as a Rust type: numbers, `String`, `bool`,
    /// [`Timestamp`](crate::Timestamp), `Option` of them, and whatever else serde can read.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// let row = Row::new(vec!["user".into(), "n".into()], vec![Value::String("ann".into()), Value::Long(3)]);
    /// let user: String = row.get_as("user")?;
    /// let n: i64 = row.get_as(1)?;
    /// assert_eq!((user.as_str(), n), ("ann", 3));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such column, or its value is not of that type.
    pub fn get_as<T: DeserializeOwned>(&self, column: impl RowIndex) -> Result<T> {
        let value = column
            .position(self)
            .and_then(|index| self.values.get(index));
        let Some(value) = value else {
            return Err(
                Error::new(format!("the row has no column {}", column.describe()))
                    .with_hint(format!("its columns are {}", self.fields.join(", "))),
            );
        };
        T::deserialize(value.clone())
            .map_err(|error| Error::new(format!("column {}: {error}", column.describe())))
    }

    /// The row as a struct of yours, or a tuple: columns go to the fields of their names.
    ///
    /// # Errors
    /// If a field has no column, or one of another type.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T> {
        let fields = self.fields.iter().cloned().zip(self.values.iter().cloned());
        T::deserialize(Value::Struct(fields.collect()))
    }

    /// Names of the columns.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// All values.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// All values, taken out of the row.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }
}

/// `[value, value, …]`, as Spark prints a row.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.values.iter().map(Value::to_string).collect();
        write!(f, "[{}]", values.join(","))
    }
}

/// `Row(name=value, …)`.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self
            .fields
            .iter()
            .zip(&self.values)
            .map(|(name, value)| match value {
                Value::String(text) => format!("{name}={text:?}"),
                value => format!("{name}={value}"),
            });
        write!(f, "Row({})", values.collect::<Vec<_>>().join(", "))
    }
}

/// What a column of a row is found by: its name or its index.
pub trait RowIndex {
    /// Its index.
    fn position(&self, row: &Row) -> Option<usize>;
    /// How an error calls it.
    fn describe(&self) -> String;
}

impl RowIndex for usize {
    fn position(&self, _: &Row) -> Option<usize> {
        Some(*self)
    }

    fn describe(&self) -> String {
        self.to_string()
    }
}

impl RowIndex for str {
    /// Names match whatever their case, as in SQL; one of the same case first.
    fn position(&self, row: &Row) -> Option<usize> {
        let find =
            |same: fn(&str, &str) -> bool| row.fields.iter().position(|name| same(name, self));
        find(|name, other| name == other).or_else(|| find(str::eq_ignore_ascii_case))
    }

    fn describe(&self) -> String {
        format!("'{self}'")
    }
}

impl<T: RowIndex + ?Sized> RowIndex for &T {
    fn position(&self, row: &Row) -> Option<usize> {
        (**self).position(row)
    }

    fn describe(&self) -> String {
        (**self).describe()
    }
}
