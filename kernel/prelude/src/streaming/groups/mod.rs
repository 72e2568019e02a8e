//! `flatMapGroupsWithState`: a function that keeps a state of your own for every group.

mod duration;
mod function;
mod state;

pub use duration::StateDuration;
pub use function::GroupRows;
pub(super) use function::{by_name, read, read_key};
pub use state::{GroupState, GroupStateTimeout};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dataframe::DataFrame;
use crate::error::Result;
use crate::group::GroupedData;
use crate::plan::expression::{Expression, messages};
use crate::protobuf::Message;
use crate::types::DataType;

/// How one such function stands in a plan.
struct Plan<'a> {
    id: &'a str,
    output: &'a DataType,
    output_mode: &'a str,
    timeout: GroupStateTimeout,
    one_row: bool,
}

impl GroupedData {
    /// Calls `function` with the new rows of each group and the state that it keeps for it; it gives
    /// any number of rows. A group that has timed out is called without rows.
    ///
    /// The key and the rows become types of yours as in [`DataFrame::collect_as`]: one grouping
    /// column is a plain value, several are a tuple. `output` is the schema of the rows it gives, in
    /// DDL; their fields go to the columns of the same names, those of a tuple in order. The output
    /// mode is `append` if rows never change, else `update`.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// #[derive(Deserialize)]
    /// struct Click {
    ///     ts: Timestamp,
    /// }
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Visit {
    ///     clicks: i64,
    ///     last: Timestamp,
    /// }
    ///
    /// #[derive(Serialize)]
    /// struct Ended {
    ///     user: String,
    ///     clicks: i64,
    /// }
    ///
    /// let visits = spark
    ///     .table("clicks")?
    ///     .with_watermark("ts", "1 minute")
    ///     .group_by(["user"])
    ///     .flat_map_groups_with_state(
    ///         "append",
    ///         GroupStateTimeout::EventTimeTimeout,
    ///         "user STRING, clicks BIGINT",
    ///         |user: String, rows: Vec<Click>, state: &mut GroupState<Visit>| {
    ///             if state.has_timed_out() {
    ///                 let visit = state.remove().unwrap_or_default();
    ///                 return vec![Ended { user, clicks: visit.clicks }];
    ///             }
    ///             let visit = state.get_or_default();
    ///             for click in &rows {
    ///                 visit.clicks += 1;
    ///                 visit.last = visit.last.max(click.ts);
    ///             }
    ///             let end = visit.last.millis() + 5 * 60 * 1000;
    ///             state.set_timeout_timestamp(end);
    ///             Vec::new()
    ///         },
    ///     )?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If `output` is not a schema. An error or a panic of the function fails the query.
    pub fn flat_map_groups_with_state<K, In, S, Out, F>(
        &self,
        output_mode: impl AsRef<str>,
        timeout: GroupStateTimeout,
        output: &str,
        function: F,
    ) -> Result<DataFrame>
    where
        K: DeserializeOwned,
        In: DeserializeOwned,
        S: Serialize + DeserializeOwned,
        Out: GroupRows,
        F: Fn(K, Vec<In>, &mut GroupState<S>) -> Out + Send + Sync + 'static,
    {
        let schema = DataType::from_ddl(output)?;
        let id = function::register(output, &schema, timeout, function)?;
        Ok(self.group_map(&Plan {
            id: &id,
            output: &schema,
            output_mode: output_mode.as_ref(),
            timeout,
            one_row: false,
        }))
    }

    /// As [`flat_map_groups_with_state`](Self::flat_map_groups_with_state), with one row for each
    /// group, in output mode `update`.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// #[derive(Deserialize)]
    /// struct Order {
    ///     amount: f64,
    /// }
    ///
    /// let totals = spark.table("orders")?.group_by(["user"]).map_groups_with_state(
    ///     GroupStateTimeout::NoTimeout,
    ///     "user STRING, total DOUBLE",
    ///     |user: String, orders: Vec<Order>, state: &mut GroupState<f64>| {
    ///         let total = state.get_or_default();
    ///         *total += orders.iter().map(|order| order.amount).sum::<f64>();
    ///         (user, *total)
    ///     },
    /// )?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If `output` is not a schema.
    pub fn map_groups_with_state<K, In, S, Out, F>(
        &self,
        timeout: GroupStateTimeout,
        output: &str,
        function: F,
    ) -> Result<DataFrame>
    where
        K: DeserializeOwned,
        In: DeserializeOwned,
        S: Serialize + DeserializeOwned,
        Out: Serialize,
        F: Fn(K, Vec<In>, &mut GroupState<S>) -> Out + Send + Sync + 'static,
    {
        let schema = DataType::from_ddl(output)?;
        let flat = move |key, rows, state: &mut GroupState<S>| vec![function(key, rows, state)];
        let id = function::register(output, &schema, timeout, flat)?;
        Ok(self.group_map(&Plan {
            id: &id,
            output: &schema,
            output_mode: "update",
            timeout,
            one_row: true,
        }))
    }

    /// The relation `GroupMap`. Its function is known to the kernel by its id.
    fn group_map(&self, plan: &Plan) -> DataFrame {
        let known = Message::new()
            .raw(1, plan.id.as_bytes())
            .message(3, plan.output.to_message())
            .bool(4, true);
        let function = Message::new()
            .string(1, plan.id)
            .bool(2, true)
            .message(3, Expression::attribute("*").to_message())
            .message(5, known);
        let relation = self.df().relation().then(31, |group| {
            group
                .messages(2, messages(self.keys()))
                .message(3, function)
                .bool(7, plan.one_row)
                .string(8, plan.output_mode)
                .string(9, plan.timeout.name())
        });
        self.df().with(relation)
    }
}
