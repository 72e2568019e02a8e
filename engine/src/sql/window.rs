//! Windows of rows, and the sort keys of windows and queries.

use super::parser::Parser;
use crate::error::Result;
use crate::tree::{Bound, Expression, Frame, FrameUnits, SortKey, Window, WindowSpec};

impl Parser<'_> {
    /// What stands behind OVER.
    pub(super) fn window(&mut self) -> Result<Window> {
        match self.is("(") {
            true => self.window_spec(),
            false => Ok(Window::Named(self.identifier()?)),
        }
    }

    /// `name AS (…)` of a WINDOW clause.
    pub(super) fn named_window(&mut self) -> Result<(String, WindowSpec)> {
        let name = self.identifier()?;
        self.expect("AS")?;
        let spec = match self.window()? {
            Window::Spec(spec) => *spec,
            Window::Named(base) => WindowSpec {
                base: Some(base),
                ..WindowSpec::default()
            },
        };
        Ok((name, spec))
    }

    fn window_spec(&mut self) -> Result<Window> {
        self.expect("(")?;
        if self.is_word() && self.is_at(1, ")") {
            let base = self.identifier()?;
            self.expect(")")?;
            return Ok(Window::Named(base));
        }
        let mut spec = WindowSpec::default();
        if self.is_word()
            && !self.is_any(&[
                "PARTITION",
                "DISTRIBUTE",
                "CLUSTER",
                "ORDER",
                "SORT",
                "ROWS",
                "RANGE",
            ])
        {
            spec.base = Some(self.identifier()?);
        }
        let is_partitioned = ["PARTITION", "DISTRIBUTE", "CLUSTER"]
            .into_iter()
            .any(|word| self.eat_all(&[word, "BY"]));
        if is_partitioned {
            spec.partition_by = self.list(Self::expression)?;
        }
        if self.eat_all(&["ORDER", "BY"]) || self.eat_all(&["SORT", "BY"]) {
            spec.order_by = self.order_keys()?;
        }
        spec.frame = self.frame()?;
        self.expect(")")?;
        Ok(Window::Spec(Box::new(spec)))
    }

    fn frame(&mut self) -> Result<Option<Frame>> {
        let units = match self.eat_any(&["ROWS", "RANGE"]) {
            Some("ROWS") => FrameUnits::Rows,
            Some(_) => FrameUnits::Range,
            None => return Ok(None),
        };
        if !self.eat("BETWEEN") {
            let start = self.bound()?;
            return Ok(Some(Frame {
                units,
                start,
                end: Bound::CurrentRow,
            }));
        }
        let start = self.bound()?;
        self.expect("AND")?;
        let end = self.bound()?;
        Ok(Some(Frame { units, start, end }))
    }

    fn bound(&mut self) -> Result<Bound> {
        if self.eat_all(&["CURRENT", "ROW"]) {
            return Ok(Bound::CurrentRow);
        }
        let distance = match self.eat("UNBOUNDED") {
            true => None,
            false => Some(self.value()?),
        };
        let direction = self.eat_any(&["PRECEDING", "FOLLOWING"]);
        let direction = direction.ok_or_else(|| self.expected("PRECEDING or FOLLOWING"))?;
        Ok(match (distance, direction) {
            (None, "PRECEDING") => Bound::UnboundedPreceding,
            (None, _) => Bound::UnboundedFollowing,
            (Some(distance), "PRECEDING") => Bound::Preceding(distance),
            (Some(distance), _) => Bound::Following(distance),
        })
    }

    /// Sort keys with commas between them.
    pub(super) fn order_keys(&mut self) -> Result<Vec<SortKey>> {
        self.list(|parser| {
            let expression: Expression = parser.expression()?;
            let (ascending, nulls_first) = parser.direction()?;
            Ok(SortKey {
                expression,
                ascending,
                nulls_first,
            })
        })
    }

    /// `[ASC | DESC] [NULLS FIRST | NULLS LAST]`.
    pub(super) fn direction(&mut self) -> Result<(bool, bool)> {
        let ascending = self.eat_any(&["ASC", "DESC"]) != Some("DESC");
        if !self.eat("NULLS") {
            return Ok((ascending, ascending));
        }
        match self.eat_any(&["FIRST", "LAST"]) {
            Some(word) => Ok((ascending, word == "FIRST")),
            None => Err(self.expected("FIRST or LAST")),
        }
    }
}
