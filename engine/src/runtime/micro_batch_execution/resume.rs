//! What the checkpoint and the output say of earlier runs, and whether this query may go on from there.

use super::MicroBatchExecution;
use super::setup::{SOURCES, STATEFUL_OPERATORS, WATERMARK_POLICY};
use crate::checkpointing::{OffsetSeq, OperatorInfo, OperatorStateMetadata, STATE_DIR};
use crate::error::{Error, ErrorKind, Result, hint};

impl MicroBatchExecution {
    /// Takes up what the logs say.
    pub(super) fn resume(&mut self) -> Result<()> {
        let planned = self.offset_log.latest()?;
        let done = self.commit_log.latest_id()?.unwrap_or(-1);
        let last = planned.as_ref().map_or(-1, |(batch_id, _)| *batch_id);
        if done > last {
            return Err(self.missing_offsets(done, "the batch is in commits"));
        }
        let Some((latest, offsets)) = planned else {
            return Ok(());
        };
        self.check_belongs(&offsets)?;
        let offsets = self.of_sources(offsets)?;
        let own = offsets
            .metadata
            .conf
            .keys()
            .any(|key| key == STATEFUL_OPERATORS);
        self.written_here = own;
        // What another engine has written down stays with the query, for when it goes back there.
        for (key, value) in &offsets.metadata.conf {
            let own = self.setup.conf.entry(key.clone());
            own.or_insert_with(|| value.clone());
        }
        // As in Spark, a query keeps the policy it was started with.
        if let Some(policy) = offsets.metadata.conf.get(WATERMARK_POLICY) {
            self.tracker.set_policy(policy.parse()?);
            let policy = policy.clone();
            self.setup.conf.insert(WATERMARK_POLICY.to_string(), policy);
        }
        let commit = self.commit_log.get(latest)?;
        let mut watermark_ms = offsets.metadata.batch_watermark_ms;
        if let Some(commit) = commit {
            watermark_ms = watermark_ms.max(commit.next_batch_watermark_ms);
            self.batch_id = latest + 1;
            self.previous_watermark_ms = offsets.metadata.batch_watermark_ms;
            self.committed = offsets.offsets;
        } else {
            self.batch_id = latest;
            if latest > 0 {
                let previous = self.offset_log.get(latest - 1)?;
                let previous = previous.ok_or_else(|| {
                    self.missing_offsets(latest - 1, "the batch after it has not finished")
                })?;
                let previous = self.of_sources(previous)?;
                self.previous_watermark_ms = previous.metadata.batch_watermark_ms;
                self.committed = previous.offsets;
            }
            self.unfinished = Some(offsets);
        }
        self.tracker.restore(watermark_ms);
        Ok(())
    }

    /// It is not known where batch `batch_id` ended, which must be known.
    fn missing_offsets(&self, batch_id: i64, why: &str) -> Error {
        let checkpoint = self.setup.checkpoint.root().display();
        let message = format!(
            "the checkpoint '{checkpoint}' is not complete: offsets/{batch_id} is missing, and {why}"
        );
        Error::new(ErrorKind::StreamingQuery, message).with_hint(
            "put the file back, or start anew with another checkpoint and another output",
        )
    }

    /// Refuses an output with batches that this checkpoint has not begun: the sink would take the
    /// batches of the same numbers for written, and their rows would be lost.
    pub(super) fn check_output(&self) -> Result<()> {
        let begun = match self.unfinished {
            Some(_) => self.batch_id,
            None => self.batch_id - 1,
        };
        let sink = &self.setup.sink;
        let Some(latest) = sink.latest_batch_id().filter(|latest| *latest > begun) else {
            return Ok(());
        };
        let checkpoint = self.setup.checkpoint.root().display();
        let message = format!(
            "{} holds batches up to {latest}, but the checkpoint '{checkpoint}' has begun no more than {}: it is not the one they were written with",
            sink.description(),
            begun + 1
        );
        let hint = "start with the checkpoint that belongs to the output, write to another directory, or delete the output with its checkpoint";
        Err(Error::new(ErrorKind::StreamingQuery, message).with_hint(hint))
    }

    /// Refuses a checkpoint that another query has written.
    fn check_belongs(&self, logged: &OffsetSeq) -> Result<()> {
        let checkpoint = self.setup.checkpoint.root().display();
        let hint = [
            hint::say("give this query a "),
            hint::checkpoint(),
            hint::say(" directory of its own"),
        ];
        let foreign = |message: String| Error::new(ErrorKind::StreamingQuery, message);
        let sources = &self.setup.execution.sources;
        let (places, theirs) = (sources.places.len(), logged.offsets.len());
        if theirs != places && theirs != sources.definitions.len() {
            return Err(foreign(format!(
                "the checkpoint '{checkpoint}' belongs to another query: it has {theirs} sources, this query has {places}"
            ))
            .with_hint(hint));
        }
        for (key, what) in [
            (SOURCES, "sources"),
            (STATEFUL_OPERATORS, "stateful operators"),
        ] {
            let settings = (logged.metadata.conf.get(key), self.setup.conf.get(key));
            let (Some(theirs), Some(ours)) = settings else {
                continue;
            };
            if theirs != ours {
                let error = foreign(format!(
                    "the checkpoint '{checkpoint}' belongs to another query: its {what} were {theirs}, this query's are {ours}"
                ));
                let error = match (key, theirs.as_str()) {
                    (STATEFUL_OPERATORS, "[]") => {
                        error.with_condition("STREAMING_STATEFUL_OPERATOR_MISSING_STATE_DIRECTORY")
                    }
                    (STATEFUL_OPERATORS, _) => error
                        .with_condition("STREAMING_STATEFUL_OPERATOR_NOT_MATCH_IN_STATE_METADATA"),
                    _ => error,
                };
                return Err(error.with_hint(hint));
            }
        }
        Ok(())
    }

    pub(super) fn open_state(&self) -> Result<()> {
        if self.batch_id > 0 && !self.setup.execution.operators.is_empty() && !self.written_here {
            let checkpoint = self.setup.checkpoint.root().display();
            let message = format!(
                "the checkpoint '{checkpoint}' was written by Spark, whose state cannot be read here, and this query keeps state"
            );
            return Err(Error::new(ErrorKind::StreamingQuery, message).with_hint([
                hint::say("go on with it on Spark, or start anew with another "),
                hint::checkpoint(),
                hint::say("; a query without state can go on from here"),
            ]));
        }
        for (id, operator) in self.setup.execution.operators.iter().enumerate() {
            let root = self.setup.checkpoint.root().join(STATE_DIR);
            let directory = root.join(&id.to_string()).join("0");
            let state = operator.state();
            state.open(
                self.setup.state_store,
                &directory,
                self.setup.durable,
                self.batch_id,
            )?;
            state.retain(self.setup.batches_to_retain);
            let metadata = OperatorStateMetadata {
                operator_info: OperatorInfo {
                    operator_id: id as i64,
                    operator_name: operator.state().name.to_string(),
                },
                state_store_info: operator.state().store_infos(),
            };
            metadata.write(&self.setup.checkpoint)?;
        }
        Ok(())
    }
}
