//! What a running cell can say: text, displays, a result, pages.
//!
//! A handle is closed when its cell ends or is interrupted; what a straggler still says then is
//! dropped, so that it cannot appear under the next cell. A cell that says much is held up until
//! the clients that read have caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::display::MimeBundle;
use crate::sockets::{IoPub, Parent, Stream};

/// The outputs of one cell. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    iopub: IoPub,
    parent: Parent,
    execution_count: u32,
    open: AtomicBool,
    kept: Mutex<Kept>,
}

/// What is not broadcast but goes into the reply or the history.
#[derive(Debug, Default, Clone)]
pub(crate) struct Kept {
    /// Payloads of the reply.
    pub payload: Vec<Value>,
    /// The result as plain text.
    pub result: Option<String>,
}

impl Outputs {
    /// Outputs for the cell that `parent` asked for; a silent cell says nothing.
    pub(crate) fn new(iopub: IoPub, parent: Parent, execution_count: u32, silent: bool) -> Self {
        Self {
            shared: Arc::new(Shared {
                iopub,
                parent,
                execution_count,
                open: AtomicBool::new(!silent),
                kept: Mutex::default(),
            }),
        }
    }

    /// The number of the cell.
    pub(crate) fn execution_count(&self) -> u32 {
        self.shared.execution_count
    }

    /// The request that the cell came with.
    pub(crate) fn parent(&self) -> &Parent {
        &self.shared.parent
    }

    /// Whether anybody sees what is said.
    pub(crate) fn is_open(&self) -> bool {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Says nothing more from here on.
    pub(crate) fn close(&self) {
        self.shared.open.store(false, Ordering::Release);
    }

    /// Payloads and result so far.
    pub(crate) fn kept(&self) -> Kept {
        self.shared.kept.lock().clone()
    }

    /// Ordinary text; bring your own newline.
    pub(crate) fn stdout(&self, text: impl Into<String>) {
        self.stream(Stream::Stdout, text);
    }

    /// A warning or a note; bring your own newline.
    pub(crate) fn stderr(&self, text: impl Into<String>) {
        self.stream(Stream::Stderr, text);
    }

    /// Shows something that never changes.
    pub(crate) fn display(&self, bundle: MimeBundle) {
        self.send("display_data", display_content(bundle, json!({})));
    }

    /// Shows something under an id, so that it can be updated.
    pub(crate) fn display_with_id(&self, bundle: MimeBundle, display_id: &str) {
        let transient = json!({"display_id": display_id});
        self.send("display_data", display_content(bundle, transient));
    }

    /// The value of the cell.
    pub(crate) fn result(&self, bundle: MimeBundle) {
        let plain = bundle.data.get("text/plain").and_then(Value::as_str);
        self.shared.kept.lock().result = plain.map(str::to_owned);
        let count = json!(self.shared.execution_count);
        let mut content = display_content(bundle, json!({}));
        if let Value::Object(content) = &mut content {
            content.insert("execution_count".to_owned(), count);
        }
        self.send("execute_result", content);
    }

    /// Text for the pager.
    pub(crate) fn page(&self, bundle: MimeBundle) {
        let page = json!({"source": "page", "data": bundle.data, "start": 0});
        self.shared.kept.lock().payload.push(page);
    }

    /// Removes what the cell has shown so far, at once or when the next output comes.
    pub(crate) fn clear(&self, wait: bool) {
        self.send("clear_output", json!({"wait": wait}));
    }

    fn stream(&self, stream: Stream, text: impl Into<String>) {
        if self.is_open() {
            let text = text.into();
            let bytes = text.len();
            let Shared { iopub, parent, .. } = &*self.shared;
            iopub.stream(parent, stream, text);
            iopub.catch_up(bytes);
        }
    }

    fn send(&self, msg_type: &str, content: Value) {
        if self.is_open() {
            let bytes = content.get("data").map_or(0, text_bytes);
            let Shared { iopub, parent, .. } = &*self.shared;
            iopub.send(parent, msg_type, content);
            iopub.catch_up(bytes);
        }
    }
}

/// About how large a bundle is.
fn text_bytes(data: &Value) -> usize {
    let values = data.as_object().into_iter().flat_map(|data| data.values());
    values.filter_map(Value::as_str).map(str::len).sum()
}

/// The content of `display_data` and `update_display_data`.
pub(crate) fn display_content(bundle: MimeBundle, transient: Value) -> Value {
    json!({"data": bundle.data, "metadata": bundle.metadata, "transient": transient})
}
