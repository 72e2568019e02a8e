//! Topics as a stream. Its offsets are the next offset to read of every partition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use super::batch::KafkaBatch;
use super::columns::schema;
use super::consumer_pool::ConsumerPool;
use super::data_loss::DataLoss;
use super::initial_offsets::InitialOffsets;
use super::offset_reader::OffsetReader;
use super::offsets_json::{offsets, to_json};
use super::options::{KafkaOptions, ReadBy};
use super::partition_reader::Reading;
use super::ranges::{OffsetRange, divided};
use super::rate_limit::{lag, limited};
use crate::checkpointing::CheckpointFileManager;
use crate::clock::Clock;
use crate::error::{Error, Result, hint};
use crate::kafka::{PartitionOffsets, TopicPartition};
use crate::options::OptionMap;
use crate::sources::{
    Offset, ReadLimit, Said, Source, SourceBatch, SourceContext, SourceDefinition, SourceInspector,
};
use crate::why::InputWhy;

/// What a stream of topics reads, before any query reads it.
#[derive(Debug)]
pub(super) struct KafkaDefinition {
    options: KafkaOptions,
}

impl KafkaDefinition {
    /// Everything that is wrong with the options is an error now; nothing is connected to.
    pub(super) fn new(given: &OptionMap, defaults: &OptionMap) -> Result<Self> {
        let options = KafkaOptions::new(given, defaults, ReadBy::Stream)?;
        Ok(Self { options })
    }
}

fn description(options: &KafkaOptions) -> String {
    format!("KafkaV2[{}]", options.topics)
}

impl SourceDefinition for KafkaDefinition {
    fn schema(&self) -> SchemaRef {
        schema(self.options.include_headers)
    }

    fn description(&self) -> String {
        description(&self.options)
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let options = self.options.clone();
        let files = CheckpointFileManager::new(context.metadata_path, context.durable);
        let reading = Reading {
            pool: Arc::new(ConsumerPool::new(&options)),
            offsets: Arc::new(OffsetReader::new(&options, Arc::clone(&context.clock))?),
            fail_on_data_loss: options.fail_on_data_loss,
            poll_timeout: options.patience.poll_timeout,
            clock: Arc::clone(&context.clock),
        };
        reading.pool.prepare()?;
        let initial_file = InitialOffsets::new(files);
        Ok(Box::new(KafkaSource {
            initial: initial_file.read()?,
            initial_file,
            options,
            reading: Arc::new(reading),
            clock: context.clock,
            latest: None,
            available_now: None,
            last_batch_ms: None,
        }))
    }
}

/// One query's reader of topics.
#[derive(Debug)]
pub(super) struct KafkaSource {
    options: KafkaOptions,
    reading: Arc<Reading>,
    clock: Arc<dyn Clock>,
    initial_file: InitialOffsets,
    /// Where the query began, once that is known.
    initial: Option<PartitionOffsets>,
    /// The ends of the partitions as they were seen last.
    latest: Option<PartitionOffsets>,
    /// With `Trigger.AvailableNow`, the ends there were at the start of the query.
    available_now: Option<PartitionOffsets>,
    /// When the last batch was begun.
    last_batch_ms: Option<i64>,
}

impl KafkaSource {
    fn known(&self) -> BTreeSet<TopicPartition> {
        let latest = self.latest.iter().flat_map(BTreeMap::keys);
        latest.cloned().collect()
    }

    /// Where the query began. Found out, and written down, when it is first wanted.
    async fn initial(&mut self) -> Result<PartitionOffsets> {
        if let Some(initial) = &self.initial {
            return Ok(initial.clone());
        }
        let initial = self.reading.offsets.initial(&self.options.start).await?;
        // With nothing to read there is no beginning yet: what appears later is read from its own.
        self.initial_file.write(&initial)?;
        self.initial = Some(initial.clone());
        Ok(initial)
    }

    async fn start(&mut self, start: Option<&Offset>) -> Result<PartitionOffsets> {
        match start {
            Some(start) => self.parsed(start),
            None => self.initial().await,
        }
    }

    fn parsed(&self, offset: &Offset) -> Result<PartitionOffsets> {
        offsets(offset).ok_or_else(|| {
            Error::illegal_argument(format!(
                "'{offset}' is not an offset of {}",
                self.description()
            ))
            .with_hint([
                hint::say("the checkpoint belongs to a query with other sources: choose another "),
                hint::checkpoint(),
            ])
        })
    }

    /// The end of a batch under the limits of the options.
    async fn limited(
        &mut self,
        start: PartitionOffsets,
        latest: PartitionOffsets,
    ) -> Result<PartitionOffsets> {
        let limit = self.options.rate_limit;
        if let Some(min) = limit.min {
            let now = self.clock.now_ms();
            let max_delay = i64::try_from(limit.max_delay.as_millis()).unwrap_or(i64::MAX);
            let waited = self.last_batch_ms.map(|last| now - last);
            let is_due = waited.is_none_or(|waited| waited >= max_delay);
            if !is_due && u64::try_from(lag(&start, &latest)).unwrap_or(0) < min {
                return Ok(start);
            }
            self.last_batch_ms = Some(now);
        }
        let Some(max) = limit.max else {
            return Ok(latest);
        };
        let mut start = start;
        start.extend(self.earliest_of_new(&start, &latest).await?);
        Ok(limited(max, &start, &latest))
    }

    /// The beginnings of the partitions that are in `end` alone.
    async fn earliest_of_new(
        &self,
        start: &PartitionOffsets,
        end: &PartitionOffsets,
    ) -> Result<PartitionOffsets> {
        let new = end
            .keys()
            .filter(|partition| !start.contains_key(*partition));
        let new: BTreeSet<_> = new.cloned().collect();
        self.reading.offsets.earliest(&new).await
    }

    /// What is to be read between two offsets, and whether anything was lost there.
    async fn ranges(
        &self,
        start: &PartitionOffsets,
        end: &PartitionOffsets,
    ) -> Result<Vec<OffsetRange>> {
        let fails = self.options.fail_on_data_loss;
        let new = self.earliest_of_new(start, end).await?;
        let is_unknown =
            |one: &&TopicPartition| !start.contains_key(*one) && !new.contains_key(*one);
        let unknown: Vec<_> = end.keys().filter(is_unknown).collect();
        if !unknown.is_empty() {
            DataLoss::NoInitialOffset(unknown).report(fails)?;
        }
        for (partition, offset) in new.iter().filter(|(_, offset)| **offset != 0) {
            DataLoss::AddedPartition(partition, *offset).report(fails)?;
        }
        let deleted: Vec<_> = start.keys().filter(|one| !end.contains_key(*one)).collect();
        if !deleted.is_empty() {
            DataLoss::Deleted(deleted).report(fails)?;
        }
        let mut ranges = Vec::new();
        for (partition, end) in end {
            let Some(start) = start.get(partition).or_else(|| new.get(partition)) else {
                continue;
            };
            if end < start {
                DataLoss::OffsetChanged(partition, *start, *end).report(fails)?;
            }
            ranges.push(OffsetRange {
                partition: partition.clone(),
                start: *start,
                end: *end,
            });
        }
        Ok(ranges)
    }
}

#[async_trait]
impl Source for KafkaSource {
    fn description(&self) -> String {
        description(&self.options)
    }

    fn schema(&self) -> SchemaRef {
        schema(self.options.include_headers)
    }

    async fn latest_offset(
        &mut self,
        start: Option<&Offset>,
        limit: ReadLimit,
    ) -> Result<Option<Offset>> {
        let is_first = start.is_none();
        let start = self.start(start).await?;
        let latest = match &self.available_now {
            Some(latest) => latest.clone(),
            None => self.reading.offsets.latest(&self.known()).await?,
        };
        self.latest = Some(latest.clone());
        if latest.is_empty() && is_first {
            return Ok(None);
        }
        let end = match limit {
            ReadLimit::AllAvailable => latest,
            ReadLimit::Options => self.limited(start, latest).await?,
        };
        Ok(Some(to_json(&end)))
    }

    async fn get_batch(
        &mut self,
        start: Option<&Offset>,
        end: &Offset,
    ) -> Result<Box<dyn SourceBatch>> {
        let start = self.start(start).await?;
        let end = self.parsed(end)?;
        let ranges = self.ranges(&start, &end).await?;
        let (min, max) = (
            self.options.min_partitions,
            self.options.max_records_per_partition,
        );
        Ok(Box::new(KafkaBatch {
            reading: Arc::clone(&self.reading),
            ranges: divided(ranges, min, max),
            include_headers: self.options.include_headers,
            in_parts: min.is_some() || max.is_some(),
        }))
    }

    /// Nothing: the checkpoint says what was read.
    async fn commit(&mut self, _: &Offset) -> Result<()> {
        Ok(())
    }

    async fn prepare_for_trigger_available_now(&mut self) -> Result<()> {
        let latest = self.reading.offsets.latest(&BTreeSet::new()).await?;
        self.available_now = Some(latest);
        Ok(())
    }

    fn report_latest_offset(&self) -> Option<Offset> {
        let latest = self.latest.as_ref().filter(|latest| !latest.is_empty());
        latest.map(to_json)
    }

    fn inspector(&self) -> Option<Arc<dyn SourceInspector>> {
        Some(Arc::new(Said(InputWhy::Kafka {
            topics: self.options.topics.to_string(),
            starting_offsets: self.options.start.to_string(),
        })))
    }

    fn metrics(&self, consumed: Option<&Offset>) -> BTreeMap<String, String> {
        let consumed = consumed.and_then(offsets);
        let (Some(consumed), Some(latest)) = (consumed, &self.latest) else {
            return BTreeMap::new();
        };
        let read = |partition| consumed.get(partition).copied().unwrap_or(0);
        let behind = latest
            .iter()
            .map(|(partition, latest)| latest - read(partition));
        let behind: Vec<i64> = behind.collect();
        let (Some(min), Some(max)) = (behind.iter().min(), behind.iter().max()) else {
            return BTreeMap::new();
        };
        let average = behind.iter().map(|behind| *behind as f64).sum::<f64>() / behind.len() as f64;
        BTreeMap::from([
            ("avgOffsetsBehindLatest".to_string(), format!("{average:?}")),
            ("maxOffsetsBehindLatest".to_string(), max.to_string()),
            ("minOffsetsBehindLatest".to_string(), min.to_string()),
        ])
    }
}
