//! Expressions with AND, OR and NOT between them, and their names.

use super::parser::Parser;
use super::tokens::TokenKind;
use crate::error::Result;
use crate::tree::{Call, Expression, Place};

/// Words that begin a clause where BY follows them.
const BEFORE_BY: &[&str] = &[
    "CLUSTER",
    "DISTRIBUTE",
    "GROUP",
    "ORDER",
    "PARTITION",
    "SORT",
];

/// Words that go on with CASE.
pub(super) const CASE_WORDS: &[&str] = &["WHEN", "THEN", "ELSE", "END"];

/// A call by name, where everything else is left out.
pub(crate) fn call(name: &str, arguments: Vec<Expression>) -> Expression {
    call_at(name, arguments, None)
}

pub(super) fn call_at(name: &str, arguments: Vec<Expression>, place: Option<Place>) -> Expression {
    Expression::Call(Box::new(bare_call(name, arguments, place)))
}

pub(crate) fn bare_call(name: &str, arguments: Vec<Expression>, place: Option<Place>) -> Call {
    Call {
        name: name.to_string(),
        arguments,
        distinct: false,
        filter: None,
        order_by: Vec::new(),
        nulls: None,
        place,
    }
}

/// One operator between many, as a tree that is no deeper than it must be.
fn balanced(name: &str, mut parts: Vec<Expression>) -> Option<Expression> {
    if parts.len() < 2 {
        return parts.pop();
    }
    let right = parts.split_off(parts.len().div_ceil(2));
    let (left, right) = (balanced(name, parts)?, balanced(name, right)?);
    Some(call(name, vec![left, right]))
}

impl Parser<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) -> Result<Expression> {
        self.nested(Self::or)
    }

    fn or(&mut self) -> Result<Expression> {
        self.chained("OR", |parser| parser.chained("AND", Self::not))
    }

    fn chained(
        &mut self,
        word: &str,
        part: impl Fn(&mut Self) -> Result<Expression>,
    ) -> Result<Expression> {
        let mut parts = vec![part(self)?];
        while self.eat(word) {
            parts.push(part(self)?);
        }
        balanced(&word.to_lowercase(), parts).ok_or_else(|| self.expected("an expression"))
    }

    fn not(&mut self) -> Result<Expression> {
        let place = self.place();
        let mut count = 0;
        loop {
            match self.eat_any(&["NOT", "!", "!!"]) {
                Some("!!") => count += 2,
                Some(_) => count += 1,
                None => break,
            }
        }
        let before = std::mem::take(&mut self.chain);
        let mut expression = self.predicate()?;
        for _ in 0..count {
            self.lengthen(0)?;
            expression = call_at("not", vec![expression], Some(place));
        }
        self.chain = self.chain.max(before);
        Ok(expression)
    }

    /// `expression [AS] name`, `expression AS (a, b)`.
    pub(super) fn named_expression(&mut self) -> Result<Expression> {
        let expression = self.expression()?;
        let names = if self.eat("AS") {
            match self.is("(") {
                true => self.in_parens(Self::identifier)?,
                false => vec![self.identifier()?],
            }
        } else if self.is_alias() {
            vec![self.identifier()?]
        } else {
            return Ok(expression);
        };
        let expression = Box::new(expression);
        Ok(Expression::Alias { expression, names })
    }

    /// Whether `ORDER BY` and its kind come next.
    pub(super) fn is_clause(&self) -> bool {
        self.is_at(1, "BY") && self.is_any(BEFORE_BY)
    }

    /// Whether a name for what stands before comes next, without AS.
    fn is_alias(&self) -> bool {
        const ENDS: &[&str] = &[
            "AND",
            "ASC",
            "DESC",
            "EXCEPT",
            "FOR",
            "FROM",
            "HAVING",
            "INTERSECT",
            "LATERAL",
            "LIMIT",
            "MINUS",
            "NULLS",
            "OFFSET",
            "OR",
            "QUALIFY",
            "SETMINUS",
            "UNION",
            "WHERE",
            "WINDOW",
        ];
        let is_quoted = matches!(self.peek().kind, TokenKind::Word { quoted: true, .. });
        let is_name = self.is("FROM") && self.is_at(1, ",");
        let is_end = (self.is_any(ENDS) && !is_name) || self.is_clause();
        let is_case_word = self.cases > 0 && self.is_any(CASE_WORDS);
        is_quoted || (self.is_word() && !is_end && !is_case_word)
    }
}
