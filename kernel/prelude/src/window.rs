//! Windows over the rows around a row: `rank().over(…)`. Time windows are
//! [`functions::window`](crate::functions::window).

use crate::column::{Column, Columns};
use crate::plan::expression::{Expression, SortOrder};

/// Where a frame begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameBound {
    /// At the first row of the partition.
    UnboundedPreceding,
    /// So many rows, or so much of the sort key, before the current row.
    Preceding(i64),
    /// At the current row.
    CurrentRow,
    /// So many rows, or so much of the sort key, after the current row.
    Following(i64),
    /// At the last row of the partition.
    UnboundedFollowing,
}

/// What a frame counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameType {
    /// Rows.
    Row,
    /// Values of the sort key.
    Range,
}

/// Which rows a window function sees.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WindowSpec {
    pub(crate) partition: Vec<Expression>,
    pub(crate) order: Vec<SortOrder>,
    pub(crate) frame: Option<(FrameType, FrameBound, FrameBound)>,
}

impl WindowSpec {
    /// All rows, in no order.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rows with the same values of these columns.
    pub fn partition_by<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.partition = columns.expressions();
        self
    }

    /// In the order of these columns.
    pub fn order_by<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.order = columns.sort_orders();
        self
    }

    /// Rows from `start` to `end`, counted from the current one.
    pub fn rows_between(mut self, start: FrameBound, end: FrameBound) -> Self {
        self.frame = Some((FrameType::Row, start, end));
        self
    }

    /// Rows whose sort key is between `start` and `end`, counted from that of the current one.
    pub fn range_between(mut self, start: FrameBound, end: FrameBound) -> Self {
        self.frame = Some((FrameType::Range, start, end));
        self
    }
}

/// Where window specifications begin.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let by_user = Window::partition_by([col("user")]).order_by([col("ts").asc()]);
/// let ranked = spark.table("events")?.with_column("nth", row_number().over(by_user));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Window;

impl Window {
    /// At the first row of the partition.
    pub const fn unbounded_preceding() -> FrameBound {
        FrameBound::UnboundedPreceding
    }

    /// At the current row.
    pub const fn current_row() -> FrameBound {
        FrameBound::CurrentRow
    }

    /// At the last row of the partition.
    pub const fn unbounded_following() -> FrameBound {
        FrameBound::UnboundedFollowing
    }

    /// See [`WindowSpec::partition_by`].
    pub fn partition_by<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> WindowSpec {
        WindowSpec::new().partition_by(columns)
    }

    /// See [`WindowSpec::order_by`].
    pub fn order_by<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> WindowSpec {
        WindowSpec::new().order_by(columns)
    }

    /// See [`WindowSpec::rows_between`].
    pub fn rows_between(start: FrameBound, end: FrameBound) -> WindowSpec {
        WindowSpec::new().rows_between(start, end)
    }

    /// See [`WindowSpec::range_between`].
    pub fn range_between(start: FrameBound, end: FrameBound) -> WindowSpec {
        WindowSpec::new().range_between(start, end)
    }
}
