//! What makes the process of user code tell the kernel what happens in a cell.

use std::any::Any;
use std::fmt;
use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::thread;

use crate::wire::{Note, SOCKET};

/// Prepares the process. The kernel calls it in every new one, before the first cell.
///
/// From then on a panic is told to the kernel, which shows it as the error of the cell, instead of
/// being printed.
#[doc(hidden)]
pub fn start() {
    panic::set_hook(Box::new(report));
}

fn report(info: &PanicHookInfo<'_>) {
    if crate::callbacks::is_recording(info) {
        return;
    }
    let note = Note::Panic {
        thread: thread::current().name().map(str::to_owned),
        message: message(info.payload()),
        location: info.location().map(ToString::to_string).unwrap_or_default(),
    };
    // Without a reader there is nobody to tell.
    let _ = io::stderr().lock().write_all(note.line().as_bytes());
}

/// What a panic said.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}

/// Prints to stderr, in a cell so that the kernel sees where one call ends.
#[doc(hidden)]
pub fn say(text: fmt::Arguments<'_>) {
    let text = format!("{text}\n");
    let printed = match std::env::var_os(SOCKET) {
        Some(_) => Note::Said { text }.line(),
        None => text,
    };
    let _ = io::stderr().lock().write_all(printed.as_bytes());
}

/// Sends on what was printed without a newline.
#[doc(hidden)]
pub fn flush() {
    let _ = io::stdout().flush();
}

/// Prints to the cell, at once also without a newline.
#[macro_export]
macro_rules! print {
    ($($arguments:tt)*) => {{
        ::std::print!($($arguments)*);
        $crate::flush();
    }};
}

/// Prints a line to the cell's stderr.
#[macro_export]
macro_rules! eprintln {
    () => { $crate::say(::std::format_args!("")) };
    ($($arguments:tt)*) => { $crate::say(::std::format_args!($($arguments)*)) };
}
