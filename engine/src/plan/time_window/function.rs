//! The functions behind windows: what a user writes, and what it becomes.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimestampMicrosecondType};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::kernels::{
    session_ends, session_structs, window_end, window_start_type, window_starts, window_structs,
    window_type,
};
use crate::datetime::TIME_ZONE;
use crate::error::Error;
use crate::plan::event_time::{SessionBound, inherit, session_bound};

const WINDOW: &str = "window";
const SESSION_WINDOW: &str = "session_window";
const WINDOW_TIME: &str = "window_time";

/// What a function of windows gives, in one sentence, and a query that shows it.
pub(crate) fn described_time_window(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        WINDOW => Some((
            "window(time, duration[, slide[, start]]) - the window that a time falls in, a struct of start and end; with a slide, each of them: a row for every one",
            "SELECT window(TIMESTAMP '2024-01-01 12:07:00', '5 minutes') AS window",
        )),
        SESSION_WINDOW => Some((
            "session_window(time, gap) - in GROUP BY, the stretch of time without a gap as long as that",
            "SELECT session_window(ts, '5 minutes') AS session, count(*) AS n FROM VALUES (TIMESTAMP '2024-01-01 12:07:00') AS t(ts) GROUP BY session_window(ts, '5 minutes')",
        )),
        WINDOW_TIME => Some((
            "window_time(window) - the last microsecond of a window: the time by which it can be put into a window again",
            "SELECT window_time(window(TIMESTAMP '2024-01-01 12:07:00', '5 minutes')) AS time",
        )),
        _ => None,
    }
}

/// Which of the functions an expression calls, if it calls one.
pub(super) fn function_of(expr: &Expr) -> Option<Function> {
    let Expr::ScalarFunction(call) = expr else {
        return None;
    };
    let function = call.func.inner().downcast_ref::<WindowFunction>()?;
    Some(function.function)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Function {
    /// What a user writes; replaced before execution.
    Window,
    /// What a user writes; replaced before execution.
    SessionWindow,
    /// The last microsecond of a window.
    WindowTime,
    /// The start of the window(s) a time falls in.
    Starts,
    /// A start as it is, as an event time if the time beside it is one.
    Mark,
    /// `{start, end}` from a start and a length.
    Struct,
    /// The start of the session that one row makes.
    SessionStart,
    /// Its end, from a time and a gap; NULL for a gap that is none.
    SessionEnd,
    /// `{start, end}` from a start and an end.
    SessionStruct,
}

/// Whether values of a type can be the gap of a session.
pub(super) fn is_gap(data_type: &DataType) -> bool {
    let calendar = DataType::Interval(IntervalUnit::MonthDayNano);
    data_type.is_string() || data_type.is_null() || *data_type == calendar
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WindowFunction {
    function: Function,
    signature: Signature,
}

impl WindowFunction {
    pub(super) fn new(function: Function) -> Self {
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
            Function::SessionStart => "session_start",
            Function::SessionEnd => "session_end",
            Function::SessionStruct => "session_struct",
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
        let behind = matches!(self.function, Function::Mark | Function::SessionStruct);
        let (first, time) = (
            args.arg_fields.first(),
            args.arg_fields.get(usize::from(behind)),
        );
        let (Some(first), Some(time)) = (first, time) else {
            let message = format!("{} needs an argument", self.name());
            return Err(Error::analysis(message).into());
        };
        let literal = |index: usize| match args.scalar_arguments.get(index) {
            Some(Some(ScalarValue::Int64(value))) => *value,
            _ => None,
        };
        let (data_type, duration_us) = match self.function {
            Function::Window | Function::SessionWindow | Function::SessionStruct => {
                (window_type(time), None)
            }
            Function::SessionStart | Function::SessionEnd => (window_start_type(time), None),
            Function::Struct => (window_type(time), literal(1)),
            Function::Mark => (first.data_type().clone(), literal(2)),
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
        let metadata = match self.function {
            Function::SessionStart => session_bound(SessionBound::Start),
            Function::SessionEnd => {
                let mut metadata = inherit(time, duration_us);
                metadata.extend(session_bound(SessionBound::End));
                metadata
            }
            _ => inherit(time, duration_us),
        };
        Ok(Arc::new(field.with_metadata(metadata)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let argument = |index: usize| match args.args.get(index) {
            Some(argument) => argument.to_array(args.number_rows),
            None => datafusion::common::internal_err!("{} needs arguments", self.name()),
        };
        let time = argument(0)?;
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
            Function::Mark | Function::SessionStart => time,
            Function::SessionEnd => {
                let zone = args.config_options.execution.time_zone.as_deref();
                session_ends(&time, &argument(1)?, zone.unwrap_or(TIME_ZONE))?
            }
            Function::SessionStruct => session_structs(time, argument(1)?)?,
            Function::Struct => window_structs(&time, literal(1)?)?,
            Function::Starts => window_starts(&time, literal(1)?, literal(2)?, literal(3)?)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}
