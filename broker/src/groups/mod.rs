//! Consumer groups, for tools that have the broker share out their work and keep their offsets.

mod group;
mod member;
mod offsets;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

pub(crate) use group::{NotJoined, State};
pub(crate) use member::{Join, Joined, Synced};
pub(crate) use offsets::{Committed, TopicPartition};

use crate::memory::{Full, Memory};
use group::Group;
use offsets::Offsets;

const BYTES_PER_GROUP: usize = 1024;

/// All groups by name.
#[derive(Debug)]
pub(crate) struct Groups {
    memory: Arc<Memory>,
    groups: Mutex<HashMap<String, Group>>,
    /// Told when somebody may be late earlier than was known.
    changed: Arc<Notify>,
}

/// Who acts, and in which generation it thinks the group is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub member: &'a str,
    pub instance: Option<&'a str>,
    pub generation: i32,
}

/// An answer that comes when all members are ready.
pub(crate) type Later<T> = oneshot::Receiver<Result<T, ResponseError>>;

/// What can be told of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub state: State,
    pub protocol_type: String,
    pub protocol: String,
    pub members: Vec<MemberDescription>,
}

/// What can be told of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberDescription {
    pub id: String,
    pub instance: Option<String>,
    pub client: String,
    pub host: String,
    pub metadata: Bytes,
    pub assignment: Bytes,
}

impl Groups {
    pub(crate) fn new(memory: Arc<Memory>, changed: Arc<Notify>) -> Self {
        Self {
            memory,
            groups: Mutex::default(),
            changed,
        }
    }

    pub(crate) fn join(&self, join: &Join) -> Result<Later<Joined>, NotJoined> {
        let (waiting, later) = oneshot::channel();
        self.with_new(&join.group, |group| {
            group.join(join, waiting, Instant::now())
        })
        .unwrap_or_else(|Full| {
            let member = join.member.clone();
            Err(NotJoined {
                code: ResponseError::PolicyViolation,
                member,
            })
        })?;
        self.changed.notify_one();
        Ok(later)
    }

    pub(crate) fn sync(
        &self,
        name: &str,
        caller: Caller<'_>,
        shares: Vec<(String, Bytes)>,
    ) -> Result<Later<Synced>, ResponseError> {
        let (waiting, later) = oneshot::channel();
        self.with_member(name, caller, |group| {
            group.sync(caller.member, shares, waiting, Instant::now())
        })?;
        self.changed.notify_one();
        Ok(later)
    }

    pub(crate) fn heartbeat(&self, name: &str, caller: Caller<'_>) -> Result<(), ResponseError> {
        self.with_member(name, caller, |group| {
            group.heartbeat(caller.member, Instant::now())
        })
    }

    pub(crate) fn leave(
        &self,
        name: &str,
        member: &str,
        instance: Option<&str>,
    ) -> Result<(), ResponseError> {
        let left = match self.groups.lock().get_mut(name) {
            Some(group) => group.leave(member, instance, Instant::now()),
            None => Err(ResponseError::UnknownMemberId),
        };
        self.changed.notify_one();
        left
    }

    fn with_member<T>(
        &self,
        name: &str,
        caller: Caller<'_>,
        act: impl FnOnce(&mut Group) -> Result<T, ResponseError>,
    ) -> Result<T, ResponseError> {
        let mut groups = self.groups.lock();
        let group = groups.get_mut(name).ok_or(ResponseError::UnknownMemberId)?;
        group.check(caller.member, caller.instance, caller.generation)?;
        act(group)
    }

    fn with_new<T>(&self, name: &str, act: impl FnOnce(&mut Group) -> T) -> Result<T, Full> {
        let mut groups = self.groups.lock();
        if !groups.contains_key(name) {
            let group = Group::new(&self.memory, BYTES_PER_GROUP + name.len())?;
            groups.insert(name.to_owned(), group);
        }
        groups.get_mut(name).map(act).ok_or(Full)
    }

    /// Whether a caller may commit offsets: a member, or anybody while nobody is one.
    pub(crate) fn check_commit(&self, name: &str, caller: Caller<'_>) -> Result<(), ResponseError> {
        let mut groups = self.groups.lock();
        let Some(group) = groups
            .get_mut(name)
            .filter(|group| group.state != State::Empty)
        else {
            return match caller.generation < 0 {
                true => Ok(()),
                false => Err(ResponseError::IllegalGeneration),
            };
        };
        group.check(caller.member, caller.instance, caller.generation)?;
        if group.state == State::CompletingRebalance {
            return Err(ResponseError::RebalanceInProgress);
        }
        group.seen(caller.member, Instant::now());
        Ok(())
    }

    /// Commits an offset, at once or with the transaction of a producer.
    pub(crate) fn commit(
        &self,
        name: &str,
        producer_id: Option<i64>,
        partition: TopicPartition,
        offset: Committed,
    ) -> Result<(), Full> {
        self.with_new(name, |group| match producer_id {
            Some(id) => group.offsets.commit_with(id, partition, offset),
            None => group.offsets.commit(partition, offset),
        })?
    }

    pub(crate) fn end_transaction(&self, name: &str, producer_id: i64, commit: bool) {
        if let Some(group) = self.groups.lock().get_mut(name) {
            group.offsets.end_transaction(producer_id, commit);
        }
    }

    /// Reads the offsets of a group; none if there is no such group.
    pub(crate) fn offsets<T>(&self, name: &str, read: impl FnOnce(Option<&Offsets>) -> T) -> T {
        read(self.groups.lock().get(name).map(|group| &group.offsets))
    }

    /// Deletes a group that nobody is a member of.
    pub(crate) fn delete(&self, name: &str) -> Result<(), ResponseError> {
        let mut groups = self.groups.lock();
        let group = groups.get(name).ok_or(ResponseError::GroupIdNotFound)?;
        if group.state != State::Empty {
            return Err(ResponseError::NonEmptyGroup);
        }
        groups.remove(name);
        Ok(())
    }

    /// Deletes the offsets of a topic that there is no more.
    pub(crate) fn forget_topic(&self, topic: &str) {
        for group in self.groups.lock().values_mut() {
            group.offsets.forget(topic);
        }
    }

    /// Name, protocol type and state of each group.
    pub(crate) fn list(&self) -> Vec<(String, String, State)> {
        let groups = self.groups.lock();
        let told = |(name, group): (&String, &Group)| {
            (name.clone(), group.protocol_type.clone(), group.state)
        };
        groups.iter().map(told).collect()
    }

    pub(crate) fn describe(&self, name: &str) -> Option<Description> {
        let groups = self.groups.lock();
        let group = groups.get(name)?;
        let told = |(id, member): (&String, &member::Member)| MemberDescription {
            id: id.clone(),
            instance: member.instance.clone(),
            client: member.client.clone(),
            host: member.host.clone(),
            metadata: member.metadata(&group.protocol),
            assignment: member.assignment.clone(),
        };
        Some(Description {
            state: group.state,
            protocol_type: group.protocol_type.clone(),
            protocol: group.protocol.clone(),
            members: group.members.iter().map(told).collect(),
        })
    }

    /// Gives up members that are late; gives the time at which the next one will be.
    pub(crate) fn expire(&self, now: Instant) -> Option<Instant> {
        let mut groups = self.groups.lock();
        groups
            .values_mut()
            .filter_map(|group| group.expire(now))
            .min()
    }
}
