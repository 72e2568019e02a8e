//! One operation of a client: it runs by itself and keeps its responses until they are released, so
//! that a client that lost its connection can go on after the last one it has seen.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::Stream;
use futures::stream::unfold;
use parking_lot::Mutex;
use prost::Message as _;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::execute_plan_response::{ResponseType, ResultComplete};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tonic::Status;
use uuid::Uuid;

use crate::errors::refused;

type Response = proto::ExecutePlanResponse;

/// So many bytes of responses are kept that a client was sent and has not released, as in Spark's
/// `spark.connect.execute.reattachable.observerRetryBufferSize`.
const KEPT_BYTES: usize = 10 << 20;

/// An operation, running or ended.
pub(crate) struct Operation {
    /// Its id.
    pub id: String,
    /// The tags that it can be interrupted by.
    pub tags: Vec<String>,
    session_id: String,
    server_side_session_id: String,
    is_reattachable: bool,
    kept: Mutex<Kept>,
    changed: watch::Sender<()>,
    task: Mutex<Option<AbortHandle>>,
}

#[derive(Default)]
struct Kept {
    /// The number of the first response that is still there.
    first: usize,
    /// The id of the one before it.
    last_forgotten: String,
    responses: VecDeque<Response>,
    /// How many of them were sent, and how many bytes those are.
    sent: usize,
    sent_bytes: usize,
    ended: Option<Result<(), Status>>,
    is_listening: bool,
    /// How many readers there are, and since when there has been none.
    readers: usize,
    unread_since: Option<Instant>,
}

/// One who reads the responses, as long as he does.
struct Reader(Arc<Operation>);

impl Reader {
    fn new(operation: Arc<Operation>) -> Self {
        operation.kept.lock().readers += 1;
        Self(operation)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut kept = self.0.kept.lock();
        kept.readers -= 1;
        kept.unread_since = (kept.readers == 0).then(Instant::now);
    }
}

impl Operation {
    /// An operation that has not begun.
    pub(crate) fn new(
        id: String,
        tags: Vec<String>,
        (session_id, server_side_session_id): (&str, &str),
        is_reattachable: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            tags,
            session_id: session_id.to_string(),
            server_side_session_id: server_side_session_id.to_string(),
            is_reattachable,
            kept: Mutex::default(),
            changed: watch::Sender::new(()),
            task: Mutex::default(),
        })
    }

    /// Sets what ends when the operation is interrupted.
    pub(crate) fn runs_as(&self, task: AbortHandle) {
        *self.task.lock() = Some(task);
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&self) -> bool {
        self.kept.lock().ended.is_none()
    }

    /// Whether nobody has read it for so long; nobody will come back for it.
    pub(crate) fn is_abandoned(&self, after: Duration) -> bool {
        let kept = self.kept.lock();
        let since = kept.unread_since.filter(|_| kept.readers == 0);
        since.is_some_and(|since| since.elapsed() >= after)
    }

    /// Adds one response.
    pub(crate) fn send(&self, response: ResponseType) {
        self.push(Some(response), None);
    }

    /// Tells the client which columns will come.
    pub(crate) fn send_schema(&self, schema: proto::DataType) {
        self.push(None, Some(schema));
    }

    fn push(&self, response_type: Option<ResponseType>, schema: Option<proto::DataType>) {
        let response = Response {
            session_id: self.session_id.clone(),
            server_side_session_id: self.server_side_session_id.clone(),
            operation_id: self.id.clone(),
            response_id: Uuid::new_v4().to_string(),
            schema,
            response_type,
            ..Default::default()
        };
        let mut kept = self.kept.lock();
        if kept.ended.is_none() {
            kept.responses.push_back(response);
            drop(kept);
            self.changed.send_replace(());
        }
    }

    /// Ends it; a later end changes nothing.
    pub(crate) fn end(&self, result: Result<(), Status>) {
        if result.is_ok() && self.is_reattachable {
            self.send(ResponseType::ResultComplete(ResultComplete {}));
        }
        self.kept.lock().ended.get_or_insert(result);
        self.changed.send_replace(());
    }

    /// Stops it where it is; `status` is what its client is told.
    pub(crate) fn interrupt(&self, status: Status) {
        self.end(Err(status));
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }

    /// Says that it only listens, until it is told to end.
    pub(crate) fn listens(&self) {
        self.kept.lock().is_listening = true;
    }

    /// Ends it in good order if it only listens.
    pub(crate) fn end_listening(&self) {
        let is_listening = self.kept.lock().is_listening;
        if is_listening && self.is_running() {
            self.end(Ok(()));
            if let Some(task) = self.task.lock().take() {
                task.abort();
            }
        }
    }

    /// Forgets the responses up to this one.
    pub(crate) fn release_until(&self, response_id: &str) {
        let mut kept = self.kept.lock();
        if let Some(place) = kept.place(response_id) {
            kept.forget(place + 1);
        }
    }

    /// The responses after the one given, or all.
    pub(crate) fn responses(
        self: Arc<Self>,
        after: Option<&str>,
    ) -> Result<impl Stream<Item = Result<Response, Status>> + use<>, Status> {
        let kept = self.kept.lock();
        let next = match after {
            None => 0,
            Some(id) if kept.last_forgotten == id => kept.first,
            Some(id) => {
                let place = kept.place(id).ok_or_else(not_available)?;
                kept.first + place + 1
            }
        };
        if next < kept.first {
            return Err(not_available());
        }
        drop(kept);
        let changed = self.changed.subscribe();
        let reader = Reader::new(self);
        Ok(unfold(
            Some((reader, next, changed)),
            |reading| async move {
                let (reader, next, mut changed) = reading?;
                loop {
                    changed.borrow_and_update();
                    match reader.0.at(next) {
                        At::Response(response) => {
                            return Some((Ok(*response), Some((reader, next + 1, changed))));
                        }
                        At::End(Ok(())) => return None,
                        At::End(Err(status)) => return Some((Err(status), None)),
                        At::Later => {}
                    }
                    if changed.changed().await.is_err() {
                        return None;
                    }
                }
            },
        ))
    }

    fn at(&self, next: usize) -> At {
        let mut kept = self.kept.lock();
        let Some(place) = next.checked_sub(kept.first) else {
            return At::End(Err(not_available()));
        };
        match (kept.responses.get(place).cloned(), &kept.ended) {
            (Some(response), _) => {
                match self.is_reattachable {
                    true => kept.was_sent(place, response.encoded_len()),
                    false => kept.forget(place + 1),
                }
                At::Response(Box::new(response))
            }
            (None, Some(end)) => At::End(end.clone()),
            (None, None) => At::Later,
        }
    }
}

fn not_available() -> Status {
    refused(
        "INVALID_CURSOR.POSITION_NOT_AVAILABLE",
        "what comes after this response is not kept any more",
    )
}

/// What stands at a place among the responses.
enum At {
    Response(Box<Response>),
    End(Result<(), Status>),
    Later,
}

impl Kept {
    fn place(&self, response_id: &str) -> Option<usize> {
        let mut responses = self.responses.iter();
        responses.position(|response| response.response_id == response_id)
    }

    fn forget(&mut self, count: usize) {
        self.first += count;
        self.sent = self.sent.saturating_sub(count);
        for response in self.responses.drain(..count) {
            let bytes = response.encoded_len();
            self.sent_bytes = self.sent_bytes.saturating_sub(bytes);
            self.last_forgotten = response.response_id;
        }
    }

    /// The response at `place` was sent; what was sent long before it is not kept.
    fn was_sent(&mut self, place: usize, bytes: usize) {
        if place < self.sent {
            return;
        }
        self.sent = place + 1;
        self.sent_bytes += bytes;
        while self.sent_bytes > KEPT_BYTES && self.sent > 1 {
            self.forget(1);
        }
    }
}
