//! A claim on a file of a store, which has no locks: it is renewed for as long as it is held, and lapses
//! by itself when its holder is gone.
//!
//! Nobody's clock is trusted: how old a claim is tells the store, which is asked for the times of two of
//! its files, the claim and one that was written just now.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use object_store::UpdateVersion;
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::Location;
use super::bucket::BucketPath;
use crate::clock::{Clock as _, Stopwatch, SystemClock};

/// A claim that was not renewed for so long has lapsed.
const LAPSES_AFTER: Duration = Duration::from_secs(30);

/// Whoever gives up a claim waits no longer than that for a store that does not answer.
const GIVE_UP_WITHIN: Duration = Duration::from_secs(5);

/// A claim that is held. Dropping it gives it up.
#[derive(Debug)]
pub(crate) struct Lease {
    path: BucketPath,
    held: Arc<Mutex<Held>>,
    renewing: JoinHandle<()>,
    lapses_after: Duration,
}

#[derive(Debug)]
struct Held {
    /// Of the file as it was last written.
    version: UpdateVersion,
    /// Before it was last written.
    renewed: Stopwatch,
    /// Somebody else has taken it.
    is_lost: bool,
}

/// What comes of claiming a file.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// The claim.
    Held(Lease),
    /// Another claim holds.
    InUse {
        /// What its holder said of himself.
        holder: String,
        /// After so long it lapses, if it is not renewed.
        lapses_in: Duration,
    },
    /// The store cannot write a file on a condition.
    Unsupported(io::Error),
}

impl Lease {
    /// Claims the file `location` of a store for `holder`, one line. A claim whose holder `is_gone` is
    /// taken at once, any other that was not renewed for half a minute. `None` on the local disk,
    /// where there are locks.
    pub(crate) fn claim(
        location: &Location,
        holder: &str,
        is_gone: impl Fn(&str) -> bool,
    ) -> Option<io::Result<Claimed>> {
        match location {
            Location::Local(_) => None,
            Location::Bucket(path) => Some(Self::lapsing(path, holder, is_gone, LAPSES_AFTER)),
        }
    }

    fn lapsing(
        path: &BucketPath,
        holder: &str,
        is_gone: impl Fn(&str) -> bool,
        lapses_after: Duration,
    ) -> io::Result<Claimed> {
        // Every renewal writes another text, for a store may tell versions by their content.
        let text = format!("{holder}\n{}", uuid::Uuid::new_v4());
        let renewed = Stopwatch::start();
        let written = path.put_as(format!("{text} 0"), None);
        let version = match written {
            Ok(version) => version,
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(Claimed::Unsupported(error));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let Some(found) = path.find()? else {
                    // It was given up meanwhile.
                    return Self::lapsing(path, holder, is_gone, lapses_after);
                };
                let other = String::from_utf8_lossy(&found.content);
                let other = other.lines().next().unwrap_or_default().to_string();
                let age = path.age(&found)?;
                if age < lapses_after && !is_gone(&other) {
                    return Ok(Claimed::InUse {
                        holder: other,
                        lapses_in: lapses_after - age,
                    });
                }
                match path.put_as(format!("{text} 0"), Some(found.version)) {
                    Ok(version) => version,
                    // Somebody else has renewed or taken it first.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        return Ok(Claimed::InUse {
                            holder: other,
                            lapses_in: lapses_after,
                        });
                    }
                    Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                        return Ok(Claimed::Unsupported(error));
                    }
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        // Some stores write a new file on a condition, and no other: what is claimed there would lapse.
        let version = match path.put_as(format!("{text} 1"), Some(version)) {
            Ok(version) => version,
            Err(error) => {
                let _ = path.delete();
                return Ok(Claimed::Unsupported(error));
            }
        };
        let held = Arc::new(Mutex::new(Held {
            version,
            renewed,
            is_lost: false,
        }));
        let renewing = path.spawn(renew(
            path.clone(),
            Arc::clone(&held),
            text,
            lapses_after / 3,
        ));
        Ok(Claimed::Held(Self {
            path: path.clone(),
            held,
            renewing,
            lapses_after,
        }))
    }

    /// Whether it is surely still held: nobody has taken it, and it cannot have lapsed.
    pub(crate) fn is_held(&self) -> bool {
        let held = self.held.lock();
        !held.is_lost && held.renewed.elapsed() < self.lapses_after
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
        if self.is_held()
            && let Err(error) = self.path.delete_within(GIVE_UP_WITHIN)
        {
            tracing::warn!(%error, "a claim was not given up; it lapses by itself");
        }
    }
}

/// Renews a claim until it is lost.
async fn renew(path: BucketPath, held: Arc<Mutex<Held>>, text: String, every: Duration) {
    let mut again = every;
    for renewal in 2_u64.. {
        // A claim lapses by the time of the machine, whatever the clock of a query says.
        SystemClock.pause(again).await;
        let version = held.lock().version.clone();
        let started = Stopwatch::start();
        match path.renew(format!("{text} {renewal}"), version).await {
            Ok(version) => {
                let mut held = held.lock();
                held.version = version;
                held.renewed = started;
                again = every;
            }
            Err(error)
                if [io::ErrorKind::AlreadyExists, io::ErrorKind::NotFound]
                    .contains(&error.kind()) =>
            {
                held.lock().is_lost = true;
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "a claim was not renewed");
                again = every / 10;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::OptionMap;
    use crate::storage::Stores;

    fn file(stores: &Stores) -> BucketPath {
        match Location::parse("memory:///lock", stores, &OptionMap::default()).unwrap() {
            Location::Bucket(path) => path,
            Location::Local(path) => panic!("{path:?} is on the disk"),
        }
    }

    fn claim(path: &BucketPath, holder: &str, lapses_after: Duration) -> Claimed {
        Lease::lapsing(path, holder, |other| other == "gone", lapses_after).unwrap()
    }

    fn held(claimed: Claimed) -> Lease {
        match claimed {
            Claimed::Held(lease) => lease,
            other => panic!("{other:?}"),
        }
    }

    const LONG: Duration = Duration::from_secs(1000);

    #[test]
    fn one_holds_it_until_he_gives_it_up() {
        let stores = Stores::default();
        let path = file(&stores);
        let first = held(claim(&path, "first", LONG));
        match claim(&path, "second", LONG) {
            Claimed::InUse { holder, lapses_in } => {
                assert_eq!(holder, "first");
                assert!(lapses_in <= LONG && lapses_in > LONG / 2, "{lapses_in:?}");
            }
            other => panic!("{other:?}"),
        }
        assert!(first.is_held());
        drop(first);
        held(claim(&path, "second", LONG));
    }

    #[test]
    fn one_who_is_gone_is_not_waited_for() {
        let stores = Stores::default();
        let path = file(&stores);
        let gone = held(claim(&path, "gone", LONG));
        let next = held(claim(&path, "next", LONG));
        assert!(matches!(claim(&path, "third", LONG), Claimed::InUse { .. }));
        // Who was only thought to be gone does not take away what is another's now.
        let version = gone.held.lock().version.clone();
        let renewed = path.put_as("gone\n1".to_string(), Some(version));
        assert_eq!(renewed.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        gone.held.lock().is_lost = true;
        drop(gone);
        assert!(matches!(claim(&path, "third", LONG), Claimed::InUse { .. }));
        drop(next);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a claim lapses by the time of the machine"
    )]
    #[test]
    fn it_is_renewed_while_it_is_held_and_lapses_when_it_is_not() {
        let stores = Stores::default();
        let path = file(&stores);
        let short = Duration::from_secs(2);
        let first = held(claim(&path, "first", short));
        let version = || first.held.lock().version.clone();
        for _ in 0..4 {
            let before = version();
            while version() == before {
                let second = claim(&path, "second", short);
                assert!(matches!(second, Claimed::InUse { .. }));
                std::thread::sleep(short / 50);
            }
        }
        // As if its process had died.
        first.renewing.abort();
        let second = loop {
            match claim(&path, "second", short) {
                Claimed::Held(lease) => break lease,
                _ => std::thread::sleep(short / 50),
            }
        };
        assert!(!first.is_held(), "nobody believes to hold what has lapsed");
        assert!(second.is_held());
        drop(first);
        assert!(matches!(
            claim(&path, "third", short),
            Claimed::InUse { .. }
        ));
    }
}
