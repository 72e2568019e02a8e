//! What the kernel knows of the process that runs user code: what it prints, how a cell ended.
//!
//! The relay tells it in order, over one connection. A note or a shown thing is held back for a
//! moment, because what comes next decides what it was: the text of an error that `?` passed on, a
//! panic that ended the cell, the value of the cell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tidebook::wire::Note;
use tidebook_rust_protocol::{Order, Told};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};

use super::frames;
use crate::display::MimeBundle;
use crate::live::Live;
use crate::outputs::Outputs;
use crate::sockets::Stream;

/// How long something is held back for what comes next.
const HOLD: Duration = Duration::from_millis(30);
/// How long printed text may take to get from user code to the kernel.
const SYNCHRONISE: Duration = Duration::from_secs(2);

/// The process that runs user code, as the relay tells of it.
pub(super) struct Child {
    live: Live,
    state: Mutex<State>,
    /// Counts what may have changed, for those who wait.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Where the running cell shows things.
    outputs: Option<Outputs>,
    orders: Option<mpsc::UnboundedSender<Order>>,
    running: bool,
    /// What the cell that runs, or ran last, was compiled as.
    program: String,
    /// What the cell's last run came to.
    outcome: Option<Outcome>,
    held: Option<Held>,
    /// Distinguishes one held thing from the next.
    holds: u64,
    last_panic: Option<Panic>,
    last_said: Option<String>,
    synchronised: u64,
}

enum Held {
    Said(String),
    Panic(Panic),
    Content(BTreeMap<String, String>),
}

/// A panic of user code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Panic {
    /// The thread's name; none for the one that runs cells.
    pub thread: Option<String>,
    /// What it said.
    pub message: String,
    /// `file:line:column`.
    pub location: String,
}

/// How a compiled cell ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It came to its end.
    Returned,
    /// A panic ended it; none is known if it went on unwinding from another one, or from an
    /// interrupt.
    Panicked(Option<Panic>),
    /// An error that `?` passed on ended it.
    Error(String),
    /// Its process ended.
    Died(String),
}

impl Child {
    /// No process yet.
    pub(super) fn new(live: Live) -> Self {
        Self {
            live,
            state: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// A cell is about to be compiled; what it shows goes to `outputs`.
    pub(super) fn begin(&self, outputs: &Outputs) {
        let mut state = self.state.lock();
        state.outputs = Some(outputs.clone());
        state.outcome = None;
        state.last_panic = None;
        state.last_said = None;
    }

    /// The cell is over; how its last run ended, if it ran at all.
    pub(super) fn end(&self) -> Option<Outcome> {
        let mut state = self.state.lock();
        state.outputs = None;
        state.outcome.take()
    }

    /// Whether compiled code runs right now.
    pub(super) fn is_running(&self) -> bool {
        self.state.lock().running
    }

    /// What the running cell was compiled as.
    pub(super) fn program(&self) -> Option<String> {
        let state = self.state.lock();
        state.running.then(|| state.program.clone())
    }

    /// Ends the process, whatever it does.
    pub(super) fn kill(&self) {
        self.order(Order::Kill);
    }

    /// Waits until all text printed so far has been passed on.
    pub(super) async fn synchronise(&self) {
        let asked = self.state.lock().synchronised;
        if !self.order(Order::Synchronise) {
            return;
        }
        let mut changes = self.changes.subscribe();
        let reached = changes.wait_for(|_| self.state.lock().synchronised > asked);
        let _ = tokio::time::timeout(SYNCHRONISE, reached).await;
        self.flush_held(None);
    }

    /// Serves the connection of a relay until it ends.
    pub(super) async fn serve(self: &Arc<Self>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let (orders, mut ordered) = mpsc::unbounded_channel();
        self.state.lock().orders = Some(orders.clone());
        let writing = tokio::spawn(async move {
            while let Some(order) = ordered.recv().await {
                let Ok(frame) = frames::encode(&order, &[]) else {
                    continue;
                };
                if to.write_all(&frame).await.is_err() {
                    break;
                }
            }
        });
        while let Ok(Some((told, body))) = frames::read::<Told>(&mut from).await {
            self.hear(told, &String::from_utf8_lossy(&body), &orders);
        }
        writing.abort();
        let mut state = self.state.lock();
        if state
            .orders
            .as_ref()
            .is_some_and(|own| own.same_channel(&orders))
        {
            state.orders = None;
            state.running = false;
        }
        drop(state);
        self.changed();
    }

    fn hear(self: &Arc<Self>, told: Told, text: &str, orders: &mpsc::UnboundedSender<Order>) {
        match told {
            Told::Started => {
                let mut state = self.state.lock();
                state.running = true;
                text.clone_into(&mut state.program);
            }
            Told::Text { stderr } => {
                self.flush_held(None);
                let stream = if stderr {
                    Stream::Stderr
                } else {
                    Stream::Stdout
                };
                self.print(stream, text);
            }
            Told::Content(content) => self.hold_content(content),
            Told::Note(Note::Said { text }) => {
                self.state.lock().last_said = Some(text.clone());
                self.hold(Held::Said(text));
            }
            Told::Note(Note::Panic {
                thread,
                message,
                location,
            }) => {
                let panic = Panic {
                    thread,
                    message,
                    location,
                };
                self.state.lock().last_panic = Some(panic.clone());
                self.hold(Held::Panic(panic));
            }
            Told::Note(Note::Barrier { .. }) => {}
            Told::Synchronised => self.state.lock().synchronised += 1,
            Told::Ended {
                panicked,
                returned_error,
            } => {
                self.ended(panicked, returned_error);
                let _ = orders.send(Order::GoOn);
            }
            Told::Died { how } => {
                self.flush_held(None);
                let mut state = self.state.lock();
                state.running = false;
                state.outcome = Some(Outcome::Died(how));
                drop(state);
                let _ = orders.send(Order::GoOn);
            }
        }
        self.changed();
    }

    fn ended(&self, panicked: bool, returned_error: bool) {
        let mut state = self.state.lock();
        let held = state.held.take();
        state.running = false;
        let mut left = None;
        let mut result = None;
        let outcome = match (panicked, returned_error, held) {
            (true, _, Some(Held::Panic(panic))) => Outcome::Panicked(Some(panic)),
            (true, _, held) => {
                left = held;
                Outcome::Panicked(state.last_panic.take())
            }
            (false, true, Some(Held::Said(text))) => Outcome::Error(text),
            (false, true, held) => {
                left = held;
                Outcome::Error(state.last_said.take().unwrap_or_default())
            }
            (false, false, Some(Held::Content(content))) => {
                result = state.outputs.clone().map(|outputs| (outputs, content));
                Outcome::Returned
            }
            (false, false, held) => {
                left = held;
                Outcome::Returned
            }
        };
        state.outcome = Some(outcome);
        // Showing may wait for the clients, and those who make them read ask for this state.
        drop(state);
        if let Some((outputs, content)) = result {
            outputs.result(bundle(content));
        }
        if let Some(held) = left {
            self.show(held);
        }
    }

    fn hold_content(self: &Arc<Self>, mut content: BTreeMap<String, String>) {
        let mut state = self.state.lock();
        if let Some(Held::Content(held)) = &mut state.held
            && held.keys().all(|mime| !content.contains_key(mime))
        {
            held.append(&mut content);
            return;
        }
        drop(state);
        self.hold(Held::Content(content));
    }

    /// Holds something back for a moment; what was held before is shown.
    fn hold(self: &Arc<Self>, what: Held) {
        let (before, number) = {
            let mut state = self.state.lock();
            state.holds += 1;
            (state.held.replace(what), state.holds)
        };
        if let Some(before) = before {
            self.show(before);
        }
        let child = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(HOLD).await;
            child.flush_held(Some(number));
        });
    }

    /// Shows what is held back: whatever it is, or only the thing of this number.
    fn flush_held(&self, number: Option<u64>) {
        let mut state = self.state.lock();
        if number.is_some_and(|number| number != state.holds) {
            return;
        }
        let held = state.held.take();
        drop(state);
        if let Some(held) = held {
            self.show(held);
        }
    }

    fn show(&self, what: Held) {
        match what {
            Held::Said(text) => self.print(Stream::Stderr, &text),
            Held::Panic(panic) => self.print(Stream::Stderr, &panic.text()),
            Held::Content(content) => {
                let outputs = self.state.lock().outputs.clone();
                match outputs {
                    Some(outputs) => outputs.display(bundle(content)),
                    None => self.live.display(bundle(content)),
                }
            }
        }
    }

    fn print(&self, stream: Stream, text: &str) {
        let outputs = self.state.lock().outputs.clone();
        match (outputs.filter(Outputs::is_open), stream) {
            (Some(outputs), Stream::Stdout) => outputs.stdout(text),
            (Some(outputs), Stream::Stderr) => outputs.stderr(text),
            (None, _) => self.live.print(text),
        }
    }

    fn order(&self, order: Order) -> bool {
        let state = self.state.lock();
        let orders = state.orders.as_ref();
        orders.is_some_and(|orders| orders.send(order).is_ok())
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Panic {
    /// As Rust itself prints it.
    fn text(&self) -> String {
        let thread = self.thread.as_deref().unwrap_or("main");
        format!(
            "thread '{thread}' panicked at {}:\n{}\n",
            self.location, self.message
        )
    }
}

fn bundle(content: BTreeMap<String, String>) -> MimeBundle {
    let mut bundle = MimeBundle::default();
    for (mime, text) in content {
        // JSON travels as JSON, everything else as text.
        let value = match mime.ends_with("json") {
            true => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            false => Value::String(text),
        };
        bundle = bundle.with(&mime, value);
    }
    bundle
}
