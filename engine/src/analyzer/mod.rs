//! From the unresolved tree to DataFusion's logical plan: scopes, names, stars, grouping, joins,
//! subqueries, types, and the names of what comes out.
//!
//! ```text
//! Relation ─► relation ─► from (joins, views, values) ─► select ─► aggregate ─► windows ─► order
//!                              └► expression ─► name, call, operator, aggregate, over, lambda, subquery
//! ```
//! Every relation is planned into a `Planned`: a plan, and the columns that names may see of it. In
//! the plan all columns differ; what a query calls them is put back at the very end.

mod aggregate;
mod aggregates;
mod calls;
mod cast;
mod chains;
mod compare;
mod conditionals;
mod costly_calls;
mod domain;
mod expression;
mod frames;
mod function_names;
mod generate;
mod group_map;
mod groups;
mod held;
mod hidden;
mod input_file;
mod join;
mod lambda;
mod lambda_columns;
mod lateral;
mod missing_values;
mod name;
mod operators;
mod order;
mod output_names;
mod over;
mod pivot;
mod pivot_values;
mod planned;
mod query;
mod relation;
mod scope;
mod select;
mod session_state;
mod set_operation;
mod shown_as;
mod sources;
mod stars;
mod statistics;
mod struct_fields;
mod subquery;
mod typed;
mod unmoved;
mod update_fields;
mod values;

use datafusion::execution::context::SessionState;
use datafusion::logical_expr::LogicalPlan;

pub(crate) use generate::generators;
pub(crate) use hidden::is_hidden;
pub(crate) use operators::OPERATORS;
pub(crate) use relation::scan;
pub(crate) use session_state::session_state;

use self::input_file::FileMetadata;
use self::pivot_values::PivotValues;
use self::sources::Sources;
use crate::error::Result;
use crate::tree::Relation;

/// Plans relations against the tables and functions of one session.
pub(crate) struct Analyzer<'a> {
    session: &'a SessionState,
    sources: Sources,
    pivot_values: PivotValues,
    metadata: FileMetadata,
}

/// The logical plan of a relation, its columns under the names that the query gives them.
pub(crate) async fn analyze(session: &SessionState, relation: &Relation) -> Result<LogicalPlan> {
    let pivot_values = PivotValues::load(session, relation).await?;
    let sources = Sources::load(session, relation).await?;
    let mut analyzer = Analyzer {
        session,
        sources,
        pivot_values,
        metadata: FileMetadata::default(),
    };
    let mut planned = analyzer.relation(relation, &query::Context::default());
    if analyzer.metadata.is_asked_for() {
        analyzer.metadata.is_there = true;
        planned = analyzer.relation(relation, &query::Context::default());
    }
    planned?.named()
}
