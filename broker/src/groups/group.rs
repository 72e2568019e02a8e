//! One consumer group, in Kafka's classic protocol: members join, one of them shares out the work, all
//! fetch their share, and whoever comes or goes makes them begin again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::time::Instant;
use uuid::Uuid;

use super::member::{Join, Joined, Member, Synced, Waiting};
use super::offsets::Offsets;
use crate::memory::{Full, Memory};

/// More do not share one group.
const MOST_MEMBERS: usize = 1000;
const BYTES_PER_MEMBER: usize = 1024;

/// A group.
#[derive(Debug)]
pub(super) struct Group {
    pub state: State,
    pub generation: i32,
    pub protocol_type: String,
    /// What all members can do and most like best.
    pub protocol: String,
    pub leader: String,
    pub members: BTreeMap<String, Member>,
    /// Members that were given an id and have not come back with it yet.
    expected: HashMap<String, Instant>,
    /// While they join: when those that have not are left behind.
    join_until: Option<Instant>,
    pub offsets: Offsets,
    memory: Arc<Memory>,
}

/// Kafka's states of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

/// Why somebody is no member; with the id that it should come back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotJoined {
    pub code: ResponseError,
    pub member: String,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

impl Group {
    pub(super) fn new(memory: &Arc<Memory>, bytes: usize) -> Result<Self, Full> {
        Ok(Self {
            state: State::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: String::new(),
            members: BTreeMap::new(),
            expected: HashMap::new(),
            join_until: None,
            offsets: Offsets::new(memory, bytes)?,
            memory: Arc::clone(memory),
        })
    }

    /// Somebody joins, for the first time or again; `waiting` is answered when all have.
    pub(super) fn join(
        &mut self,
        join: &Join,
        waiting: Waiting<Joined>,
        now: Instant,
    ) -> Result<(), NotJoined> {
        let refuse = |code, member: &str| NotJoined {
            code,
            member: member.to_owned(),
        };
        if !self.can_share_with(join) {
            return Err(refuse(
                ResponseError::InconsistentGroupProtocol,
                &join.member,
            ));
        }
        let member = self.identify(join, now)?;
        let known = self.members.get(&member);
        if known.is_none() && self.members.len() >= MOST_MEMBERS {
            return Err(refuse(ResponseError::GroupMaxSizeReached, ""));
        }
        let unchanged = known.is_some_and(|known| known.protocols == join.protocols);
        let again = match self.state {
            State::Empty | State::PreparingRebalance => false,
            State::CompletingRebalance => unchanged,
            // A leader that joins again wants to share out anew.
            State::Stable => unchanged && member != self.leader,
        };
        if again {
            let answer = self.joined(&member);
            // Nobody there: nothing lost.
            let _ = waiting.send(Ok(answer));
            return Ok(());
        }
        let kept = self.keep(&member, join, waiting, now);
        kept.map_err(|Full| refuse(ResponseError::PolicyViolation, &member))?;
        match self.state {
            State::PreparingRebalance => self.complete_join_if_all(now),
            _ => self.prepare_rebalance(now),
        }
        Ok(())
    }

    fn can_share_with(&self, join: &Join) -> bool {
        let others = || self.members.iter().filter(|(id, _)| **id != join.member);
        let same_type = self.protocol_type == join.protocol_type || others().next().is_none();
        let common = |(name, _): &(String, Bytes)| others().all(|(_, other)| other.supports(name));
        !join.protocol_type.is_empty() && same_type && join.protocols.iter().any(common)
    }

    /// The id under which it is a member from now on.
    fn identify(&mut self, join: &Join, now: Instant) -> Result<String, NotJoined> {
        let refuse = |code, member: &str| NotJoined {
            code,
            member: member.to_owned(),
        };
        let before = join
            .instance
            .as_ref()
            .and_then(|name| self.with_instance(name));
        if !join.member.is_empty() {
            return match before {
                Some(before) if before != join.member => {
                    Err(refuse(ResponseError::FencedInstanceId, &join.member))
                }
                _ if self.expected.remove(&join.member).is_some() => Ok(join.member.clone()),
                _ if self.members.contains_key(&join.member) => Ok(join.member.clone()),
                _ => Err(refuse(ResponseError::UnknownMemberId, &join.member)),
            };
        }
        let name = join.instance.as_deref().unwrap_or(&join.client);
        let id = format!("{name}-{}", Uuid::new_v4());
        if let Some(before) = before
            && let Some(mut member) = self.members.remove(&before)
        {
            // The same instance, started again, takes the place of what it was.
            member.joined(Err(ResponseError::FencedInstanceId));
            member.synced(Err(ResponseError::FencedInstanceId));
            if self.leader == before {
                self.leader.clone_from(&id);
            }
            self.members.insert(id.clone(), member);
        } else if join.wants_id_first && join.instance.is_none() {
            if self.expected.len() >= MOST_MEMBERS {
                return Err(refuse(ResponseError::GroupMaxSizeReached, ""));
            }
            self.expected.insert(id.clone(), now + join.session_timeout);
            return Err(refuse(ResponseError::MemberIdRequired, &id));
        }
        Ok(id)
    }

    fn with_instance(&self, name: &str) -> Option<String> {
        let mut members = self.members.iter();
        let found = members.find(|(_, member)| member.instance.as_deref() == Some(name));
        found.map(|(id, _)| id.clone())
    }

    fn keep(
        &mut self,
        id: &str,
        join: &Join,
        waiting: Waiting<Joined>,
        now: Instant,
    ) -> Result<(), Full> {
        let held = self.memory.reserve(BYTES_PER_MEMBER + join.bytes())?;
        let assignment = self.members.get(id).map(|known| known.assignment.clone());
        let member = Member {
            instance: join.instance.clone(),
            client: join.client.clone(),
            host: join.host.clone(),
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            protocols: join.protocols.clone(),
            assignment: assignment.unwrap_or_default(),
            joining: Some(waiting),
            syncing: None,
            expires: now + join.session_timeout,
            held,
        };
        self.protocol_type.clone_from(&join.protocol_type);
        self.members.insert(id.to_owned(), member);
        Ok(())
    }

    /// All have to join (again).
    fn prepare_rebalance(&mut self, now: Instant) {
        self.state = State::PreparingRebalance;
        let timeouts = self.members.values().map(|member| member.rebalance_timeout);
        self.join_until = Some(now + timeouts.max().unwrap_or(Duration::ZERO));
        for member in self.members.values_mut() {
            member.synced(Err(ResponseError::RebalanceInProgress));
        }
        self.complete_join_if_all(now);
    }

    fn complete_join_if_all(&mut self, now: Instant) {
        let all = self.members.values().all(|member| member.joining.is_some());
        if self.state == State::PreparingRebalance && all && self.expected.is_empty() {
            self.complete_join(now);
        }
    }

    fn complete_join(&mut self, now: Instant) {
        self.members.retain(|_, member| member.joining.is_some());
        self.join_until = None;
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        let Some(first) = self.members.keys().next().cloned() else {
            self.state = State::Empty;
            self.protocol.clear();
            self.leader.clear();
            return;
        };
        self.state = State::CompletingRebalance;
        self.protocol = self.elected_protocol();
        if !self.members.contains_key(&self.leader) {
            self.leader = first;
        }
        for id in self.members.keys().cloned().collect::<Vec<_>>() {
            let answer = self.joined(&id);
            if let Some(member) = self.members.get_mut(&id) {
                member.assignment = Bytes::new();
                member.seen(now);
                member.joined(Ok(answer));
            }
        }
    }

    /// Of what all members can do that which most of them like best.
    fn elected_protocol(&self) -> String {
        let by_all = |name: &str| self.members.values().all(|member| member.supports(name));
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let mut names = member.protocols.iter().map(|(name, _)| name.as_str());
            if let Some(name) = names.find(|name| by_all(name)) {
                *votes.entry(name).or_default() += 1;
            }
        }
        let elected = votes.into_iter().max_by_key(|&(_, votes)| votes);
        elected.map(|(name, _)| name.to_owned()).unwrap_or_default()
    }

    fn joined(&self, member: &str) -> Joined {
        let members = self.members.iter().filter(|_| member == self.leader);
        let told = |(id, member): (&String, &Member)| {
            (
                id.clone(),
                member.instance.clone(),
                member.metadata(&self.protocol),
            )
        };
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            member: member.to_owned(),
            members: members.map(told).collect(),
        }
    }

    /// A member fetches its share; the leader brings those of all.
    pub(super) fn sync(
        &mut self,
        member: &str,
        shares: Vec<(String, Bytes)>,
        waiting: Waiting<Synced>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        match self.state {
            State::Empty => return Err(ResponseError::UnknownMemberId),
            State::PreparingRebalance => return Err(ResponseError::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => {}
        }
        let is_leader = member == self.leader;
        if let Some(member) = self.members.get_mut(member) {
            member.seen(now);
            member.syncing = Some(waiting);
        }
        if self.state == State::CompletingRebalance && is_leader {
            self.share_out(shares)?;
        }
        if self.state == State::Stable {
            self.answer_syncs();
        }
        Ok(())
    }

    fn share_out(&mut self, shares: Vec<(String, Bytes)>) -> Result<(), ResponseError> {
        for (id, assignment) in shares {
            if let Some(member) = self.members.get_mut(&id) {
                let grown = member.held.grow(assignment.len());
                grown.map_err(|Full| ResponseError::PolicyViolation)?;
                member.assignment = assignment;
            }
        }
        self.state = State::Stable;
        Ok(())
    }

    fn answer_syncs(&mut self) {
        for member in self.members.values_mut() {
            let answer = Synced {
                protocol_type: self.protocol_type.clone(),
                protocol: self.protocol.clone(),
                assignment: member.assignment.clone(),
            };
            member.synced(Ok(answer));
        }
    }

    /// A member of this generation says that it is there.
    pub(super) fn heartbeat(&mut self, member: &str, now: Instant) -> Result<(), ResponseError> {
        self.seen(member, now);
        match self.state {
            State::PreparingRebalance => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    pub(super) fn seen(&mut self, member: &str, now: Instant) {
        if let Some(member) = self.members.get_mut(member) {
            member.seen(now);
        }
    }

    /// Whether that is a member of the present generation.
    pub(super) fn check(
        &self,
        member: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), ResponseError> {
        self.check_member(member, instance)?;
        match generation == self.generation {
            true => Ok(()),
            false => Err(ResponseError::IllegalGeneration),
        }
    }

    fn check_member(&self, member: &str, instance: Option<&str>) -> Result<(), ResponseError> {
        match instance.and_then(|name| self.with_instance(name)) {
            Some(id) if id != member => Err(ResponseError::FencedInstanceId),
            _ if self.members.contains_key(member) => Ok(()),
            _ => Err(ResponseError::UnknownMemberId),
        }
    }

    /// A member leaves, named by its id or by its instance.
    pub(super) fn leave(
        &mut self,
        member: &str,
        instance: Option<&str>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        let id = match instance.and_then(|name| self.with_instance(name)) {
            Some(id) if member.is_empty() => id,
            _ => member.to_owned(),
        };
        if self.expected.remove(&id).is_some() {
            self.complete_join_if_all(now);
            return Ok(());
        }
        self.check_member(&id, instance)?;
        self.remove(&id, now);
        Ok(())
    }

    fn remove(&mut self, id: &str, now: Instant) {
        if let Some(mut member) = self.members.remove(id) {
            member.joined(Err(ResponseError::UnknownMemberId));
            member.synced(Err(ResponseError::UnknownMemberId));
        }
        match self.state {
            State::PreparingRebalance => self.complete_join_if_all(now),
            State::CompletingRebalance | State::Stable => self.prepare_rebalance(now),
            State::Empty => {}
        }
    }

    /// Gives up who is late; gives the time at which the next one will be.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        let expected = self.expected.len();
        self.expected.retain(|_, &mut until| until > now);
        if self.expected.len() < expected {
            self.complete_join_if_all(now);
        }
        let late = self
            .members
            .iter()
            .filter(|(_, member)| member.is_given_up(now));
        for id in late.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.remove(&id, now);
        }
        if self.join_until.is_some_and(|until| until <= now) {
            self.expected.clear();
            self.complete_join(now);
        }
        let waits = |member: &&Member| member.joining.is_none() && member.syncing.is_none();
        let sessions = self
            .members
            .values()
            .filter(waits)
            .map(|member| member.expires);
        let expected = self.expected.values().copied();
        sessions.chain(expected).chain(self.join_until).min()
    }
}
