//! Shows things in the notebook: HTML, images, Markdown, displays that change, progress bars.
//!
//! Everything goes to the kernel beside what the cell prints, so it appears at once, and in order.

mod bundle;
mod handle;
mod progress_bar;
mod value;

pub use bundle::{Bundle, Html, Markdown, Png, Showable, Svg, html, markdown, png, svg};
pub use handle::{DisplayHandle, clear_output, display, display_with_id};
pub use progress_bar::{ProgressBar, ProgressIter, progress};
pub use value::DisplayValue;
pub(crate) use value::offer;

use serde_json::{Map, Value as Json};

use crate::connection::tell;
use crate::error::Result;
use crate::wire::Request;

/// Shows text as the value of the cell.
pub(crate) fn value_text(text: &str) {
    let data = Map::from_iter([("text/plain".to_string(), text.into())]);
    or_say(send(data, None, false));
}

/// A display has no caller to tell that it failed, so it is said where errors are.
pub(crate) fn or_say(result: Result<()>) {
    if let Err(error) = result {
        crate::say(format_args!("{error}"));
    }
}

fn send(data: Map<String, Json>, display_id: Option<&str>, update: bool) -> Result<()> {
    let request = Request::Display {
        data,
        metadata: Map::new(),
        display_id: display_id.map(str::to_string),
        update,
    };
    tell(&request, &[])
}
