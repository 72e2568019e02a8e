//! What a batch reads of each partition, in one part or several.

use crate::kafka::TopicPartition;

/// Records `start` up to but not `end` of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OffsetRange {
    pub partition: TopicPartition,
    pub start: i64,
    pub end: i64,
}

impl OffsetRange {
    /// How many offsets that are; there may be fewer records.
    pub(super) fn size(&self) -> i64 {
        self.end - self.start
    }

    fn parts(&self, parts: i64) -> impl Iterator<Item = Self> + '_ {
        let (mut start, mut remaining) = (self.start, self.size());
        (0..parts).map(move |part| {
            let size = remaining / (parts - part);
            remaining -= size;
            let end = start + size;
            let range = Self {
                partition: self.partition.clone(),
                start,
                end,
            };
            start = end;
            range
        })
    }
}

/// The ranges that hold anything, cut into parts as Spark does for `minPartitions` and
/// `maxRecordsPerPartition`.
pub(super) fn divided(
    ranges: Vec<OffsetRange>,
    min_partitions: Option<u64>,
    max_records: Option<u64>,
) -> Vec<OffsetRange> {
    let ranges = ranges.into_iter().filter(|range| range.size() > 0);
    let ranges: Vec<OffsetRange> = match max_records {
        None => ranges.collect(),
        Some(max) => {
            let max = i64::try_from(max).unwrap_or(i64::MAX);
            let parts = |range: &OffsetRange| (range.size() - 1) / max + 1;
            let cut = ranges.flat_map(|range| range.parts(parts(&range)).collect::<Vec<_>>());
            cut.collect()
        }
    };
    match min_partitions {
        Some(min) if (ranges.len() as u64) < min => cut_to(ranges, min),
        _ => ranges,
    }
}

/// Cuts large ranges in parts, so that there are about `min` ranges.
fn cut_to(ranges: Vec<OffsetRange>, min: u64) -> Vec<OffsetRange> {
    let parts = |size: i64, total: i64, min: f64| {
        let parts = (size as f64 / total as f64 * min + 0.5).floor();
        (parts as i64).max(1)
    };
    let total: i64 = ranges.iter().map(OffsetRange::size).sum();
    let is_whole = |range: &OffsetRange| parts(range.size(), total, min as f64) == 1;
    // What stays whole does not count for the shares of the others.
    let whole: Vec<&OffsetRange> = ranges.iter().filter(|range| is_whole(range)).collect();
    let cut_total = total - whole.iter().map(|range| range.size()).sum::<i64>();
    let cut_min = min as f64 - whole.len() as f64;
    let cut = ranges.iter().flat_map(|range| match is_whole(range) {
        true => vec![range.clone()],
        false => range
            .parts(parts(range.size(), cut_total, cut_min))
            .collect(),
    });
    cut.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(sizes: &[i64], min: Option<u64>, max: Option<u64>) -> Vec<(i32, i64, i64)> {
        let ranges = sizes.iter().zip(0..).map(|(size, n)| OffsetRange {
            partition: TopicPartition::new("t", n),
            start: 0,
            end: *size,
        });
        let cut = divided(ranges.collect(), min, max);
        let shown = cut
            .iter()
            .map(|range| (range.partition.partition, range.start, range.end));
        shown.collect()
    }

    /// What real Spark's tasks read.
    #[test]
    fn parts_are_those_of_spark() {
        let parts = [(0, 0, 35), (0, 35, 71), (0, 71, 107), (1, 0, 10), (2, 0, 1)];
        assert_eq!(cut(&[107, 10, 1], Some(5), None), parts);
        assert_eq!(cut(&[107, 10, 1], None, Some(40)), parts);
        let six = [
            (0, 0, 3),
            (0, 3, 6),
            (0, 6, 10),
            (1, 0, 3),
            (1, 3, 6),
            (1, 6, 10),
        ];
        assert_eq!(cut(&[10, 10], Some(6), None), six);
        assert_eq!(cut(&[4, 0, -3], None, None), [(0, 0, 4)]);
    }
}
