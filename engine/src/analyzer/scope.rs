//! What names mean at one place of a query: the columns of its relation, what the select list has
//! named already, and around it the query outside.

use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::Expr;

use super::planned::{Planned, Visible};
use super::typed::Typed;

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
    /// The query around this one.
    pub outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    /// The columns of a relation.
    pub fn of(planned: &'a Planned, outer: Option<&'a Scope<'a>>) -> Self {
        Self {
            columns: &planned.columns,
            schema: planned.plan.schema().clone(),
            outputs: Vec::new(),
            keys: Vec::new(),
            aliases: Vec::new(),
            outer,
        }
    }

    /// The names of all columns, for suggestions.
    pub fn names(&self) -> Vec<&str> {
        let shown = self.columns.iter().filter(|column| !column.hidden);
        shown.map(|column| column.name.as_str()).collect()
    }
}
