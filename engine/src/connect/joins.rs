//! Frames of two frames: joins, unions, intersections and differences.

use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, lit};

use super::expressions::{ExpressionPlanner, missing};
use super::proto;
use super::proto::join::JoinType as ProtoJoinType;
use super::proto::set_operation::SetOpType;
use super::relations::{RelationPlanner, resolved};
use crate::error::{Error, Result, from_datafusion};
use crate::plan::deduplicate;

impl RelationPlanner<'_> {
    /// A join on a condition, on columns of one name, or on nothing.
    pub(super) async fn join(&self, join: &proto::Join) -> Result<LogicalPlan> {
        let left = self.input(join.left.as_deref()).await?;
        let right = self.input(join.right.as_deref()).await?;
        let right = apart(&left, right)?;
        let join_type = match join.join_type() {
            ProtoJoinType::Unspecified | ProtoJoinType::Inner | ProtoJoinType::Cross => {
                JoinType::Inner
            }
            ProtoJoinType::FullOuter => JoinType::Full,
            ProtoJoinType::LeftOuter => JoinType::Left,
            ProtoJoinType::RightOuter => JoinType::Right,
            ProtoJoinType::LeftAnti => JoinType::LeftAnti,
            ProtoJoinType::LeftSemi => JoinType::LeftSemi,
        };
        if !join.using_columns.is_empty() {
            return join_using(left, right, join_type, &join.using_columns);
        }
        let Some(condition) = &join.join_condition else {
            let joined = LogicalPlanBuilder::from(left);
            return resolved(match join_type {
                JoinType::Inner => joined.cross_join(right),
                other => joined.join_on(right, other, [lit(true)]),
            });
        };
        let columns = left.schema().join(right.schema());
        let columns = columns.map_err(from_datafusion)?;
        let condition = ExpressionPlanner {
            session: self.session,
            schema: &columns,
        }
        .plan(condition)?;
        resolved(LogicalPlanBuilder::from(left).join_on(right, join_type, [condition]))
    }

    /// `union`, `intersect`, `except` and their variants.
    pub(super) async fn set_operation(&self, set: &proto::SetOperation) -> Result<LogicalPlan> {
        let left = self.input(set.left_input.as_deref()).await?;
        let right = self.input(set.right_input.as_deref()).await?;
        let of_both = match set.set_op_type() {
            SetOpType::Unspecified => return Err(missing("the kind of set operation")),
            SetOpType::Intersect => LogicalPlanBuilder::intersect(left, right, set.is_all()),
            SetOpType::Except => LogicalPlanBuilder::except(left, right, set.is_all()),
            SetOpType::Union => {
                let builder = LogicalPlanBuilder::from(left);
                let union = resolved(if set.by_name() {
                    builder.union_by_name(right)
                } else {
                    builder.union(right)
                })?;
                return if set.is_all() {
                    Ok(union)
                } else {
                    deduplicate(union, &[], false)
                };
            }
        };
        resolved(of_both.map(LogicalPlanBuilder::from))
    }
}

/// `right` with qualifiers of its own where both sides have the same: a frame can be joined with
/// itself.
fn apart(left: &LogicalPlan, right: LogicalPlan) -> Result<LogicalPlan> {
    let is_in_left = |qualifier: &TableReference| {
        let mut fields = left.schema().iter();
        fields.any(|(other, _)| other == Some(qualifier))
    };
    let is_shared = |plan: &LogicalPlan| {
        let mut fields = plan.schema().iter();
        fields.any(|(qualifier, _)| qualifier.is_some_and(is_in_left))
    };
    if !is_shared(&right) {
        return Ok(right);
    }
    let mut aliases = (0..).map(|number| TableReference::bare(format!("__right{number}")));
    let alias = aliases.find(|alias| !is_in_left(alias));
    let builder = LogicalPlanBuilder::from(right);
    resolved(match alias {
        Some(alias) => builder.alias(alias),
        None => Ok(builder),
    })
}

/// Joins on columns that both sides have; the result has each of them once, in front.
fn join_using(
    left: LogicalPlan,
    right: LogicalPlan,
    join_type: JoinType,
    names: &[String],
) -> Result<LogicalPlan> {
    let left_keys = keys(left.schema(), names)?;
    let right_keys = keys(right.schema(), names)?;
    let others = |schema: &DFSchema, keys: &[Column]| {
        let columns = schema.columns().into_iter();
        let others = columns.filter(|column| !keys.contains(column));
        others.map(Expr::Column).collect::<Vec<_>>()
    };
    let key = |(left, right): (&Column, &Column)| match join_type {
        JoinType::Right => Expr::Column(right.clone()),
        JoinType::Full => datafusion::functions::core::expr_fn::coalesce(vec![
            Expr::Column(left.clone()),
            Expr::Column(right.clone()),
        ])
        .alias(&left.name),
        _ => Expr::Column(left.clone()),
    };
    let mut outputs: Vec<Expr> = left_keys.iter().zip(&right_keys).map(key).collect();
    outputs.extend(others(left.schema(), &left_keys));
    if !matches!(join_type, JoinType::LeftSemi | JoinType::LeftAnti) {
        outputs.extend(others(right.schema(), &right_keys));
    }
    let joined = LogicalPlanBuilder::from(left)
        .join(right, join_type, (left_keys, right_keys), None)
        .and_then(|joined| joined.project(outputs));
    resolved(joined)
}

fn keys(schema: &DFSchema, names: &[String]) -> Result<Vec<Column>> {
    let find = |name: &String| {
        let mut columns = schema.columns().into_iter();
        let found = columns.find(|column| column.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            Error::analysis(format!("column '{name}' is not on both sides of the join"))
                .with_condition("UNRESOLVED_USING_COLUMN_FOR_JOIN")
        })
    };
    names.iter().map(find).collect()
}
