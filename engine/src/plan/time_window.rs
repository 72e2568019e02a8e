//! `window(ts, '10 minutes'[, '5 minutes'[, start]])`: from a function call to plain columns.
//!
//! A tumbling window becomes one column, its start; a sliding one a list of starts, unnested. The
//! struct `{start, end}` a user sees is built only above the aggregation, so that grouping works
//! on a plain timestamp. Windows are aligned to 1970-01-01 UTC; rows without a time are left out.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, StructArray, TimestampMicrosecondArray,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit, TimestampMicrosecondType};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, UnnestOptions};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::scalar::ScalarValue;

use super::event_time::inherit;
use super::streaming_relation::is_streaming;
use crate::error::{Error, ErrorKind, Result};

const WINDOW: &str = "window";
const SESSION_WINDOW: &str = "session_window";
const WINDOW_TIME: &str = "window_time";
const WINDOW_START: &str = "__window_start";

/// The functions as SQL finds them.
pub fn time_window_functions() -> Vec<ScalarUDF> {
    [
        Function::Window,
        Function::SessionWindow,
        Function::WindowTime,
    ]
    .into_iter()
    .map(|function| ScalarUDF::from(WindowFunction::new(function)))
    .collect()
}

/// Parses `10 minutes`, `1 hour 30 minutes`, `interval 5 seconds` to microseconds. Months and
/// years are refused: they have no fixed length.
pub fn parse_duration_us(text: &str) -> Result<i64> {
    let wrong = |why: String| {
        Error::new(
            ErrorKind::Parse,
            format!("'{text}' is not a duration: {why}"),
        )
        .with_condition("CANNOT_PARSE_INTERVAL")
        .with_hint("write it like '10 minutes', '1 hour 30 minutes' or '500 milliseconds'")
    };
    let lower = text.trim().to_ascii_lowercase();
    let mut words = lower.split_whitespace().peekable();
    words.next_if_eq(&"interval");
    let mut total: Option<i64> = None;
    while let Some(number) = words.next() {
        let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &number[digits.len()..] {
            "" => words
                .next()
                .ok_or_else(|| wrong("a unit is missing".into()))?,
            attached => attached,
        };
        let value: i64 = digits
            .parse()
            .map_err(|_| wrong(format!("'{number}' is not a number")))?;
        let unit_us: i64 = match unit.trim_end_matches('s') {
            "microsecond" | "u" => 1,
            "millisecond" | "m" if unit != "m" => 1_000,
            "second" | "sec" | "" => 1_000_000,
            "minute" | "min" | "m" => 60_000_000,
            "hour" | "h" | "hr" => 3_600_000_000,
            "day" | "d" => 86_400_000_000,
            "week" | "w" => 604_800_000_000,
            "month" | "year" => return Err(no_fixed_length(text)),
            _ => return Err(wrong(format!("'{unit}' is not a unit of time"))),
        };
        let part = value
            .checked_mul(unit_us)
            .ok_or_else(|| wrong("it is too long".into()))?;
        total = Some(total.unwrap_or(0) + part);
    }
    total.ok_or_else(|| wrong("it is empty".into()))
}

/// Spark has no condition for it.
fn no_fixed_length(text: &str) -> Error {
    let message =
        format!("'{text}' has no fixed length: a month or a year cannot measure time here");
    Error::illegal_argument(message).with_hint("write it in days: '30 days'")
}

/// Rewrites the call of `window` in a node's own expressions. A node may use one window.
pub(super) fn resolve_windows(node: LogicalPlan) -> DataFusionResult<LogicalPlan> {
    let calls = window_calls(&node)?;
    match calls.as_slice() {
        [] => Ok(node),
        [call] => rewrite(node, call),
        [first, second, ..] => {
            let message =
                format!("one query level can use one window, but {first} and {second} were found");
            Err(Error::analysis(message)
                .with_hint("compute the second window in an outer query")
                .into())
        }
    }
}

/// The different calls of `window` in a node's own expressions.
fn window_calls(node: &LogicalPlan) -> DataFusionResult<Vec<Expr>> {
    let mut calls: Vec<Expr> = Vec::new();
    node.apply_expressions(|expr| {
        expr.apply(|expr| {
            match function_of(expr) {
                Some(Function::Window) if !calls.contains(expr) => calls.push(expr.clone()),
                // On a stream it depends on the output mode what is wrong with it.
                Some(Function::SessionWindow) if !is_streaming(node) => {
                    return Err(session_window_unsupported().into());
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(calls)
}

/// Whether an expression is a call of `session_window`.
pub(super) fn is_session_window(expr: &Expr) -> bool {
    function_of(expr) == Some(Function::SessionWindow)
}

/// Sessions are known by name only.
pub(super) fn session_window_unsupported() -> Error {
    Error::analysis("session_window is not supported in this version")
        .with_hint("use window(…) with a fixed length")
}

fn function_of(expr: &Expr) -> Option<Function> {
    let Expr::ScalarFunction(call) = expr else {
        return None;
    };
    let function = call.func.inner().downcast_ref::<WindowFunction>()?;
    Some(function.function)
}

fn rewrite(node: LogicalPlan, call: &Expr) -> DataFusionResult<LogicalPlan> {
    let spec = WindowSpec::of(call)?;
    let inputs = node.inputs();
    let &[input] = inputs.as_slice() else {
        return Err(Error::analysis(format!("{call} cannot be used in a join condition")).into());
    };
    let input = spec.add_starts(input.clone())?;
    let start = Expr::Column(Column::new_unqualified(WINDOW_START));
    let window = ScalarUDF::from(WindowFunction::new(Function::Struct))
        .call(vec![start.clone(), lit(spec.duration_us)]);
    let replace = |expr: Expr, with: &Expr| -> DataFusionResult<Expr> {
        let replaced = expr.transform_down(|expr| {
            Ok(if &expr == call {
                Transformed::new(with.clone(), true, TreeNodeRecursion::Jump)
            } else {
                Transformed::no(expr)
            })
        })?;
        Ok(replaced.data)
    };
    if let LogicalPlan::Aggregate(aggregate) = &node {
        let groups = aggregate.group_expr.iter().cloned();
        let groups: Vec<Expr> = groups
            .map(|expr| {
                if is_call(&expr, call) {
                    Ok(start.clone())
                } else {
                    replace(expr, &window)
                }
            })
            .collect::<DataFusionResult<_>>()?;
        let names = NamePreserver::new_for_projection();
        let aggregates: Vec<Expr> = aggregate
            .aggr_expr
            .iter()
            .map(|expr| {
                let name = names.save(expr);
                Ok(name.restore(replace(expr.clone(), &window)?))
            })
            .collect::<DataFusionResult<_>>()?;
        let grouped = LogicalPlanBuilder::from(input)
            .aggregate(groups, aggregates)?
            .build()?;
        let fields = node.schema().iter().zip(grouped.schema().columns());
        let outputs: Vec<Expr> = fields
            .map(|((qualifier, field), column)| {
                let value = if column.name == WINDOW_START {
                    window.clone()
                } else {
                    Expr::Column(column)
                };
                value.alias_qualified(qualifier.cloned(), field.name())
            })
            .collect();
        return LogicalPlanBuilder::from(grouped).project(outputs)?.build();
    }
    let names = NamePreserver::new_for_projection();
    let expressions: Vec<Expr> = node
        .expressions()
        .into_iter()
        .map(|expr| {
            let name = names.save(&expr);
            Ok(name.restore(replace(expr, &window)?))
        })
        .collect::<DataFusionResult<_>>()?;
    match node {
        LogicalPlan::Projection(_) => LogicalPlanBuilder::from(input)
            .project(expressions)?
            .build(),
        LogicalPlan::Filter(filter) => {
            let columns = filter.input.schema().columns();
            let mut builder = LogicalPlanBuilder::from(input);
            for predicate in expressions {
                builder = builder.filter(predicate)?;
            }
            builder
                .project(columns.into_iter().map(Expr::Column))?
                .build()
        }
        other => Err(Error::analysis(format!(
            "{call} can be used in SELECT, WHERE and GROUP BY, not in {}",
            other.display()
        ))
        .into()),
    }
}

/// Whether an expression is `call`, under whatever name.
fn is_call(expr: &Expr, call: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_call(&alias.expr, call),
        other => other == call,
    }
}

/// A call of `window`, its arguments understood.
struct WindowSpec {
    time: Expr,
    duration_us: i64,
    slide_us: i64,
    start_us: i64,
}

impl WindowSpec {
    fn of(call: &Expr) -> DataFusionResult<Self> {
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
            let message = format!("{what}: {call}");
            Error::analysis(message).with_condition(format!("DATATYPE_MISMATCH.{condition}"))
        };
        if duration_us <= 0 || slide_us <= 0 {
            let what = "the length and the slide of a window must be positive";
            return Err(wrong(what, "VALUE_OUT_OF_RANGE").into());
        }
        if slide_us > duration_us || start_us.abs() >= slide_us {
            let what = "a window's slide is at most its length, and its start below the slide";
            return Err(wrong(what, "PARAMETER_CONSTRAINT_VIOLATION").into());
        }
        Ok(Self {
            time,
            duration_us,
            slide_us,
            start_us,
        })
    }

    /// Adds the column of window starts to `input`; sliding windows multiply the rows.
    fn add_starts(&self, input: LogicalPlan) -> DataFusionResult<LogicalPlan> {
        let (_, field) = self.time.to_field(input.schema())?;
        let time = match field.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, _) => self.time.clone(),
            DataType::Timestamp(_, zone) => {
                let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                datafusion::logical_expr::cast(self.time.clone(), micros)
            }
            DataType::Struct(_) => ScalarUDF::from(WindowFunction::new(Function::WindowTime))
                .call(vec![self.time.clone()]),
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Date32 => {
                let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
                datafusion::logical_expr::cast(self.time.clone(), micros)
            }
            other => {
                let message = format!("window needs a TIMESTAMP, but {} is {other}", self.time);
                return Err(Error::analysis(message)
                    .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
                    .into());
            }
        };
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

fn duration(expr: &Expr) -> Result<i64> {
    match expr {
        Expr::Literal(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
            _,
        ) => parse_duration_us(text),
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(value)), _) if value.months == 0 => {
            Ok(i64::from(value.days) * 86_400_000_000 + value.nanoseconds / 1_000)
        }
        other => Err(
            Error::analysis(format!("a window's length must be a literal, not {other}"))
                .with_hint("write it like '10 minutes'"),
        ),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    /// What a user writes; replaced before execution.
    Window,
    /// Refused by name.
    SessionWindow,
    /// The last microsecond of a window.
    WindowTime,
    /// The start of the window(s) a time falls in.
    Starts,
    /// A start as it is, as an event time if the time beside it is one.
    Mark,
    /// `{start, end}` from a start and a length.
    Struct,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WindowFunction {
    function: Function,
    signature: Signature,
}

impl WindowFunction {
    fn new(function: Function) -> Self {
        Self {
            function,
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for WindowFunction {
    fn name(&self) -> &str {
        match self.function {
            Function::Window => WINDOW,
            Function::SessionWindow => SESSION_WINDOW,
            Function::WindowTime => WINDOW_TIME,
            Function::Starts => "window_starts",
            Function::Mark => "window_mark",
            Function::Struct => "window_struct",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> DataFusionResult<DataType> {
        datafusion::common::internal_err!("{} has a return field", self.name())
    }

    /// An event time stays one: the metadata of the time argument goes on.
    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let time_argument = usize::from(self.function == Function::Mark);
        let Some(time) = args.arg_fields.get(time_argument) else {
            let message = format!("{} needs an argument", self.name());
            return Err(Error::analysis(message).into());
        };
        let literal = |index: usize| match args.scalar_arguments.get(index) {
            Some(Some(ScalarValue::Int64(value))) => *value,
            _ => None,
        };
        let (data_type, duration_us) = match self.function {
            Function::Window | Function::SessionWindow => (window_type(time), None),
            Function::Struct => (window_type(time), literal(1)),
            Function::Mark => (args.arg_fields[0].data_type().clone(), literal(2)),
            Function::WindowTime => (window_start_type(time), None),
            Function::Starts => {
                let start = window_start_type(time);
                let sliding = literal(1) != literal(2);
                let data_type = if sliding {
                    DataType::List(Arc::new(Field::new_list_field(start, true)))
                } else {
                    start
                };
                (data_type, literal(1))
            }
        };
        let field = Field::new(self.name(), data_type, true);
        Ok(Arc::new(field.with_metadata(inherit(time, duration_us))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let time = args.args[0].to_array(args.number_rows)?;
        let literal = |index: usize| match args.args.get(index) {
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(value)))) => Ok(*value),
            _ => datafusion::common::internal_err!("{} needs literals", self.name()),
        };
        let array: ArrayRef = match self.function {
            Function::Window | Function::SessionWindow => {
                return datafusion::common::internal_err!("{} was not resolved", self.name());
            }
            Function::WindowTime => {
                let end = window_end(&time)?;
                let zone = end.timezone().map(Arc::from);
                let last = end.unary::<_, TimestampMicrosecondType>(|end| end - 1);
                Arc::new(last.with_timezone_opt::<Arc<str>>(zone))
            }
            Function::Mark => time,
            Function::Struct => window_structs(&time, literal(1)?)?,
            Function::Starts => window_starts(&time, literal(1)?, literal(2)?, literal(3)?)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// The type of a window's start, from the type of the time or window it is made from.
fn window_start_type(time: &Field) -> DataType {
    match time.data_type() {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Struct(fields) if !fields.is_empty() => fields[0].data_type().clone(),
        _ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

fn window_type(time: &Field) -> DataType {
    DataType::Struct(window_fields(&window_start_type(time)))
}

fn window_fields(start: &DataType) -> Fields {
    Fields::from(vec![
        Field::new("start", start.clone(), true),
        Field::new("end", start.clone(), true),
    ])
}

fn timestamps(array: &ArrayRef) -> DataFusionResult<&TimestampMicrosecondArray> {
    array
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| DataFusionError::Internal("a window needs microseconds".into()))
}

fn window_end(window: &ArrayRef) -> DataFusionResult<TimestampMicrosecondArray> {
    let end = window
        .as_struct_opt()
        .and_then(|window| window.column_by_name("end"));
    let Some(end) = end else {
        let message = "window_time needs a column made by window(…)";
        return Err(Error::analysis(message).into());
    };
    Ok(timestamps(end)?.clone())
}

fn window_structs(starts: &ArrayRef, duration_us: i64) -> DataFusionResult<ArrayRef> {
    let start = timestamps(starts)?;
    let zone = start.timezone().map(Arc::from);
    let end = start.unary::<_, TimestampMicrosecondType>(|start| start + duration_us);
    let end = end.with_timezone_opt::<Arc<str>>(zone);
    let columns: Vec<ArrayRef> = vec![Arc::clone(starts), Arc::new(end)];
    let fields = window_fields(start.data_type());
    Ok(Arc::new(StructArray::try_new(
        fields,
        columns,
        start.nulls().cloned(),
    )?))
}

/// Spark's rule: the last window starts at `time - floorMod(time - start, slide)`; earlier ones
/// follow slide by slide as long as they still contain the time.
fn window_starts(
    times: &ArrayRef,
    duration_us: i64,
    slide_us: i64,
    start_us: i64,
) -> DataFusionResult<ArrayRef> {
    let times = timestamps(times)?;
    let zone: Option<Arc<str>> = times.timezone().map(Arc::from);
    let last_start = |time: i64| time - (time - start_us).rem_euclid(slide_us);
    if duration_us == slide_us {
        let starts = times.unary::<_, TimestampMicrosecondType>(last_start);
        return Ok(Arc::new(starts.with_timezone_opt(zone)));
    }
    let data_type = DataType::Timestamp(TimeUnit::Microsecond, zone);
    let values = TimestampMicrosecondBuilder::new().with_data_type(data_type.clone());
    let field = Field::new_list_field(data_type, true);
    let mut lists = ListBuilder::new(values).with_field(field);
    for time in times {
        let Some(time) = time else {
            lists.append_null();
            continue;
        };
        let mut start = last_start(time);
        while start + duration_us > time {
            lists.values().append_value(start);
            start -= slide_us;
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}
