//! Unix sockets are files: a killed kernel leaves them behind, and its successor could not bind.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use jupyter_protocol::{ConnectionInfo, Transport};

/// Removes the sockets of an earlier kernel of the same connection file, unless it still listens.
pub(super) fn remove_stale(info: &ConnectionInfo) {
    for path in paths(info) {
        let refused = UnixStream::connect(&path)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused);
        if refused {
            remove(path);
        }
    }
}

/// Removes our own sockets when we end.
pub(super) fn remove_own(info: &ConnectionInfo) {
    paths(info).into_iter().for_each(remove);
}

fn remove(path: PathBuf) {
    if let Err(error) = std::fs::remove_file(&path) {
        tracing::debug!(path = %path.display(), %error, "socket not removed");
    }
}

/// The socket files; none for TCP.
fn paths(info: &ConnectionInfo) -> Vec<PathBuf> {
    if info.transport != Transport::IPC {
        return Vec::new();
    }
    let urls = [
        info.shell_url(),
        info.control_url(),
        info.stdin_url(),
        info.iopub_url(),
        info.hb_url(),
    ];
    urls.iter()
        .filter_map(|url| url.strip_prefix("ipc://"))
        .map(PathBuf::from)
        .collect()
}
