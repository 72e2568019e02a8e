//! Frames of the wire protocol over tokio's sockets.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tidebook::wire;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// One frame as bytes.
pub(super) fn encode(header: &impl Serialize, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    wire::send(&mut frame, header, body)?;
    Ok(frame)
}

/// Reads one frame; `None` at the end of the connection.
pub(super) async fn read<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut lengths = [0; 8];
    if from.read(&mut lengths[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut lengths[1..]).await?;
    let (header_len, body_len) = wire::frame_lengths(lengths)?;
    let mut header = vec![0; header_len];
    from.read_exact(&mut header).await?;
    let mut body = vec![0; body_len];
    from.read_exact(&mut body).await?;
    Ok(Some((serde_json::from_slice(&header)?, body)))
}
