//! The events of all queries, sent to a client that listens.

use std::sync::Arc;

use serde_json::{Value, json};
use tidebook_engine::connect::proto::execute_plan_response::ResponseType;
use tidebook_engine::connect::proto::{
    StreamingQueryEventType, StreamingQueryListenerEvent, StreamingQueryListenerEventsResult,
};
use tidebook_engine::{
    StreamingQuery, StreamingQueryEvent, StreamingQueryListener, StreamingQueryManager,
    StreamingQueryProgress,
};
use tokio::sync::mpsc;

use crate::errors::sentence;
use crate::operation::Operation;

/// Passes events on, as many as there are.
struct Bus(mpsc::UnboundedSender<StreamingQueryListenerEvent>);

impl StreamingQueryListener for Bus {
    fn on_event(&self, event: &StreamingQueryEvent) {
        if let Some(event) = message(event) {
            // A client that has gone listens no more.
            let _ = self.0.send(event);
        }
    }
}

/// Sends events until the client ends the operation.
pub(crate) async fn listen(streams: &StreamingQueryManager, operation: &Operation) {
    let (sender, mut events) = mpsc::unbounded_channel();
    let bus: Arc<dyn StreamingQueryListener> = Arc::new(Bus(sender));
    streams.add_listener(Arc::clone(&bus));
    let _registered = Registered { streams, bus };
    operation.listens();
    operation.send(result(Vec::new(), Some(true)));
    while let Some(event) = events.recv().await {
        operation.send(result(vec![event], None));
    }
}

/// Listens for as long as it lives.
struct Registered<'a> {
    streams: &'a StreamingQueryManager,
    bus: Arc<dyn StreamingQueryListener>,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.streams.remove_listener(&self.bus);
    }
}

fn result(events: Vec<StreamingQueryListenerEvent>, added: Option<bool>) -> ResponseType {
    ResponseType::StreamingQueryListenerEventsResult(StreamingQueryListenerEventsResult {
        events,
        listener_bus_listener_added: added,
    })
}

/// A start is told where the query is started; all other events go over the bus.
fn message(event: &StreamingQueryEvent) -> Option<StreamingQueryListenerEvent> {
    let (event_type, value): (_, Value) = match event {
        StreamingQueryEvent::Started { .. } => return None,
        StreamingQueryEvent::Progress(progress) => (
            StreamingQueryEventType::QueryProgressEvent,
            json!({ "progress": progress_json(progress) }),
        ),
        StreamingQueryEvent::Idle {
            id,
            run_id,
            timestamp,
        } => (
            StreamingQueryEventType::QueryIdleEvent,
            json!({ "id": id, "runId": run_id, "timestamp": timestamp }),
        ),
        StreamingQueryEvent::Terminated {
            id,
            run_id,
            exception,
        } => (
            StreamingQueryEventType::QueryTerminatedEvent,
            json!({
                "id": id,
                "runId": run_id,
                "exception": exception.as_ref().map(sentence),
                "errorClassOnException": exception.as_ref().and_then(|error| error.condition()),
            }),
        ),
    };
    Some(StreamingQueryListenerEvent {
        event_json: value.to_string(),
        event_type: event_type.into(),
    })
}

/// A progress with all that clients read of it: a rate that is not finite is left out in Spark's form,
/// but PySpark wants those of sources in any case.
pub(crate) fn progress_json(progress: &StreamingQueryProgress) -> Value {
    let mut value = json!(progress);
    let sources = value.get_mut("sources").and_then(Value::as_array_mut);
    for source in sources
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        for rate in ["inputRowsPerSecond", "processedRowsPerSecond"] {
            source.entry(rate).or_insert_with(|| json!(0.0));
        }
    }
    value
}

/// The event of a query that has started.
pub(crate) fn started_json(query: &StreamingQuery) -> String {
    json!({
        "id": query.id(),
        "runId": query.run_id(),
        "name": query.name(),
        "timestamp": query.started_at(),
        "jobTags": [],
    })
    .to_string()
}
