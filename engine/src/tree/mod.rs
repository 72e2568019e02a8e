//! The unresolved tree: what a query says, before anybody knows what its names mean. SQL text and
//! `spark.connect` messages become this one tree, and the analyzer makes a plan of it.

mod children;
mod expression;
mod query;
mod relation;

pub(crate) use expression::{
    Bound, Call, Case, Cast, Expression, Frame, FrameUnits, Lambda, Literal, Name, NullTreatment,
    Over, Place, SESSION_ZONE, SortKey, Star, Subquery, SubqueryKind, Window, WindowSpec,
};
pub(crate) use query::{Cte, GroupBy, GroupKey, OrderBy, Query, Select};
pub(crate) use relation::{
    Aggregate, Grouping, Join, JoinCondition, JoinKind, LateralView, Pivot, PivotValue, Relation,
    SetOperation, SetOperator, Unpivot, UnpivotColumn,
};
