//! Connections that nobody uses at the moment.
//!
//! Every cell is compiled with a copy of this crate, so a connection that one cell leaves is of no
//! use to the next one. What is idle for some time is closed: a notebook of a thousand cells would
//! run out of files.

use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a connection may be idle, at least.
const KEPT: Duration = Duration::from_secs(2);

/// Connections, and since when each is idle.
pub(crate) struct Idle {
    inner: Mutex<Inner>,
}

struct Inner {
    streams: Vec<(Instant, UnixStream)>,
    /// Whether there is a thread that closes them.
    is_watched: bool,
}

impl Idle {
    pub(crate) const fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                streams: Vec::new(),
                is_watched: false,
            }),
        }
    }

    /// One of them, if there are any.
    pub(crate) fn take(&self) -> Option<UnixStream> {
        self.lock().streams.pop().map(|(_, stream)| stream)
    }

    /// One more.
    pub(crate) fn put(&'static self, stream: UnixStream) {
        let mut inner = self.lock();
        inner.streams.push((Instant::now(), stream));
        if !inner.is_watched {
            let watch = thread::Builder::new().name("idle connections".to_string());
            inner.is_watched = watch.spawn(|| self.watch()).is_ok();
        }
    }

    /// Closes what is idle for too long, until nothing is.
    fn watch(&self) {
        loop {
            thread::sleep(KEPT);
            let mut inner = self.lock();
            inner.streams.retain(|(since, _)| since.elapsed() < KEPT);
            if inner.streams.is_empty() {
                inner.is_watched = false;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
