//! What the brokers say of topics: which partitions there are, and which offsets they have.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::{Either, select};
use rdkafka::error::KafkaError;

use super::boundary::{Boundary, EARLIEST, LATEST, Missing};
use super::offsets_json::shown;
use super::options::{KafkaOptions, Patience};
use super::requests::{
    Attempt, all_at, assigned, existing, is_passing, is_silence, is_unknown, offsets_for,
};
use super::topics::Topics;
use crate::clock::{Clock, Stopwatch};
use crate::error::{Error, Result, hint};
use crate::kafka::{
    ConsumerClient, PartitionOffsets, TopicPartition, blocking, cannot_reach, from_kafka,
};

/// What an error was raised by.
const ASK_FOR_OFFSETS: &str = "ask for offsets";
/// How long a broker that has never answered may take to answer.
const FIRST_ANSWER: Duration = Duration::from_secs(8);
/// How long one attempt of one call may take.
const ATTEMPT: Duration = Duration::from_secs(8);
/// What a broker that is being started says is asked for again after this time.
const AGAIN: Duration = Duration::from_millis(100);

/// Asks the brokers. It has a client of its own: on the connection over which records are fetched it
/// would wait for them.
#[derive(Debug)]
pub(super) struct OffsetReader {
    client: Arc<ConsumerClient>,
    topics: Topics,
    patience: Patience,
    api_timeout: Duration,
    clock: Arc<dyn Clock>,
    has_answered: AtomicBool,
}

impl OffsetReader {
    pub(super) fn new(options: &KafkaOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            client: Arc::new(ConsumerClient::new(&options.settings)?),
            topics: options.topics.clone(),
            patience: options.patience,
            api_timeout: options.settings.api_timeout(),
            clock,
            has_answered: AtomicBool::new(false),
        })
    }

    /// The partitions that are read, as they are now.
    pub(super) async fn assigned(&self) -> Result<BTreeSet<TopicPartition>> {
        let topics = self.topics.clone();
        self.ask("list the topics", move |client, timeout| {
            assigned(client, &topics, timeout)
        })
        .await
    }

    /// The ends of all partitions that are read. `known` are those there were before: they are asked
    /// for while the list of partitions comes.
    pub(super) async fn latest(
        &self,
        known: &BTreeSet<TopicPartition>,
    ) -> Result<PartitionOffsets> {
        if known.is_empty() {
            return self.ends_of_listed(LATEST).await;
        }
        let asked = pin!(self.latest_of_known(known));
        let assigned = pin!(self.assigned());
        let ends = match select(assigned, asked).await {
            Either::Left((assigned, asked)) => match assigned? == *known {
                true => asked.await?,
                false => None,
            },
            Either::Right((ends, assigned)) => match assigned.await? == *known {
                true => ends?,
                false => None,
            },
        };
        match ends {
            Some(ends) => Ok(ends),
            None => self.ends_of_listed(LATEST).await,
        }
    }

    /// Where a query begins that has not begun yet.
    pub(super) async fn initial(&self, start: &Boundary) -> Result<PartitionOffsets> {
        match start {
            Boundary::Earliest => self.ends_of_listed(EARLIEST).await,
            Boundary::Latest => self.ends_of_listed(LATEST).await,
            given => self.resolve(given, &self.assigned().await?).await,
        }
    }

    /// Their ends; `None` if one of them does not exist.
    async fn latest_of_known(
        &self,
        known: &BTreeSet<TopicPartition>,
    ) -> Result<Option<PartitionOffsets>> {
        let times = all_at(known, LATEST);
        self.ask(ASK_FOR_OFFSETS, move |client, timeout| {
            match offsets_for(client, &times, timeout) {
                Err(error) if is_unknown(&error) => Ok(Attempt::Done(None)),
                ends => Ok(Attempt::Done(Some(ends?))),
            }
        })
        .await
    }

    /// One of the two ends of each partition that is listed. They are listed anew with every attempt: one
    /// of them may be deleted before it is asked for its end.
    async fn ends_of_listed(&self, end: i64) -> Result<PartitionOffsets> {
        let topics = self.topics.clone();
        self.ask(ASK_FOR_OFFSETS, move |client, timeout| {
            Ok(match assigned(client, &topics, timeout)? {
                Attempt::Done(listed) => {
                    let times = all_at(&listed, end);
                    Attempt::Done(offsets_for(client, &times, timeout)?)
                }
                Attempt::NotYet(error) => Attempt::NotYet(error),
            })
        })
        .await
    }

    /// The beginnings of partitions. Those that do not exist are left out.
    pub(super) async fn earliest(
        &self,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<PartitionOffsets> {
        let partitions = partitions.clone();
        self.ask(ASK_FOR_OFFSETS, move |client, timeout| {
            match offsets_for(client, &all_at(&partitions, EARLIEST), timeout) {
                Err(error) if is_unknown(&error) => {}
                offsets => return Ok(Attempt::Done(offsets?)),
            }
            Ok(match existing(client, &partitions, timeout)? {
                Attempt::Done(existing) => {
                    let times = all_at(&existing, EARLIEST);
                    Attempt::Done(offsets_for(client, &times, timeout)?)
                }
                Attempt::NotYet(error) => Attempt::NotYet(error),
            })
        })
        .await
    }

    /// Beginning and end of one partition; `None` if it does not exist.
    pub(super) async fn bounds(&self, partition: &TopicPartition) -> Result<Option<(i64, i64)>> {
        let one = BTreeSet::from([partition.clone()]);
        let existing = self.existing(&one).await?;
        if existing.is_empty() {
            return Ok(None);
        }
        let earliest = self.ends(&one, EARLIEST).await?;
        let latest = self.ends(&one, LATEST).await?;
        let bounds = earliest.get(partition).zip(latest.get(partition));
        Ok(bounds.map(|(earliest, latest)| (*earliest, *latest)))
    }

    /// Where reading begins, or ends. `partitions` are those that are read.
    pub(super) async fn resolve(
        &self,
        boundary: &Boundary,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<PartitionOffsets> {
        match boundary {
            Boundary::Earliest => self.ends(partitions, EARLIEST).await,
            Boundary::Latest => self.ends(partitions, LATEST).await,
            Boundary::Offsets(offsets) => {
                check_specified(offsets, partitions)?;
                self.specific(offsets).await
            }
            Boundary::Timestamp(time, missing) => {
                let times = partitions
                    .iter()
                    .map(|partition| (partition.clone(), *time));
                self.at_times(times.collect(), *missing).await
            }
            Boundary::Timestamps(times, missing) => {
                check_times(times, partitions)?;
                self.at_times(times.clone(), *missing).await
            }
        }
    }

    /// Offsets as given, the special ones replaced.
    async fn specific(&self, given: &PartitionOffsets) -> Result<PartitionOffsets> {
        let mut offsets = given.clone();
        for special in [EARLIEST, LATEST] {
            let special_ones = given.iter().filter(|(_, offset)| **offset == special);
            let partitions: BTreeSet<_> = special_ones.map(|(one, _)| one.clone()).collect();
            if !partitions.is_empty() {
                offsets.extend(self.ends(&partitions, special).await?);
            }
        }
        Ok(offsets)
    }

    /// The first records of these times or later.
    async fn at_times(
        &self,
        times: PartitionOffsets,
        missing: Missing,
    ) -> Result<PartitionOffsets> {
        let mut offsets = self.offsets_for(times.clone()).await?;
        let late = offsets.iter().filter(|(_, offset)| **offset < 0);
        let late: BTreeSet<_> = late.map(|(partition, _)| partition.clone()).collect();
        if let Some(partition) = late.first()
            && missing == Missing::Error
        {
            let time = times.get(partition).copied().unwrap_or_default();
            return Err(Error::illegal_argument(format!(
                "No offset matched from request of topic-partition {partition} and timestamp {time}."
            ))
            .with_hint([
                hint::say("choose an earlier time, or "),
                hint::option("startingOffsetsByTimestampStrategy", "latest"),
            ]));
        }
        if !late.is_empty() {
            offsets.extend(self.ends(&late, LATEST).await?);
        }
        Ok(offsets)
    }

    /// One of the two ends of each partition.
    async fn ends(
        &self,
        partitions: &BTreeSet<TopicPartition>,
        end: i64,
    ) -> Result<PartitionOffsets> {
        self.offsets_for(all_at(partitions, end)).await
    }

    async fn offsets_for(&self, times: PartitionOffsets) -> Result<PartitionOffsets> {
        self.ask(ASK_FOR_OFFSETS, move |client, timeout| {
            offsets_for(client, &times, timeout).map(Attempt::Done)
        })
        .await
    }

    /// Those of the partitions that exist.
    async fn existing(
        &self,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<BTreeSet<TopicPartition>> {
        let partitions = partitions.clone();
        self.ask("list the topics", move |client, timeout| {
            existing(client, &partitions, timeout)
        })
        .await
    }

    /// Calls `call`, again and again as long as it may be worth it.
    async fn ask<T: Send + 'static>(
        &self,
        what: &'static str,
        call: impl Fn(&ConsumerClient, Duration) -> Result<Attempt<T>, KafkaError>
        + Send
        + Sync
        + 'static,
    ) -> Result<T> {
        let call = Arc::new(call);
        let watch = Stopwatch::start();
        let mut retries = 0;
        loop {
            let limit = match self.has_answered.load(Ordering::Relaxed) {
                true => self.api_timeout,
                false => FIRST_ANSWER.min(self.api_timeout),
            };
            let left = limit.saturating_sub(watch.elapsed());
            let timeout = left.min(ATTEMPT).max(Duration::from_millis(1));
            let (client, called) = (Arc::clone(&self.client), Arc::clone(&call));
            let (error, pause) = match blocking(move || called(&client, timeout)).await? {
                Ok(Attempt::Done(answer)) => {
                    self.has_answered.store(true, Ordering::Relaxed);
                    return Ok(answer);
                }
                Ok(Attempt::NotYet(error)) => {
                    self.has_answered.store(true, Ordering::Relaxed);
                    retries += 1;
                    if retries > self.patience.retries {
                        return Err(error);
                    }
                    (error, self.patience.retry_interval)
                }
                Err(error) if is_silence(&error) => {
                    let problem = self.client.problem();
                    (cannot_reach(&self.client.servers, problem), AGAIN)
                }
                Err(error) if is_passing(&error) => {
                    (from_kafka(what, &self.client.servers, &error), AGAIN)
                }
                Err(error) => return Err(from_kafka(what, &self.client.servers, &error)),
            };
            if watch.elapsed() + pause >= limit {
                return Err(error);
            }
            self.clock.pause(pause).await;
        }
    }
}

fn check_specified(given: &PartitionOffsets, assigned: &BTreeSet<TopicPartition>) -> Result<()> {
    if given.keys().eq(assigned) {
        return Ok(());
    }
    Err(Error::illegal_argument(format!(
        "If startingOffsets contains specific offsets, you must specify all TopicPartitions.\n\
         Use -1 for latest, -2 for earliest, if you don't care.\n\
         Specified: {} Assigned: {}",
        shown(given.keys()),
        shown(assigned)
    ))
    .with_condition("KAFKA_START_OFFSET_DOES_NOT_MATCH_ASSIGNED")
    .with_hint("name exactly the partitions that are read"))
}

fn check_times(given: &PartitionOffsets, assigned: &BTreeSet<TopicPartition>) -> Result<()> {
    if given.keys().eq(assigned) {
        return Ok(());
    }
    Err(Error::illegal_argument(format!(
        "Partitions specified for Kafka timestamp based start offsets don't match what are assigned. Maybe topic partitions are created \n\
         or deleted while the query is running, or you didn't specify all the partitions.\n\
         Specified: {} Assigned: {}",
        shown(given.keys()),
        shown(assigned)
    ))
    .with_condition("KAFKA_TIMESTAMP_OFFSET_DOES_NOT_MATCH_ASSIGNED")
    .with_hint("name exactly the partitions that are read, or use startingTimestamp for all of them"))
}
