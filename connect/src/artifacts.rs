//! Files that a client sends: kept by name, checked by their sums.

use std::collections::HashMap;

use futures::StreamExt as _;
use prost::bytes::{Bytes, BytesMut};
use tidebook_engine::connect::proto::add_artifacts_request::{ArtifactChunk, Payload};
use tidebook_engine::connect::proto::add_artifacts_response::ArtifactSummary;
use tidebook_engine::connect::proto::artifact_statuses_response::ArtifactStatus;
use tidebook_engine::connect::proto::{
    AddArtifactsRequest, AddArtifactsResponse, ArtifactStatusesResponse,
};
use tonic::{Status, Streaming};

use crate::sessions::{Client, Sessions};

/// A file whose pieces are still coming.
struct Open {
    name: String,
    bytes: BytesMut,
    is_whole: bool,
}

/// Takes in all that a client sends.
pub(crate) async fn add(
    sessions: &Sessions,
    mut sent: Streaming<AddArtifactsRequest>,
) -> Result<AddArtifactsResponse, Status> {
    let mut response = AddArtifactsResponse::default();
    let mut open: Option<Open> = None;
    let mut files: HashMap<String, Bytes> = HashMap::new();
    let mut client = None;
    while let Some(request) = sent.next().await {
        let request = request?;
        if client.is_none() {
            let observed = request.client_observed_server_side_session_id.as_deref();
            let user = request.user_context.as_ref();
            client = Some(sessions.client(user, &request.session_id, observed)?);
        }
        match request.payload {
            Some(Payload::Batch(batch)) => {
                for artifact in batch.artifacts {
                    let data = artifact.data.unwrap_or_default();
                    let is_whole = has_its_sum(&data);
                    response.artifacts.push(summary(&artifact.name, is_whole));
                    if is_whole {
                        files.insert(artifact.name, data.data);
                    }
                }
            }
            Some(Payload::BeginChunk(begin)) => {
                close(&mut open, &mut files, &mut response);
                let first = begin.initial_chunk.unwrap_or_default();
                open = Some(Open {
                    name: begin.name,
                    is_whole: has_its_sum(&first),
                    bytes: BytesMut::from(&first.data[..]),
                });
            }
            Some(Payload::Chunk(chunk)) => match &mut open {
                Some(open) => {
                    open.is_whole &= has_its_sum(&chunk);
                    open.bytes.extend_from_slice(&chunk.data);
                }
                None => {
                    return Err(Status::invalid_argument(
                        "a piece of a file that has not begun",
                    ));
                }
            },
            None => return Err(Status::invalid_argument("an artifact without content")),
        }
    }
    close(&mut open, &mut files, &mut response);
    let client = client.ok_or_else(|| Status::invalid_argument("no artifact was sent"))?;
    client.artifacts.lock().extend(files);
    response.session_id = client.id.clone();
    response.server_side_session_id = client.server_side_id.clone();
    Ok(response)
}

fn close(
    open: &mut Option<Open>,
    files: &mut HashMap<String, Bytes>,
    response: &mut AddArtifactsResponse,
) {
    if let Some(open) = open.take() {
        response.artifacts.push(summary(&open.name, open.is_whole));
        if open.is_whole {
            files.insert(open.name, open.bytes.freeze());
        }
    }
}

fn summary(name: &str, is_crc_successful: bool) -> ArtifactSummary {
    ArtifactSummary {
        name: name.to_string(),
        is_crc_successful,
    }
}

fn has_its_sum(chunk: &ArtifactChunk) -> bool {
    i64::from(crc32fast::hash(&chunk.data)) == chunk.crc
}

/// Which of the files named are there.
pub(crate) fn statuses(client: &Client, names: Vec<String>) -> ArtifactStatusesResponse {
    let artifacts = client.artifacts.lock();
    let statuses = names.into_iter().map(|name| {
        let exists = artifacts.contains_key(&name);
        (name, ArtifactStatus { exists })
    });
    ArtifactStatusesResponse {
        session_id: client.id.clone(),
        server_side_session_id: client.server_side_id.clone(),
        statuses: statuses.collect(),
    }
}
