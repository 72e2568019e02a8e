//! The arguments of a call of `window`, and the column of starts that they ask for.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column, DFSchema, UnnestOptions};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ScalarUDF, lit,
};
use datafusion::scalar::ScalarValue;

use super::function::{Function, WindowFunction};
use crate::error::{Error, Result};
use crate::interval::parse_interval;
use crate::type_names::sql_type;

/// The column of window starts, between the rows and the aggregation.
pub(super) const WINDOW_START: &str = "__window_start";

/// A call of `window`, its arguments understood.
pub(super) struct WindowSpec {
    time: Expr,
    pub(super) duration_us: i64,
    slide_us: i64,
    start_us: i64,
}

/// An argument as a user writes it.
fn shown(argument: &Expr) -> String {
    match argument {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => format!("'{text}'"),
        Expr::Column(column) => column.name.clone(),
        other => other.to_string(),
    }
}

impl WindowSpec {
    pub(super) fn of(call: &Expr) -> DataFusionResult<Self> {
        let Expr::ScalarFunction(function) = call else {
            return Err(Error::internal("not a call of window").into());
        };
        let mut args = function.args.iter();
        let time = args.next().cloned();
        let durations: Vec<i64> = args.map(duration).collect::<Result<_>>()?;
        let (Some(time), Some(&duration_us)) = (time, durations.first()) else {
            let message = "window needs a time column and a length";
            let hint = "window(ts, '10 minutes') or window(ts, '10 minutes', '5 minutes')";
            return Err(Error::analysis(message).with_hint(hint).into());
        };
        let slide_us = durations.get(1).copied().unwrap_or(duration_us);
        let start_us = durations.get(2).copied().unwrap_or(0);
        let wrong = |what: &str, condition: &str| {
            let args: Vec<String> = function.args.iter().map(shown).collect();
            let message = format!("{what}: window({})", args.join(", "));
            Error::analysis(message).with_condition(format!("DATATYPE_MISMATCH.{condition}"))
        };
        if duration_us <= 0 || slide_us <= 0 {
            let what = "the length and the slide of a window must be positive";
            return Err(wrong(what, "VALUE_OUT_OF_RANGE").into());
        }
        if slide_us > duration_us || start_us.abs() >= slide_us {
            let what = "a window's slide is at most its length, and its start below the slide";
            let hint = "the length stands first, then the slide, then the start: window(ts, '1 hour', '15 minutes', '5 minutes')";
            let wrong = wrong(what, "PARAMETER_CONSTRAINT_VIOLATION");
            return Err(wrong.with_hint(hint).into());
        }
        Ok(Self {
            time,
            duration_us,
            slide_us,
            start_us,
        })
    }

    /// Adds the column of window starts to `input`; sliding windows multiply the rows.
    pub(super) fn add_starts(&self, input: LogicalPlan) -> DataFusionResult<LogicalPlan> {
        let time = as_time(&self.time, input.schema(), "window")?;
        let starts = ScalarUDF::from(WindowFunction::new(Function::Starts)).call(vec![
            time,
            lit(self.duration_us),
            lit(self.slide_us),
            lit(self.start_us),
        ]);
        let columns: Vec<Expr> = input
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        let mut outputs = columns.clone();
        outputs.push(starts.alias(WINDOW_START));
        let builder = LogicalPlanBuilder::from(input)
            .filter(self.time.clone().is_not_null())?
            .project(outputs)?;
        if self.slide_us == self.duration_us {
            return builder.build();
        }
        // Unnesting forgets that the starts are event times.
        let start = Column::new_unqualified(WINDOW_START);
        let marked = ScalarUDF::from(WindowFunction::new(Function::Mark)).call(vec![
            Expr::Column(start.clone()),
            self.time.clone(),
            lit(self.duration_us),
        ]);
        let mut outputs = columns;
        outputs.push(marked.alias(WINDOW_START));
        let options = UnnestOptions::new().with_preserve_nulls(false);
        builder
            .unnest_column_with_options(start, options)?
            .project(outputs)?
            .build()
    }
}

/// The time argument of `function` as a timestamp in microseconds.
pub(super) fn as_time(time: &Expr, schema: &DFSchema, function: &str) -> DataFusionResult<Expr> {
    let (_, field) = time.to_field(schema)?;
    let micros = |zone| DataType::Timestamp(TimeUnit::Microsecond, zone);
    Ok(match field.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => time.clone(),
        DataType::Timestamp(_, zone) => {
            datafusion::logical_expr::cast(time.clone(), micros(zone.clone()))
        }
        DataType::Struct(_) => {
            ScalarUDF::from(WindowFunction::new(Function::WindowTime)).call(vec![time.clone()])
        }
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Date32 => {
            datafusion::logical_expr::cast(time.clone(), micros(Some("UTC".into())))
        }
        other => {
            let other = sql_type(other);
            let message = format!("{function} needs a TIMESTAMP, but {time} is {other}");
            return Err(Error::analysis(message)
                .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
                .into());
        }
    })
}

fn duration(expr: &Expr) -> Result<i64> {
    match expr {
        Expr::Literal(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
            _,
        ) => parse_interval(text)?.fixed_micros(),
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(value)), _) if value.months == 0 => {
            Ok(i64::from(value.days) * 86_400_000_000 + value.nanoseconds / 1_000)
        }
        Expr::Literal(ScalarValue::DurationMicrosecond(Some(micros)), _) => Ok(*micros),
        Expr::Literal(ScalarValue::DurationSecond(Some(seconds)), _) => {
            Ok(seconds.saturating_mul(1_000_000))
        }
        other => Err(
            Error::analysis(format!("a window's length must be a literal, not {other}"))
                .with_hint("write it like '10 minutes'"),
        ),
    }
}
