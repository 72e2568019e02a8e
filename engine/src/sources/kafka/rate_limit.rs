//! How much one batch takes: `minOffsetsPerTrigger`, `maxOffsetsPerTrigger`.

use std::time::Duration;

use crate::kafka::PartitionOffsets;

/// What the options say.
#[derive(Debug, Clone, Copy)]
pub(super) struct RateLimit {
    /// About how many records a batch takes at most.
    pub max: Option<u64>,
    /// A batch waits until there are this many …
    pub min: Option<u64>,
    /// … or this time is over since the last one.
    pub max_delay: Duration,
}

/// How many records there are between `start` and `end`.
pub(super) fn lag(start: &PartitionOffsets, end: &PartitionOffsets) -> i64 {
    let lags = end
        .iter()
        .map(|(partition, end)| end - start.get(partition).copied().unwrap_or(0));
    lags.sum()
}

/// The end of a batch of about `limit` records. The share of a partition is its share of all that is
/// there: rounded up if it is less than one, else down. A partition without a start keeps its end.
pub(super) fn limited(
    limit: u64,
    start: &PartitionOffsets,
    end: &PartitionOffsets,
) -> PartitionOffsets {
    let size = |partition, end: i64| match start.get(partition) {
        Some(start) if end > *start => Some((*start, end - start)),
        _ => None,
    };
    let sizes = end
        .iter()
        .filter_map(|(partition, end)| size(partition, *end));
    let total = sizes.map(|(_, size)| size as f64).sum::<f64>();
    if total < 1.0 {
        return end.clone();
    }
    let share = |partition, end: i64| {
        let Some((start, size)) = size(partition, end) else {
            return end;
        };
        let share = limit as f64 * (size as f64 / total);
        let share = if share < 1.0 {
            share.ceil()
        } else {
            share.floor()
        };
        end.min(start.saturating_add(share as i64))
    };
    let limited = end
        .iter()
        .map(|(partition, end)| (partition.clone(), share(partition, *end)));
    limited.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::TopicPartition;

    fn offsets(values: &[i64]) -> PartitionOffsets {
        let numbered = values.iter().zip(0..);
        numbered
            .map(|(offset, n)| (TopicPartition::new("t", n), *offset))
            .collect()
    }

    /// What real Spark took of 100, 10 and 1 records, batch by batch.
    #[test]
    fn shares_are_those_of_spark() {
        for (limit, expected) in [
            (1, vec![[1, 1, 1], [2, 2, 1], [3, 3, 1]]),
            (3, vec![[2, 1, 1], [4, 2, 1], [6, 3, 1], [8, 4, 1]]),
            (10, vec![[9, 1, 1], [18, 2, 1], [27, 3, 1], [36, 4, 1]]),
            (50, vec![[45, 4, 1], [90, 8, 1], [100, 10, 1]]),
            (60, vec![[54, 5, 1], [100, 10, 1]]),
            (0, vec![[0, 0, 0]]),
        ] {
            let mut at = offsets(&[0, 0, 0]);
            for ends in expected {
                at = limited(limit, &at, &offsets(&[100, 10, 1]));
                assert_eq!(at, offsets(&ends), "limit {limit}");
            }
        }
        let far = limited(u64::MAX, &offsets(&[5]), &offsets(&[i64::MAX]));
        assert_eq!(far, offsets(&[i64::MAX]));
    }
}
