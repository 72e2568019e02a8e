//! What names mean at one place of a query: the columns of its relation, what the select list has
//! named already, and around it the query outside.

use std::cell::RefCell;

use datafusion::common::{Column, DFSchemaRef};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::domain::PerDomain;
use super::planned::{Planned, Visible};
use super::typed::Typed;
use crate::error::{Error, Result};

/// The names of one query level.
pub(super) struct Scope<'a> {
    /// The columns of its relation.
    pub columns: &'a [Visible],
    /// The schema of its plan.
    pub schema: DFSchemaRef,
    /// Names that go before columns: what a select list calls its items, seen from ORDER BY and HAVING.
    pub outputs: Vec<(String, Typed)>,
    /// What the query groups by: in HAVING such a column goes before a name of the select list.
    pub keys: Vec<Expr>,
    /// Names for what is no column: lateral column aliases, the window that a query groups by.
    pub aliases: Vec<(String, Typed)>,
    /// How many of these are no select items.
    pub windows: usize,
    /// The query around this one.
    pub outer: Option<&'a Scope<'a>>,
    /// Subqueries that are to be joined with its rows; none where nobody would do it.
    pub subqueries: Option<Subqueries<'a>>,
}

/// Subqueries of a scope that are joined with its rows.
#[derive(Debug)]
pub(super) struct Subqueries<'a> {
    /// The rows.
    pub plan: &'a LogicalPlan,
    /// The number of the first.
    first: usize,
    found: RefCell<Vec<PerDomain>>,
}

impl<'a> Subqueries<'a> {
    /// None yet, of the rows of `plan`; the first that comes has the number `first`.
    pub(super) fn of(plan: &'a LogicalPlan, first: usize) -> Self {
        Self {
            plan,
            first,
            found: RefCell::default(),
        }
    }

    /// Adds one, and gives the column that will have its value.
    pub(super) fn add(&self, subquery: &LogicalPlan) -> Result<Column> {
        let mut found = self.found.borrow_mut();
        let own = PerDomain::of(subquery, self.plan, self.first + found.len())?;
        let column = own.columns.first().cloned();
        found.push(own);
        column.ok_or_else(|| Error::internal("a subquery without a column"))
    }

    /// Those that were found.
    pub(super) fn take(&self) -> Vec<PerDomain> {
        self.found.take()
    }
}

impl<'a> Scope<'a> {
    /// The columns of a relation.
    pub(super) fn of(planned: &'a Planned, outer: Option<&'a Scope<'a>>) -> Self {
        Self {
            columns: &planned.columns,
            schema: planned.plan.schema().clone(),
            outputs: Vec::new(),
            keys: Vec::new(),
            aliases: Vec::new(),
            windows: 0,
            outer,
            subqueries: None,
        }
    }

    /// The same, where subqueries may be joined with its rows.
    pub(super) fn with_subqueries(
        planned: &'a Planned,
        outer: Option<&'a Scope<'a>>,
        first: usize,
    ) -> Self {
        Self {
            subqueries: Some(Subqueries::of(&planned.plan, first)),
            ..Self::of(planned, outer)
        }
    }

    /// The subqueries that are to be joined with its rows.
    pub(super) fn taken_subqueries(&self) -> Vec<PerDomain> {
        let found = self.subqueries.as_ref().map(Subqueries::take);
        found.unwrap_or_default()
    }

    /// The names of all columns, for suggestions.
    pub(super) fn names(&self) -> Vec<&str> {
        let shown = self.columns.iter().filter(|column| !column.hidden);
        shown.map(|column| column.name.as_str()).collect()
    }
}
