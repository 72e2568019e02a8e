//! One operation of a client: it runs by itself and keeps its responses until they are released, so
//! that a client that lost its connection can go on after the last one it has seen.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::Stream;
use futures::stream::unfold;
use parking_lot::Mutex;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::execute_plan_response::{ResponseType, ResultComplete};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tonic::Status;
use uuid::Uuid;

use crate::errors::refused;

type Response = proto::ExecutePlanResponse;

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
    responses: VecDeque<Response>,
    ended: Option<Result<(), Status>>,
    is_listening: bool,
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
            None => kept.first,
            Some(id) => match kept.place(id) {
                Some(place) => kept.first + place + 1,
                // The client has released it: it goes on with what is left.
                None => kept.first,
            },
        };
        drop(kept);
        let changed = self.changed.subscribe();
        Ok(unfold(Some((self, next, changed)), |reader| async move {
            let (operation, next, mut changed) = reader?;
            loop {
                changed.borrow_and_update();
                match operation.at(next) {
                    At::Response(response) => {
                        return Some((Ok(*response), Some((operation, next + 1, changed))));
                    }
                    At::End(Ok(())) => return None,
                    At::End(Err(status)) => return Some((Err(status), None)),
                    At::Later => {}
                }
                if changed.changed().await.is_err() {
                    return None;
                }
            }
        }))
    }

    fn at(&self, next: usize) -> At {
        let mut kept = self.kept.lock();
        let Some(place) = next.checked_sub(kept.first) else {
            return At::End(Err(refused(
                "INVALID_CURSOR.POSITION_NOT_AVAILABLE",
                "this response has been released",
            )));
        };
        match (kept.responses.get(place).cloned(), &kept.ended) {
            (Some(response), _) => {
                if !self.is_reattachable {
                    kept.forget(place + 1);
                }
                At::Response(Box::new(response))
            }
            (None, Some(end)) => At::End(end.clone()),
            (None, None) => At::Later,
        }
    }
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
        self.responses.drain(..count);
    }
}
