//! CSV inside of columns: `from_csv`, `to_csv` and `schema_of_csv`.

mod from;
mod to;

use super::scalar::Scalar;

/// The tables of this theme.
pub(super) static TABLES: &[&[Scalar]] = &[from::TABLE, to::TABLE];
