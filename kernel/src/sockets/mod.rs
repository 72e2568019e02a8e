//! The five sockets of a kernel: bytes in, typed messages out, no cell logic.
//!
//! **Invariant: no failure of one message or one client ends a channel.** Every loop in here logs
//! what went wrong and goes on; a client that vanishes or sends rubbish harms only itself.

mod heartbeat;
mod iopub;
mod ipc;
mod message;
mod publisher;
mod router;
mod stdin;
mod subscriber;
mod zmtp;

use anyhow::Context as _;
use jupyter_protocol::ConnectionInfo;

#[cfg(test)]
pub(crate) use iopub::Recorded;
pub(crate) use iopub::{IoPub, Stream};
#[cfg(test)]
pub(crate) use message::parent;
pub(crate) use message::{Parent, Request, orphan as message};
pub(crate) use router::Channel;
pub(crate) use stdin::Stdin;

/// All sockets of a kernel, bound and running.
pub(crate) struct Sockets {
    /// Requests that execute or ask something.
    pub shell: Channel,
    /// Requests that must not wait behind a running cell.
    pub control: Channel,
    /// Everything that is broadcast.
    pub iopub: IoPub,
    /// What cells ask of the user.
    pub stdin: Stdin,
}

impl Sockets {
    /// Binds to exactly the addresses the connection file names.
    pub(crate) async fn bind(info: &ConnectionInfo) -> anyhow::Result<Self> {
        ipc::remove_stale(info);
        let session = uuid::Uuid::new_v4().to_string();
        heartbeat::spawn(info)
            .await
            .with_context(|| format!("bind heartbeat to '{}'", info.hb_url()))?;
        Ok(Self {
            iopub: IoPub::spawn(info, &session)
                .await
                .with_context(|| format!("bind iopub to '{}'", info.iopub_url()))?,
            stdin: Stdin::new(
                Channel::spawn("stdin", &info.stdin_url(), &info.key, &session).await?,
            ),
            control: Channel::spawn("control", &info.control_url(), &info.key, &session).await?,
            shell: Channel::spawn("shell", &info.shell_url(), &info.key, &session).await?,
        })
    }
}

/// Leaves nothing of the sockets behind when the process ends.
pub(crate) fn clean_up(info: &ConnectionInfo) {
    ipc::remove_own(info);
}
