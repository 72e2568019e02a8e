//! What an editor asks about the text of a cell: completion, explanation, completeness.
//!
//! Cursor positions are counted in code points, as the Jupyter protocol does.

pub(crate) mod complete;
mod in_query;
pub(crate) mod inspect;
pub(crate) mod is_complete;
mod known_names;
pub(crate) mod other_language;
pub(crate) mod place;
mod pyspark;
pub(crate) mod python_body;
pub(crate) mod sql_slips;
