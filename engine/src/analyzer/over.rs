//! Calls over windows of rows: `rank() OVER (PARTITION BY k ORDER BY v)`.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Column;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition,
};
use datafusion::scalar::ScalarValue;

use super::calls::is_constant;
use super::compare::as_grouped;
use super::expression::{Clause, Expressions};
use super::planned::{node, same_name};
use super::shown_as::Shown;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::functions::in_order;
use crate::tree::{
    Bound, Call, Expression, Frame, FrameUnits, NullTreatment, Over, Window, WindowSpec,
};

/// Functions that say nothing without an order.
const NEEDS_ORDER: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "lag",
    "lead",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

impl Expressions<'_> {
    /// A call over a window.
    pub(super) fn over(&self, over: &Over, written: &Expression) -> Result<Typed> {
        let Expression::Call(call) = &over.call else {
            return Err(
                Error::analysis("only a function can be computed over a window")
                    .with_condition("UNSUPPORTED_EXPR_FOR_WINDOW"),
            );
        };
        if !matches!(
            self.clause,
            Clause::Select | Clause::OrderBy | Clause::Having
        ) {
            return Err(Error::analysis(format!(
                "the window function {} cannot stand here",
                call.name
            ))
            .with_condition("INVALID_WHERE_CONDITION")
            .with_hint("compute it in a subquery, and filter outside of it")
            .with_place(call.place));
        }
        let spec = self.window(&over.window)?;
        if !matches!(&over.window, Window::Spec(own) if own.base.is_none()) {
            self.shown_as.put(written, Shown::Window(spec.clone()));
        }
        let partition_by = self.plan_all(&spec.partition_by)?;
        // As in Spark, what is the same for all rows parts none, and is not computed.
        let partition_by = partition_by
            .into_iter()
            .filter(|typed| !is_constant(&typed.expr))
            .map(|typed| as_grouped(typed).expr)
            .collect();
        let order_by = self.sorts(&spec.order_by)?;
        if order_by.is_empty() && NEEDS_ORDER.contains(&call.name.as_str()) {
            return Err(
                Error::analysis(format!("the window of {} has no order", call.name))
                    .with_condition("WINDOW_FUNCTION_AND_FRAME_MISMATCH")
                    .with_hint(format!("{}(…) OVER (ORDER BY …)", call.name))
                    .with_place(call.place),
            );
        }
        let (fun, mut parts, field) = self.window_function(call)?;
        let keys = spec.order_by.iter().map(|key| self.plan(&key.expression));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let window_frame = match &spec.frame {
            Some(frame) => self.frame(frame, &order_by, &keys)?,
            None => default_frame(&keys),
        };
        let mut window = WindowFunction::new(fun, std::mem::take(&mut parts.arguments));
        let params = &mut window.params;
        params.partition_by = partition_by;
        params.order_by = order_by;
        params.window_frame = window_frame;
        params.filter = parts.filter;
        params.null_treatment = parts.nulls;
        params.distinct = call.distinct;
        Ok(Typed {
            expr: Expr::WindowFunction(Box::new(window)),
            field,
        })
    }

    fn window_function(
        &self,
        call: &Call,
    ) -> Result<(WindowFunctionDefinition, Planned, FieldRef)> {
        let session = self.analyzer.session;
        if let Some(function) = session.window_functions().get(&call.name) {
            let arguments = self.plan_all(&call.arguments)?;
            let fields: Vec<FieldRef> = arguments
                .iter()
                .map(|typed| Arc::clone(&typed.field))
                .collect();
            let fields = fields_with_udf(&fields, function.as_ref())
                .map_err(|error| from_datafusion(error).with_place(call.place))?;
            let mut cast = Vec::new();
            for (index, (typed, field)) in arguments.into_iter().zip(&fields).enumerate() {
                let is_count = index == 1 && field.data_type().is_integer() || call.name == "ntile";
                let to = match is_count {
                    true => &DataType::Int64,
                    false => field.data_type(),
                };
                cast.push(self.cast_to(typed, to)?);
            }
            // The value in place of what is not there has the type of the others.
            if let [value, _, default] = cast.as_mut_slice()
                && matches!(call.name.as_str(), "lag" | "lead")
            {
                let fitting = self.cast_to(default.clone(), value.data_type())?;
                *default = match self.analyzer.constant(&fitting)? {
                    Some(value) => Typed::literal(value),
                    None => fitting,
                };
            }
            let fields: Vec<FieldRef> = cast.iter().map(|typed| Arc::clone(&typed.field)).collect();
            let fun = WindowFunctionDefinition::WindowUDF(Arc::clone(function));
            let field = fun
                .return_field(&fields, &call.name)
                .map_err(from_datafusion)?;
            let filter = call
                .filter
                .as_ref()
                .map(|condition| self.condition(condition));
            let parts = Planned {
                arguments: cast.into_iter().map(|typed| typed.expr).collect(),
                filter: filter.transpose()?.map(Box::new),
                nulls: call.nulls.map(|nulls| match nulls {
                    NullTreatment::Ignore => {
                        datafusion::logical_expr::expr::NullTreatment::IgnoreNulls
                    }
                    NullTreatment::Respect => {
                        datafusion::logical_expr::expr::NullTreatment::RespectNulls
                    }
                }),
            };
            return Ok((fun, parts, field));
        }
        let Some(function) = self.analyzer.aggregate_function(&call.name) else {
            let known = session.scalar_functions().contains_key(&call.name);
            return Err(match known {
                true => Error::analysis(format!("{} is no function over windows", call.name))
                    .with_condition("UNSUPPORTED_EXPR_FOR_WINDOW"),
                false => self.unknown(&call.name),
            }
            .with_place(call.place));
        };
        // An aggregate over a window may have aggregates as its arguments.
        let (function, mut parts) = self.window_aggregate_parts(&function, call)?;
        let fields: Vec<FieldRef> = parts
            .arguments
            .iter()
            .map(|typed| Arc::clone(&typed.field))
            .collect();
        let field = function.return_field(&fields).map_err(from_datafusion)?;
        let mut function = function;
        let orders = parts.order_by.iter().map(|sort| SortOptions {
            descending: !sort.asc,
            nulls_first: sort.nulls_first,
        });
        if parts.order_by.is_empty() {
            // It has no order of its own.
        } else if let Some(ordered) = in_order(&function, orders.collect()) {
            function = ordered;
            for sort in parts.order_by {
                parts
                    .arguments
                    .push(Typed::of(sort.expr, self.scope.schema.as_ref())?);
            }
        } else {
            return Err(Error::analysis(format!(
                "{} cannot have an order of its own over a window",
                call.name
            ))
            .with_condition("UNSUPPORTED_FEATURE.AGGREGATE_ORDER_OVER_WINDOW")
            .with_hint("compute it with GROUP BY, and join")
            .with_place(call.place));
        }
        let planned = Planned {
            arguments: parts
                .arguments
                .into_iter()
                .map(|typed| typed.expr)
                .collect(),
            filter: parts.filter,
            nulls: parts.nulls,
        };
        let fun = WindowFunctionDefinition::AggregateUDF(function);
        Ok((fun, planned, field))
    }

    fn window(&self, window: &Window) -> Result<WindowSpec> {
        match window {
            Window::Named(name) => self.named_window(name, 0),
            Window::Spec(spec) => self.merged(spec, 0),
        }
    }

    /// A window with what it takes from the one that it builds on.
    fn merged(&self, spec: &WindowSpec, depth: usize) -> Result<WindowSpec> {
        let mut own = spec.clone();
        let Some(base) = own.base.take() else {
            return Ok(own);
        };
        let base = self.named_window(&base, depth + 1)?;
        if own.partition_by.is_empty() {
            own.partition_by = base.partition_by;
        }
        if own.order_by.is_empty() {
            own.order_by = base.order_by;
        }
        own.frame = own.frame.or(base.frame);
        Ok(own)
    }

    fn named_window(&self, name: &str, depth: usize) -> Result<WindowSpec> {
        let mut windows = self.windows.iter();
        let found = windows.find(|(own, _)| same_name(own, name));
        match found {
            Some((_, spec)) if depth <= self.windows.len() => self.merged(spec, depth),
            Some(_) => Err(
                Error::analysis(format!("the window '{name}' builds on itself"))
                    .with_condition("RECURSIVE_WINDOW_REFERENCE"),
            ),
            None => Err(
                Error::analysis(format!("the window '{name}' does not exist"))
                    .with_condition("MISSING_WINDOW_SPECIFICATION")
                    .with_hint(format!("add WINDOW {name} AS (PARTITION BY … ORDER BY …)")),
            ),
        }
    }

    fn frame(&self, frame: &Frame, order_by: &[Sort], keys: &[Typed]) -> Result<WindowFrame> {
        let is_of_distance =
            |bound: &Bound| matches!(bound, Bound::Preceding(_) | Bound::Following(_));
        let measures = is_of_distance(&frame.start) || is_of_distance(&frame.end);
        let units = match frame.units {
            FrameUnits::Rows => WindowFrameUnits::Rows,
            FrameUnits::Range if measures || keys.iter().all(has_distance) => {
                WindowFrameUnits::Range
            }
            // Those that are equal are a group.
            FrameUnits::Range => WindowFrameUnits::Groups,
        };
        let start = self.bound(&frame.start, units)?;
        let end = self.bound(&frame.end, units)?;
        let frame = WindowFrame::new_bounds(units, start, end);
        let mut keys = order_by.to_vec();
        frame
            .regularize_order_bys(&mut keys)
            .map_err(from_datafusion)?;
        Ok(frame)
    }

    fn bound(&self, bound: &Bound, units: WindowFrameUnits) -> Result<WindowFrameBound> {
        let distance = |expression: &Expression| {
            let typed = self.plan(expression)?;
            let value = self.analyzer.constant(&typed)?;
            let value = value.ok_or_else(|| {
                Error::analysis("the bound of a frame must be the same for all rows")
                    .with_condition("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WITHOUT_FOLDABLE")
            })?;
            if units == WindowFrameUnits::Range {
                return Ok(calendar_interval(value));
            }
            value.cast_to(&DataType::UInt64).map_err(|_| {
                Error::analysis("the bound of a frame of rows must be a whole number, 0 or more")
                    .with_condition("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE")
            })
        };
        let nothing = match units {
            WindowFrameUnits::Range => ScalarValue::Null,
            _ => ScalarValue::UInt64(None),
        };
        Ok(match bound {
            Bound::UnboundedPreceding => WindowFrameBound::Preceding(nothing),
            Bound::UnboundedFollowing => WindowFrameBound::Following(nothing),
            Bound::CurrentRow => WindowFrameBound::CurrentRow,
            Bound::Preceding(expression) => WindowFrameBound::Preceding(distance(expression)?),
            Bound::Following(expression) => WindowFrameBound::Following(distance(expression)?),
        })
    }
}

/// Whether the values of a key are so far apart.
fn has_distance(key: &Typed) -> bool {
    let data_type = key.data_type();
    data_type.is_numeric() || data_type.is_string() || data_type.is_temporal()
}

/// The frame of a window that names none: all rows, or those up to the last that is equal.
fn default_frame(keys: &[Typed]) -> WindowFrame {
    if keys.iter().all(has_distance) {
        return WindowFrame::new((!keys.is_empty()).then_some(false));
    }
    WindowFrame::new_bounds(
        WindowFrameUnits::Groups,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::CurrentRow,
    )
}

/// An interval as frames measure distances of times.
fn calendar_interval(value: ScalarValue) -> ScalarValue {
    const NANOS_PER_DAY: i64 = 86_400_000_000_000;
    let of_nanos = |nanos: i64| {
        let days = i32::try_from(nanos / NANOS_PER_DAY).unwrap_or(i32::MAX);
        ScalarValue::new_interval_mdn(0, days, nanos % NANOS_PER_DAY)
    };
    match value {
        ScalarValue::DurationMicrosecond(Some(micros)) => of_nanos(micros.saturating_mul(1_000)),
        ScalarValue::DurationSecond(Some(seconds)) => {
            of_nanos(seconds.saturating_mul(1_000_000_000))
        }
        ScalarValue::IntervalYearMonth(Some(months)) => ScalarValue::new_interval_mdn(months, 0, 0),
        other => other,
    }
}

/// Arguments and clauses of a call over a window.
struct Planned {
    arguments: Vec<Expr>,
    filter: Option<Box<Expr>>,
    nulls: Option<datafusion::logical_expr::expr::NullTreatment>,
}

/// The plan with the values of calls over windows, and the columns that hold them. Two calls that differ
/// in a type only have one name; they are computed one after the other.
pub(super) fn windowed(
    mut plan: LogicalPlan,
    windows: Vec<Expr>,
) -> Result<(LogicalPlan, Vec<(Expr, Expr)>)> {
    let mut known = Vec::new();
    let mut waiting = windows;
    while !waiting.is_empty() {
        let columns = plan.schema().columns();
        let mut taken: HashSet<String> = columns.iter().map(|own| own.name.clone()).collect();
        let (now, later): (Vec<Expr>, Vec<Expr>) = waiting
            .into_iter()
            .partition(|window| taken.insert(window.schema_name().to_string()));
        plan = LogicalPlanBuilder::window_plan(plan, now.clone()).map_err(from_datafusion)?;
        let mut outputs: Vec<Expr> = columns.into_iter().map(Expr::Column).collect();
        for window in now {
            let mut column = Column::new_unqualified(window.schema_name().to_string());
            if !later.is_empty() {
                let name = format!("__window{}", known.len());
                outputs.push(Expr::Column(column).alias(&name));
                column = Column::new_unqualified(name);
            }
            known.push((window, Expr::Column(column)));
        }
        if !later.is_empty() {
            plan = node(LogicalPlanBuilder::from(plan).project(outputs))?;
        }
        waiting = later;
    }
    Ok((plan, known))
}
