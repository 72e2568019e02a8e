//! Generators: functions that give several rows for one. Each is a function that gives an array of
//! structs, one struct a row; the analyzer unnests it.

mod explode;
mod inline;
mod json_tuple;
mod stack;

use super::scalar::Scalar;

/// The tables of this theme: `explode` and its kind, under names that no query can write.
pub(super) static TABLES: &[&[Scalar]] = &[
    explode::TABLE,
    inline::TABLE,
    json_tuple::TABLE,
    stack::TABLE,
];
