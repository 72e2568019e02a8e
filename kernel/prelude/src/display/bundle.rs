//! What can be shown: one thing in one or more MIME types.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::{or_say, send};

/// One thing in several forms: MIME type → text, JSON, or base64 for binary forms. The notebook
/// shows the richest it can.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// display(Bundle::new().with("text/plain", "3 of 4").with("text/html", "<b>3</b> of 4"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "shows nothing unless it is the last expression of the cell, or given to `display`"]
pub struct Bundle {
    data: Map<String, Json>,
}

impl Bundle {
    /// Without any form yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one form more.
    pub fn with(mut self, mime_type: &str, content: impl Into<Json>) -> Self {
        self.data.insert(mime_type.to_string(), content.into());
        self
    }

    pub(super) fn into_data(self) -> Map<String, Json> {
        self.data
    }

    /// Shows it as the value of the cell.
    pub fn evcxr_display(&self) {
        or_say(send(self.data.clone(), None, false));
    }
}

/// What [`display`](super::display) can show.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be displayed",
    label = "not HTML, SVG, PNG, Markdown, text or a `Bundle`",
    note = "wrap it in `html(…)`, `svg(…)`, `png(…)`, `markdown(…)` or `format!(\"{{:?}}\", …)`"
)]
pub trait Showable {
    /// Its forms.
    fn bundle(&self) -> Bundle;
}

impl<T: Showable + ?Sized> Showable for &T {
    fn bundle(&self) -> Bundle {
        (**self).bundle()
    }
}

impl Showable for Bundle {
    fn bundle(&self) -> Bundle {
        self.clone()
    }
}

impl Showable for str {
    fn bundle(&self) -> Bundle {
        Bundle::new().with("text/plain", self)
    }
}

impl Showable for String {
    fn bundle(&self) -> Bundle {
        self.as_str().bundle()
    }
}

/// Types of one form, and the functions that make them.
macro_rules! forms {
    ($(
        $(#[$doc:meta])* $type:ident($content:ty), $function:ident, $mime:literal,
        $value:ident => $json:expr;
    )*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[must_use = "shows nothing unless it is the last expression of the cell, or given to `display`"]
        pub struct $type(pub $content);

        impl Showable for $type {
            fn bundle(&self) -> Bundle {
                let $value = &self.0;
                Bundle::new().with($mime, $json)
            }
        }

        impl $type {
            /// Shows it as the value of the cell.
            pub fn evcxr_display(&self) {
                self.bundle().evcxr_display();
            }
        }

        $(#[$doc])*
        pub fn $function(content: impl Into<$content>) -> $type {
            $type(content.into())
        }
    )*};
}

forms! {
    /// HTML, shown if it is the last expression of the cell or given to `display`.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// display(html("<b>late</b> rows"));
    /// ```
    Html(String), html, "text/html", text => text.as_str();

    /// Markdown, shown if it is the last expression of the cell or given to `display`.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// display(markdown("# Windows\nEach lasts *ten minutes*."));
    /// ```
    Markdown(String), markdown, "text/markdown", text => text.as_str();

    /// An image in SVG, shown if it is the last expression of the cell or given to `display`.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// display(svg(r#"<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>"#));
    /// ```
    Svg(String), svg, "image/svg+xml", text => text.as_str();

    /// An image in PNG, as bytes, shown if it is the last expression of the cell or given to
    /// `display`.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// display(png(std::fs::read("chart.png")?));
    /// # Ok::<(), Error>(())
    /// ```
    Png(Vec<u8>), png, "image/png", bytes => STANDARD.encode(bytes);
}
