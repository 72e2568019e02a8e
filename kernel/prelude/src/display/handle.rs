//! Displays that can be changed later.

use std::hash::{BuildHasher, RandomState};

use super::bundle::{Bundle, Showable};
use super::{or_say, send};
use crate::connection::tell;
use crate::wire::Request;

/// A place in the notebook that shows something, and later something else.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let shown = display(html("<i>waiting</i>"));
/// shown.update(html("<b>done</b>"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayHandle {
    id: String,
}

/// Shows something at once.
pub fn display(what: impl Showable) -> DisplayHandle {
    let id = format!("display-{:016x}", RandomState::new().hash_one(0));
    display_with_id(what, &id)
}

/// Shows something at once, under an id of your own: another cell can change it with
/// [`DisplayHandle::of`].
pub fn display_with_id(what: impl Showable, id: &str) -> DisplayHandle {
    or_say(send(what.bundle().into_data(), Some(id), false));
    DisplayHandle::of(id)
}

impl DisplayHandle {
    /// The display with this id, shown already.
    pub fn of(id: &str) -> Self {
        Self { id: id.to_string() }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Shows something else in its place.
    pub fn update(&self, what: impl Showable) {
        or_say(self.send(what.bundle()));
    }

    pub(super) fn send(&self, bundle: Bundle) -> crate::Result<()> {
        send(bundle.into_data(), Some(&self.id), true)
    }

    /// Shows nothing: what it holds is shown already.
    pub fn evcxr_display(&self) {}
}

/// Removes what the cell has shown so far; with `wait`, only when something new comes, so that it
/// does not flicker.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// for step in 0..3 {
///     clear_output(true);
///     println!("step {step}");
/// }
/// ```
pub fn clear_output(wait: bool) {
    or_say(tell(&Request::ClearOutput { wait }, &[]));
}
