//! A handle on the program that compiles cells, over its connection.
//!
//! It does one thing at a time and answers in the order in which it was asked, so whoever asks while
//! a cell is worked on waits, or goes without an answer.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tidebook_rust_protocol::{Answer, Completions, Finished, Toolchain, Work};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::frames;

/// Cheap to clone. Once the last one is dropped the connection is closed, and the program ends.
#[derive(Debug, Clone)]
pub(super) struct Compiler {
    asked: mpsc::UnboundedSender<Work>,
    waiting: Arc<Mutex<Waiting>>,
    connection: [AbortHandle; 2],
}

/// Who waits for an answer, in the order of the questions.
#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<mpsc::UnboundedSender<Answer>>,
    /// The connection has ended: nobody is answered any more.
    is_over: bool,
}

impl Compiler {
    /// Speaks to the program at the other end of a connection.
    pub(super) fn new(stream: UnixStream) -> Self {
        let (from, mut to) = stream.into_split();
        let (asked, mut questions) = mpsc::unbounded_channel::<Work>();
        let waiting = Arc::<Mutex<Waiting>>::default();
        let answered = Arc::clone(&waiting);
        let reading = tokio::spawn(read(from, answered)).abort_handle();
        let read_by = reading.clone();
        let writing = tokio::spawn(async move {
            while let Some(work) = questions.recv().await {
                let Ok(frame) = frames::encode(&work, &[]) else {
                    continue;
                };
                if to.write_all(&frame).await.is_err() {
                    break;
                }
            }
            // The other half would keep the connection open.
            read_by.abort();
        });
        Self {
            asked,
            waiting,
            connection: [reading, writing.abort_handle()],
        }
    }

    /// Ends the connection, whoever still waits for an answer.
    pub(super) fn close(&self) {
        self.connection.iter().for_each(AbortHandle::abort);
    }

    /// Starts evcxr; `building` is called if that takes a minute. `None`: the program has ended.
    pub(super) async fn start(
        &self,
        toolchain: Toolchain,
        building: impl Fn() + Send + Sync,
    ) -> Option<Result<(), String>> {
        let mut answers = self.ask(Work::Start(toolchain))?;
        loop {
            match answers.recv().await? {
                Answer::Building => building(),
                Answer::Started(started) => return Some(started),
                _ => return None,
            }
        }
    }

    /// Compiles and runs a cell. `None`: the program has ended.
    pub(super) async fn execute(&self, code: String) -> Option<Finished> {
        match self.ask(Work::Execute { code })?.recv().await? {
            Answer::Finished(finished) => Some(finished),
            _ => None,
        }
    }

    /// Completions at a byte position.
    pub(super) async fn complete(&self, code: String, position: usize) -> Option<Completions> {
        match self.ask(Work::Complete { code, position })?.recv().await? {
            Answer::Completed(completions) => completions,
            _ => None,
        }
    }

    /// What rust-analyzer knows of the expression that ends at a byte position: text and HTML.
    pub(super) async fn inspect(&self, code: String, position: usize) -> Option<(String, String)> {
        match self.ask(Work::Inspect { code, position })?.recv().await? {
            Answer::Inspected(found) => found,
            _ => None,
        }
    }

    fn ask(&self, work: Work) -> Option<mpsc::UnboundedReceiver<Answer>> {
        let (answer, answers) = mpsc::unbounded_channel();
        let mut waiting = self.waiting.lock();
        if waiting.is_over {
            return None;
        }
        waiting.queue.push_back(answer);
        // Under the lock, so that the questions leave in the order of those who wait.
        self.asked.send(work).ok()?;
        Some(answers)
    }
}

/// Hands every answer to whoever has waited longest.
async fn read(mut from: OwnedReadHalf, waiting: Arc<Mutex<Waiting>>) {
    // Whatever ends this, those who wait learn of it.
    let _over = Over(Arc::clone(&waiting));
    while let Ok(Some((answer, _))) = frames::read::<Answer>(&mut from).await {
        let is_last = !matches!(answer, Answer::Building);
        let mut waiting = waiting.lock();
        if let Some(first) = waiting.queue.front() {
            let _ = first.send(answer);
        }
        if is_last {
            waiting.queue.pop_front();
        }
    }
}

struct Over(Arc<Mutex<Waiting>>);

impl Drop for Over {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.is_over = true;
        waiting.queue.clear();
    }
}
