//! What happens because time passes: members that fall silent, transactions that take too long, records
//! that become too old. Nothing is done before the first of these is due.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::clock::now_millis;
use crate::state::State;

/// How often records are looked at while a topic lets them become only so old.
const RETENTION_CHECK: Duration = Duration::from_secs(1);
/// How often silent producers are forgotten.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Never ends.
pub(crate) async fn run(state: &State) {
    loop {
        let next = tidy(state, Instant::now());
        tokio::select! {
            () = sleep_until(next) => {}
            () = state.changed.notified() => {}
        }
    }
}

/// Does what is due; gives the time at which there is something to do again.
fn tidy(state: &State, now: Instant) -> Instant {
    let mut next = now + LONGEST_PAUSE;
    // A transaction is ended before the members it commits for are.
    let deadlines = [state.transactions.expire(now), state.groups.expire(now)];
    for deadline in deadlines.into_iter().flatten() {
        next = next.min(deadline);
    }
    let time = now_millis();
    for topic in state.topics.all() {
        let retention = topic.config().retention_millis();
        if retention.is_some() {
            next = next.min(now + RETENTION_CHECK);
        }
        for partition in topic.partitions() {
            let mut log = partition.lock();
            log.expire_producers(time);
            if let Some(millis) = retention {
                log.retain_since(time.saturating_sub(millis));
            }
        }
    }
    next
}
