//! Expressions: what columns are made of, and the message `spark.connect.Expression`.

use super::literal;
use crate::protobuf::Message;
use crate::row::Value;
use crate::types::DataType;
use crate::window::{FrameBound, FrameType};

/// An expression. Columns wrap it; [`Column::expression`](crate::Column::expression) shows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the parts of an expression say what they are")]
pub enum Expression {
    /// A column by name.
    Attribute { name: String },
    /// A value.
    Literal(Value),
    /// A function of Spark, by name.
    Function {
        name: String,
        arguments: Vec<Expression>,
        distinct: bool,
    },
    /// A function by its full name, also one that was registered.
    Call {
        name: String,
        arguments: Vec<Expression>,
    },
    /// SQL text.
    Sql(String),
    /// All columns, or those of one relation.
    Star { target: Option<String> },
    /// All columns whose name matches.
    Regex(String),
    /// Another name, or several for a generator.
    Alias {
        expression: Box<Expression>,
        names: Vec<String>,
        metadata: Option<String>,
    },
    /// Another type.
    Cast {
        expression: Box<Expression>,
        to: CastTo,
        or_null: bool,
    },
    /// `CASE WHEN`.
    CaseWhen {
        branches: Vec<(Expression, Expression)>,
        otherwise: Option<Box<Expression>>,
    },
    /// A sort key.
    SortOrder(Box<SortOrder>),
    /// An element of an array, a map or a struct.
    Extract {
        expression: Box<Expression>,
        key: Box<Expression>,
    },
    /// A struct with a field more or less.
    UpdateField {
        expression: Box<Expression>,
        name: String,
        value: Option<Box<Expression>>,
    },
    /// A function over the elements of an array or map.
    Lambda {
        body: Box<Expression>,
        arguments: Vec<String>,
    },
    /// An argument of the lambda around it.
    Variable(String),
    /// A function over the rows around each row.
    Window {
        function: Box<Expression>,
        partition: Vec<Expression>,
        order: Vec<SortOrder>,
        frame: Option<(FrameType, FrameBound, FrameBound)>,
    },
}

/// What is cast to.
#[derive(Debug, Clone, PartialEq)]
pub enum CastTo {
    /// A type.
    Type(DataType),
    /// A type's DDL name.
    Name(String),
}

impl From<DataType> for CastTo {
    fn from(data_type: DataType) -> Self {
        Self::Type(data_type)
    }
}

impl From<&str> for CastTo {
    fn from(name: &str) -> Self {
        Self::Name(name.to_string())
    }
}

/// A sort key: an expression and a direction.
#[derive(Debug, Clone, PartialEq)]
pub struct SortOrder {
    pub(crate) child: Expression,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
}

impl Expression {
    pub(crate) fn attribute(name: &str) -> Self {
        match name.strip_suffix('*') {
            Some("") => Self::Star { target: None },
            Some(target) if target.ends_with('.') => Self::Star {
                target: Some(name.to_string()),
            },
            _ => Self::Attribute {
                name: name.to_string(),
            },
        }
    }

    pub(crate) fn function(name: &str, arguments: Vec<Expression>) -> Self {
        Self::Function {
            name: name.to_string(),
            arguments,
            distinct: false,
        }
    }

    /// As a sort key: ascending with `NULL` first, if nothing else was said.
    pub(crate) fn into_sort_order(self) -> SortOrder {
        match self {
            Self::SortOrder(order) => *order,
            child => SortOrder {
                child,
                descending: false,
                nulls_last: false,
            },
        }
    }

    /// The message `spark.connect.Expression`.
    pub(crate) fn to_message(&self) -> Message {
        let (field, kind) = self.kind();
        Message::new().message(field, kind)
    }

    /// The field of the message's `expr_type`, and what it holds.
    fn kind(&self) -> (u32, Message) {
        match self {
            Self::Literal(value) => (1, literal::message(value)),
            Self::Attribute { name } => (2, Message::new().string(1, name)),
            Self::Function {
                name,
                arguments,
                distinct,
            } => {
                let call = Message::new()
                    .string(1, name)
                    .messages(2, messages(arguments));
                (
                    3,
                    call.maybe(distinct.then_some(true), |call, yes| call.bool(3, yes)),
                )
            }
            Self::Sql(text) => (4, Message::new().string(1, text)),
            Self::Star { target } => (
                5,
                Message::new().maybe(target.as_ref(), |star, target| star.string(1, target)),
            ),
            Self::Alias { .. } => (6, self.alias_message()),
            Self::Cast {
                expression,
                to,
                or_null,
            } => {
                let cast = Message::new().message(1, expression.to_message());
                let cast = match to {
                    CastTo::Type(data_type) => cast.message(2, data_type.to_message()),
                    CastTo::Name(name) => cast.string(3, name),
                };
                (
                    7,
                    cast.maybe(or_null.then_some(3), |cast, mode| cast.int(4, mode)),
                )
            }
            Self::Regex(pattern) => (8, Message::new().string(1, pattern)),
            Self::SortOrder(order) => (9, order.to_message()),
            Self::Lambda { body, arguments } => {
                let variables = arguments.iter().map(|name| Message::new().string(1, name));
                (
                    10,
                    Message::new()
                        .message(1, body.to_message())
                        .messages(2, variables),
                )
            }
            Self::Window {
                function,
                partition,
                order,
                frame,
            } => {
                let window = Message::new()
                    .message(1, function.to_message())
                    .messages(2, messages(partition))
                    .messages(3, order.iter().map(SortOrder::to_message));
                (
                    11,
                    window.maybe(frame.as_ref(), |window, frame| {
                        window.message(4, bounds(frame))
                    }),
                )
            }
            Self::Extract { expression, key } => {
                let child = Message::new().message(1, expression.to_message());
                (12, child.message(2, key.to_message()))
            }
            Self::UpdateField {
                expression,
                name,
                value,
            } => {
                let field = Message::new()
                    .message(1, expression.to_message())
                    .string(2, name);
                let value = value.as_ref();
                (
                    13,
                    field.maybe(value, |field, value| field.message(3, value.to_message())),
                )
            }
            Self::Variable(name) => (14, Message::new().string(1, name)),
            Self::Call { name, arguments } => (
                16,
                Message::new()
                    .string(1, name)
                    .messages(2, messages(arguments)),
            ),
            Self::CaseWhen {
                branches,
                otherwise,
            } => {
                let branches = branches.iter().flat_map(|(when, then)| [when, then]);
                let arguments = branches.chain(otherwise.as_deref()).map(Self::to_message);
                (3, Message::new().string(1, "when").messages(2, arguments))
            }
        }
    }

    /// The message `spark.connect.Expression.Alias`, also for an expression without one.
    pub(crate) fn alias_message(&self) -> Message {
        match self {
            Self::Alias {
                expression,
                names,
                metadata,
            } => Message::new()
                .message(1, expression.to_message())
                .strings(2, names)
                .maybe(metadata.as_ref(), |alias, metadata| {
                    alias.string(3, metadata)
                }),
            other => Message::new().message(1, other.to_message()),
        }
    }
}

impl SortOrder {
    /// The message `spark.connect.Expression.SortOrder`.
    pub(crate) fn to_message(&self) -> Message {
        Message::new()
            .message(1, self.child.to_message())
            .int(2, if self.descending { 2 } else { 1 })
            .int(3, if self.nulls_last { 2 } else { 1 })
    }
}

/// The messages of several expressions.
pub(crate) fn messages(expressions: &[Expression]) -> impl Iterator<Item = Message> {
    expressions.iter().map(Expression::to_message)
}

fn bounds((kind, lower, upper): &(FrameType, FrameBound, FrameBound)) -> Message {
    let kind = match kind {
        FrameType::Row => 1,
        FrameType::Range => 2,
    };
    Message::new()
        .int(1, kind)
        .message(2, bound(*lower))
        .message(3, bound(*upper))
}

fn bound(bound: FrameBound) -> Message {
    let offset = |rows: i64| {
        let value = i32::try_from(rows).map_or(Value::Long(rows), Value::Integer);
        Message::new().message(3, Expression::Literal(value).to_message())
    };
    match bound {
        FrameBound::CurrentRow => Message::new().bool(1, true),
        FrameBound::UnboundedPreceding | FrameBound::UnboundedFollowing => {
            Message::new().bool(2, true)
        }
        FrameBound::Preceding(rows) => offset(rows.saturating_neg()),
        FrameBound::Following(rows) => offset(rows),
    }
}
