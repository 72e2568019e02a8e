//! `--overwrite`: what an earlier session wrote gives way, so that a lesson can be run again.

use std::path::Path;

use super::sink::Sink;
use crate::error::{CellError, Result};
use crate::scratch::{PREFIX, Scratch};

/// The folder by which the output of a query is told from other folders.
const METADATA: &str = "_spark_metadata";

/// Removes the output of a query whose checkpoint went with its session. One that goes on from its
/// checkpoint keeps its output, and so does every folder that no query has written.
pub(super) fn make_room(sink: &Sink, checkpoint: Option<&str>, scratch: &Scratch) -> Result<()> {
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
    let output = Path::new(path);
    if scratch.place(name)?.exists() || !output.join(METADATA).is_dir() {
        return Ok(());
    }
    std::fs::remove_dir_all(output).map_err(|error| {
        CellError::new("IOException", format!("remove '{path}': {error}"))
            .hint("remove the folder by hand, or write to another one")
    })
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
