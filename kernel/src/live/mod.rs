//! Displays that go on changing after their cell: live in a front end, final in a batch run.
//!
//! A batch run (nbclient) keeps only what arrives while a cell runs and is caused by that very
//! cell. Hence the contract of this module:
//! - every update is caused by the request that runs now, or by the last one when none does;
//! - a display that has changed since it was last sent *within* a cell is sent again before the
//!   next cell goes idle ([`Live::settle`]);
//! - per display the newest frame wins, at most one per [`FRAME`], and the next one is drawn only
//!   when the last one has reached the clients;
//! - what a query prints in the background waits for the first display of the cell that started it.

mod alerts;
mod condition;
mod consoles;
mod failures;
mod query_card;
mod tally;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub(crate) use alerts::Alerts;
pub(crate) use condition::{named_table, progress_fields};
pub(crate) use failures::Failures;
pub(crate) use query_card::{alert_card, now, query_card};
pub(crate) use tally::Tally;

use crate::backend::Query;
use crate::display::MimeBundle;
use crate::error::Result;
use crate::outputs::{Outputs, display_content};
use crate::sockets::{IoPub, Parent, Stream};
use consoles::Consoles;

/// The shortest time between two frames of one display.
pub(crate) const FRAME: Duration = Duration::from_millis(125);
/// How much background text is kept while nobody may be sent any.
const HELD_TEXT_BYTES: usize = 1024 * 1024;

/// Draws one frame from the present state of things.
pub(crate) type Draw = Box<dyn Fn() -> BoxFuture<'static, Result<MimeBundle>> + Send + Sync>;

/// All live displays of the kernel. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Live {
    shared: Arc<Shared>,
}

struct Shared {
    iopub: IoPub,
    alerts: Arc<Alerts>,
    consoles: Consoles,
    state: Mutex<State>,
}

/// Sending happens under the lock of this state, so that no update can slip behind an `idle`.
#[derive(Default)]
struct State {
    /// The request that runs, or the last one that did.
    parent: Option<Parent>,
    running: bool,
    /// Whether the client is a batch run, which drops what comes between cells.
    batch: bool,
    /// The notebook's id of the running cell.
    cell: Option<String>,
    displays: Vec<Arc<Display>>,
    /// How many cells-to-be hold back text until their first display is out.
    holds: usize,
    held_text: String,
    /// What user code showed while nobody may be sent anything: display id, whether it is new.
    held_displays: Vec<HeldDisplay>,
}

struct HeldDisplay {
    id: Option<String>,
    is_new: bool,
    bundle: MimeBundle,
}

struct Display {
    id: String,
    cell: Option<String>,
    query: Query,
    changes: watch::Receiver<u64>,
    draw: Draw,
    /// The version last sent at all; older frames are not sent any more.
    sent: AtomicU64,
    /// The version last sent while a cell ran.
    settled: AtomicU64,
    task: OnceLock<AbortHandle>,
}

/// One drawn frame.
struct Drawn {
    version: u64,
    /// The query had ended before the frame was drawn, so no other can follow.
    is_last: bool,
    bundle: MimeBundle,
}

/// Holds back background text while it lives.
pub(crate) struct TextHold(Live);

impl Live {
    /// No displays yet.
    pub(crate) fn new(iopub: IoPub) -> Self {
        let state = Mutex::default();
        Self {
            shared: Arc::new(Shared {
                iopub,
                alerts: Arc::default(),
                consoles: Consoles::default(),
                state,
            }),
        }
    }

    /// The alerts on queries.
    pub(crate) fn alerts(&self) -> &Arc<Alerts> {
        &self.shared.alerts
    }

    /// Shows the card of a query.
    pub(crate) async fn show_card(&self, outputs: &Outputs, query: &Query) -> Result<()> {
        let draw = query_card(query, self.alerts());
        self.show(outputs, query, draw).await
    }

    /// A cell starts. Displays of an earlier run of the same cell are forgotten.
    pub(crate) fn begin(&self, parent: &Parent, batch: bool) {
        let cell = parent.metadata.get("cellId");
        let cell = cell.and_then(|id| id.as_str()).map(str::to_owned);
        let mut state = self.shared.state.lock();
        if cell.is_some() {
            state.forget(|display| display.cell == cell);
        }
        state.parent = Some(Parent::clone(parent));
        state.running = true;
        state.batch = batch;
        state.cell = cell;
    }

    /// Sends every display that has changed since it was last sent within a cell, and text that
    /// was held back. To be called before the reply of every cell.
    pub(crate) async fn settle(&self) {
        let displays = self.shared.state.lock().displays.clone();
        for display in displays {
            if display.version() == display.settled.load(Ordering::Acquire) {
                continue;
            }
            if let Some(frame) = display.next_frame().await {
                self.update(&display, frame);
            }
        }
        let mut state = self.shared.state.lock();
        state.release_text(&self.shared.iopub);
        state.release_displays(&self.shared.iopub);
    }

    /// A cell has ended: broadcasts `idle`.
    pub(crate) fn end(&self) {
        let mut state = self.shared.state.lock();
        state.running = false;
        if let Some(parent) = &state.parent {
            self.shared.iopub.status(parent, "idle");
        }
    }

    /// The request that runs now.
    pub(crate) fn running(&self) -> Option<Parent> {
        let state = self.shared.state.lock();
        state.parent.clone().filter(|_| state.running)
    }

    /// Shows what `draw` draws and keeps it up to date with `query` until that has ended.
    /// An error of the first frame is the caller's; later ones keep the last good frame.
    pub(crate) async fn show(&self, outputs: &Outputs, query: &Query, draw: Draw) -> Result<()> {
        let display = Arc::new(Display {
            id: uuid::Uuid::new_v4().to_string(),
            cell: self.shared.state.lock().cell.clone(),
            query: query.clone(),
            changes: query.watch(),
            draw,
            sent: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            task: OnceLock::new(),
        });
        let first = display.frame().await?;
        if !outputs.is_open() {
            return Ok(());
        }
        outputs.display_with_id(first.bundle, &display.id);
        display.sent.store(first.version, Ordering::Release);
        display.settled.store(first.version, Ordering::Release);
        if first.is_last {
            return Ok(());
        }
        self.shared.state.lock().displays.push(Arc::clone(&display));
        let task = tokio::spawn(self.clone().follow(Arc::clone(&display)));
        let _ = display.task.set(task.abort_handle());
        Ok(())
    }

    /// Text that a query printed in the background; a query that prints much is held up until the
    /// clients that read have caught up.
    pub(crate) fn print(&self, text: &str) {
        let released = {
            let mut state = self.shared.state.lock();
            state.held_text.push_str(text);
            let released = match state.holds == 0 && (state.running || !state.batch) {
                true => state.release_text(&self.shared.iopub),
                false => 0,
            };
            state.shorten_held_text();
            released
        };
        self.shared.iopub.catch_up(released);
    }

    /// The console of a query that is about to start.
    pub(crate) fn open_console(&self, query: &str) {
        self.shared.consoles.open(query);
    }

    /// The query did not start after all.
    pub(crate) fn close_console(&self, query: &str) {
        self.shared.consoles.close(query);
    }

    /// Shows the console of a query; it is updated with every batch.
    pub(crate) fn show_console(&self, outputs: &Outputs, query: &str) {
        if let Some((id, bundle)) = self.shared.consoles.show(query) {
            outputs.display_with_id(bundle, &id);
        }
    }

    /// A query with a console sink has printed a batch. It is held up until the clients that read
    /// have caught up.
    pub(crate) fn print_batch(&self, query: &str, text: String) {
        let bytes = text.len();
        match self.shared.consoles.print(query, text) {
            Ok(Some((id, bundle))) => {
                self.update_display(&id, bundle);
                self.shared.iopub.catch_up(bytes);
            }
            Ok(None) => {}
            Err(text) => self.print(&text),
        }
    }

    /// Sends what every display shows at the end of the kernel.
    pub(crate) async fn farewell(&self) {
        let displays = self.shared.state.lock().displays.clone();
        for display in displays {
            if let Some(frame) = display.next_frame().await {
                self.update(&display, frame);
            }
        }
    }

    /// Shows something in the background, after its cell.
    pub(crate) fn display(&self, bundle: MimeBundle) {
        self.background(None, true, bundle);
    }

    /// Shows something in the background under an id.
    pub(crate) fn display_with_id(&self, id: &str, bundle: MimeBundle) {
        self.background(Some(id.to_owned()), true, bundle);
    }

    /// Replaces what an id shows, in a cell or in the background; the newest wins.
    pub(crate) fn update_display(&self, id: &str, bundle: MimeBundle) {
        self.background(Some(id.to_owned()), false, bundle);
    }

    fn background(&self, id: Option<String>, is_new: bool, bundle: MimeBundle) {
        let mut state = self.shared.state.lock();
        if !is_new {
            let held = state.held_displays.iter_mut();
            if let Some(held) = held.rev().find(|held| held.id == id) {
                held.bundle = bundle;
                return;
            }
        }
        state.held_displays.push(HeldDisplay { id, is_new, bundle });
        if state.running || !state.batch {
            state.release_displays(&self.shared.iopub);
        }
    }

    /// Holds back background text until the guard is dropped: a display must be the first output
    /// of its cell.
    pub(crate) fn hold_text(&self) -> TextHold {
        self.shared.state.lock().holds += 1;
        TextHold(self.clone())
    }

    async fn follow(self, display: Arc<Display>) {
        let mut changes = display.changes.clone();
        let mut drawn_at = Instant::now();
        while changes.changed().await.is_ok() {
            tokio::time::sleep_until(drawn_at + FRAME).await;
            changes.mark_unchanged();
            if !self.is_watched() {
                continue;
            }
            drawn_at = Instant::now();
            let Some(frame) = display.next_frame().await else {
                continue;
            };
            self.update(&display, frame);
            self.shared.iopub.flushed().await;
        }
    }

    /// Whether an update sent now would be seen.
    fn is_watched(&self) -> bool {
        let state = self.shared.state.lock();
        state.running || !state.batch
    }

    fn update(&self, display: &Arc<Display>, frame: Drawn) {
        let mut state = self.shared.state.lock();
        let (Some(parent), true) = (&state.parent, state.has(display)) else {
            return;
        };
        if frame.version < display.sent.load(Ordering::Acquire) {
            return;
        }
        let content = display_content(frame.bundle, json!({"display_id": display.id}));
        self.shared
            .iopub
            .send(parent, "update_display_data", content);
        display.sent.store(frame.version, Ordering::Release);
        if state.running {
            display.settled.store(frame.version, Ordering::Release);
            if frame.is_last {
                state.forget(|other| other.id == display.id);
            }
        }
    }
}

impl Display {
    fn version(&self) -> u64 {
        *self.changes.borrow()
    }

    async fn frame(&self) -> Result<Drawn> {
        // In this order: what changes after these two lines makes a newer version.
        let is_last = !self.query.is_active();
        let version = self.version();
        let bundle = (self.draw)().await?;
        Ok(Drawn {
            version,
            is_last,
            bundle,
        })
    }

    async fn next_frame(&self) -> Option<Drawn> {
        self.frame()
            .await
            .inspect_err(|error| tracing::warn!(%error, "a live display keeps its last frame"))
            .ok()
    }
}

impl State {
    fn has(&self, display: &Arc<Display>) -> bool {
        self.displays
            .iter()
            .any(|other| Arc::ptr_eq(other, display))
    }

    fn forget(&mut self, is_gone: impl Fn(&Display) -> bool) {
        self.displays.retain(|display| {
            let gone = is_gone(display);
            if let (true, Some(task)) = (gone, display.task.get()) {
                task.abort();
            }
            !gone
        });
    }

    /// Sends the held text; gives how much that was.
    fn release_text(&mut self, iopub: &IoPub) -> usize {
        let Some(parent) = &self.parent else {
            return 0;
        };
        let text = std::mem::take(&mut self.held_text);
        let released = text.len();
        iopub.stream(parent, Stream::Stdout, text);
        released
    }

    fn release_displays(&mut self, iopub: &IoPub) {
        let Some(parent) = &self.parent else { return };
        for held in self.held_displays.drain(..) {
            let transient = match &held.id {
                Some(id) => json!({"display_id": id}),
                None => json!({}),
            };
            let msg_type = match held.is_new {
                true => "display_data",
                false => "update_display_data",
            };
            iopub.send(parent, msg_type, display_content(held.bundle, transient));
        }
    }

    /// Keeps the newest lines when a query prints more than anybody will read.
    fn shorten_held_text(&mut self) {
        let Some(excess) = self.held_text.len().checked_sub(HELD_TEXT_BYTES) else {
            return;
        };
        let mut kept = self.held_text.bytes().skip(excess);
        let next_line = kept.position(|byte| byte == b'\n');
        let cut = next_line.map_or(self.held_text.len(), |line| excess + line + 1);
        self.held_text.replace_range(..cut, "");
    }
}

impl Drop for TextHold {
    fn drop(&mut self) {
        let shared = &self.0.shared;
        let mut state = shared.state.lock();
        state.holds -= 1;
        if state.holds == 0 && (state.running || !state.batch) {
            state.release_text(&shared.iopub);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sockets::{Recorded, parent};

    fn live() -> (Live, Recorded) {
        let (iopub, recorded) = IoPub::recorded();
        (Live::new(iopub), recorded)
    }

    #[tokio::test]
    async fn background_text_goes_out_at_once_in_a_front_end() {
        let (live, mut recorded) = live();
        live.begin(&parent(), false);
        live.print("in the cell\n");
        live.end();
        live.print("after it\n");
        assert_eq!(recorded.said(), ["in the cell\n", "<status>", "after it\n"]);
    }

    #[tokio::test]
    async fn background_text_waits_for_the_next_cell_of_a_batch_run() {
        let (live, mut recorded) = live();
        live.begin(&parent(), true);
        live.settle().await;
        live.end();
        live.print("between\n");
        assert_eq!(recorded.said(), ["<status>"]);
        live.begin(&parent(), true);
        live.settle().await;
        live.end();
        assert_eq!(recorded.said(), ["between\n", "<status>"]);
    }

    #[tokio::test]
    async fn background_text_waits_for_the_display_of_its_cell() {
        let (live, mut recorded) = live();
        live.begin(&parent(), false);
        let hold = live.hold_text();
        live.print("early\n");
        assert!(recorded.said().is_empty());
        drop(hold);
        live.print("later\n");
        assert_eq!(recorded.said(), ["early\n", "later\n"]);
    }

    #[test]
    fn of_too_much_held_text_the_newest_lines_stay() {
        let (live, _recorded) = live();
        let line = format!("{}\n", "x".repeat(999));
        for _ in 0..2_000 {
            live.print(&line);
        }
        let held = live.shared.state.lock().held_text.clone();
        assert!(held.len() <= HELD_TEXT_BYTES && held.len() > HELD_TEXT_BYTES - 2_000);
        assert!(held.starts_with('x') && held.len().is_multiple_of(1_000));
    }
}
