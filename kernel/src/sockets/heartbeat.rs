//! Echoes whatever a client sends, so that it knows the process is alive.

use std::time::Duration;

use jupyter_protocol::ConnectionInfo;
use zeromq::{RepSocket, Socket as _, SocketRecv as _, SocketSend as _};

/// Binds the heartbeat port and answers on it until the process ends.
pub(super) async fn spawn(info: &ConnectionInfo) -> zeromq::ZmqResult<()> {
    let mut socket = RepSocket::new();
    socket.bind(&info.hb_url()).await?;
    tokio::spawn(async move {
        loop {
            let echoed = match socket.recv().await {
                Ok(message) => socket.send(message).await,
                Err(error) => Err(error),
            };
            if let Err(error) = echoed {
                tracing::debug!(%error, "heartbeat: client lost");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    Ok(())
}
