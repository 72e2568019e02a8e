//! What may stand beside an operator: a column, or a Rust value that becomes a literal.

use super::Column;
use crate::plan::expression::Expression;
use crate::row::Value;
use crate::timestamp::Timestamp;

/// A column, or a value that becomes a literal. A string is a literal here, not a name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a column nor a value that SQL knows",
    label = "not a column, number, string, `bool`, `Timestamp`, `Vec<u8>`, or `Option` of them"
)]
pub trait Operand {
    /// As a column.
    fn into_operand(self) -> Column;
}

impl Operand for Column {
    fn into_operand(self) -> Column {
        self
    }
}

impl Operand for &Column {
    fn into_operand(self) -> Column {
        self.clone()
    }
}

impl Operand for Expression {
    fn into_operand(self) -> Column {
        self.into()
    }
}

impl Operand for Value {
    fn into_operand(self) -> Column {
        Column::new(Expression::Literal(self))
    }
}

impl<T: Operand> Operand for Option<T> {
    fn into_operand(self) -> Column {
        self.map_or_else(|| Value::Null.into_operand(), T::into_operand)
    }
}

macro_rules! literals {
    ($($type:ty: $value:ident => $literal:expr,)*) => {$(
        impl Operand for $type {
            fn into_operand(self) -> Column {
                let $value = self;
                $literal.into_operand()
            }
        }
    )*};
}

literals! {
    bool: value => Value::Bool(value),
    i8: value => Value::Byte(value),
    i16: value => Value::Short(value),
    i32: value => Value::Integer(value),
    i64: value => Value::Long(value),
    u8: value => Value::Short(value.into()),
    u16: value => Value::Integer(value.into()),
    u32: value => Value::Long(value.into()),
    f32: value => Value::Float(value),
    f64: value => Value::Double(value),
    &str: text => Value::String(text.to_string()),
    String: text => Value::String(text),
    &String: text => Value::String(text.clone()),
    Vec<u8>: bytes => Value::Binary(bytes),
    Timestamp: time => Value::Timestamp(time.micros()),
}

/// What rows are chosen by: a column, or a condition as SQL text.
pub trait Condition {
    /// As a column.
    fn into_condition(self) -> Column;
}

impl Condition for Column {
    fn into_condition(self) -> Column {
        self
    }
}

impl Condition for &str {
    fn into_condition(self) -> Column {
        Column::new(Expression::Sql(self.to_string()))
    }
}
