//! The process of the program that compiles cells: where it is, its start, its end.

use std::fs::File;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tidebook::wire::SOCKET;
use tidebook_rust_protocol::{INHERITED_BY_USER_CODE, PROGRAM};
use tokio::sync::watch;

use crate::error::{CellError, Result};

/// What `install.sh` writes while it builds the program: how far it is. Locked as long as it builds.
const PROGRESS: &str = "tidebook-rust.progress";
/// How long the program has to end once nobody is connected to it any more.
const END: Duration = Duration::from_secs(1);

/// A process that leads a process group, which its compilers share.
#[derive(Debug, Clone)]
pub(super) struct Process {
    group: Pid,
    /// How it has ended, once it has.
    ended: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Starts the program, which will connect to a socket.
    pub(super) fn start(socket: &Path) -> Result<Self> {
        let program = program()?;
        let mut command = Command::new(&program);
        // A kernel that user code has started is a kernel like any other.
        for name in INHERITED_BY_USER_CODE {
            command.env_remove(name);
        }
        let started = command
            .env(SOCKET, socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn();
        let not_started = |why: &str| {
            let program = program.display();
            not_available(format!(
                "the compiler of the Rust cells, '{program}', does not start: {why}"
            ))
        };
        let mut child = started.map_err(|error| not_started(&error.to_string()))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let group = group.ok_or_else(|| not_started("its process has no number"))?;
        let (end, ended) = watch::channel(None);
        let waiting = std::thread::Builder::new().name("compiler".to_owned());
        let waited = waiting.spawn(move || {
            let status = child.wait().unwrap_or_default();
            let _ = end.send(Some(status));
        });
        waited.map_err(|error| not_started(&error.to_string()))?;
        Ok(Self { group, ended })
    }

    /// Ends what compiles right now; the program itself goes on.
    pub(super) fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Ends the program and what compiles.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Waits for the end of the process and says how it came, in words.
    pub(super) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.map(|status| *status) {
            Ok(Some(status)) => how(status),
            _ => "an unknown status".to_owned(),
        }
    }

    /// Sees to the end of the process, which nobody is connected to any more, and says how it came.
    pub(super) async fn finish(&self) -> String {
        if let Ok(how) = tokio::time::timeout(END, self.ended()).await {
            return how;
        }
        self.kill();
        self.ended().await
    }

    fn signal(&self, signal: Signal) {
        // The number of a process that was waited for may belong to another one.
        if self.ended.borrow().is_none()
            && let Err(error) = kill_process_group(self.group, signal)
        {
            tracing::debug!(%error, "the compiler's process group takes no signal");
        }
    }
}

/// Where the program is, or why it is not there.
pub(crate) fn describe() -> std::result::Result<String, String> {
    let program = program().map_err(|error| error.evalue)?;
    Ok(program.display().to_string())
}

/// The program beside this one, or what to do about its absence.
pub(super) fn program() -> Result<PathBuf> {
    let beside = std::env::current_exe().unwrap_or_default();
    let program = beside.with_file_name(PROGRAM);
    if program.is_file() {
        return Ok(program);
    }
    Err(match progress(&beside.with_file_name(PROGRESS)) {
        Some(progress) => not_available(format!(
            "the compiler of the Rust cells is still being built ({progress})"
        ))
        .hint("run this cell again when ./install.sh has ended; all magics work meanwhile"),
        None => not_available("a cell without a magic is Rust, and its compiler is not built")
            .hint("run ./install.sh, it goes on where it was; all magics work without it"),
    })
}

/// How far the build of the program is; nothing if nobody builds it.
fn progress(file: &Path) -> Option<String> {
    let is_built = File::open(file).ok()?.try_lock().is_err();
    let text = std::fs::read_to_string(file).ok()?;
    is_built.then(|| text.trim().to_owned())
}

fn not_available(why: impl Into<String>) -> CellError {
    CellError::new(super::NOT_AVAILABLE, why)
}

fn how(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(9), _) => "signal 9 (killed)".to_owned(),
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit status {code}"),
        (None, None) => "an unknown status".to_owned(),
    }
}
