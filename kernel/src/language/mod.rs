//! What an editor asks about the text of a cell: completion, explanation, completeness.
//!
//! Cursor positions are counted in code points, as the Jupyter protocol does.

pub mod complete;
mod in_query;
pub mod inspect;
pub mod is_complete;
mod known_names;
pub mod other_language;
pub mod place;
