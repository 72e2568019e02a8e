//! FROM: tables, joins, LATERAL VIEW, PIVOT, UNPIVOT.

use super::parser::Parser;
use super::query::as_relation;
use super::tokens::TokenKind;
use crate::error::{Error, Result};
use crate::tree::{
    Expression, Join, JoinCondition, JoinKind, LateralView, Name, Pivot, PivotValue, Relation,
    Unpivot, UnpivotColumn,
};

/// Words that are no alias of a table unless they stand in backticks.
const NO_ALIAS: &[&str] = &[
    "ANTI",
    "AS",
    "CROSS",
    "EXCEPT",
    "FOR",
    "FROM",
    "FULL",
    "HAVING",
    "INNER",
    "INTERSECT",
    "JOIN",
    "LATERAL",
    "LEFT",
    "LIMIT",
    "MINUS",
    "NATURAL",
    "OFFSET",
    "ON",
    "PIVOT",
    "QUALIFY",
    "RIGHT",
    "SELECT",
    "SEMI",
    "SETMINUS",
    "TABLESAMPLE",
    "UNION",
    "UNPIVOT",
    "USING",
    "WHERE",
    "WINDOW",
];

impl Parser<'_> {
    /// What stands behind FROM.
    pub(super) fn from(&mut self) -> Result<Relation> {
        let chain = std::mem::take(&mut self.chain);
        let from = self.tables()?;
        self.chain = self.chain.max(chain);
        Ok(from)
    }

    /// Tables with commas between them, then LATERAL VIEW, then PIVOT or UNPIVOT of all.
    fn tables(&mut self) -> Result<Relation> {
        let mut from = self.relation()?;
        while self.eat(",") {
            let before = self.chain;
            let right = self.relation()?;
            from = joined(from, right, JoinKind::Cross, JoinCondition::None);
            self.lengthen(before)?;
        }
        while self.eat_all(&["LATERAL", "VIEW"]) {
            let before = self.chain;
            from = self.lateral_view(from)?;
            self.lengthen(before)?;
        }
        self.extended(from)
    }

    /// A table with its joins.
    fn relation(&mut self) -> Result<Relation> {
        let first = self.lateral_or_table()?;
        self.extended(first)
    }

    /// `relation` with the joins, PIVOT and UNPIVOT behind it.
    pub(super) fn extended(&mut self, mut relation: Relation) -> Result<Relation> {
        loop {
            let before = self.chain;
            relation = if self.is("PIVOT") && self.is_at(1, "(") {
                self.pivot(relation)?
            } else if self.is("UNPIVOT") {
                self.unpivot(relation)?
            } else if let Some((kind, natural)) = self.join_kind()? {
                let right = self.lateral_or_table()?;
                let condition = self.join_condition(natural)?;
                joined(relation, right, kind, condition)
            } else {
                return Ok(relation);
            };
            self.lengthen(before)?;
        }
    }

    /// Passes over `LEFT OUTER JOIN` and its kind, if one comes next.
    fn join_kind(&mut self) -> Result<Option<(JoinKind, bool)>> {
        const KINDS: &[(&[&str], JoinKind)] = &[
            (&["JOIN"], JoinKind::Inner),
            (&["INNER", "JOIN"], JoinKind::Inner),
            (&["CROSS", "JOIN"], JoinKind::Cross),
            (&["LEFT", "JOIN"], JoinKind::Left),
            (&["LEFT", "OUTER", "JOIN"], JoinKind::Left),
            (&["RIGHT", "JOIN"], JoinKind::Right),
            (&["RIGHT", "OUTER", "JOIN"], JoinKind::Right),
            (&["FULL", "JOIN"], JoinKind::Full),
            (&["FULL", "OUTER", "JOIN"], JoinKind::Full),
            (&["LEFT", "SEMI", "JOIN"], JoinKind::Semi),
            (&["SEMI", "JOIN"], JoinKind::Semi),
            (&["LEFT", "ANTI", "JOIN"], JoinKind::Anti),
            (&["ANTI", "JOIN"], JoinKind::Anti),
        ];
        let natural = self.eat("NATURAL");
        match KINDS.iter().find(|(words, _)| self.eat_all(words)) {
            Some((_, kind)) => Ok(Some((*kind, natural))),
            None if natural => Err(self.expected("JOIN")),
            None => Ok(None),
        }
    }

    fn join_condition(&mut self, natural: bool) -> Result<JoinCondition> {
        if natural {
            return Ok(JoinCondition::Natural);
        }
        if self.eat("ON") {
            return Ok(JoinCondition::On(self.expression()?));
        }
        Ok(match self.eat("USING") {
            true => JoinCondition::Using(self.in_parens(Self::identifier)?),
            false => JoinCondition::None,
        })
    }

    fn lateral_or_table(&mut self) -> Result<Relation> {
        let is_lateral = self.is("LATERAL") && !self.is_at(1, "VIEW");
        if is_lateral {
            self.advance();
        }
        let table = self.nested(Self::table)?;
        Ok(match is_lateral {
            true => Relation::Lateral(Box::new(table)),
            false => table,
        })
    }

    /// A table, view, function, VALUES or query, and its alias.
    fn table(&mut self) -> Result<Relation> {
        let place = self.place();
        if self.is("VALUES") && self.starts_query() {
            let values = self.values()?;
            return self.table_alias(values);
        }
        if self.eat("(") {
            let relation = match self.starts_query() {
                true => self.either(
                    |parser| {
                        let query = parser.query()?;
                        parser.expect(")")?;
                        Ok(as_relation(query))
                    },
                    Self::relation_in_parens,
                )?,
                false => self.relation_in_parens()?,
            };
            self.refuse_sample()?;
            return self.table_alias(relation);
        }
        let is_reserved = self.is_clause() || (self.is_any(NO_ALIAS) && !self.is_at(1, "."));
        if !self.is_word() || is_reserved {
            return Err(self.expected("a table, a view or a query"));
        }
        let name = match self.identifier_clause()? {
            Some(name) => name,
            None => self.qualified()?,
        };
        if self.is("(") {
            let call = self.plain_call(&name, place)?;
            return self.table_alias(Relation::TableFunction(Box::new(call)));
        }
        self.refuse_time_travel()?;
        self.refuse_sample()?;
        let place = Some(place);
        self.table_alias(Relation::Table { name, place })
    }

    /// The rest of `(a JOIN b)`.
    fn relation_in_parens(&mut self) -> Result<Relation> {
        let relation = self.relation()?;
        self.expect(")")?;
        Ok(relation)
    }

    pub(super) fn refuse_sample(&self) -> Result<()> {
        match self.is("TABLESAMPLE") {
            true => Err(
                Error::analysis("TABLESAMPLE is not supported in this version")
                    .with_hint("filter with rand() < 0.1"),
            ),
            false => Ok(()),
        }
    }

    fn refuse_time_travel(&self) -> Result<()> {
        let is_for = usize::from(self.is("FOR"));
        let names = ["VERSION", "TIMESTAMP", "SYSTEM_VERSION", "SYSTEM_TIME"];
        let found = names.into_iter().find(|name| {
            self.is_at(is_for, name) && self.is_at(is_for + 1, "AS") && self.is_at(is_for + 2, "OF")
        });
        match found {
            Some(name) => {
                let message =
                    format!("{name} AS OF is not supported: tables have no versions here");
                Err(Error::analysis(message).with_condition("UNSUPPORTED_FEATURE.TIME_TRAVEL"))
            }
            None => Ok(()),
        }
    }

    /// `relation` under the name behind it, if there is one: `[AS] name [(columns)]`.
    pub(super) fn table_alias(&mut self, relation: Relation) -> Result<Relation> {
        let is_given = self.eat("AS") || self.is_table_alias();
        if !is_given {
            return Ok(relation);
        }
        let name = self.identifier()?;
        let columns = match self.is("(") {
            true => self.in_parens(Self::identifier)?,
            false => Vec::new(),
        };
        let input = Box::new(relation);
        Ok(Relation::Alias {
            input,
            name,
            columns,
        })
    }

    fn is_table_alias(&self) -> bool {
        match self.peek().kind {
            TokenKind::Word { quoted, .. } => {
                quoted || !(self.is_any(NO_ALIAS) || self.is_clause())
            }
            _ => false,
        }
    }

    /// The rest of LATERAL VIEW.
    fn lateral_view(&mut self, input: Relation) -> Result<Relation> {
        let outer = self.eat("OUTER");
        let place = self.place();
        let name = self.qualified()?;
        let generator = self.plain_call(&name, place)?;
        let table = match self.is_table_alias() {
            true => Some(self.identifier()?),
            false => None,
        };
        let columns = match self.eat("AS") || self.is_table_alias() {
            true => self.list(Self::identifier)?,
            false => Vec::new(),
        };
        let view = LateralView {
            input,
            generator,
            outer,
            table,
            columns,
        };
        Ok(Relation::LateralView(Box::new(view)))
    }

    fn pivot(&mut self, input: Relation) -> Result<Relation> {
        self.expect_all(&["PIVOT", "("])?;
        let aggregates = self.list(Self::named_expression)?;
        self.expect("FOR")?;
        let columns = match self.is("(") {
            true => self.in_parens(Self::column)?,
            false => vec![self.column()?],
        };
        self.expect("IN")?;
        let values = self.in_parens(|parser| {
            let (value, mut names) = match parser.named_expression()? {
                Expression::Alias { expression, names } => (*expression, names),
                value => (value, Vec::new()),
            };
            let name = names.pop();
            let values = match value {
                Expression::Call(row) if row.name == "struct" => row.arguments,
                value => vec![value],
            };
            Ok(PivotValue { values, name })
        })?;
        self.expect(")")?;
        let pivot = Pivot {
            input,
            aggregates,
            columns,
            values,
            keys: None,
        };
        Ok(Relation::Pivot(Box::new(pivot)))
    }

    fn column(&mut self) -> Result<Expression> {
        let place = Some(self.place());
        let (parts, plan_id) = (self.qualified()?, None);
        Ok(Expression::Name(Name {
            parts,
            plan_id,
            place,
        }))
    }

    fn unpivot(&mut self, input: Relation) -> Result<Relation> {
        self.expect("UNPIVOT")?;
        let include_nulls = self.eat_all(&["INCLUDE", "NULLS"]);
        let _ = include_nulls || self.eat_all(&["EXCLUDE", "NULLS"]);
        self.expect("(")?;
        let values = match self.is("(") {
            true => self.in_parens(Self::identifier)?,
            false => vec![self.identifier()?],
        };
        self.expect("FOR")?;
        let name = self.identifier()?;
        self.expect("IN")?;
        let columns = self.in_parens(|parser| {
            let columns = match parser.is("(") {
                true => parser.in_parens(Self::column)?,
                false => vec![parser.column()?],
            };
            let name = match parser.eat("AS") || parser.is_word() {
                true => Some(parser.identifier()?),
                false => None,
            };
            Ok(UnpivotColumn { columns, name })
        })?;
        self.expect(")")?;
        if let Some(wrong) = columns
            .iter()
            .find(|column| column.columns.len() != values.len())
        {
            let (given, needed) = (wrong.columns.len(), values.len());
            return Err(self.error(&format!(
                "UNPIVOT has {needed} columns of values, but {given} columns stand together"
            )));
        }
        let unpivot = Unpivot {
            input,
            include_nulls,
            values,
            name,
            columns,
            ids: None,
        };
        self.table_alias(Relation::Unpivot(Box::new(unpivot)))
    }
}

fn joined(left: Relation, right: Relation, kind: JoinKind, condition: JoinCondition) -> Relation {
    Relation::Join(Box::new(Join {
        left,
        right,
        kind,
        condition,
    }))
}
