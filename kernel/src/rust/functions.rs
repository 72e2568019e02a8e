//! Functions of user code, called by the engine over the connections that serve them.
//!
//! A call occupies one connection. Who waits for an answer looks now and then whether it is still
//! wanted; a call that is given up takes its connection with it, because the answer may come later.

use std::collections::HashMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tidebook::wire::{self, Call, Failure, Return};
use tidebook_engine::{Error, ErrorKind, Result};

use super::program::Program;

/// How often a waiting call looks whether it is still wanted.
const POLL: Duration = Duration::from_millis(20);
/// How long the first connection of a function may take to come.
const FIRST_CONNECTION: Duration = Duration::from_secs(2);

/// The functions of user code that somebody may still call.
#[derive(Debug, Default)]
pub(super) struct Functions {
    remotes: Mutex<HashMap<String, Weak<Remote>>>,
}

/// One function in the process of user code. With it go its connections, and with those the threads
/// over there and what the function has captured.
#[derive(Debug)]
pub(super) struct Remote {
    id: String,
    functions: Weak<Functions>,
    origin: OnceLock<Program>,
    connections: Mutex<Connections>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Connections {
    idle: Vec<UnixStream>,
    /// Idle or not.
    open: usize,
    /// Whether there ever was one.
    had_any: bool,
}

impl Functions {
    /// A new function with this id, which is here for as long as somebody holds it.
    pub(super) fn add(self: &Arc<Self>, id: &str) -> Arc<Remote> {
        let remote = Arc::new(Remote {
            id: id.to_owned(),
            functions: Arc::downgrade(self),
            origin: OnceLock::new(),
            connections: Mutex::default(),
            changed: Condvar::new(),
        });
        let mut remotes = self.remotes.lock();
        remotes.insert(id.to_owned(), Arc::downgrade(&remote));
        remote
    }

    /// Takes a connection that serves the function with this id; user code opens them when it has
    /// registered the function.
    pub(super) fn add_connection(&self, id: &str, stream: tokio::net::UnixStream) {
        let blocking = stream.into_std().and_then(|stream| {
            stream.set_nonblocking(false)?;
            stream.set_read_timeout(Some(POLL))?;
            Ok(stream)
        });
        let remote = self.remotes.lock().get(id).and_then(Weak::upgrade);
        match (blocking, remote) {
            (Ok(stream), Some(remote)) => remote.add(stream),
            // The last one who could call it went while the connection was made.
            (Ok(_), None) => {}
            (Err(error), _) => tracing::warn!(%error, "a connection of user code is of no use"),
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(functions) = self.functions.upgrade() {
            functions.remotes.lock().remove(&self.id);
        }
    }
}

impl Remote {
    /// Notes the cell that has defined the function, for the places of its panics.
    pub(super) fn comes_from(&self, origin: Program) {
        let _ = self.origin.set(origin);
    }

    /// Calls the function and waits for its answer, as long as `is_cancelled` says no.
    pub(super) fn call(
        &self,
        call: &Call,
        body: &[u8],
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>> {
        let mut stream = self.take(is_cancelled)?;
        let answer = exchange(&mut stream, call, body, is_cancelled);
        let mut connections = self.connections.lock();
        match answer {
            Ok((answer, body)) => {
                connections.idle.push(stream);
                drop(connections);
                self.changed.notify_one();
                match answer {
                    Return::Done => Ok(body),
                    Return::Failed(failure) => Err(self.failed(failure)),
                }
            }
            Err(error) => {
                connections.open -= 1;
                drop(connections);
                self.changed.notify_all();
                match error.kind() {
                    io::ErrorKind::TimedOut => Err(Error::cancelled()),
                    _ => Err(gone()),
                }
            }
        }
    }

    /// Whether it had connections and has none any more: its process has ended.
    pub(super) fn is_gone(&self) -> bool {
        let connections = self.connections.lock();
        connections.had_any && connections.open == 0
    }

    fn add(&self, stream: UnixStream) {
        let mut connections = self.connections.lock();
        connections.idle.push(stream);
        connections.open += 1;
        connections.had_any = true;
        drop(connections);
        self.changed.notify_one();
    }

    fn take(&self, is_cancelled: &dyn Fn() -> bool) -> Result<UnixStream> {
        let asked = Instant::now();
        let mut connections = self.connections.lock();
        loop {
            if let Some(stream) = connections.idle.pop() {
                return Ok(stream);
            }
            if is_cancelled() {
                return Err(Error::cancelled());
            }
            let may_come = !connections.had_any && asked.elapsed() < FIRST_CONNECTION;
            if connections.open == 0 && !may_come {
                return Err(gone());
            }
            self.changed.wait_for(&mut connections, POLL);
        }
    }

    fn failed(&self, failure: Failure) -> Error {
        let kind = match failure.ename.as_str() {
            "AnalysisException" => ErrorKind::Analysis,
            "ParseException" => ErrorKind::Parse,
            "IllegalArgumentException" => ErrorKind::IllegalArgument,
            _ => ErrorKind::Runtime,
        };
        let message = match failure.ename.as_str() {
            "RustPanic" => format!("it panicked: {}", self.with_place(&failure.message)),
            _ => failure.message,
        };
        let error = Error::new(kind, message);
        let error = match failure.condition {
            Some(condition) => error.with_condition(condition),
            None => error,
        };
        match failure.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// The message of a panic, whose last line says where it was in the compiled program, with the
    /// place in words.
    fn with_place(&self, message: &str) -> String {
        let Some((text, location)) = message.rsplit_once("\nat ") else {
            return message.to_owned();
        };
        let place = match self.origin.get() {
            Some(program) => program.place(location),
            None => format!("at {location}"),
        };
        format!("{text} ({place})")
    }
}

fn gone() -> Error {
    Error::runtime("its code is gone: the process of the Rust cells has ended")
        .with_hint("run the cell that defines it again, then start the query again")
}

fn exchange(
    stream: &mut UnixStream,
    call: &Call,
    body: &[u8],
    is_cancelled: &dyn Fn() -> bool,
) -> io::Result<(Return, Vec<u8>)> {
    wire::send(stream, call, body)?;
    let mut patient = Patient {
        stream,
        is_cancelled,
    };
    let answer = wire::receive(&mut patient)?;
    answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Reads on over timeouts for as long as the answer is wanted.
struct Patient<'a> {
    stream: &'a mut UnixStream,
    is_cancelled: &'a dyn Fn() -> bool,
}

impl io::Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match io::Read::read(self.stream, buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if (self.is_cancelled)() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                other => return other,
            }
        }
    }
}
