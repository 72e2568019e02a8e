//! In which order the rows of a batch come when a source deals them out to tasks in turn, as Spark's
//! do: all of the first task, then all of the second, ….

use std::ops::Range;

/// Fewer rows than this are not worth a second partition.
const MIN_PARTITION_ROWS: u64 = 32_768;

/// Which rows one partition reads, as indices into the batch, in order. Row `i` is in task
/// `i % tasks`; a partition reads whole tasks. Without tasks, it reads a range of rows.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    rows: u64,
    tasks: u64,
    /// The task that is being read and those after it.
    own: Range<u64>,
    /// The next row of it.
    next: Option<u64>,
    /// Without tasks: where the range ends.
    end: u64,
}

impl Tasks {
    /// How many partitions are worth using for so many rows.
    pub(super) fn partitions(rows: u64, max_partitions: usize) -> usize {
        let worth = usize::try_from(rows / MIN_PARTITION_ROWS).unwrap_or(usize::MAX);
        worth.clamp(1, max_partitions.max(1))
    }

    /// What partition `partition` of `partitions` reads of `rows` rows.
    pub(super) fn new(rows: u64, tasks: Option<u64>, partition: usize, partitions: usize) -> Self {
        let part = |count: u64| {
            let at = |index: usize| (u128::from(count) * index as u128 / partitions as u128) as u64;
            at(partition)..at(partition + 1)
        };
        match tasks {
            // More tasks than rows are empty ones.
            Some(tasks) => {
                let own = part(tasks.min(rows));
                Self {
                    rows,
                    tasks,
                    next: (own.start < own.end).then_some(own.start),
                    own,
                    end: rows,
                }
            }
            None => {
                let own = part(rows);
                Self {
                    rows,
                    tasks: 1,
                    next: (own.start < own.end).then_some(own.start),
                    end: own.end,
                    own: 0..1,
                }
            }
        }
    }
}

impl Iterator for Tasks {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let row = self.next?;
        let later = row
            .checked_add(self.tasks)
            .filter(|row| *row < self.end.min(self.rows));
        self.next = later.or_else(|| {
            self.own.start += 1;
            (self.own.start < self.own.end).then_some(self.own.start)
        });
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_once_whatever_the_partitions() {
        for rows in [0, 1, 6, 7, 100] {
            for tasks in [None, Some(1), Some(3), Some(8), Some(u64::MAX)] {
                for partitions in [1, 2, 3, 7] {
                    let read = (0..partitions)
                        .flat_map(|partition| Tasks::new(rows, tasks, partition, partitions));
                    let mut read: Vec<u64> = read.collect();
                    let order = read.clone();
                    read.sort_unstable();
                    assert_eq!(
                        read,
                        (0..rows).collect::<Vec<_>>(),
                        "{rows} {tasks:?} {partitions}"
                    );
                    let whole: Vec<u64> = Tasks::new(rows, tasks, 0, 1).collect();
                    assert_eq!(order, whole, "the order depends on the partitions");
                }
            }
        }
        assert_eq!(
            Tasks::new(7, Some(3), 0, 1).collect::<Vec<_>>(),
            [0, 3, 6, 1, 4, 2, 5]
        );
    }

    #[test]
    fn little_data_is_read_by_one() {
        assert_eq!(Tasks::partitions(10, 8), 1);
        assert_eq!(Tasks::partitions(100_000, 8), 3);
        assert_eq!(Tasks::partitions(u64::MAX, 8), 8);
    }
}
