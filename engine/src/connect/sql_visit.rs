//! Walks SQL syntax trees with one visitor type. sqlparser compiles its walk over all of SQL anew
//! for every visitor type, which costs minutes; this one hands each node on dynamically.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, Select, Statement, TableFactor, VisitMut, VisitorMut,
};

/// What a walk does at the nodes it cares about.
pub(super) trait SqlVisitor {
    /// Before the parts of a query.
    fn query(&mut self, _query: &mut Query) {}
    /// Before the parts of a SELECT.
    fn select(&mut self, _select: &mut Select) {}
    /// At the name of a table.
    fn relation(&mut self, _name: &mut ObjectName) {}
    /// Before the parts of a table in FROM.
    fn table(&mut self, _table: &mut TableFactor) {}
    /// Before the parts of an expression.
    fn expression(&mut self, _expr: &mut Expr) {}
    /// After the parts of an expression.
    fn expression_done(&mut self, _expr: &mut Expr) {}
}

/// Visits a statement and everything in it.
pub(super) fn walk_statement(statement: &mut Statement, visitor: &mut dyn SqlVisitor) {
    let _ = statement.visit(&mut Walk(visitor));
}

/// Visits an expression and everything in it.
pub(super) fn walk_expression(expr: &mut Expr, visitor: &mut dyn SqlVisitor) {
    let _ = expr.visit(&mut Walk(visitor));
}

struct Walk<'a>(&'a mut dyn SqlVisitor);

impl VisitorMut for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.0.query(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        self.0.select(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        self.0.relation(relation);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        self.0.table(table);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.0.expression(expr);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.0.expression_done(expr);
        ControlFlow::Continue(())
    }
}
