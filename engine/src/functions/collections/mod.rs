//! Arrays, maps and structs.

mod add;
mod concat;
mod create;
mod element;
pub(super) mod entries;
mod join;
pub(super) mod keys;
pub(super) mod lists;
mod map_parts;
mod maps;
mod order;
mod search;
mod sequence;
mod sets;
mod size;
mod slice;
mod str_to_map;
mod structs;
mod zip;

pub(crate) use element::{array_item, element_at};

use super::scalar::Scalar;

/// The tables of this theme.
pub(super) static TABLES: &[&[Scalar]] = &[
    add::TABLE,
    concat::TABLE,
    create::TABLE,
    element::TABLE,
    join::TABLE,
    map_parts::TABLE,
    maps::TABLE,
    order::TABLE,
    search::TABLE,
    sequence::TABLE,
    sets::TABLE,
    size::TABLE,
    slice::TABLE,
    str_to_map::TABLE,
    structs::TABLE,
    zip::TABLE,
];
