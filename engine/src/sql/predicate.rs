//! Predicates: IS, BETWEEN, IN, LIKE.

use super::expression::{call, call_at};
use super::literal::text_literal;
use super::parser::Parser;
use crate::error::Result;
use crate::tree::{Expression, Place, Query, Subquery, SubqueryKind};

/// `NOT x` if `negated`.
fn negated(negated: bool, expression: Expression) -> Expression {
    match negated {
        true => call("not", vec![expression]),
        false => expression,
    }
}

/// What stands in the parentheses of IN.
enum Members {
    Query(Box<Query>),
    List(Vec<Expression>),
}

impl Parser<'_> {
    /// A value, and what is asked of it.
    pub(super) fn predicate(&mut self) -> Result<Expression> {
        let value = self.value()?;
        let place = Some(self.place());
        if self.eat("IS") {
            return self.is_predicate(value, place);
        }
        let at = self.at;
        let is_not = self.eat_any(&["NOT", "!"]).is_some();
        let test = if self.eat("BETWEEN") {
            let low = self.value()?;
            self.expect("AND")?;
            call_at("between", vec![value, low, self.value()?], place)
        } else if self.eat("IN") {
            self.in_predicate(value, place)?
        } else if let Some(kind) = self.eat_any(&["LIKE", "ILIKE"]) {
            let kind = kind.to_lowercase();
            if let Some(which) = self.quantifier() {
                // `NOT LIKE ANY` asks whether there is one that does not match.
                let not = if is_not { "not_" } else { "" };
                let mut arguments = vec![value];
                arguments.extend(self.in_parens(Self::expression)?);
                return Ok(call_at(&format!("{not}{kind}_{which}"), arguments, place));
            }
            self.like(value, &kind, place)?
        } else if self.eat_any(&["RLIKE", "REGEXP"]).is_some() {
            call_at("rlike", vec![value, self.value()?], place)
        } else {
            self.at = at;
            return Ok(value);
        };
        Ok(negated(is_not, test))
    }

    fn is_predicate(&mut self, value: Expression, place: Option<Place>) -> Result<Expression> {
        let is_not = self.eat("NOT");
        if self.eat_all(&["DISTINCT", "FROM"]) {
            let other = self.value()?;
            return Ok(negated(!is_not, call_at("<=>", vec![value, other], place)));
        }
        let words = ["NULL", "TRUE", "FALSE", "UNKNOWN"];
        let word = self
            .eat_any(&words)
            .ok_or_else(|| self.expected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"))?;
        if word == "UNKNOWN" {
            return Ok(negated(is_not, call_at("isunknown", vec![value], place)));
        }
        let name = format!(
            "is{}{}",
            if is_not { "not" } else { "" },
            word.to_lowercase()
        );
        Ok(call_at(&name, vec![value], place))
    }

    fn in_predicate(&mut self, value: Expression, place: Option<Place>) -> Result<Expression> {
        self.expect("(")?;
        let members = match self.starts_query() {
            // `IN ((SELECT 1), 2)` is a list.
            true => self.either(Self::in_query, Self::in_list)?,
            false => self.in_list()?,
        };
        let query = match members {
            Members::Query(query) => *query,
            Members::List(mut members) => {
                members.insert(0, value);
                return Ok(call_at("in", members, place));
            }
        };
        let kind = SubqueryKind::In(match value {
            Expression::Call(row) if row.name == "struct" => row.arguments,
            value => vec![value],
        });
        Ok(Expression::Subquery(Box::new(Subquery { kind, query })))
    }

    fn in_query(&mut self) -> Result<Members> {
        let query = Box::new(self.query()?);
        self.expect(")")?;
        Ok(Members::Query(query))
    }

    fn in_list(&mut self) -> Result<Members> {
        let members = self.list(Self::expression)?;
        self.expect(")")?;
        Ok(Members::List(members))
    }

    /// `ANY`, `SOME` or `ALL` in front of a list of patterns.
    fn quantifier(&mut self) -> Option<&'static str> {
        let mut words = ["ANY", "SOME", "ALL"].into_iter();
        let word = words.find(|word| self.are(&[word, "("]))?;
        self.advance();
        Some(if word == "ALL" { "all" } else { "any" })
    }

    fn like(&mut self, value: Expression, kind: &str, place: Option<Place>) -> Result<Expression> {
        let mut arguments = vec![value, self.value()?];
        if self.eat("ESCAPE") {
            let escape = self.string()?;
            if escape.chars().count() != 1 {
                return Err(self
                    .error(&format!("the escape '{escape}' is not one character"))
                    .with_condition("INVALID_ESCAPE_CHAR"));
            }
            arguments.push(text_literal(escape));
        }
        Ok(call_at(kind, arguments, place))
    }
}
