//! SELECT: its list, WHERE, GROUP BY, HAVING, QUALIFY, WINDOW.

use super::parser::Parser;
use crate::error::Result;
use crate::tree::{Expression, GroupBy, GroupKey, Relation, Select};

impl Parser<'_> {
    /// SELECT and what follows; `from` stands before it in `FROM t SELECT a`.
    pub(super) fn select(&mut self, from: Option<Relation>) -> Result<Relation> {
        self.expect("SELECT")?;
        let distinct = self.eat("DISTINCT");
        if !distinct && self.is("ALL") && !self.is_at(1, ",") && !self.is_at(1, "FROM") {
            self.advance();
        }
        let items = self.list(Self::named_expression)?;
        let from = match from {
            None if self.eat("FROM") => Some(self.from()?),
            from => from,
        };
        let filter = self.clause("WHERE")?;
        let group_by = match self.eat_all(&["GROUP", "BY"]) {
            true => self.group_by()?,
            false => GroupBy::None,
        };
        let having = self.clause("HAVING")?;
        let mut windows = Vec::new();
        let mut qualify = None;
        // Both orders are fine.
        for _ in 0..2 {
            if qualify.is_none() {
                qualify = self.clause("QUALIFY")?;
            }
            if self.eat("WINDOW") {
                windows.extend(self.list(Self::named_window)?);
            }
        }
        Ok(Relation::Select(Box::new(Select {
            distinct,
            items,
            from,
            filter,
            group_by,
            having,
            qualify,
            windows,
        })))
    }

    fn clause(&mut self, word: &str) -> Result<Option<Expression>> {
        match self.eat(word) {
            true => self.expression().map(Some),
            false => Ok(None),
        }
    }

    fn group_by(&mut self) -> Result<GroupBy> {
        if self.is("ALL") && ![",", ".", "(", "["].iter().any(|next| self.is_at(1, next)) {
            self.advance();
            return Ok(GroupBy::All);
        }
        let keys = self.list(Self::group_key)?;
        if self.eat_all(&["GROUPING", "SETS"]) {
            return Ok(GroupBy::Keys(vec![GroupKey::Sets(self.grouping_sets()?)]));
        }
        let with = ["ROLLUP", "CUBE"]
            .into_iter()
            .find(|word| self.eat_all(&["WITH", word]));
        let Some(with) = with else {
            return Ok(GroupBy::Keys(keys));
        };
        let keys = keys.into_iter().map(|key| match key {
            GroupKey::Expression(key) => Ok(vec![key]),
            _ => Err(self.error(&format!("WITH {with} takes plain keys only"))),
        });
        let keys = keys.collect::<Result<Vec<_>>>()?;
        Ok(GroupBy::Keys(vec![match with {
            "ROLLUP" => GroupKey::Rollup(keys),
            _ => GroupKey::Cube(keys),
        }]))
    }

    fn group_key(&mut self) -> Result<GroupKey> {
        if self.eat_all(&["GROUPING", "SETS"]) {
            return Ok(GroupKey::Sets(self.grouping_sets()?));
        }
        if self.are(&["ROLLUP", "("]) {
            self.advance();
            return Ok(GroupKey::Rollup(self.in_parens(Self::grouping_set)?));
        }
        if self.are(&["CUBE", "("]) {
            self.advance();
            return Ok(GroupKey::Cube(self.in_parens(Self::grouping_set)?));
        }
        Ok(GroupKey::Expression(self.expression()?))
    }

    /// `((a, b), a, ())`; ROLLUP and CUBE among them are the sets that they stand for.
    fn grouping_sets(&mut self) -> Result<Vec<Vec<Expression>>> {
        let sets = self.in_parens(|parser| {
            if parser.eat_all(&["GROUPING", "SETS"]) {
                return parser.nested(Self::grouping_sets);
            }
            match parser.eat_any(&["ROLLUP", "CUBE"]) {
                Some("ROLLUP") => Ok(rollup(&parser.in_parens(Self::grouping_set)?)),
                Some(_) => {
                    let keys = parser.in_parens(Self::grouping_set)?;
                    match keys.len() <= 12 {
                        true => Ok(cube(&keys)),
                        false => Err(parser.error("CUBE has more than 12 keys")),
                    }
                }
                None => Ok(vec![parser.grouping_set()?]),
            }
        })?;
        Ok(sets.into_iter().flatten().collect())
    }

    /// `a`, `(a, b)` or `()`.
    fn grouping_set(&mut self) -> Result<Vec<Expression>> {
        if self.eat_all(&["(", ")"]) {
            return Ok(Vec::new());
        }
        Ok(match self.expression()? {
            Expression::Call(row) if row.name == "struct" && row.place.is_none() => row.arguments,
            key => vec![key],
        })
    }
}

/// All of the keys, then one less, down to none.
fn rollup(keys: &[Vec<Expression>]) -> Vec<Vec<Expression>> {
    (0..=keys.len())
        .rev()
        .map(|count| keys.iter().take(count).flatten().cloned().collect())
        .collect()
}

/// Every choice of keys.
fn cube(keys: &[Vec<Expression>]) -> Vec<Vec<Expression>> {
    let Some((first, rest)) = keys.split_first() else {
        return vec![Vec::new()];
    };
    let without = cube(rest);
    let with = without.iter().map(|set| [first.as_slice(), set].concat());
    with.chain(without.iter().cloned()).collect()
}
