//! A Python that runs: its process, and the channels to it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::connection_info::Transport;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::channels::Channels;
use super::relay::{Relay, bundle};
use super::{Cell, execute_request};
use crate::display::MimeBundle;
use crate::error::{CellError, Result};
use crate::live::Live;
use crate::process_group::ProcessGroup;
use crate::sockets::message;

/// How often it is looked whether the sockets are there.
const LOOK: Duration = Duration::from_millis(10);
/// After how long the first question is asked again: what is broadcast before a client has subscribed
/// is lost.
const AGAIN: Duration = Duration::from_millis(100);
/// The sockets: shell, iopub, stdin, control, heartbeat.
const SOCKETS: [u16; 5] = [1, 2, 3, 4, 5];

/// A Python that has said that it is there.
pub(super) struct Python {
    process: ProcessGroup,
    channels: Channels,
    relay: Arc<Relay>,
    /// Where the sockets are.
    _folder: TempDir,
}

impl Python {
    /// Starts it; `started` is told of the process before it is there.
    pub(super) async fn start(
        interpreter: &Path,
        remote: &str,
        live: Live,
        started: impl FnOnce(&ProcessGroup),
    ) -> Result<Self> {
        let not_started = |error: &dyn std::fmt::Display| {
            CellError::new(
                "PythonNotAvailable",
                format!("Python does not start: {error}"),
            )
        };
        let folder = TempDir::with_prefix("tidebook-python-");
        let folder = folder.map_err(|error| not_started(&error))?;
        let info = connection_info(folder.path());
        let file = folder.path().join("connection.json");
        let written = std::fs::write(&file, json!(info).to_string());
        written.map_err(|error| not_started(&error))?;
        let mut command = Command::new(interpreter);
        command
            // Otherwise a debugger that nobody has asked for says that it may miss breakpoints.
            .args(["-X", "frozen_modules=off", "-m", "ipykernel_launcher", "-f"])
            .arg(&file)
            .env("PYDEVD_DISABLE_FILE_VALIDATION", "1")
            .env("SPARK_REMOTE", remote)
            // It looks at its parent and ends with it.
            .env("JPY_PARENT_PID", std::process::id().to_string());
        let process = ProcessGroup::start(command, "python");
        let process = process.map_err(|error| not_started(&error))?;
        started(&process);
        let connected = async {
            while !SOCKETS
                .iter()
                .all(|number| Path::new(&format!("{}-{number}", info.ip)).exists())
            {
                tokio::time::sleep(LOOK).await;
            }
            connect(&info, live).await
        };
        let (channels, relay) = tokio::select! {
            connected = connected => connected.map_err(|error| {
                process.kill();
                not_started(&format!("{error:#}"))
            })?,
            how = process.ended() => return Err(not_started(&how)),
        };
        Ok(Self {
            process,
            channels,
            relay,
            _folder: folder,
        })
    }

    /// Whether its process has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.process.has_ended()
    }

    /// How its process has ended.
    pub(super) async fn ended(&self) -> String {
        self.process.ended().await
    }

    /// Runs code to its end.
    pub(super) async fn execute(&self, code: &str, silent: bool, cell: Cell<'_>) -> Result<()> {
        let content = execute_request(code, silent, cell.may_ask);
        let request = message("execute_request", content);
        let is_idle = self.relay.begin(&request.header.msg_id, cell);
        let reply = self.channels.request(request);
        let ran = async {
            let reply = reply.await;
            // All that it says comes before this.
            let _ = is_idle.await;
            reply.unwrap_or_default()
        };
        let ran = tokio::select! {
            reply = ran => Ok(reply),
            how = self.process.ended() => Err(how),
        };
        let error = self.relay.end();
        match (ran, error) {
            (Err(how), _) => Err(CellError::new(
                "PythonDied",
                format!("the Python of these cells has ended ({how}): its variables are gone, queries go on"),
            )
            .hint("run the cells again that define what you need: a new Python starts")),
            (Ok(_), Some(error)) => Err(error),
            (Ok(reply), None) => match reply.get("status").and_then(Value::as_str) {
                Some("ok") => {
                    for page in pages(&reply) {
                        cell.outputs.display(page);
                    }
                    Ok(())
                }
                _ => Err(CellError::new("PythonError", "the cell did not run to its end")),
            },
        }
    }

    /// The answer to a question about code.
    pub(super) async fn ask(&self, msg_type: &str, content: Value) -> Option<Value> {
        self.channels.request(message(msg_type, content)).await.ok()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// What a reply wants to be shown in a pager, as for `spark.read?`: a cell of a notebook has none.
fn pages(reply: &Value) -> impl Iterator<Item = MimeBundle> {
    let payload = reply.get("payload").and_then(Value::as_array);
    let pages = payload.into_iter().flatten();
    let pages = pages.filter(|page| page.get("source").and_then(Value::as_str) == Some("page"));
    pages.map(bundle)
}

fn connection_info(folder: &Path) -> ConnectionInfo {
    let [shell_port, iopub_port, stdin_port, control_port, hb_port] = SOCKETS;
    ConnectionInfo {
        ip: folder.join("socket").display().to_string(),
        transport: Transport::IPC,
        shell_port,
        iopub_port,
        stdin_port,
        control_port,
        hb_port,
        key: Uuid::new_v4().simple().to_string(),
        signature_scheme: "hmac-sha256".to_owned(),
        kernel_name: None,
    }
}

/// Connects, and waits until what is broadcast is heard.
async fn connect(info: &ConnectionInfo, live: Live) -> anyhow::Result<(Channels, Arc<Relay>)> {
    let (answers, answered) = mpsc::unbounded_channel();
    let relay = Arc::new(Relay::new(live, answers));
    let (hears, asks) = (Arc::clone(&relay), Arc::clone(&relay));
    let channels = Channels::connect(
        info,
        move |said| hears.hear(said),
        move |said| asks.ask(&said),
        answered,
    )
    .await?;
    loop {
        let reply = channels.request(message("kernel_info_request", json!({})));
        let both = async { tokio::join!(reply, relay.heard.notified()) };
        if tokio::time::timeout(AGAIN, both).await.is_ok() {
            return Ok((channels, relay));
        }
    }
}
