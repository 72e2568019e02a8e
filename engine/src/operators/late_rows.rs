//! A few of the rows that came too late, for whoever asks why they are missing.

use arrow::array::RecordBatch;

use super::event_time_column::{event_times, to_us};
use crate::clock::format_iso8601;
use crate::error::Result;
use crate::json::json_rows;
use crate::state::take_rows;
use crate::why::{LateRow, LateWhy, SAMPLES, iso_us};

/// What came too late in one batch: the first rows, and how late the worst was.
#[derive(Debug, Clone, Default)]
pub(crate) struct LateRows {
    watermark_ms: i64,
    max_late_us: i64,
    rows: Vec<LateRow>,
}

impl LateRows {
    /// Takes in those of `rows` whose event time, in `column`, is at or before the watermark.
    pub(crate) fn note_column(
        &mut self,
        rows: &RecordBatch,
        column: usize,
        watermark_ms: i64,
    ) -> Result<()> {
        let times = event_times(rows.column(column))?;
        let late = times.iter().enumerate();
        let late = late.filter_map(|(row, time)| time.map(|time| (row, time)));
        let late = late.filter(|(_, time)| *time <= to_us(watermark_ms));
        self.note(rows, late, watermark_ms)
    }

    /// Takes in rows that are late, each with its event time in microseconds.
    pub(crate) fn note(
        &mut self,
        rows: &RecordBatch,
        late: impl Iterator<Item = (usize, i64)>,
        watermark_ms: i64,
    ) -> Result<()> {
        self.watermark_ms = watermark_ms;
        let room = SAMPLES.saturating_sub(self.rows.len());
        let mut first = Vec::with_capacity(room);
        for (row, time_us) in late {
            let late_us = to_us(watermark_ms).saturating_sub(time_us);
            self.max_late_us = self.max_late_us.max(late_us);
            if first.len() < room {
                first.push((row as u32, time_us, late_us));
            }
        }
        let shown = take_rows(rows, first.iter().map(|(row, _, _)| *row).collect())?;
        let shown = json_rows(&shown)?.into_iter().zip(first);
        self.rows
            .extend(shown.map(|(row, (_, time_us, late_us))| LateRow {
                row,
                event_time: iso_us(time_us),
                late_ms: late_us.div_euclid(1000),
            }));
        Ok(())
    }

    /// Takes in what another part of the operator noted.
    pub(crate) fn add(&mut self, part: &Self) {
        self.watermark_ms = self.watermark_ms.max(part.watermark_ms);
        self.max_late_us = self.max_late_us.max(part.max_late_us);
        let room = SAMPLES.saturating_sub(self.rows.len());
        self.rows.extend(part.rows.iter().take(room).cloned());
    }

    /// What is to be told, if `dropped` rows or groups came too late.
    pub(crate) fn told(self, dropped: i64) -> Option<LateWhy> {
        (dropped > 0).then(|| LateWhy {
            num_dropped: dropped,
            watermark: format_iso8601(self.watermark_ms),
            watermark_from: None,
            max_late_ms: self.max_late_us.div_euclid(1000),
            rows: self.rows,
        })
    }
}
