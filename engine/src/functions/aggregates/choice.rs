//! The first or the last value of a group.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Accumulator, GroupsAccumulator};
use datafusion::scalar::ScalarValue;

use super::super::arguments::{argument, arguments};
use super::super::scalar::Returns;
use super::super::takes::Takes;
use super::aggregate::{AGGREGATE, Aggregate, Counts, Setup};
use super::choice_groups::ChoiceGroups;
use crate::error::{Error, ErrorKind, Result, from_datafusion};

/// All of them, in messages.
const NAME: &str = "the first or last value";

/// Aggregates that give one of their values. The second argument says whether NULLs are left out.
pub(super) const TABLE: &[Aggregate] = &[
    Aggregate {
        doc: "Some value of a group.",
        example: "SELECT any_value(x, true) FROM VALUES (NULL), (2) AS t(x)",
        ..first("any_value")
    },
    Aggregate {
        aliases: &["first_value"],
        doc: "The first value of a group.",
        example: "SELECT first(x) FROM VALUES (1), (2) AS t(x)",
        ..first("first")
    },
    Aggregate {
        aliases: &["last_value"],
        counts: Counts::OwnAtOnce {
            state,
            accumulator: |setup| Choice::make(setup, true),
            groups: |setup| Choice::groups(setup, true),
        },
        doc: "The last value of a group.",
        example: "SELECT last(x) FROM VALUES (1), (2) AS t(x)",
        ..first("last")
    },
    Aggregate {
        name: "single_value",
        forms: &[&[Takes::Any]],
        returns: Returns::Like(0),
        counts: Counts::All(&[0], single),
        doc: "The only value of a group that is not NULL: a subquery's, which fails if there are more.",
        example: "SELECT (SELECT x) FROM VALUES (1) AS t(x)",
        ..AGGREGATE
    },
];

fn single(setup: &Setup, rows: &[ArrayRef]) -> Result<ScalarValue> {
    let [values] = arguments(setup.name, rows)?;
    match values.len() {
        0 => super::kept::null(setup),
        1 => ScalarValue::try_from_array(values, 0).map_err(from_datafusion),
        rows => Err(Error::new(
            ErrorKind::Runtime,
            format!("a subquery that is a value gave {rows} rows"),
        )
        .with_condition("SCALAR_SUBQUERY_TOO_MANY_ROWS")
        .with_hint("aggregate it, such as max(…), or add LIMIT 1")),
    }
}

const fn first(name: &'static str) -> Aggregate {
    Aggregate {
        name,
        forms: &[&[Takes::Any], &[Takes::Any, Takes::Boolean]],
        returns: Returns::Like(0),
        counts: Counts::OwnAtOnce {
            state,
            accumulator: |setup| Choice::make(setup, false),
            groups: |setup| Choice::groups(setup, false),
        },
        may_ignore_nulls: true,
        ..AGGREGATE
    }
}

fn state(setup: &Setup) -> Vec<DataType> {
    vec![setup.returns.clone(), DataType::Boolean]
}

fn ignores_nulls(setup: &Setup) -> Result<bool> {
    let ignore = match setup.types.len() {
        1 => None,
        _ => setup.constant(1, &DataType::Boolean)?,
    };
    Ok(setup.ignore_nulls || ignore == Some(ScalarValue::Boolean(Some(true))))
}

#[derive(Debug)]
struct Choice {
    value: ScalarValue,
    is_chosen: bool,
    is_last: bool,
    ignore_nulls: bool,
}

impl Choice {
    fn make(setup: &Setup, is_last: bool) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Self {
            value: super::kept::null(setup)?,
            is_chosen: false,
            is_last,
            ignore_nulls: ignores_nulls(setup)?,
        }))
    }

    fn groups(setup: &Setup, is_last: bool) -> Result<Box<dyn GroupsAccumulator>> {
        let groups = ChoiceGroups::new(&setup.returns, is_last, ignores_nulls(setup)?);
        Ok(Box::new(groups))
    }

    /// Takes the first or last of those rows that count.
    fn choose(
        &mut self,
        values: &ArrayRef,
        counts: impl Fn(usize) -> bool,
    ) -> DataFusionResult<()> {
        if self.is_chosen && !self.is_last {
            return Ok(());
        }
        let mut rows = 0..values.len();
        let row = match self.is_last {
            true => rows.rfind(|row| counts(*row)),
            false => rows.find(|row| counts(*row)),
        };
        if let Some(row) = row {
            self.value = ScalarValue::try_from_array(values, row)?.compacted();
            self.is_chosen = true;
        }
        Ok(())
    }
}

impl Accumulator for Choice {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let ignore_nulls = self.ignore_nulls;
        let values = argument(NAME, values, 0)?;
        self.choose(values, |row| !ignore_nulls || values.is_valid(row))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        let [values, is_chosen] = arguments(NAME, states)?;
        let is_chosen = is_chosen.as_boolean();
        self.choose(values, |row| {
            is_chosen.is_valid(row) && is_chosen.value(row)
        })
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![
            self.value.clone(),
            ScalarValue::Boolean(Some(self.is_chosen)),
        ])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size()
    }
}
