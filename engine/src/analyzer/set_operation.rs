//! UNION, INTERSECT and EXCEPT, by position or by name.

use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder};

use super::Analyzer;
use super::cast::cast_to;
use super::compare::as_grouped;
use super::planned::{Planned, Visible, node};
use super::query::Context;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::functions::{common_type, has_fractions};
use crate::plan::is_streaming;
use crate::tree::{SetOperation, SetOperator};
use crate::type_names::sql_type;
use arrow::datatypes::DataType;
use datafusion::scalar::ScalarValue;

impl Analyzer<'_> {
    /// A set operation; its columns have the names of the left side.
    pub(super) fn set_operation(
        &self,
        set: &SetOperation,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let left = self.relation(&set.left, context)?;
        let right = self.relation(&set.right, context)?;
        let what = match set.operator {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except => "EXCEPT",
        };
        let (left, right) = match set.by_name {
            true => by_name(left, right, set.allow_missing)?,
            false => (left, right),
        };
        let types = common_types(&left, &right, what)?;
        let (left, right) = (cast(left, &types)?, cast(right, &types)?);
        let (left, right) = match set.all {
            true => (left, right),
            false => (grouped(left)?, grouped(right)?),
        };
        let shown: Vec<Visible> = left.shown().cloned().collect();
        let (left, right) = (distinct_names(left)?, distinct_names(right)?);
        let plan = match set.operator {
            SetOperator::Union => {
                let union = node(LogicalPlanBuilder::from(left).union(right))?;
                match set.all {
                    true => union,
                    false => node(LogicalPlanBuilder::from(union).distinct())?,
                }
            }
            SetOperator::Intersect if set.all => multiset(left, right, JoinType::LeftSemi)?,
            SetOperator::Except if set.all => multiset(left, right, JoinType::LeftAnti)?,
            SetOperator::Intersect => {
                let both = LogicalPlanBuilder::intersect(left, right, false);
                node(both.map(LogicalPlanBuilder::from))?
            }
            SetOperator::Except => {
                let one = LogicalPlanBuilder::except(left, right, false);
                node(one.map(LogicalPlanBuilder::from))?
            }
        };
        let mut planned = Planned::of(plan);
        for (column, left) in planned.columns.iter_mut().zip(shown) {
            column.name = left.name;
            column.plan_ids = left.plan_ids;
            column.qualifier = None;
        }
        Ok(planned)
    }

    /// `planned` with the types of `like`, column by column.
    pub(super) fn cast_to(&self, planned: Planned, like: &Planned, what: &str) -> Result<Planned> {
        check_widths(&planned, like, what)?;
        let types = like.shown().map(|column| column.field.data_type().clone());
        let types: Vec<DataType> = types.collect();
        cast(planned, &types)
    }
}

fn check_widths(left: &Planned, right: &Planned, what: &str) -> Result<()> {
    let (first, second) = (left.shown().count(), right.shown().count());
    if first == second {
        return Ok(());
    }
    Err(Error::analysis(format!(
        "{what} needs the same number of columns on both sides, but there are {first} and {second}"
    ))
    .with_condition("NUM_COLUMNS_MISMATCH")
    .with_parameter("operator", what)
    .with_parameter("firstNumColumns", first.to_string())
    .with_parameter("invalidOrdinalNum", "second")
    .with_parameter("invalidNumColumns", second.to_string())
    .with_hint("give both sides the same columns"))
}

fn common_types(left: &Planned, right: &Planned, what: &str) -> Result<Vec<DataType>> {
    check_widths(left, right, what)?;
    let pairs = left.shown().zip(right.shown()).enumerate();
    let types = pairs.map(|(index, (one, other))| {
        let (one, other) = (one.field.data_type(), other.field.data_type());
        common_type([one, other]).ok_or_else(|| {
            Error::analysis(format!(
                "column {} of {what} is {} on one side and {} on the other",
                index + 1,
                sql_type(one),
                sql_type(other)
            ))
            .with_condition("INCOMPATIBLE_COLUMN_TYPE")
            .with_hint("cast one side: CAST(x AS type)")
        })
    });
    types.collect()
}

/// The shown columns, cast where their type is another one.
fn cast(planned: Planned, types: &[DataType]) -> Result<Planned> {
    let shown: Vec<Visible> = planned.shown().cloned().collect();
    let own = planned.plan.schema().columns();
    let is_same = shown.iter().map(|column| &column.column).eq(own.iter())
        && shown
            .iter()
            .zip(types)
            .all(|(column, to)| column.field.data_type() == to);
    if is_same {
        return Ok(planned);
    }
    let mut types = types.iter();
    replaced(planned, |typed| match types.next() {
        Some(to) => cast_to(typed, to),
        None => Ok(typed),
    })
}

/// The shown columns, equal values of them the same.
fn grouped(planned: Planned) -> Result<Planned> {
    let has_some = |column: &Visible| has_fractions(column.field.data_type());
    let may_differ = planned.shown().any(has_some);
    match may_differ {
        true => replaced(planned, |typed| Ok(as_grouped(typed))),
        false => Ok(planned),
    }
}

/// The shown columns with other values.
pub(super) fn replaced(
    planned: Planned,
    mut new: impl FnMut(Typed) -> Result<Typed>,
) -> Result<Planned> {
    let shown: Vec<Visible> = planned.shown().cloned().collect();
    let outputs = shown.iter().map(|column| {
        let expr = Expr::Column(column.column.clone());
        let typed = Typed {
            expr: expr.clone(),
            field: column.field.clone(),
        };
        let value = new(typed)?.expr;
        Ok(match value == expr {
            true => expr,
            false => value.alias_qualified(column.column.relation.clone(), &column.column.name),
        })
    });
    let outputs = outputs.collect::<Result<Vec<_>>>()?;
    let plan = node(LogicalPlanBuilder::from(planned.plan).project(outputs))?;
    let planned = Planned {
        plan: plan.clone(),
        columns: shown,
    };
    Ok(planned.with_plan(plan))
}

/// The plan of the shown columns, no two of one name.
fn distinct_names(planned: Planned) -> Result<LogicalPlan> {
    let mut names = std::collections::HashSet::new();
    let own = planned.plan.schema().columns();
    let is_distinct = planned.shown().map(|column| &column.column).eq(own.iter())
        && planned
            .columns
            .iter()
            .all(|column| names.insert(column.column.name.to_lowercase()));
    match is_distinct {
        true => Ok(planned.plan),
        false => Ok(planned.aliased("side", &[])?.plan),
    }
}

/// A name, and the column of that name on each side.
type Matched = (String, Option<Visible>, Option<Visible>);

/// Both sides with their columns in the order of the left one, matched by name.
fn by_name(left: Planned, right: Planned, allow_missing: bool) -> Result<(Planned, Planned)> {
    let missing = |name: &str| {
        Error::analysis(format!("column '{name}' is on one side of the union only"))
            .with_condition("UNRESOLVED_COLUMN.WITH_SUGGESTION")
            .with_hint("allow missing columns, or give both sides the same columns")
    };
    let mut outputs: Vec<Matched> = Vec::new();
    for column in left.shown() {
        let other = right.shown().find(|other| other.is_named(&column.name));
        if other.is_none() && !allow_missing {
            return Err(missing(&column.name));
        }
        outputs.push((column.name.clone(), Some(column.clone()), other.cloned()));
    }
    for column in right.shown() {
        if left.shown().any(|other| other.is_named(&column.name)) {
            continue;
        }
        if !allow_missing {
            return Err(missing(&column.name));
        }
        outputs.push((column.name.clone(), None, Some(column.clone())));
    }
    let side = |planned: Planned, pick: fn(&Matched) -> &Option<Visible>| {
        let columns = outputs.iter().map(|output| match pick(output) {
            Some(column) => Expr::Column(column.column.clone()).alias(&output.0),
            None => datafusion::logical_expr::lit(ScalarValue::Null).alias(&output.0),
        });
        let columns: Vec<Expr> = columns.collect();
        Ok::<_, Error>(Planned::of(node(
            LogicalPlanBuilder::from(planned.plan).project(columns),
        )?))
    };
    let mut one = side(left, |output| &output.1)?;
    let other = side(right, |output| &output.2)?;
    for (column, (_, own, _)) in one.columns.iter_mut().zip(&outputs) {
        let own = own.iter().flat_map(|own| &own.plan_ids);
        column.plan_ids = own.copied().collect();
    }
    Ok((one, other))
}

/// INTERSECT ALL and EXCEPT ALL: the n-th of some equal rows meets the n-th of the other side.
fn multiset(left: LogicalPlan, right: LogicalPlan, kind: JoinType) -> Result<LogicalPlan> {
    if is_streaming(&left) || is_streaming(&right) {
        let plan = match kind {
            JoinType::LeftSemi => LogicalPlanBuilder::intersect(left, right, true),
            _ => LogicalPlanBuilder::except(left, right, true),
        };
        return node(plan.map(LogicalPlanBuilder::from));
    }
    const NUMBER: &str = "__number";
    let numbered = |plan: LogicalPlan| {
        let columns: Vec<Expr> = plan
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        let number = datafusion::functions_window::row_number::row_number();
        let number =
            datafusion::logical_expr::ExprFunctionExt::partition_by(number, columns.clone())
                .build()
                .map_err(from_datafusion)?;
        let name = number.schema_name().to_string();
        let plan = LogicalPlanBuilder::window_plan(plan, [number]).map_err(from_datafusion)?;
        let number = datafusion::common::Column::new_unqualified(name);
        let mut outputs = columns;
        outputs.push(Expr::Column(number).alias(NUMBER));
        node(LogicalPlanBuilder::from(plan).project(outputs))
    };
    let columns: Vec<Expr> = left
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    let (left, right) = (numbered(left)?, numbered(right)?);
    let joined = match kind {
        JoinType::LeftSemi => LogicalPlanBuilder::intersect(left, right, true),
        _ => LogicalPlanBuilder::except(left, right, true),
    };
    let joined = joined.map_err(from_datafusion)?;
    let kept: Vec<Expr> = joined
        .schema()
        .columns()
        .into_iter()
        .take(columns.len())
        .map(Expr::Column)
        .collect();
    node(LogicalPlanBuilder::from(joined).project(kept))
}
