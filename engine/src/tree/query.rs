//! Queries as SQL has them.

use super::expression::{Expression, SortKey, WindowSpec};
use super::relation::Relation;

/// `WITH … body ORDER BY … LIMIT … OFFSET …`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// The queries named for this one, each of which sees those before it.
    pub with: Vec<Cte>,
    /// `WITH RECURSIVE`.
    pub recursive: bool,
    /// SELECT, VALUES, a set operation, a table, or a query in parentheses.
    pub body: Relation,
    /// ORDER BY.
    pub order_by: OrderBy,
    /// LIMIT.
    pub limit: Option<Expression>,
    /// OFFSET.
    pub offset: Option<Expression>,
}

/// ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OrderBy {
    /// Keys; none is no order.
    Keys(Vec<SortKey>),
    /// `ORDER BY ALL`: every column, from left to right.
    All {
        /// Whether small values come first.
        ascending: bool,
        /// Whether NULL comes first.
        nulls_first: bool,
    },
}

/// A query named in WITH.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cte {
    /// Its name.
    pub name: String,
    /// New names for its columns.
    pub columns: Vec<String>,
    /// How often the query may read itself, if that is told.
    pub max_level: Option<usize>,
    /// The query.
    pub query: Query,
}

/// `SELECT …`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    /// `DISTINCT`.
    pub distinct: bool,
    /// The select list.
    pub items: Vec<Expression>,
    /// FROM; commas are joins without a condition, LATERAL VIEW stands around what is before it.
    pub from: Option<Relation>,
    /// WHERE.
    pub filter: Option<Expression>,
    /// GROUP BY.
    pub group_by: GroupBy,
    /// HAVING.
    pub having: Option<Expression>,
    /// QUALIFY.
    pub qualify: Option<Expression>,
    /// WINDOW: named windows.
    pub windows: Vec<(String, WindowSpec)>,
}

/// GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GroupBy {
    /// There is none.
    None,
    /// `GROUP BY ALL`: every select item without an aggregate.
    All,
    /// Keys.
    Keys(Vec<GroupKey>),
}

/// One key of GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GroupKey {
    /// An expression, or the number of a select item.
    Expression(Expression),
    /// `ROLLUP (…)`.
    Rollup(Vec<Vec<Expression>>),
    /// `CUBE (…)`.
    Cube(Vec<Vec<Expression>>),
    /// `GROUPING SETS (…)`.
    Sets(Vec<Vec<Expression>>),
}
