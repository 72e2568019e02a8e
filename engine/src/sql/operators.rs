//! Operators between values, by how tightly they bind.

use super::expression::{call, call_at};
use super::literal::text_literal;
use super::parser::Parser;
use super::tokens::TokenKind;
use crate::error::Result;
use crate::tree::{Cast, Expression, Place};

/// Operators between two values, from those that bind the least: names of calls.
const LEVELS: &[&[&str]] = &[
    &["=", "<=>", "!=", "<=", ">=", "<", ">"],
    &["|"],
    &["^"],
    &["&"],
    &["<<", ">>>", ">>"],
    &["+", "-", "||"],
    &["*", "/", "%", "DIV"],
];

impl Parser<'_> {
    /// A value: what stands between AND, OR and the predicates.
    pub(super) fn value(&mut self) -> Result<Expression> {
        self.operators(0)
    }

    /// Values with operators between them that bind at least as tightly as `level`.
    fn operators(&mut self, level: usize) -> Result<Expression> {
        let outer = std::mem::take(&mut self.chain);
        let mut left = self.unary()?;
        while let Some((name, place, of)) = self.operator(level) {
            let before = std::mem::take(&mut self.chain);
            let right = self.operators(of + 1)?;
            self.lengthen(before)?;
            left = call_at(name, vec![left, right], Some(place));
        }
        self.chain = self.chain.max(outer);
        Ok(left)
    }

    /// Passes over the next operator, if it binds tightly enough: its call, place and level.
    fn operator(&mut self, least: usize) -> Option<(&'static str, Place, usize)> {
        let place = self.place();
        for (level, names) in LEVELS.iter().enumerate().skip(least) {
            let found = names.iter().find(|name| match **name {
                ">>" => self.are(&[">", ">"]) && self.peek_at(1).glued,
                ">>>" => {
                    self.are(&[">", ">", ">"]) && self.peek_at(1).glued && self.peek_at(2).glued
                }
                "|" => self.is("|") && !self.is_pipe(),
                // The first half of a shift.
                ">" => self.is(">") && !(self.is_at(1, ">") && self.peek_at(1).glued),
                name => self.is(name),
            });
            if let Some(name) = found {
                let is_shift = matches!(*name, ">>" | ">>>");
                self.at += if is_shift { name.len() } else { 1 };
                let name = match *name {
                    "||" => "concat",
                    "DIV" => "div",
                    name => name,
                };
                return Some((name, place, level));
            }
        }
        None
    }

    fn unary(&mut self) -> Result<Expression> {
        let mut signs = Vec::new();
        loop {
            let place = self.place();
            let is_number = matches!(self.peek_at(1).kind, TokenKind::Number { .. });
            if self.is("-") && is_number {
                break;
            }
            match self.eat_any(&["-", "+", "~"]) {
                Some(sign) => signs.push((sign, place)),
                None => break,
            }
        }
        let mut value = self.postfix()?;
        for (sign, place) in signs.into_iter().rev() {
            self.lengthen(0)?;
            let name = match sign {
                "-" => "negative",
                "+" => "positive",
                sign => sign,
            };
            value = call_at(name, vec![value], Some(place));
        }
        Ok(value)
    }

    /// `x[key]`, `x.field`, `x::type`, `x COLLATE name`.
    fn postfix(&mut self) -> Result<Expression> {
        let mut value = self.primary()?;
        loop {
            let before = self.chain;
            let of = Box::new(value);
            value = if self.eat("[") {
                let key = Box::new(self.expression()?);
                self.expect("]")?;
                Expression::Item { of, key }
            } else if self.eat(".") {
                let name = self.identifier()?;
                Expression::Field { of, name }
            } else if self.eat("::") {
                let to = self.data_type()?;
                let (expression, lenient) = (*of, false);
                Expression::Cast(Box::new(Cast {
                    expression,
                    to,
                    lenient,
                }))
            } else if self.eat("COLLATE") {
                let name = self.qualified()?.join(".");
                call("collate", vec![*of, text_literal(name)])
            } else {
                return Ok(*of);
            };
            self.lengthen(before)?;
        }
    }
}
