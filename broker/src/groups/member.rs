//! A member of a group: what it can do, what it waits for, and when it is given up.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::memory::Reservation;

/// A request to be a member.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub group: String,
    /// Empty when it has none yet.
    pub member: String,
    pub instance: Option<String>,
    pub client: String,
    pub host: String,
    pub session_timeout: Duration,
    pub rebalance_timeout: Duration,
    pub protocol_type: String,
    /// Its ways to share the work, the best first, with what the leader has to know.
    pub protocols: Vec<(String, Bytes)>,
    /// It comes a second time, with the id that it is given.
    pub wants_id_first: bool,
}

/// What a member learns when all have joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub generation: i32,
    pub protocol_type: String,
    pub protocol: String,
    pub leader: String,
    pub member: String,
    /// For the leader: all members, and what each has to say.
    pub members: Vec<(String, Option<String>, Bytes)>,
}

/// A member's share of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Synced {
    pub protocol_type: String,
    pub protocol: String,
    pub assignment: Bytes,
}

/// Whoever waits for an answer of the group.
pub(super) type Waiting<T> = oneshot::Sender<Result<T, ResponseError>>;

/// A member.
#[derive(Debug)]
pub(super) struct Member {
    pub instance: Option<String>,
    pub client: String,
    pub host: String,
    pub session_timeout: Duration,
    pub rebalance_timeout: Duration,
    pub protocols: Vec<(String, Bytes)>,
    pub assignment: Bytes,
    pub joining: Option<Waiting<Joined>>,
    pub syncing: Option<Waiting<Synced>>,
    /// When it is given up if it says nothing until then.
    pub expires: Instant,
    pub held: Reservation,
}

impl Member {
    pub(super) fn seen(&mut self, now: Instant) {
        self.expires = now + self.session_timeout;
    }

    /// Whoever waits for us is not late.
    pub(super) fn is_given_up(&self, now: Instant) -> bool {
        self.joining.is_none() && self.syncing.is_none() && self.expires <= now
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| name == protocol);
        found
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    /// Answers a join, if one waits.
    pub(super) fn joined(&mut self, answer: Result<Joined, ResponseError>) {
        if let Some(joining) = self.joining.take() {
            // It may have gone away meanwhile: then its session ends it.
            let _ = joining.send(answer);
        }
    }

    /// Answers a sync, if one waits.
    pub(super) fn synced(&mut self, answer: Result<Synced, ResponseError>) {
        if let Some(syncing) = self.syncing.take() {
            let _ = syncing.send(answer);
        }
    }
}

impl Join {
    /// What it costs to keep.
    pub(crate) fn bytes(&self) -> usize {
        let protocols = self.protocols.iter();
        protocols
            .map(|(name, metadata)| name.len() + metadata.len())
            .sum()
    }
}
