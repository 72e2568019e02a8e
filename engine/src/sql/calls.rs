//! Names, calls, and the functions whose arguments have a grammar of their own.

use super::expression::{bare_call, call_at};
use super::literal::text_literal;
use super::parser::Parser;
use super::tokens::TokenKind;
use crate::error::Result;
use crate::tree::{Call, Cast, Expression, Lambda, Name, NullTreatment, Over, Place};

/// Functions that need no parentheses.
pub(crate) const WITHOUT_PARENTHESES: &[&str] = &[
    "current_catalog",
    "current_database",
    "current_date",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtimestamp",
    "session_user",
];

/// Functions whose first of three arguments is a unit of time.
const OF_UNITS: &[&str] = &[
    "date_add",
    "date_diff",
    "dateadd",
    "datediff",
    "timediff",
    "timestampadd",
    "timestampdiff",
];

const UNITS: &[&str] = &[
    "YEAR",
    "QUARTER",
    "MONTH",
    "WEEK",
    "DAY",
    "DAYOFYEAR",
    "HOUR",
    "MINUTE",
    "SECOND",
    "MILLISECOND",
    "MICROSECOND",
];

impl Parser<'_> {
    /// `a.b.c`, `t.*` or `f(…)`.
    pub(super) fn name_or_call(&mut self, place: Place) -> Result<Expression> {
        if self.is_at(1, "(")
            && matches!(self.peek().kind, TokenKind::Word { quoted: false, .. })
            && let Some(expression) = self.special_call(place)?
        {
            return Ok(expression);
        }
        let is_quoted = matches!(self.peek().kind, TokenKind::Word { quoted: true, .. });
        let mut parts = match self.identifier_clause()? {
            Some(parts) => parts,
            None => vec![self.identifier()?],
        };
        while self.is(".") {
            self.advance();
            if self.eat("*") {
                return self.star(parts, place);
            }
            parts.push(self.identifier()?);
        }
        if self.is("(") {
            return self.call(&parts, place);
        }
        if let [name] = parts.as_slice()
            && !is_quoted
            && let Some(name) = is_one_of(name, WITHOUT_PARENTHESES)
        {
            return Ok(call_at(name, Vec::new(), Some(place)));
        }
        let (plan_id, place) = (None, Some(place));
        Ok(Expression::Name(Name {
            parts,
            plan_id,
            place,
        }))
    }

    /// The rest of a call, and what may stand behind it.
    fn call(&mut self, name: &[String], place: Place) -> Result<Expression> {
        let mut call = self.plain_call(name, place)?;
        if self.eat_all(&["WITHIN", "GROUP", "("]) {
            self.expect_all(&["ORDER", "BY"])?;
            call.order_by = self.order_keys()?;
            self.expect(")")?;
        }
        if self.eat_all(&["FILTER", "("]) {
            self.expect("WHERE")?;
            call.filter = Some(self.expression()?);
            self.expect(")")?;
        }
        if let Some(nulls) = self.null_treatment() {
            call.nulls = Some(nulls);
        }
        let call = Expression::Call(Box::new(call));
        if !self.eat("OVER") {
            return Ok(call);
        }
        let window = self.window()?;
        Ok(Expression::Over(Box::new(Over { call, window })))
    }

    /// `f(a, DISTINCT b, c => 1)` from its parenthesis on.
    pub(super) fn plain_call(&mut self, name: &[String], place: Place) -> Result<Call> {
        let prefix: Vec<String> = name.iter().map(|part| part.to_lowercase()).collect();
        let name = match prefix.as_slice() {
            [builtin, name] if builtin == "builtin" => name.clone(),
            [system, builtin, name] if system == "system" && builtin == "builtin" => name.clone(),
            parts => parts.join("."),
        };
        let mut call = bare_call(&name, Vec::new(), Some(place));
        self.expect("(")?;
        let cases = std::mem::take(&mut self.cases);
        let is_name = [")", ".", ",", "["].iter().any(|next| self.is_at(1, next));
        call.distinct = !is_name && self.eat("DISTINCT");
        if !is_name && !call.distinct {
            self.eat("ALL");
        }
        let is_of_units = is_one_of(&name, OF_UNITS).is_some() && self.is_at(1, ",");
        if is_of_units && let Some(unit) = UNITS.iter().find(|unit| self.is(unit)) {
            let place = Some(self.place());
            let parts = vec![self.identifier()?];
            self.expect(",")?;
            let rest = self.list(Self::argument)?;
            // Of two arguments the first one is a column of that name.
            call.arguments.push(match rest.len() {
                2 => text_literal(*unit),
                _ => Expression::Name(Name {
                    parts,
                    plan_id: None,
                    place,
                }),
            });
            call.arguments.extend(rest);
        } else if !self.is(")") {
            let is_struct = name == "struct";
            call.arguments = self.list(|parser| match is_struct {
                true => parser.named_expression(),
                false => parser.argument(),
            })?;
        }
        call.nulls = self.null_treatment();
        self.cases = cases;
        self.expect(")")?;
        Ok(call)
    }

    fn argument(&mut self) -> Result<Expression> {
        if self.is_word() && self.is_at(1, "=>") {
            let name = self.identifier()?;
            self.expect("=>")?;
            let value = Box::new(self.expression()?);
            return Ok(Expression::Argument { name, value });
        }
        self.expression()
    }

    fn null_treatment(&mut self) -> Option<NullTreatment> {
        if self.eat_all(&["IGNORE", "NULLS"]) {
            return Some(NullTreatment::Ignore);
        }
        self.eat_all(&["RESPECT", "NULLS"])
            .then_some(NullTreatment::Respect)
    }

    /// Whether `(x, y) ->` comes next.
    pub(super) fn is_lambda(&self) -> bool {
        let mut ahead = 0;
        loop {
            let begins = self.is_at(ahead, if ahead == 0 { "(" } else { "," });
            let is_word = matches!(self.peek_at(ahead + 1).kind, TokenKind::Word { .. });
            if !begins || !is_word {
                return false;
            }
            ahead += 2;
            if self.is_at(ahead, ")") {
                return self.is_at(ahead + 1, "->");
            }
        }
    }

    pub(super) fn lambda(&mut self) -> Result<Expression> {
        let parameters = match self.is("(") {
            true => self.in_parens(Self::identifier)?,
            false => vec![self.identifier()?],
        };
        self.expect("->")?;
        let body = self.expression()?;
        Ok(Expression::Lambda(Box::new(Lambda { parameters, body })))
    }

    /// A function whose arguments may be more than a list, if one comes next.
    fn special_call(&mut self, place: Place) -> Result<Option<Expression>> {
        const SPECIAL: &[&str] = &[
            "CAST",
            "TRY_CAST",
            "EXTRACT",
            "SUBSTRING",
            "SUBSTR",
            "TRIM",
            "POSITION",
            "OVERLAY",
        ];
        let is_plain = self.is_at(2, ")") || self.is_at(3, "=>");
        let Some(name) = SPECIAL.iter().find(|name| !is_plain && self.is(name)) else {
            return Ok(None);
        };
        let cases = std::mem::take(&mut self.cases);
        self.at += 2;
        let call = match *name {
            "CAST" | "TRY_CAST" => self.cast(name, place)?,
            "EXTRACT" => self.extract(place)?,
            "TRIM" => self.trim(place)?,
            "POSITION" => self.position(place)?,
            name => self.part_of_text(name, place)?,
        };
        self.cases = cases;
        self.expect(")")?;
        Ok(Some(call))
    }

    /// The call that it is after all, whose first argument is read already.
    fn other_arguments(
        &mut self,
        name: &str,
        first: Expression,
        place: Place,
    ) -> Result<Expression> {
        let mut arguments = vec![first];
        while self.eat(",") {
            arguments.push(self.argument()?);
        }
        Ok(call_at(&name.to_lowercase(), arguments, Some(place)))
    }

    /// `CAST(x AS type)`
    fn cast(&mut self, name: &str, place: Place) -> Result<Expression> {
        let expression = self.expression()?;
        if self.is(")") {
            // Too few arguments, which is refused by the name.
            return self.other_arguments(name, expression, place);
        }
        self.expect("AS")?;
        let to = self.data_type()?;
        let lenient = name == "TRY_CAST";
        Ok(Expression::Cast(Box::new(Cast {
            expression,
            to,
            lenient,
        })))
    }

    /// `EXTRACT(field FROM x)`
    fn extract(&mut self, place: Place) -> Result<Expression> {
        if !self.is_at(1, "FROM") {
            let first = self.argument()?;
            return self.other_arguments("extract", first, place);
        }
        let field = text_literal(self.identifier()?);
        self.expect("FROM")?;
        let of = self.value()?;
        Ok(call_at("extract", vec![field, of], Some(place)))
    }

    /// `TRIM([BOTH | LEADING | TRAILING] [characters] FROM text)`: the characters are the first
    /// argument, as in the function's other form.
    fn trim(&mut self, place: Place) -> Result<Expression> {
        let is_name = [")", ",", "."].iter().any(|next| self.is_at(1, next));
        let side = match is_name {
            true => None,
            false => self.eat_any(&["BOTH", "LEADING", "TRAILING"]),
        };
        let mut arguments = Vec::new();
        if !self.is("FROM") {
            let first = self.expression()?;
            if side.is_none() && !self.is("FROM") {
                return self.other_arguments("trim", first, place);
            }
            arguments.push(first);
        }
        self.expect("FROM")?;
        arguments.push(self.value()?);
        let name = match side {
            Some("LEADING") => "ltrim",
            Some("TRAILING") => "rtrim",
            _ => "trim",
        };
        Ok(call_at(name, arguments, Some(place)))
    }

    /// `POSITION(part IN text)`
    fn position(&mut self, place: Place) -> Result<Expression> {
        let part = self.value()?;
        if !self.eat("IN") {
            return self.other_arguments("position", part, place);
        }
        let arguments = vec![part, self.value()?];
        Ok(call_at("locate", arguments, Some(place)))
    }

    /// `SUBSTRING(text FROM start FOR length)`, `OVERLAY(text PLACING new FROM start FOR length)`
    fn part_of_text(&mut self, name: &str, place: Place) -> Result<Expression> {
        let text = self.expression()?;
        if !self.is_any(&["FROM", "PLACING"]) {
            return self.other_arguments(name, text, place);
        }
        let mut arguments = vec![text];
        if name == "OVERLAY" {
            self.expect("PLACING")?;
            arguments.push(self.value()?);
        }
        self.expect("FROM")?;
        arguments.push(self.value()?);
        if self.eat("FOR") {
            arguments.push(self.value()?);
        }
        let name = if name == "SUBSTR" { "SUBSTRING" } else { name };
        Ok(call_at(&name.to_lowercase(), arguments, Some(place)))
    }
}

fn is_one_of(name: &str, names: &[&'static str]) -> Option<&'static str> {
    names
        .iter()
        .copied()
        .find(|known| known.eq_ignore_ascii_case(name))
}
