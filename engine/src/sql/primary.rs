//! What stands alone: literals, names, calls, CASE, subqueries, what is in parentheses.

use datafusion::scalar::ScalarValue;

use super::expression::{CASE_WORDS, call};
use super::literal::{literal, text_literal};
use super::parser::Parser;
use super::tokens::TokenKind;
use crate::error::Result;
use crate::tree::{Case, Expression, Place, Star, Subquery, SubqueryKind};

/// Words that begin no expression unless they stand in backticks.
const RESERVED: &[&str] = &[
    "AND", "AS", "BETWEEN", "FROM", "HAVING", "ILIKE", "IN", "IS", "JOIN", "LIKE", "NOT", "ON",
    "OR", "RLIKE", "SELECT", "UNION", "WHERE",
];

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expression> {
        let place = self.place();
        match &self.peek().kind {
            TokenKind::Text(_) => return Ok(text_literal(self.string()?)),
            TokenKind::Number { .. } => return self.number(false),
            TokenKind::Symbol(_) => return self.symbol(place),
            TokenKind::End => return Err(self.expected("an expression")),
            TokenKind::Hex(_) | TokenKind::Word { .. } => {}
        }
        if let Some(literal) = self.typed_literal()? {
            return Ok(literal);
        }
        if self.is_interval() {
            return self.interval();
        }
        let is_plain = !self.is_at(1, "(") && !self.is_at(1, ".");
        for (word, value) in [
            ("NULL", ScalarValue::Null),
            ("TRUE", ScalarValue::Boolean(Some(true))),
            ("FALSE", ScalarValue::Boolean(Some(false))),
        ] {
            if is_plain && !self.is_at(1, "->") && self.eat(word) {
                return Ok(literal(value));
            }
        }
        if self.is_case() {
            return self.case();
        }
        if self.are(&["EXISTS", "("]) && self.starts_query_at(2) {
            self.at += 2;
            return self.subquery(SubqueryKind::Exists);
        }
        if self.is_at(1, "->") {
            return self.lambda();
        }
        let is_function = self.is_at(1, "(") && self.is_any(&["LIKE", "ILIKE", "RLIKE", "BETWEEN"]);
        let is_reserved = self.is_any(RESERVED) && !is_function;
        if is_reserved || self.is_clause() || (self.cases > 0 && self.is_any(CASE_WORDS)) {
            return Err(self.expected("an expression"));
        }
        self.name_or_call(place)
    }

    /// What begins with a symbol.
    fn symbol(&mut self, place: Place) -> Result<Expression> {
        if self.is("-") && matches!(self.peek_at(1).kind, TokenKind::Number { .. }) {
            self.advance();
            return self.number(true);
        }
        if self.eat("*") {
            return self.star(Vec::new(), place);
        }
        if let Some(parameter) = self.parameter()? {
            return Ok(parameter);
        }
        if self.is_lambda() {
            return self.lambda();
        }
        if !self.eat("(") {
            return Err(self.expected("an expression"));
        }
        if self.starts_query() {
            return self.either(|parser| parser.subquery(SubqueryKind::Scalar), Self::row);
        }
        self.row()
    }

    /// The rest of `(query)`.
    fn subquery(&mut self, kind: SubqueryKind) -> Result<Expression> {
        let query = self.query()?;
        self.expect(")")?;
        Ok(Expression::Subquery(Box::new(Subquery { kind, query })))
    }

    /// The rest of `(a)`, or of `(a, b)`, which is a struct.
    fn row(&mut self) -> Result<Expression> {
        let cases = std::mem::take(&mut self.cases);
        let mut items = self.list(Self::expression)?;
        self.cases = cases;
        self.expect(")")?;
        match items.len() {
            1 => items.pop().ok_or_else(|| self.expected("an expression")),
            _ => Ok(call("struct", items)),
        }
    }

    /// The rest of a star.
    pub(super) fn star(&mut self, of: Vec<String>, place: Place) -> Result<Expression> {
        let except = match self.are(&["EXCEPT", "("]) && !self.starts_query_at(2) {
            true => {
                self.advance();
                self.in_parens(Self::qualified)?
            }
            false => Vec::new(),
        };
        let (plan_id, place) = (None, Some(place));
        Ok(Expression::Star(Star {
            of,
            except,
            plan_id,
            place,
        }))
    }

    /// Whether CASE comes next, and no column of that name.
    fn is_case(&self) -> bool {
        let goes_on = match &self.peek_at(1).kind {
            TokenKind::End => false,
            TokenKind::Symbol(symbol) => matches!(symbol.as_str(), "(" | "-" | "+" | "~" | "!"),
            _ => !["FROM", "AS"].iter().any(|word| self.is_at(1, word)),
        };
        self.is("CASE") && goes_on
    }

    fn case(&mut self) -> Result<Expression> {
        self.expect("CASE")?;
        self.cases += 1;
        let operand = match self.is("WHEN") {
            true => None,
            false => Some(self.expression()?),
        };
        let mut branches = Vec::new();
        while self.eat("WHEN") {
            let when = self.expression()?;
            self.expect("THEN")?;
            branches.push((when, self.expression()?));
        }
        if branches.is_empty() {
            return Err(self.expected("WHEN"));
        }
        let otherwise = match self.eat("ELSE") {
            true => Some(self.expression()?),
            false => None,
        };
        self.expect("END")?;
        self.cases -= 1;
        Ok(Expression::Case(Box::new(Case {
            operand,
            branches,
            otherwise,
        })))
    }
}
