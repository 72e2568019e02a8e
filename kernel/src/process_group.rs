//! A program that the kernel starts beside itself: it leads a process group, and its end is known.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::watch;

/// How long a program has to end by itself.
const END: Duration = Duration::from_secs(1);

/// A process and all that it starts.
#[derive(Debug, Clone)]
pub(crate) struct ProcessGroup {
    group: Pid,
    /// How it has ended, once it has.
    ended: watch::Receiver<Option<ExitStatus>>,
}

impl ProcessGroup {
    /// Starts a program that reads nothing and whose standard output goes nowhere. `thread` names the
    /// thread that waits for its end.
    pub(crate) fn start(mut command: Command, thread: &str) -> std::io::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let group = group.ok_or_else(|| std::io::Error::other("its process has no number"))?;
        let (end, ended) = watch::channel(None);
        let waiting = std::thread::Builder::new().name(thread.to_owned());
        waiting.spawn(move || {
            let status = child.wait().unwrap_or_default();
            let _ = end.send(Some(status));
        })?;
        Ok(Self { group, ended })
    }

    /// What Ctrl-C does in a terminal.
    pub(crate) fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Ends all of it.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Waits for the end of the process and says how it came, in words.
    pub(crate) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.map(|status| *status) {
            Ok(Some(status)) => how(status),
            _ => "an unknown status".to_owned(),
        }
    }

    /// Sees to the end of the process, which nobody needs any more, and says how it came.
    pub(crate) async fn finish(&self) -> String {
        if let Ok(how) = tokio::time::timeout(END, self.ended()).await {
            return how;
        }
        self.kill();
        self.ended().await
    }

    fn signal(&self, signal: Signal) {
        // The number of a process that was waited for may belong to another one.
        if !self.has_ended()
            && let Err(error) = kill_process_group(self.group, signal)
        {
            tracing::debug!(%error, "a process group takes no signal");
        }
    }
}

fn how(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(9), _) => "signal 9 (killed)".to_owned(),
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit status {code}"),
        (None, None) => "an unknown status".to_owned(),
    }
}
