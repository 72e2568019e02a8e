//! Where reading begins and ends, as the user says it.

use std::fmt;

use super::offsets_json::parse_offsets;
use crate::error::{Error, Result};
use crate::kafka::PartitionOffsets;
use crate::options::Options;

/// Kafka's special offset, and time, for the end of a partition.
pub(super) const LATEST: i64 = -1;
/// The same for its beginning.
pub(super) const EARLIEST: i64 = -2;

/// One end of what is read.
#[derive(Debug, Clone)]
pub(super) enum Boundary {
    Earliest,
    Latest,
    /// An offset for every partition, [`LATEST`] and [`EARLIEST`] among them.
    Offsets(PartitionOffsets),
    /// The first record of this time, in milliseconds, or later.
    Timestamp(i64, Missing),
    /// The same with a time for every partition.
    Timestamps(PartitionOffsets, Missing),
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Earliest => "earliest",
            Self::Latest => "latest",
            Self::Offsets(_) => "offsets",
            Self::Timestamp(..) | Self::Timestamps(..) => "timestamps",
        })
    }
}

/// What to do with a partition that has no record of a time or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Error,
    Latest,
}

impl Boundary {
    pub(super) fn starting(options: &Options, default: Self, missing: Missing) -> Result<Self> {
        Self::new(options, "starting", default, missing)
    }

    pub(super) fn ending(options: &Options) -> Result<Self> {
        Self::new(options, "ending", Self::Latest, Missing::Latest)
    }

    fn new(options: &Options, end: &str, default: Self, missing: Missing) -> Result<Self> {
        if let Some(text) = options.get(&format!("{end}Timestamp")) {
            let time = text.trim().parse().map_err(|_| {
                Error::illegal_argument(format!("Expected a single long value, got {text}"))
                    .with_hint("write milliseconds since 1970, e.g. 1700000000000")
            })?;
            return Ok(Self::Timestamp(time, missing));
        }
        if let Some(text) = options.get(&format!("{end}OffsetsByTimestamp")) {
            return Ok(Self::Timestamps(parse_offsets(text)?, missing));
        }
        Ok(match options.get(&format!("{end}Offsets")) {
            None => default,
            Some(text) => match text.trim().to_ascii_lowercase().as_str() {
                "earliest" => Self::Earliest,
                "latest" => Self::Latest,
                _ => Self::Offsets(checked(parse_offsets(text.trim())?)?),
            },
        })
    }

    /// Refuses what cannot be the beginning of a table.
    pub(super) fn check_start_of_table(&self) -> Result<()> {
        const HINT: &str = "begin at earliest, at offsets or at a time";
        let refused = |message: String| Err(Error::illegal_argument(message).with_hint(HINT));
        match self {
            Self::Latest => {
                refused("starting offset can't be latest for batch queries on Kafka".into())
            }
            Self::Offsets(offsets) => match offsets.iter().find(|(_, offset)| **offset == LATEST) {
                Some((partition, _)) => refused(format!(
                    "startingOffsets for {partition} can't be latest for batch queries on Kafka"
                )),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Refuses what cannot be the end of a table.
    pub(super) fn check_end_of_table(&self) -> Result<()> {
        const HINT: &str = "end at latest, at offsets or at a time";
        let refused = |message: String| Err(Error::illegal_argument(message).with_hint(HINT));
        match self {
            Self::Earliest => {
                refused("ending offset can't be earliest for batch queries on Kafka".into())
            }
            Self::Offsets(offsets) => {
                match offsets.iter().find(|(_, offset)| **offset == EARLIEST) {
                    Some((partition, _)) => refused(format!(
                        "ending offset for {partition} can't be earliest for batch queries on Kafka"
                    )),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Offsets below zero are the two special ones.
fn checked(offsets: PartitionOffsets) -> Result<PartitionOffsets> {
    let wrong = offsets.iter().find(|(_, offset)| **offset < EARLIEST);
    match wrong {
        None => Ok(offsets),
        Some((partition, offset)) => Err(Error::illegal_argument(format!(
            "{offset} is not an offset of {partition}"
        ))
        .with_hint("use -2 for earliest, -1 for latest, or an offset")),
    }
}
