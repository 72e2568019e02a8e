//! What the relay and the kernel say to each other, over a connection of `Role::Relay`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidebook::wire::Note;

/// What the relay tells of the process that runs user code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// A compiled cell is about to run; the program that it was compiled as is in the frame's body.
    Started,
    /// User code printed the text in the frame's body.
    Text {
        /// Whether to stderr.
        stderr: bool,
    },
    /// User code showed something through evcxr's own lines: MIME type → content.
    Content(BTreeMap<String, String>),
    /// A word between the text.
    Note(Note),
    /// Everything printed before the order to synchronise was told.
    Synchronised,
    /// The cell has run. The relay waits for [`Order::GoOn`] before the compiler learns of it.
    Ended {
        /// A panic ended it.
        panicked: bool,
        /// An error that `?` passed on ended it.
        returned_error: bool,
    },
    /// The process has ended. The relay waits for [`Order::GoOn`], then ends too.
    Died {
        /// How, in words.
        how: String,
    },
}

/// What the kernel tells the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// [`Told::Ended`] or [`Told::Died`] was taken in.
    GoOn,
    /// Tell everything printed so far, then [`Told::Synchronised`].
    Synchronise,
    /// End the process that runs user code, whatever it does.
    Kill,
}
