//! Progress bars.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bundle::Bundle;
use super::handle::{DisplayHandle, display};
use super::or_say;

/// The bar changes no more often than this.
const INTERVAL: Duration = Duration::from_millis(100);
/// How many characters the bar has where only text can be shown.
const WIDTH: u64 = 30;

/// A bar that fills. Threads may share it.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let bar = ProgressBar::new(100).with_label("files");
/// for _ in 0..100 {
///     bar.inc(1);
/// }
/// bar.finish();
/// ```
#[derive(Debug)]
pub struct ProgressBar {
    total: u64,
    handle: DisplayHandle,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    label: String,
    done: u64,
    shown: u64,
    at: Instant,
}

impl ProgressBar {
    /// Shows an empty bar that is full at `total`.
    pub fn new(total: u64) -> Self {
        let state = State {
            label: String::new(),
            done: 0,
            shown: 0,
            at: Instant::now(),
        };
        Self {
            total,
            handle: display(bundle(&state, total)),
            state: Mutex::new(state),
        }
    }

    /// With a word before the bar.
    pub fn with_label(self, label: &str) -> Self {
        self.state().label = label.to_string();
        self.show();
        self
    }

    /// So much more is done.
    pub fn inc(&self, steps: u64) {
        let done = self.state().done.saturating_add(steps);
        self.set(done);
    }

    /// So much is done.
    pub fn set(&self, done: u64) {
        let mut state = self.state();
        state.done = done;
        let due = done >= self.total || state.at.elapsed() >= INTERVAL;
        drop(state);
        if due {
            self.show();
        }
    }

    /// How much is done.
    pub fn position(&self) -> u64 {
        self.state().done
    }

    /// All is done.
    pub fn finish(&self) {
        self.set(self.total);
    }

    fn show(&self) {
        let mut state = self.state();
        state.shown = state.done;
        state.at = Instant::now();
        let bundle = bundle(&state, self.total);
        drop(state);
        or_say(self.handle.send(bundle));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows nothing: the bar is there already.
    pub fn evcxr_display(&self) {}
}

/// Shows where it has stopped.
impl Drop for ProgressBar {
    fn drop(&mut self) {
        let state = self.state();
        let is_shown = state.shown == state.done;
        drop(state);
        if !is_shown && !std::thread::panicking() {
            self.show();
        }
    }
}

fn bundle(state: &State, total: u64) -> Bundle {
    let State { label, done, .. } = state;
    let percent = (done.saturating_mul(100))
        .checked_div(total)
        .unwrap_or(100)
        .min(100);
    let full = (percent * WIDTH / 100) as usize;
    let bar = format!("{}{}", "█".repeat(full), "░".repeat(WIDTH as usize - full));
    let space = if label.is_empty() { "" } else { " " };
    let html = format!(
        "{}{space}<progress value=\"{done}\" max=\"{total}\"></progress> {done} / {total}",
        escape(label)
    );
    Bundle::new()
        .with(
            "text/plain",
            format!("{label}{space}{bar} {done} / {total}"),
        )
        .with("text/html", html)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// Goes through an iterator under a bar.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let sum: u64 = progress(0..1000_u64).map(|n| n * n).sum();
/// ```
pub fn progress<I: IntoIterator>(items: I) -> ProgressIter<I::IntoIter> {
    let items = items.into_iter();
    let (least, most) = items.size_hint();
    ProgressIter {
        bar: ProgressBar::new(most.unwrap_or(least) as u64),
        items,
    }
}

/// See [`progress`].
#[derive(Debug)]
pub struct ProgressIter<I> {
    bar: ProgressBar,
    items: I,
}

impl<I: Iterator> Iterator for ProgressIter<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let item = self.items.next()?;
        self.bar.inc(1);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}
