//! Membership of consumer groups.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, LeaveGroupResponse, ListGroupsRequest, ListGroupsResponse, SyncGroupRequest,
    SyncGroupResponse,
};

use super::names::{code, text};
use super::{Call, Peer};
use crate::groups::{Caller, Description, Join, Joined, Later, Synced};
use crate::state::State;

/// Kafka's bounds for how long a member may be silent.
const SESSION_MILLIS: std::ops::RangeInclusive<i32> = 6_000..=1_800_000;
/// From this version on a member gets its id before it joins.
const ID_FIRST: i16 = 4;
const CLASSIC: &str = "classic";

pub(super) async fn join(
    state: &State,
    peer: &Peer,
    call: &Call,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let member = request.member_id.clone();
    let refused = |error: ResponseError, member| {
        JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_generation_id(-1)
            .with_protocol_name(Some(text("")))
            .with_member_id(member)
    };
    let join = match wanted(peer, call, request) {
        Ok(join) => join,
        Err(error) => return refused(error, member),
    };
    let later = match state.groups.join(&join) {
        Ok(later) => later,
        Err(not_joined) => return refused(not_joined.code, text(not_joined.member)),
    };
    match wait(later).await {
        Ok(joined) => response_of(joined),
        Err(error) => refused(error, member),
    }
}

fn wanted(peer: &Peer, call: &Call, request: JoinGroupRequest) -> Result<Join, ResponseError> {
    if request.group_id.is_empty() {
        return Err(ResponseError::InvalidGroupId);
    }
    if !SESSION_MILLIS.contains(&request.session_timeout_ms) {
        return Err(ResponseError::InvalidSessionTimeout);
    }
    // A copy: else the whole request would stay with it.
    let protocols = request.protocols.iter();
    let protocols = protocols.map(|protocol| {
        (
            protocol.name.to_string(),
            Bytes::copy_from_slice(&protocol.metadata),
        )
    });
    Ok(Join {
        group: request.group_id.to_string(),
        member: request.member_id.to_string(),
        instance: request.group_instance_id.map(|name| name.to_string()),
        client: call.client_id.clone(),
        host: peer.host.clone(),
        session_timeout: millis(request.session_timeout_ms),
        rebalance_timeout: millis(request.rebalance_timeout_ms.max(request.session_timeout_ms)),
        protocol_type: request.protocol_type.to_string(),
        protocols: protocols.collect(),
        wants_id_first: call.version >= ID_FIRST,
    })
}

fn millis(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// A group that is gone answers nobody.
async fn wait<T>(later: Later<T>) -> Result<T, ResponseError> {
    later.await.unwrap_or(Err(ResponseError::UnknownMemberId))
}

fn response_of(joined: Joined) -> JoinGroupResponse {
    let members = joined.members.into_iter().map(|(id, instance, metadata)| {
        JoinGroupResponseMember::default()
            .with_member_id(text(id))
            .with_group_instance_id(instance.map(text))
            .with_metadata(metadata)
    });
    JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_type(Some(text(joined.protocol_type)))
        .with_protocol_name(Some(text(joined.protocol)))
        .with_leader(text(joined.leader))
        .with_member_id(text(joined.member))
        .with_members(members.collect())
}

pub(super) async fn sync(state: &State, request: SyncGroupRequest) -> SyncGroupResponse {
    let shares = request.assignments.iter().map(|share| {
        let assignment = Bytes::copy_from_slice(&share.assignment);
        (share.member_id.to_string(), assignment)
    });
    let caller = Caller {
        member: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let synced = match state
        .groups
        .sync(&request.group_id, caller, shares.collect())
    {
        Ok(later) => wait(later).await,
        Err(error) => Err(error),
    };
    match synced {
        Ok(Synced {
            protocol_type,
            protocol,
            assignment,
        }) => SyncGroupResponse::default()
            .with_protocol_type(Some(text(protocol_type)))
            .with_protocol_name(Some(text(protocol)))
            .with_assignment(assignment),
        Err(error) => SyncGroupResponse::default().with_error_code(error.code()),
    }
}

pub(super) fn heartbeat(state: &State, request: HeartbeatRequest) -> HeartbeatResponse {
    let caller = Caller {
        member: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let beaten = state.groups.heartbeat(&request.group_id, caller);
    HeartbeatResponse::default().with_error_code(code(&beaten))
}

pub(super) fn leave(state: &State, version: i16, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let group = &request.group_id;
    if version < 3 {
        let left = state.groups.leave(group, &request.member_id, None);
        return LeaveGroupResponse::default().with_error_code(code(&left));
    }
    let members = request.members.into_iter().map(|member| {
        let instance = member.group_instance_id.as_deref();
        let left = state.groups.leave(group, &member.member_id, instance);
        MemberResponse::default()
            .with_error_code(code(&left))
            .with_member_id(member.member_id)
            .with_group_instance_id(member.group_instance_id)
    });
    LeaveGroupResponse::default().with_members(members.collect())
}

pub(super) fn list(state: &State, request: ListGroupsRequest) -> ListGroupsResponse {
    let named = |names: &[kafka_protocol::protocol::StrBytes], name: &str| {
        names.is_empty() || names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let groups = state.groups.list().into_iter();
    let groups = groups
        .filter(|(_, _, state)| named(&request.states_filter, state.name()))
        .filter(|_| named(&request.types_filter, CLASSIC))
        .map(|(name, protocol_type, state)| {
            ListedGroup::default()
                .with_group_id(GroupId(text(name)))
                .with_protocol_type(text(protocol_type))
                .with_group_state(text(state.name()))
                .with_group_type(text(CLASSIC))
        });
    ListGroupsResponse::default().with_groups(groups.collect())
}

pub(super) fn describe(
    state: &State,
    version: i16,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let groups = request.groups.into_iter().map(|name| {
        let described = DescribedGroup::default();
        match state.groups.describe(&name) {
            Some(group) => described_as(described, group),
            None if version < 6 => described.with_group_state(text("Dead")),
            None => described
                .with_error_code(ResponseError::GroupIdNotFound.code())
                .with_error_message(Some(text(format!("Group {} not found.", &**name))))
                .with_group_state(text("Dead")),
        }
        .with_group_id(name)
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}

fn described_as(described: DescribedGroup, group: Description) -> DescribedGroup {
    let members = group.members.into_iter().map(|member| {
        DescribedGroupMember::default()
            .with_member_id(text(member.id))
            .with_group_instance_id(member.instance.map(text))
            .with_client_id(text(member.client))
            .with_client_host(text(format!("/{}", member.host)))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    });
    described
        .with_group_state(text(group.state.name()))
        .with_protocol_type(text(group.protocol_type))
        .with_protocol_data(text(group.protocol))
        .with_members(members.collect())
}

pub(super) fn delete(state: &State, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let results = request.groups_names.into_iter().map(|name| {
        let deleted = state.groups.delete(&name);
        DeletableGroupResult::default()
            .with_group_id(name)
            .with_error_code(code(&deleted))
    });
    DeleteGroupsResponse::default().with_results(results.collect())
}
