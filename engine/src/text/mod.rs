//! Values and rows as text, in the form of Spark's `show()`.

mod grid;
mod show;
mod value;

pub use grid::{Align, grid};
pub use show::{ShowForm, show};
pub use value::{format_value, is_null, timestamp_micros};
