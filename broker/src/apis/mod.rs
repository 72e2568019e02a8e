//! From the bytes of a request to those of its answer: which APIs and versions there are, and who answers.

mod cluster;
mod configs;
mod fetch;
mod group_offsets;
mod groups;
mod guard;
mod list_offsets;
mod names;
mod produce;
mod topics;
mod transactions;

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};

use crate::state::State;

/// The APIs and their lowest and highest versions. The highest are those of clients that do not count on
/// the second kind of transactions (with an epoch each), which this broker does not have.
const SUPPORTED: &[(ApiKey, i16, i16)] = &[
    (ApiKey::Produce, 3, 11),
    (ApiKey::Fetch, 4, 17),
    (ApiKey::ListOffsets, 1, 10),
    (ApiKey::Metadata, 0, 13),
    (ApiKey::OffsetCommit, 2, 9),
    (ApiKey::OffsetFetch, 1, 9),
    (ApiKey::FindCoordinator, 0, 5),
    (ApiKey::JoinGroup, 2, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::DescribeGroups, 0, 6),
    (ApiKey::ListGroups, 0, 5),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 6),
    (ApiKey::DeleteRecords, 0, 2),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::OffsetForLeaderEpoch, 2, 4),
    (ApiKey::AddPartitionsToTxn, 0, 3),
    (ApiKey::AddOffsetsToTxn, 0, 4),
    (ApiKey::EndTxn, 0, 4),
    (ApiKey::TxnOffsetCommit, 0, 4),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::AlterConfigs, 0, 2),
    (ApiKey::CreatePartitions, 0, 3),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
    (ApiKey::DescribeCluster, 0, 1),
];

/// The other side of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub host: String,
}

/// A request that has no answer: the connection cannot go on.
#[derive(Debug)]
pub(crate) struct Unanswerable(String);

impl fmt::Display for Unanswerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unanswerable {}

type Answer = Result<Option<Bytes>, Unanswerable>;

/// A request whose header is read.
struct Call {
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    client_id: String,
    body: Bytes,
}

/// The answer to a request, with its length before it; none where the client wants none.
pub(crate) async fn answer(state: &State, peer: &Peer, request: Bytes) -> Answer {
    let call = Call::read(request)?;
    if !is_supported(call.key, call.version) {
        return cluster::unsupported_version(&call);
    }
    match call.key {
        ApiKey::ApiVersions => call.answer(cluster::api_versions),
        ApiKey::Metadata => call.answer(|request| cluster::metadata(state, call.version, request)),
        ApiKey::DescribeCluster => call.answer(|request| cluster::describe(state, request)),
        ApiKey::FindCoordinator => {
            call.answer(|request| cluster::find_coordinator(state, call.version, request))
        }

        ApiKey::CreateTopics => call.answer(|request| topics::create(state, request)),
        ApiKey::DeleteTopics => call.answer(|request| topics::delete(state, call.version, request)),
        ApiKey::CreatePartitions => call.answer(|request| topics::grow(state, request)),
        ApiKey::DeleteRecords => call.answer(|request| topics::delete_records(state, request)),
        ApiKey::DescribeConfigs => call.answer(|request| configs::describe(state, request)),
        ApiKey::AlterConfigs => call.answer(|request| configs::replace(state, request)),
        ApiKey::IncrementalAlterConfigs => call.answer(|request| configs::alter(state, request)),

        ApiKey::Produce => produce::answer(state, &call),
        ApiKey::Fetch => {
            let request = call.request()?;
            call.response(&fetch::answer(state, call.version, request).await)
        }
        ApiKey::ListOffsets => call.answer(|request| list_offsets::answer(state, request)),
        ApiKey::OffsetForLeaderEpoch => {
            call.answer(|request| list_offsets::for_leader_epoch(state, request))
        }

        ApiKey::JoinGroup => {
            let request = call.request()?;
            let response = groups::join(state, peer, &call, request).await;
            call.response(&response)
        }
        ApiKey::SyncGroup => {
            let request = call.request()?;
            call.response(&groups::sync(state, request).await)
        }
        ApiKey::Heartbeat => call.answer(|request| groups::heartbeat(state, request)),
        ApiKey::LeaveGroup => call.answer(|request| groups::leave(state, call.version, request)),
        ApiKey::ListGroups => call.answer(|request| groups::list(state, request)),
        ApiKey::DescribeGroups => {
            call.answer(|request| groups::describe(state, call.version, request))
        }
        ApiKey::DeleteGroups => call.answer(|request| groups::delete(state, request)),
        ApiKey::OffsetCommit => call.answer(|request| group_offsets::commit(state, request)),
        ApiKey::OffsetFetch => {
            call.answer(|request| group_offsets::fetch(state, call.version, request))
        }

        ApiKey::InitProducerId => {
            call.answer(|request| transactions::init(state, call.version, request))
        }
        ApiKey::AddPartitionsToTxn => {
            call.answer(|request| transactions::add_partitions(state, call.version, request))
        }
        ApiKey::AddOffsetsToTxn => {
            call.answer(|request| transactions::add_offsets(state, call.version, request))
        }
        ApiKey::TxnOffsetCommit => {
            call.answer(|request| transactions::commit_offsets(state, call.version, request))
        }
        ApiKey::EndTxn => call.answer(|request| transactions::end(state, call.version, request)),
        _ => cluster::unsupported_version(&call),
    }
}

fn is_supported(key: ApiKey, version: i16) -> bool {
    let fits = |&(supported, low, high): &(ApiKey, i16, i16)| {
        supported == key && (low..=high).contains(&version)
    };
    SUPPORTED.iter().any(fits)
}

impl Call {
    fn read(request: Bytes) -> Result<Call, Unanswerable> {
        let short = || Unanswerable("a request without a header".to_owned());
        let number = |at| {
            Some(i16::from_be_bytes([
                *request.get(at)?,
                *request.get(at + 1)?,
            ]))
        };
        let key = number(0).ok_or_else(short)?;
        let version = number(2).ok_or_else(short)?;
        let key =
            ApiKey::try_from(key).map_err(|()| Unanswerable(format!("there is no API {key}")))?;
        let header_version = match is_supported(key, version) {
            true => key.request_header_version(version),
            // Whoever asks for the versions may do so in one that we do not know; this is all that is
            // the same in all of them.
            false => 1,
        };
        let mut rest = request.clone();
        let header: RequestHeader = guard::decode(&mut rest, header_version)?;
        Ok(Call {
            key,
            version,
            correlation_id: header.correlation_id,
            client_id: header
                .client_id
                .map(|id| id.to_string())
                .unwrap_or_default(),
            body: rest,
        })
    }

    fn answer<Q: Decodable, R: Encodable>(&self, answer: impl FnOnce(Q) -> R) -> Answer {
        self.response(&answer(self.request()?))
    }

    fn request<Q: Decodable>(&self) -> Result<Q, Unanswerable> {
        guard::decode(&mut self.body.clone(), self.version)
    }

    fn response<R: Encodable>(&self, response: &R) -> Answer {
        self.response_in(response, self.version)
    }

    /// The answer, in another version than the request's.
    fn response_in<R: Encodable>(&self, response: &R, version: i16) -> Answer {
        let unwritable = |error| {
            let key = self.key;
            Unanswerable(format!(
                "the answer to {key:?} version {version} has no form: {error}"
            ))
        };
        let header = ResponseHeader::default().with_correlation_id(self.correlation_id);
        let header_version = self.key.response_header_version(version);
        let mut bytes = BytesMut::new();
        bytes.put_i32(0);
        header
            .encode(&mut bytes, header_version)
            .map_err(unwritable)?;
        response.encode(&mut bytes, version).map_err(unwritable)?;
        let length = i32::try_from(bytes.len() - 4);
        let length = length.map_err(|_| Unanswerable("the answer is too long".to_owned()))?;
        if let Some(front) = bytes.first_chunk_mut() {
            *front = length.to_be_bytes();
        }
        Ok(Some(bytes.freeze()))
    }
}
