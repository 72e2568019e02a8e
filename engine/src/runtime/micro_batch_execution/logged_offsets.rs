//! The offsets of a batch as they stand in the log. Spark has a line there for every place where the
//! plan reads a stream, and so has this engine; a stream that is read in several places is one source
//! all the same, which has one offset.

use super::MicroBatchExecution;
use crate::checkpointing::OffsetSeq;
use crate::error::{Error, ErrorKind, Result};
use crate::sources::Offset;

impl MicroBatchExecution {
    /// The offsets of the sources, for every place that reads one.
    pub(super) fn in_places(&self, of_sources: &OffsetSeq) -> OffsetSeq {
        let places = self.setup.execution.sources.places.iter();
        let offsets = places.map(|source| of_sources.offsets.get(*source).cloned().flatten());
        OffsetSeq {
            offsets: offsets.collect(),
            metadata: of_sources.metadata.clone(),
        }
    }

    /// The offsets of the sources, of a logged entry.
    pub(super) fn of_sources(&self, logged: OffsetSeq) -> Result<OffsetSeq> {
        let sources = &self.setup.execution.sources;
        // Spark has one line for what is named by WITH and read in several places.
        if logged.offsets.len() == sources.definitions.len() {
            return Ok(logged);
        }
        let mut offsets: Vec<Option<Option<Offset>>> = vec![None; sources.definitions.len()];
        for (source, end) in sources.places.iter().zip(logged.offsets) {
            let Some(known) = offsets.get_mut(*source) else {
                continue;
            };
            if *known.get_or_insert_with(|| end.clone()) != end {
                return Err(self.read_apart(*source));
            }
        }
        Ok(OffsetSeq {
            offsets: offsets.into_iter().map(Option::flatten).collect(),
            metadata: logged.metadata,
        })
    }

    /// Places that read the same stream have come to different ends: Spark's two sides of a join list
    /// on their own.
    fn read_apart(&self, source: usize) -> Error {
        let checkpoint = self.setup.checkpoint.root().display();
        let source = self.setup.sources.get(source);
        let source = source.map_or_else(String::new, |source| source.description());
        let message = format!(
            "the query reads {source} in several places, which have come to different ends in the checkpoint '{checkpoint}'; here they go on together"
        );
        Error::new(ErrorKind::StreamingQuery, message).with_hint(
            "go on with it where it was written, or start anew with another checkpoint and another output",
        )
    }
}
