//! Snapshots are written in the background, one at a time.

use std::thread::{Builder, JoinHandle};

use crate::error::Result;

/// A snapshot is written every so many versions.
const INTERVAL: i64 = 10;

/// Writes the snapshots of one store. Dropping it waits for the one that is being written, so that
/// nothing is written any more once the store is gone.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    running: Option<JoinHandle<()>>,
}

impl Snapshots {
    /// Whether one is to be written of `version`. Not while another is being written: it would wait
    /// with a copy of the state in its hands, and without it a restart only reads more deltas.
    pub(super) fn is_due(&self, version: i64) -> bool {
        let is_running = self
            .running
            .as_ref()
            .is_some_and(|running| !running.is_finished());
        version % INTERVAL == 0 && !is_running
    }

    /// Has the snapshot of `version` written by `write`, after any that is still being written. A
    /// failure costs only time at the next restart, so it is logged, not raised.
    pub(super) fn start(
        &mut self,
        version: i64,
        write: impl FnOnce() -> Result<()> + Send + 'static,
    ) {
        self.wait();
        let thread = Builder::new().name("state-snapshot".into());
        let started = thread.spawn(move || {
            if let Err(error) = write() {
                tracing::warn!(version, %error, "state snapshot not written");
            }
        });
        match started {
            Ok(running) => self.running = Some(running),
            Err(error) => tracing::warn!(version, %error, "state snapshot not started"),
        }
    }

    /// Waits until none is being written.
    pub(super) fn wait(&mut self) {
        if let Some(running) = self.running.take()
            && running.join().is_err()
        {
            tracing::warn!("the writing of a state snapshot panicked");
        }
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;
    use crate::error::Error;

    #[test]
    fn none_is_due_while_one_is_written() {
        let mut snapshots = Snapshots::default();
        assert!(snapshots.is_due(10) && !snapshots.is_due(11));
        let (done, is_done) = mpsc::channel::<()>();
        snapshots.start(10, move || {
            let _ = is_done.recv();
            Ok(())
        });
        assert!(!snapshots.is_due(20));
        done.send(()).unwrap();
        snapshots.wait();
        assert!(snapshots.is_due(20));
    }

    #[test]
    fn dropping_waits_for_the_last() {
        let written = Arc::new(AtomicBool::default());
        let in_thread = Arc::clone(&written);
        let (dropping, is_dropping) = mpsc::channel::<()>();
        let mut snapshots = Snapshots::default();
        snapshots.start(10, move || {
            // Not before the drop begins, which without waiting would be over at once.
            let _ = is_dropping.recv();
            in_thread.store(true, Ordering::Release);
            Ok(())
        });
        dropping.send(()).unwrap();
        drop(snapshots);
        assert!(written.load(Ordering::Acquire));
    }

    #[test]
    fn a_failure_is_no_ones_failure() {
        let mut snapshots = Snapshots::default();
        snapshots.start(10, || Err(Error::internal("a full disk")));
        snapshots.start(20, || panic!("a panic in the test of panics"));
        snapshots.wait();
        assert!(snapshots.is_due(30));
    }
}
