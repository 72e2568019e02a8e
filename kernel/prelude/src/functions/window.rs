//! Functions over the rows around a row; use them with [`Column::over`](crate::Column::over).

use super::functions;

functions! {
    /// The number of the row in its window, from 1.
    fn row_number();
    /// The rank, with gaps after equal rows.
    fn rank();
    /// The rank, without gaps.
    fn dense_rank();
    /// The rank as a share of the rows.
    fn percent_rank();
    /// The share of rows that come no later.
    fn cume_dist();
    /// Which of so many equal parts the row is in.
    fn ntile(parts: value);
    /// The value of the row with this number in the window, from 1.
    fn nth_value(column: column, row: value);
}

super::variadic! {
    /// A column of an earlier row: the column, how many rows, and what to take if there is none.
    fn lag;
    /// A column of a later row: the column, how many rows, and what to take if there is none.
    fn lead;
}
