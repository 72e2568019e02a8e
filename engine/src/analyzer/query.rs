//! Queries: WITH, a body, ORDER BY, LIMIT and OFFSET.

use std::rc::Rc;
use std::sync::Arc;

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::scalar::ScalarValue;

use super::Analyzer;
use super::expression::Clause;
use super::planned::{Planned, node, same_name};
use super::relation::scan;
use super::scope::Scope;
use crate::error::{Error, Result, from_datafusion};
use crate::plan::RecursiveTable;
use crate::tree::{Cte, Expression, OrderBy, Query, Relation, SetOperation, SetOperator};

/// What surrounds a relation: the queries named for it, and the query outside of it.
#[derive(Clone, Default)]
pub(super) struct Context<'c> {
    ctes: Option<Rc<Named>>,
    pub outer: Option<&'c Scope<'c>>,
    /// How many relations and expressions surround it.
    pub depth: usize,
}

/// A query by its name, and those that were named before it.
struct Named {
    name: String,
    planned: Planned,
    before: Option<Rc<Named>>,
}

impl<'c> Context<'c> {
    /// The query of that name.
    pub(super) fn named(&self, name: &str) -> Option<&Planned> {
        let mut next = self.ctes.as_deref();
        while let Some(named) = next {
            if same_name(&named.name, name) {
                return Some(&named.planned);
            }
            next = named.before.as_deref();
        }
        None
    }

    fn with(&self, name: &str, planned: Planned) -> Self {
        let named = Named {
            name: name.to_string(),
            planned,
            before: self.ctes.clone(),
        };
        Self {
            ctes: Some(Rc::new(named)),
            outer: self.outer,
            depth: self.depth,
        }
    }

    /// The same queries by name, inside of a query with these columns.
    pub(super) fn inside<'d>(&self, outer: Option<&'d Scope<'d>>) -> Context<'d>
    where
        'c: 'd,
    {
        Context {
            ctes: self.ctes.clone(),
            outer,
            depth: self.depth,
        }
    }
}

impl Analyzer<'_> {
    /// A query.
    pub(super) fn query(&self, query: &Query, context: &Context<'_>) -> Result<Planned> {
        let context = self.with_named(query, context)?;
        let planned = match &query.body {
            Relation::Select(select) => self.select(select, &query.order_by, &context)?,
            body => {
                let planned = self.relation(body, &context)?;
                self.ordered(planned, &query.order_by, &context)?
            }
        };
        self.limited(planned, query)
    }

    /// The context with the queries that WITH names.
    fn with_named<'c>(&self, query: &Query, context: &Context<'c>) -> Result<Context<'c>> {
        let mut context = context.clone();
        let mut names: Vec<&str> = Vec::new();
        for cte in &query.with {
            if names.iter().any(|name| same_name(name, &cte.name)) {
                let message = format!("WITH names two queries '{}'", cte.name);
                return Err(Error::analysis(message).with_condition("DUPLICATED_CTE_NAMES"));
            }
            names.push(&cte.name);
            let planned = self.cte(cte, query.recursive, &context)?;
            context = context.with(&cte.name, planned);
        }
        Ok(context)
    }

    fn cte(&self, cte: &Cte, recursive: bool, context: &Context<'_>) -> Result<Planned> {
        if recursive && let Some(planned) = self.recursive_cte(cte, context)? {
            return Ok(planned);
        }
        let planned = self.query(&cte.query, context)?;
        renamed(planned, cte)
    }

    /// A query that reads itself, if it does: `base UNION [ALL] step`.
    fn recursive_cte(&self, cte: &Cte, context: &Context<'_>) -> Result<Option<Planned>> {
        let Relation::SetOperation(union) = &cte.query.body else {
            return Ok(None);
        };
        let SetOperation {
            left,
            right,
            operator: SetOperator::Union,
            all,
            ..
        } = union.as_ref()
        else {
            return Ok(None);
        };
        if cte.query.limit.is_some() || cte.query.offset.is_some() {
            return Err(Error::analysis(format!(
                "the recursive query '{}' cannot have LIMIT or OFFSET of its own",
                cte.name
            ))
            .with_condition("INVALID_RECURSIVE_CTE")
            .with_hint(format!(
                "put it outside: SELECT * FROM {} LIMIT …",
                cte.name
            )));
        }
        let context = &self.with_named(&cte.query, context)?;
        let base = renamed(self.relation(left, context)?, cte)?;
        let base_plan = base.clone().named()?;
        let schema = Arc::clone(base_plan.schema().inner());
        // The step sees the rows of the step before it as a table.
        let work = Arc::new(RecursiveTable::new(&cte.name, schema, cte.max_level));
        let own = scan(&cte.name, work)?;
        let inner = context.with(&cte.name, Planned::of(own));
        let step = self.relation(right, &inner)?;
        let step = self.cast_to(step, &base, "UNION")?.named()?;
        let reads_itself = reads(&step, &cte.name);
        if !reads_itself {
            return Ok(None);
        }
        let base_names = base.columns.iter().map(|column| column.name.clone());
        let names: Vec<String> = base_names.collect();
        let recursive =
            LogicalPlanBuilder::from(base_plan).to_recursive_query(cte.name.clone(), step, !all);
        let plan = recursive.and_then(LogicalPlanBuilder::build);
        let planned = Planned::of(plan.map_err(from_datafusion)?);
        Ok(Some(planned.aliased(&cte.name, &names)?))
    }

    fn limited(&self, planned: Planned, query: &Query) -> Result<Planned> {
        let skip = self
            .row_count(query.offset.as_ref(), "OFFSET")?
            .unwrap_or(0);
        let fetch = self.row_count(query.limit.as_ref(), "LIMIT")?;
        if skip == 0 && fetch.is_none() {
            return Ok(planned);
        }
        let limited = LogicalPlanBuilder::from(planned.plan.clone()).limit(skip, fetch);
        let plan = node(limited)?;
        Ok(planned.with_plan(plan))
    }

    fn row_count(&self, rows: Option<&Expression>, clause: &str) -> Result<Option<usize>> {
        let Some(rows) = rows else {
            return Ok(None);
        };
        let nothing = Planned {
            plan: node(Ok(LogicalPlanBuilder::empty(true)))?,
            columns: Vec::new(),
        };
        let scope = Scope::of(&nothing, None);
        let context = Context::default();
        let count = self
            .expressions(&scope, Clause::Limit, &context)
            .plan(rows)?;
        let value = self.constant(&count)?;
        let number = match &value {
            Some(ScalarValue::Int8(Some(rows))) => Some(i64::from(*rows)),
            Some(ScalarValue::Int16(Some(rows))) => Some(i64::from(*rows)),
            Some(ScalarValue::Int32(Some(rows))) => Some(i64::from(*rows)),
            Some(ScalarValue::Int64(Some(rows))) => Some(*rows),
            _ => None,
        };
        match number.map(usize::try_from) {
            Some(Ok(rows)) => Ok(Some(rows)),
            Some(Err(_)) => {
                let value = number.unwrap_or_default().to_string();
                Err(Error::analysis(format!("{clause} cannot be negative"))
                    .with_condition("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE")
                    .with_parameter("name", clause.to_lowercase())
                    .with_parameter("expr", format!("\"{value}\""))
                    .with_parameter("v", value))
            }
            None => Err(Error::analysis(format!(
                "{clause} needs a whole number, the same for all rows"
            ))
            .with_condition("INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE")),
        }
    }

    /// The rows of what is no SELECT, in order.
    pub(super) fn ordered(
        &self,
        planned: Planned,
        order_by: &OrderBy,
        context: &Context<'_>,
    ) -> Result<Planned> {
        if matches!(order_by, OrderBy::Keys(keys) if keys.is_empty()) {
            return Ok(planned);
        }
        let sort = {
            let scope = Scope::of(&planned, context.outer);
            self.sort_keys_of_outputs(&planned, order_by, &scope, context)?
        };
        let plan = node(LogicalPlanBuilder::from(planned.plan.clone()).sort(sort))?;
        Ok(planned.with_plan(plan))
    }
}

fn renamed(planned: Planned, cte: &Cte) -> Result<Planned> {
    let columns = planned.shown().count();
    if !cte.columns.is_empty() && cte.columns.len() != columns {
        return Err(wrong_number_of_names(&cte.name, cte.columns.len(), columns));
    }
    let planned = planned.aliased(&cte.name, &cte.columns)?;
    Ok(planned.without_metadata_name())
}

/// The refusal of `t(a, b)` where the relation has not two columns.
pub(super) fn wrong_number_of_names(relation: &str, names: usize, columns: usize) -> Error {
    Error::analysis(format!(
        "'{relation}' has {columns} columns, but {names} names were given"
    ))
    .with_condition("ASSIGNMENT_ARITY_MISMATCH")
}

/// Whether a plan scans the table `name` of a recursive query.
fn reads(plan: &LogicalPlan, name: &str) -> bool {
    use datafusion::common::tree_node::TreeNodeRecursion;
    let mut found = false;
    let visited = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            found |= scan.table_name.table() == name;
        }
        Ok(match found {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    });
    debug_assert!(visited.is_ok(), "the visitor does not fail");
    found
}
