//! Values and rows as text, in the form of Spark's `show()`.

mod grid;
mod local_times;
mod show;
mod value;

pub use grid::{Align, grid};
pub(crate) use local_times::in_zone;
pub use show::{ShowForm, show};
pub use value::{format_value, is_null, timestamp_micros};
