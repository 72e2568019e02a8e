//! `--overwrite`: what an earlier session wrote gives way, so that a lesson can be run again.

use std::path::Path;

use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::read::{DataSource, ReadType};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_operation::{SaveMode, SaveType};
use tidebook_remote::Cluster;

use super::on_cluster;
use super::sink::Sink;
use crate::error::{CellError, Result};
use crate::scratch::{PREFIX, Scratch};

/// The folder by which the output of a query is told from other folders.
const METADATA: &str = "_spark_metadata";

/// Removes the output of a query whose checkpoint went with its session. One that goes on from its
/// checkpoint keeps its output, and so does every folder that no query has written.
pub(super) fn make_room(sink: &Sink, checkpoint: Option<&str>, scratch: &Scratch) -> Result<()> {
    let (path, name) = path_and_name(sink, checkpoint)?;
    let output = Path::new(path);
    if scratch.place(name)?.exists() || !output.join(METADATA).is_dir() {
        return Ok(());
    }
    std::fs::remove_dir_all(output).map_err(|error| {
        CellError::new("IOException", format!("remove '{path}': {error}"))
            .hint("remove the folder by hand, or write to another one")
    })
}

/// The same on a cluster, which removes the output itself: an empty table is written in its place, and
/// the query writes over that.
pub(super) async fn make_room_on(
    cluster: &Cluster,
    sink: &Sink,
    checkpoint: Option<&str>,
) -> Result<()> {
    let (path, name) = path_and_name(sink, checkpoint)?;
    let begun = format!("{}/metadata", on_cluster::scratch(cluster, name));
    if has(cluster, &begun).await? || !has(cluster, &format!("{path}/{METADATA}")).await? {
        return Ok(());
    }
    let nothing = RelType::Range(proto::Range {
        start: Some(0),
        end: 0,
        step: 1,
        num_partitions: Some(1),
    });
    let nothing = match sink.format.as_str() {
        // Such files have one column of text.
        "text" => RelType::Sql(proto::Sql {
            query: "SELECT '' AS value WHERE false".to_owned(),
            ..Default::default()
        }),
        _ => nothing,
    };
    let emptied = proto::WriteOperation {
        input: Some(relation(nothing)),
        source: Some(sink.format.clone()),
        mode: SaveMode::Overwrite.into(),
        save_type: Some(SaveType::Path(path.to_owned())),
        ..Default::default()
    };
    Ok(cluster
        .execute(CommandType::WriteOperation(emptied))
        .await?)
}

/// Whether a cluster has a file or folder.
async fn has(cluster: &Cluster, path: &str) -> Result<bool> {
    let read = relation(RelType::Read(proto::Read {
        is_streaming: false,
        read_type: Some(ReadType::DataSource(DataSource {
            format: Some("text".to_owned()),
            paths: vec![path.to_owned()],
            ..Default::default()
        })),
    }));
    match cluster.schema(&read).await {
        Ok(_) => Ok(true),
        Err(error) if error.condition.as_deref() == Some("PATH_NOT_FOUND") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn relation(rel_type: RelType) -> proto::Relation {
    proto::Relation {
        common: None,
        rel_type: Some(rel_type),
    }
}

/// The folder that is written, and the name of the checkpoint that goes with the session.
fn path_and_name<'a>(sink: &'a Sink, checkpoint: Option<&'a str>) -> Result<(&'a str, &'a str)> {
    let Some(path) = sink.path.as_deref() else {
        return Err(
            CellError::usage("--overwrite is for sinks that write files")
                .hint("leave it out, or add --sink parquet:DIR"),
        );
    };
    let Some(name) = checkpoint.and_then(|checkpoint| checkpoint.strip_prefix(PREFIX)) else {
        return Err(CellError::usage(
            "--overwrite needs a checkpoint that goes with the session, as the output does",
        )
        .hint(format!(
            "--checkpoint {PREFIX}NAME; with a checkpoint that stays, the query goes on where it was"
        )));
    };
    Ok((path, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink(path: &Path) -> Sink {
        format!("json:{}", path.display()).parse().unwrap()
    }

    #[test]
    fn only_what_an_earlier_session_wrote_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        let metadata = output.join(METADATA);
        let scratch = Scratch::default();
        let make_room = |checkpoint| make_room(&sink(&output), checkpoint, &scratch);
        make_room(Some("session:a")).unwrap();
        std::fs::create_dir_all(&metadata).unwrap();
        assert!(make_room(None).is_err() && make_room(Some("/tmp/kept")).is_err());
        std::fs::create_dir(scratch.place("a").unwrap()).unwrap();
        make_room(Some("session:a")).unwrap();
        assert!(metadata.exists(), "the query goes on");
        make_room(Some("session:b")).unwrap();
        assert!(!output.exists());
        std::fs::create_dir(&output).unwrap();
        std::fs::write(output.join("mine"), "").unwrap();
        make_room(Some("session:b")).unwrap();
        assert!(output.join("mine").exists(), "no query has written this");
    }

    #[test]
    fn a_sink_without_files_has_nothing_to_overwrite() {
        let sink: Sink = "memory".parse().unwrap();
        let refused = super::make_room(&sink, Some("session:a"), &Scratch::default());
        assert!(refused.unwrap_err().evalue.contains("write files"));
    }
}
