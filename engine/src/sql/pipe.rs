//! Pipes: `FROM t |> WHERE a > 1 |> SELECT a`, one step after the other.

use super::parser::Parser;
use super::query::{as_relation, bare_query};
use crate::error::Result;
use crate::tree::{Expression, GroupBy, GroupKey, Query, Relation, Select, SetOperator, Star};

impl Parser<'_> {
    /// Whether `|>` comes next.
    pub(super) fn is_pipe(&self) -> bool {
        self.are(&["|", ">"]) && self.peek_at(1).glued
    }

    /// `query` and the steps behind it.
    pub(super) fn pipes(&mut self, mut query: Query) -> Result<Query> {
        while self.is_pipe() {
            self.at += 2;
            let before = self.chain;
            query = self.step(query)?;
            self.lengthen(before)?;
        }
        Ok(query)
    }

    fn step(&mut self, mut query: Query) -> Result<Query> {
        // What WITH names is for all steps.
        let (with, recursive) = (std::mem::take(&mut query.with), query.recursive);
        let input = as_relation(query);
        let mut next =
            if self.is_any(&["ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "LIMIT", "OFFSET"]) {
                let mut next = bare_query(input);
                self.organization(&mut next)?;
                next
            } else {
                bare_query(self.relation_step(input)?)
            };
        (next.with, next.recursive) = (with, recursive);
        Ok(next)
    }

    fn relation_step(&mut self, input: Relation) -> Result<Relation> {
        if self.is("SELECT") {
            return self.select(Some(input));
        }
        if self.eat("EXTEND") {
            let mut items = vec![all_columns()];
            items.extend(self.list(Self::named_expression)?);
            return Ok(select_of(items, input, GroupBy::None));
        }
        if self.eat("WHERE") {
            let (condition, input) = (self.expression()?, Box::new(input));
            return Ok(Relation::Filter { input, condition });
        }
        if self.eat("AGGREGATE") {
            return self.aggregate_step(input);
        }
        if self.eat("SET") {
            let columns = self.list(|parser| {
                let name = parser.identifier()?;
                parser.expect("=")?;
                Ok((name, parser.expression()?))
            })?;
            return Ok(Relation::WithColumns {
                input: Box::new(input),
                columns,
            });
        }
        if self.eat("DROP") {
            let (names, columns) = (self.list(Self::identifier)?, Vec::new());
            return Ok(Relation::Drop {
                input: Box::new(input),
                names,
                columns,
            });
        }
        if self.is("AS") {
            return self.table_alias(input);
        }
        self.refuse_sample()?;
        let at = self.at;
        match self.eat_any(&["UNION", "INTERSECT", "EXCEPT", "MINUS", "SETMINUS"]) {
            Some("UNION") => return self.set_operation(input, SetOperator::Union),
            Some("INTERSECT") => return self.set_operation(input, SetOperator::Intersect),
            Some(_) => return self.set_operation(input, SetOperator::Except),
            None => {}
        }
        let joined = self.extended(input)?;
        match self.at > at {
            true => Ok(joined),
            false => Err(self.expected("a step such as SELECT, WHERE or AGGREGATE")),
        }
    }

    /// The keys, then the aggregates.
    fn aggregate_step(&mut self, input: Relation) -> Result<Relation> {
        let mut values = match self.is_clause() {
            true => Vec::new(),
            false => self.list(Self::named_expression)?,
        };
        if !self.eat_all(&["GROUP", "BY"]) {
            return Ok(select_of(values, input, GroupBy::None));
        }
        let mut items = self.list(Self::named_expression)?;
        let keys = items.iter().map(|key| match key {
            Expression::Alias { expression, .. } => GroupKey::Expression((**expression).clone()),
            key => GroupKey::Expression(key.clone()),
        });
        let keys = GroupBy::Keys(keys.collect());
        items.append(&mut values);
        Ok(select_of(items, input, keys))
    }
}

fn all_columns() -> Expression {
    Expression::Star(Star {
        of: Vec::new(),
        except: Vec::new(),
        plan_id: None,
        place: None,
    })
}

fn select_of(items: Vec<Expression>, from: Relation, group_by: GroupBy) -> Relation {
    Relation::Select(Box::new(Select {
        distinct: false,
        items,
        from: Some(from),
        filter: None,
        group_by,
        having: None,
        qualify: None,
        windows: Vec::new(),
    }))
}
