//! `describe` and `summary`: one row per statistic, one column per column, all texts.

use arrow::datatypes::DataType;

use super::Analyzer;
use super::frames::at_place;
use super::planned::{Planned, Visible};
use super::query::Context;
use crate::error::{Error, Result, unresolved_column};
use crate::sql::{call, literal};
use crate::tree::{Cast, Expression};

impl Analyzer<'_> {
    /// The statistics of the columns named, or of all numbers and texts.
    pub(super) fn describe(
        &self,
        input: Planned,
        columns: &[String],
        statistics: &[String],
        context: &Context<'_>,
    ) -> Result<Planned> {
        let known = input.names();
        if let Some(name) = columns
            .iter()
            .find(|name| !input.shown().any(|column| column.is_named(name)))
        {
            return Err(unresolved_column(name, &known));
        }
        let is_meant = |column: &Visible| match columns.is_empty() {
            true => is_described(column.field.data_type()),
            false => columns.iter().any(|name| column.is_named(name)),
        };
        let meant: Vec<(usize, &Visible)> = input
            .shown()
            .enumerate()
            .filter(|(_, column)| is_meant(column) && is_described(column.field.data_type()))
            .collect();
        let rows = statistics.iter().map(|statistic| {
            let mut row = vec![text("summary"), text(statistic)];
            for (place, column) in &meant {
                let value = value_of(statistic, at_place(*place), column.field.data_type())?;
                row.extend([text(&column.name), as_text(value)]);
            }
            Ok(call("named_struct", row))
        });
        let rows = call("array", rows.collect::<Result<Vec<_>>>()?);
        let all = Expression::Alias {
            expression: Box::new(rows),
            names: vec!["rows".to_string()],
        };
        let gathered = self.project(input, &[all], context)?;
        self.project(gathered, &[call("inline", vec![at_place(0)])], context)
    }
}

fn is_described(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type == &DataType::Utf8
}

fn text(text: &str) -> Expression {
    literal(text.into())
}

fn as_text(expression: Expression) -> Expression {
    cast(expression, DataType::Utf8)
}

fn cast(expression: Expression, to: DataType) -> Expression {
    Expression::Cast(Box::new(Cast {
        expression,
        to,
        // A text that is no number has no mean.
        lenient: true,
    }))
}

/// One statistic over one column.
fn value_of(statistic: &str, column: Expression, data_type: &DataType) -> Result<Expression> {
    let number = || match data_type.is_numeric() {
        true => column.clone(),
        false => cast(column.clone(), DataType::Float64),
    };
    Ok(match statistic.to_lowercase().as_str() {
        name @ ("count" | "min" | "max") => call(name, vec![column]),
        "mean" | "avg" => call("avg", vec![number()]),
        name @ ("stddev" | "variance" | "sum") => call(name, vec![number()]),
        "count_distinct" => {
            let mut counted = crate::sql::bare_call("count", vec![column], None);
            counted.distinct = true;
            Expression::Call(Box::new(counted))
        }
        "approx_count_distinct" => call("approx_count_distinct", vec![column]),
        other => {
            let percent = other
                .strip_suffix('%')
                .and_then(|part| part.parse::<f64>().ok());
            let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
            let percent = percent.ok_or_else(|| {
                Error::illegal_argument(format!("'{statistic}' is no statistic of a summary"))
                    .with_hint("there are count, mean, stddev, min, max, and percentiles like 75%")
            })?;
            let part = literal((percent / 100.0).into());
            call("percentile_approx", vec![number(), part])
        }
    })
}
