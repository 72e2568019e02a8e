//! Queries: WITH, set operations, ORDER BY, LIMIT.

use super::parser::Parser;
use super::tokens::TokenKind;
use crate::error::Result;
use crate::tree::{Cte, Expression, OrderBy, Query, Relation, SetOperation, SetOperator};

impl Parser<'_> {
    /// Whether a query comes next, perhaps in parentheses.
    pub(super) fn starts_query(&self) -> bool {
        self.starts_query_at(0)
    }

    pub(super) fn starts_query_at(&self, mut ahead: usize) -> bool {
        while self.is_at(ahead, "(") {
            ahead += 1;
        }
        let begins = |word: &str| self.is_at(ahead, word);
        let is_word = |ahead| matches!(self.peek_at(ahead).kind, TokenKind::Word { .. });
        begins("SELECT")
            || (["WITH", "FROM", "TABLE"].into_iter().any(begins) && is_word(ahead + 1))
            || (begins("VALUES")
                && ![",", ")", ".", "="]
                    .iter()
                    .any(|next| self.is_at(ahead + 1, next)))
    }

    /// A query with all that belongs to it.
    pub(super) fn query(&mut self) -> Result<Query> {
        let cases = std::mem::take(&mut self.cases);
        let chain = std::mem::take(&mut self.chain);
        let query = self.nested(Self::whole_query);
        self.cases = cases;
        self.chain = self.chain.max(chain);
        query
    }

    fn whole_query(&mut self) -> Result<Query> {
        let mut with = Vec::new();
        let mut recursive = false;
        if self.eat("WITH") {
            recursive = self.eat("RECURSIVE");
            with = self.list(Self::cte)?;
        }
        let mut query = bare_query(self.set_operations()?);
        (query.with, query.recursive) = (with, recursive);
        self.organization(&mut query)?;
        self.pipes(query)
    }

    fn cte(&mut self) -> Result<Cte> {
        let name = self.identifier()?;
        let columns = match self.is("(") && !self.starts_query() {
            true => self.in_parens(Self::identifier)?,
            false => Vec::new(),
        };
        let max_level = match self.eat_all(&["MAX", "RECURSION", "LEVEL"]) {
            true => Some(self.whole_number()?),
            false => None,
        };
        self.eat("AS");
        self.expect("(")?;
        let query = self.query()?;
        self.expect(")")?;
        Ok(Cte {
            name,
            columns,
            max_level,
            query,
        })
    }

    /// Digits.
    fn whole_number(&mut self) -> Result<usize> {
        let number = match &self.peek().kind {
            TokenKind::Number { digits, suffix } if suffix.is_empty() => digits.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.expected("a whole number"))?;
        self.advance();
        Ok(number)
    }

    /// ORDER BY and its kind, LIMIT, OFFSET.
    pub(super) fn organization(&mut self, query: &mut Query) -> Result<()> {
        loop {
            if self.eat_all(&["ORDER", "BY"]) {
                query.order_by = self.order_by()?;
            } else if self.eat_all(&["SORT", "BY"]) {
                // Where rows stand is promised by ORDER BY only.
                self.order_keys()?;
            } else if self.eat_all(&["DISTRIBUTE", "BY"]) || self.eat_all(&["CLUSTER", "BY"]) {
                self.list(Self::expression)?;
            } else {
                break;
            }
        }
        if self.eat("LIMIT") && !self.eat("ALL") {
            query.limit = Some(self.expression()?);
        }
        if self.eat("OFFSET") {
            query.offset = Some(self.expression()?);
        }
        Ok(())
    }

    fn order_by(&mut self) -> Result<OrderBy> {
        let is_all = self.is("ALL")
            && ![".", "(", "[", "::"].iter().any(|next| self.is_at(1, next))
            && !self.is_at(1, ",");
        if is_all {
            self.advance();
            let (ascending, nulls_first) = self.direction()?;
            return Ok(OrderBy::All {
                ascending,
                nulls_first,
            });
        }
        Ok(OrderBy::Keys(self.order_keys()?))
    }

    /// UNION and EXCEPT from left to right.
    fn set_operations(&mut self) -> Result<Relation> {
        let mut left = self.intersections()?;
        loop {
            let operator = match self.eat_any(&["UNION", "EXCEPT", "MINUS", "SETMINUS"]) {
                Some("UNION") => SetOperator::Union,
                Some(_) => SetOperator::Except,
                None => return Ok(left),
            };
            left = self.set_operation(left, operator)?;
        }
    }

    /// INTERSECT, which binds tighter.
    fn intersections(&mut self) -> Result<Relation> {
        let mut left = self.query_term()?;
        while self.eat("INTERSECT") {
            left = self.set_operation(left, SetOperator::Intersect)?;
        }
        Ok(left)
    }

    pub(super) fn set_operation(
        &mut self,
        left: Relation,
        operator: SetOperator,
    ) -> Result<Relation> {
        let before = std::mem::take(&mut self.chain);
        let all = self.eat("ALL");
        let _ = all || self.eat("DISTINCT");
        let by_name = operator == SetOperator::Union && self.eat_all(&["BY", "NAME"]);
        let right = match operator {
            SetOperator::Intersect => self.query_term()?,
            _ => self.intersections()?,
        };
        self.lengthen(before)?;
        Ok(Relation::SetOperation(Box::new(SetOperation {
            left,
            right,
            operator,
            all,
            by_name,
            allow_missing: false,
        })))
    }

    fn query_term(&mut self) -> Result<Relation> {
        if self.is("SELECT") {
            return self.select(None);
        }
        if self.eat("FROM") {
            let from = self.from()?;
            return match self.is("SELECT") {
                true => self.select(Some(from)),
                false if self.is_pipe() => Ok(from),
                false => Err(self.expected("SELECT")),
            };
        }
        if self.is("TABLE") {
            self.advance();
            let place = Some(self.place());
            let name = self.qualified()?;
            return Ok(Relation::Table { name, place });
        }
        if self.is("VALUES") {
            let values = self.values()?;
            return self.table_alias(values);
        }
        if !self.eat("(") {
            return Err(self.expected("SELECT, VALUES, or a subquery in the query body"));
        }
        let query = self.query()?;
        self.expect(")")?;
        Ok(as_relation(query))
    }

    /// `VALUES (1, 'a'), (2, 'b')`, `VALUES 1, 2`.
    pub(super) fn values(&mut self) -> Result<Relation> {
        self.expect("VALUES")?;
        let rows = self.list(|parser| {
            Ok(match parser.expression()? {
                Expression::Call(row) if row.name == "struct" => row.arguments,
                value => vec![value],
            })
        })?;
        Ok(Relation::Values(rows))
    }
}

/// A query that is a relation and nothing else.
pub(crate) fn bare_query(body: Relation) -> Query {
    Query {
        with: Vec::new(),
        recursive: false,
        body,
        order_by: OrderBy::Keys(Vec::new()),
        limit: None,
        offset: None,
    }
}

/// A query as a relation: without anything around its body it is that.
pub(super) fn as_relation(query: Query) -> Relation {
    let is_bare = query.with.is_empty()
        && query.limit.is_none()
        && query.offset.is_none()
        && query.order_by == OrderBy::Keys(Vec::new());
    match is_bare {
        true => query.body,
        false => Relation::Query(Box::new(query)),
    }
}
