//! Lines as they come in, on a task of their own that ends with the source.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::error::{Error, Result};

/// So much text waits for the query; then the server waits.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// A line may be so long.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

const BYTES_AT_ONCE: usize = 64 * 1024;

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub text: Arc<str>,
    /// When it was read, in milliseconds since 1970.
    pub time_ms: i64,
}

impl Line {
    /// What it takes of the room for waiting lines: an empty one takes some as well.
    fn size(&self) -> usize {
        self.text.len() + size_of::<Self>()
    }
}

/// The lines of one connection that are still needed. Dropped, it ends the connection.
#[derive(Debug)]
pub(super) struct Lines {
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when lines were dropped.
    room: Notify,
    /// Told when a line has come, and when no more will.
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Line>,
    bytes: usize,
    /// The number of the first line here; lines are counted from 0.
    first: i64,
    /// Why there will be no more lines.
    failure: Option<Error>,
}

impl State {
    /// The number of the last line; -1 before the first.
    fn last(&self) -> i64 {
        self.first + self.lines.len() as i64 - 1
    }

    fn has_news(&self, last: i64) -> bool {
        self.failure.is_some() || self.last() > last
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Lines {
    /// Reads from `connection` until it ends. `whence` is for messages.
    pub(super) fn read(
        connection: impl AsyncRead + Send + Unpin + 'static,
        whence: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let reader = tokio::spawn(async move {
            match take_lines(connection, &own, clock.as_ref(), &whence).await {
                Ok(()) => {
                    tracing::warn!("{whence} has closed the connection: no more lines will come")
                }
                Err(error) => {
                    own.state.lock().failure = Some(error);
                    own.news.notify_waiters();
                }
            }
        });
        Self { shared, reader }
    }

    /// The number of the last line; -1 before the first.
    pub(super) fn last(&self) -> Result<i64> {
        let state = self.shared.state.lock();
        match &state.failure {
            Some(error) => Err(error.clone()),
            None => Ok(state.last()),
        }
    }

    /// Is done once there is a line after number `last`, or there will be no more.
    pub(super) fn after(&self, last: i64) -> impl Future<Output = ()> + Send + 'static {
        let shared = Arc::clone(&self.shared);
        async move {
            loop {
                let mut news = std::pin::pin!(shared.news.notified());
                // What comes from here on wakes it.
                news.as_mut().enable();
                if shared.state.lock().has_news(last) {
                    return;
                }
                news.await;
            }
        }
    }

    /// The lines after number `start` up to and including `end`.
    pub(super) fn get(&self, start: i64, end: i64) -> Vec<Line> {
        let state = self.shared.state.lock();
        let index = |number: i64| {
            let index = usize::try_from(number + 1 - state.first).unwrap_or(0);
            index.min(state.lines.len())
        };
        let (from, to) = (index(start), index(end));
        state.lines.range(from..to.max(from)).cloned().collect()
    }

    /// Forgets the lines up to and including number `end`.
    pub(super) fn forget(&self, end: i64) {
        let mut state = self.shared.state.lock();
        while state.first <= end
            && let Some(line) = state.lines.pop_front()
        {
            state.first += 1;
            state.bytes -= line.size();
        }
        drop(state);
        self.shared.room.notify_one();
    }
}

/// Lines end with `\n`, `\r\n` or `\r`; the last one may have no end.
async fn take_lines(
    mut connection: impl AsyncRead + Unpin,
    shared: &Shared,
    clock: &dyn Clock,
    whence: &str,
) -> Result<()> {
    let mut piece: Vec<u8> = Vec::with_capacity(BYTES_AT_ONCE);
    let mut begun: Vec<u8> = Vec::new();
    let mut after_return = false;
    loop {
        piece.clear();
        match connection.read_buf(&mut piece).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!("{whence}: {error}");
                break;
            }
        }
        let mut rest = piece.as_slice();
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest)
            && let (line, [mark, after @ ..]) = rest.split_at(end)
        {
            // What follows `\r` at once belongs to it.
            let is_second = after_return && end == 0 && *mark == b'\n';
            if !is_second {
                begun.extend_from_slice(line);
                add(shared, &begun, clock).await;
                begun.clear();
            }
            after_return = *mark == b'\r';
            rest = after;
        }
        if !rest.is_empty() {
            after_return = false;
            begun.extend_from_slice(rest);
        }
        if begun.len() > MAX_LINE_BYTES {
            let message = format!("{whence} sent a line of more than {MAX_LINE_BYTES} bytes");
            return Err(Error::runtime(message)
                .with_hint("a line ends with a newline; write large records to files instead"));
        }
    }
    if !begun.is_empty() {
        add(shared, &begun, clock).await;
    }
    Ok(())
}

/// Adds a line as soon as there is room for it.
async fn add(shared: &Shared, line: &[u8], clock: &dyn Clock) {
    loop {
        {
            let mut state = shared.state.lock();
            if state.bytes <= MAX_WAITING_BYTES {
                let line = Line {
                    text: String::from_utf8_lossy(line).into(),
                    time_ms: clock.now_ms(),
                };
                state.bytes += line.size();
                state.lines.push_back(line);
                drop(state);
                shared.news.notify_waiters();
                return;
            }
        }
        shared.room.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::clock::ManualClock;

    /// What is read of pieces that come one after the other.
    async fn read(pieces: &[&[u8]]) -> Vec<String> {
        let (mut server, client) = tokio::io::duplex(1 << 20);
        let shared = Shared::default();
        for piece in pieces {
            server.write_all(piece).await.unwrap();
        }
        drop(server);
        let clock = ManualClock::new(7);
        take_lines(client, &shared, &clock, "a server")
            .await
            .unwrap();
        let state = shared.state.into_inner();
        state
            .lines
            .iter()
            .map(|line| line.text.to_string())
            .collect()
    }

    #[tokio::test]
    async fn lines_end_as_in_java() {
        assert_eq!(
            read(&[b"a\nb\n\nc\r\nd\re"]).await,
            ["a", "b", "", "c", "d", "e"]
        );
        assert_eq!(
            read(&[b"a\r", b"\nb\r\r", b"\n\n"]).await,
            ["a", "b", "", ""]
        );
        assert_eq!(
            read(&[b"\xff\xfe\nl\xc3\xbc\n"]).await,
            ["\u{fffd}\u{fffd}", "lü"]
        );
        assert!(read(&[]).await.is_empty());
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_refused() {
        let endless = tokio::io::repeat(b'x');
        let clock = ManualClock::new(0);
        let error = take_lines(endless, &Shared::default(), &clock, "a server").await;
        assert!(
            error
                .unwrap_err()
                .message()
                .contains("a server sent a line of more than")
        );
    }

    #[tokio::test]
    async fn a_server_waits_for_a_query_that_is_slow() {
        // Lines of a megabyte without end.
        let line = [vec![b'x'; 1 << 20], vec![b'\n']].concat();
        let (mut server, client) = tokio::io::duplex(1 << 20);
        let sender = tokio::spawn(async move { while server.write_all(&line).await.is_ok() {} });
        let lines = Lines::read(client, "a server".into(), Arc::new(ManualClock::new(0)));
        let full = || lines.shared.state.lock().bytes >= MAX_WAITING_BYTES;
        while !full() {
            tokio::task::yield_now().await;
        }
        let waiting = lines.last().unwrap();
        assert!(waiting < 70, "{waiting} lines are kept");
        lines.forget(9);
        while lines.last().unwrap() == waiting {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            lines.get(8, 11).len(),
            2,
            "9 is forgotten, 10 and 11 are there"
        );
        drop(lines);
        sender.await.unwrap();
    }

    #[tokio::test]
    async fn what_is_forgotten_takes_no_room() {
        let (mut server, client) = tokio::io::duplex(1 << 10);
        let lines = Lines::read(client, "a server".into(), Arc::new(ManualClock::new(0)));
        server.write_all(b"\n\xff\xfe\nabc\n").await.unwrap();
        while lines.last().unwrap() < 2 {
            tokio::task::yield_now().await;
        }
        lines.forget(2);
        assert_eq!(lines.shared.state.lock().bytes, 0);
    }
}
