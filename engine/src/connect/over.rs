//! Functions over the rows around a row, as SQL's syntax tree has them: `rank() OVER (…)`.

use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, OrderByExpr, OrderByOptions, UnaryOperator, Value, WindowFrame as SqlFrame,
    WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};

use super::expressions::{missing, sort_options, sql_of};
use super::proto::expression::Window;
use super::proto::expression::window::WindowFrame;
use super::proto::expression::window::window_frame::frame_boundary::Boundary;
use super::proto::expression::window::window_frame::{FrameBoundary, FrameType};
use crate::error::{Error, Result};

/// A call with the window it looks at.
pub(super) fn over_sql(window: &Window) -> Result<SqlExpr> {
    let function = window.window_function.as_deref().map(sql_of);
    let function = function.unwrap_or_else(|| Err(missing("a window's function")))?;
    let SqlExpr::Function(mut call) = function else {
        return Err(Error::analysis(
            "only a function can be computed over a window",
        ));
    };
    let partition_by = window.partition_spec.iter().map(sql_of);
    let order_by = window.order_spec.iter().map(|order| {
        let key = order.child.as_deref().map(sql_of);
        let (ascending, nulls_first) = sort_options(order);
        Ok(OrderByExpr {
            expr: key.unwrap_or_else(|| Err(missing("a sort's expression")))?,
            options: OrderByOptions {
                asc: Some(ascending),
                nulls_first: Some(nulls_first),
            },
            with_fill: None,
        })
    });
    call.over = Some(WindowType::WindowSpec(WindowSpec {
        window_name: None,
        partition_by: partition_by.collect::<Result<_>>()?,
        order_by: order_by.collect::<Result<_>>()?,
        window_frame: window.frame_spec.as_deref().map(frame).transpose()?,
    }));
    Ok(SqlExpr::Function(call))
}

fn frame(frame: &WindowFrame) -> Result<SqlFrame> {
    Ok(SqlFrame {
        units: match frame.frame_type() {
            FrameType::Range => WindowFrameUnits::Range,
            FrameType::Row | FrameType::Undefined => WindowFrameUnits::Rows,
        },
        start_bound: bound(frame.lower.as_deref(), WindowFrameBound::Preceding(None))?,
        end_bound: Some(bound(
            frame.upper.as_deref(),
            WindowFrameBound::Following(None),
        )?),
    })
}

/// A frame's end; `unbounded` is what it is without one. A negative number counts backwards.
fn bound(
    boundary: Option<&FrameBoundary>,
    unbounded: WindowFrameBound,
) -> Result<WindowFrameBound> {
    let boundary = boundary.and_then(|boundary| boundary.boundary.as_ref());
    Ok(
        match boundary.ok_or_else(|| missing("a frame's boundary"))? {
            Boundary::CurrentRow(_) => WindowFrameBound::CurrentRow,
            Boundary::Unbounded(_) => unbounded,
            Boundary::Value(value) => match sql_of(value)? {
                SqlExpr::UnaryOp {
                    op: UnaryOperator::Minus,
                    expr,
                } => WindowFrameBound::Preceding(Some(expr)),
                SqlExpr::Value(value) if is_zero(&value.value) => WindowFrameBound::CurrentRow,
                value => WindowFrameBound::Following(Some(Box::new(value))),
            },
        },
    )
}

fn is_zero(value: &Value) -> bool {
    matches!(value, Value::Number(number, _) if number == "0")
}
