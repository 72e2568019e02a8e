//! What a publisher speaks of ZMTP 3.0, the wire protocol of ZeroMQ: the handshake without security,
//! subscriptions in, messages out. <https://rfc.zeromq.org/spec/23/> describes every byte.
//!
//! The publishers of the `zeromq` crate do not do for a notebook: XPUB waits for a subscriber that
//! does not read, and so do all others; PUB bounds its queues by the number of messages and not by
//! their size, and does not tell who has subscribed.

use std::io::{Error, ErrorKind, Result};

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeromq::ZmqMessage;

// The flags of a frame.
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// The longest frame that a subscriber has reason to send.
const LONGEST_FRAME: u64 = 64 * 1024;

/// A peer of version 3.0 sends its subscriptions as messages, one of 3.1 would send commands.
const GREETING: [u8; 64] = {
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    // The mechanism.
    [greeting[12], greeting[13], greeting[14], greeting[15]] = *b"NULL";
    greeting
};

const READY: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04XPUB";

/// What a subscriber asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Subscription {
    /// Messages whose first frame starts with this.
    To(Vec<u8>),
    /// No longer those.
    Cancelled(Vec<u8>),
}

/// Agrees with a peer that has just connected; what follows are its subscriptions.
pub(super) async fn handshake(
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<()> {
    writer.write_all(&GREETING).await?;
    writer.flush().await?;
    let mut greeting = [0; 64];
    reader.read_exact(&mut greeting).await?;
    if greeting[0] != GREETING[0] || greeting[9] != GREETING[9] {
        return Err(invalid("not a ZeroMQ peer"));
    }
    if greeting[10] < GREETING[10] || greeting[12..32] != GREETING[12..32] {
        return Err(invalid("not ZMTP 3 without security"));
    }
    writer.write_all(READY).await?;
    writer.flush().await?;
    match read_frame(reader).await? {
        (flags, body) if flags & COMMAND != 0 && body.starts_with(b"\x05READY") => Ok(()),
        _ => Err(invalid("the peer is not ready")),
    }
}

/// The next subscription; whatever else a peer sends means nothing to a publisher.
pub(super) async fn next_subscription(
    reader: &mut (impl AsyncRead + Unpin),
) -> Result<Subscription> {
    loop {
        let (flags, body) = read_frame(reader).await?;
        if flags & (COMMAND | MORE) != 0 {
            continue;
        }
        match body.split_first() {
            Some((1, topic)) => return Ok(Subscription::To(topic.to_vec())),
            Some((0, topic)) => return Ok(Subscription::Cancelled(topic.to_vec())),
            _ => {}
        }
    }
}

/// A message as it goes over the wire.
pub(super) fn encode(message: &ZmqMessage) -> Bytes {
    let length = message.iter().map(|frame| frame.len() + 9).sum();
    let mut encoded = BytesMut::with_capacity(length);
    let mut left = message.len();
    for frame in message.iter() {
        left -= 1;
        let more = if left > 0 { MORE } else { 0 };
        match u8::try_from(frame.len()) {
            Ok(short) => encoded.put_slice(&[more, short]),
            Err(_) => {
                encoded.put_u8(more | LONG);
                encoded.put_u64(frame.len() as u64);
            }
        }
        encoded.put_slice(frame);
    }
    encoded.freeze()
}

async fn read_frame(reader: &mut (impl AsyncRead + Unpin)) -> Result<(u8, Vec<u8>)> {
    let flags = reader.read_u8().await?;
    let length = match flags & LONG {
        0 => u64::from(reader.read_u8().await?),
        _ => reader.read_u64().await?,
    };
    if length > LONGEST_FRAME {
        return Err(invalid("a frame is too long for a subscriber"));
    }
    let mut body = vec![0; length as usize];
    reader.read_exact(&mut body).await?;
    Ok((flags, body))
}

fn invalid(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_frames_are_encoded() {
        let long = vec![7; 300];
        let frames = vec![Bytes::from_static(b"topic"), Bytes::from(long.clone())];
        let encoded = encode(&ZmqMessage::try_from(frames).unwrap());
        let (first, second) = encoded.split_at(7);
        assert_eq!(first, b"\x01\x05topic");
        assert_eq!(second[..9], [2, 0, 0, 0, 0, 0, 0, 1, 44]);
        assert_eq!(second[9..], long);
    }

    #[tokio::test]
    async fn only_subscriptions_are_read() {
        let sent = [
            b"\x04\x06\x04PINGx".as_slice(),
            b"\x00\x04\x01abc",
            b"\x00\x00",
            b"\x00\x05other",
            b"\x00\x01\x00",
        ]
        .concat();
        let mut reader = sent.as_slice();
        let read = next_subscription(&mut reader).await.unwrap();
        assert_eq!(read, Subscription::To(b"abc".to_vec()));
        let read = next_subscription(&mut reader).await.unwrap();
        assert_eq!(read, Subscription::Cancelled(Vec::new()));
        assert!(next_subscription(&mut reader).await.is_err());
    }

    #[tokio::test]
    async fn a_frame_without_end_is_refused() {
        let sent = [2, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        let error = next_subscription(&mut sent.as_slice()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn who_speaks_no_zeromq_is_refused() {
        let rubbish = [b'x'; 64];
        let mut written = Vec::new();
        let refused = handshake(&mut rubbish.as_slice(), &mut written).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
