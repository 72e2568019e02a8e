//! Expressions as messages have them.

use datafusion::scalar::ScalarValue;

use super::literal::literal_of;
use super::types::type_of;
use super::{Reader, missing, not_supported};
use crate::connect::proto;
use crate::connect::proto::common_inline_user_defined_function::Function as InlineFunction;
use crate::connect::proto::expression::cast::{CastToType, EvalMode};
use crate::connect::proto::expression::sort_order::{NullOrdering, SortDirection};
use crate::connect::proto::expression::window::WindowFrame;
use crate::connect::proto::expression::window::window_frame::frame_boundary::Boundary;
use crate::connect::proto::expression::window::window_frame::{FrameBoundary, FrameType};
use crate::connect::proto::expression::{
    Cast as CastMessage, ExprType, LambdaFunction, SortOrder, UnresolvedFunction,
    UnresolvedNamedLambdaVariable, Window as WindowMessage,
};
use crate::connect::proto::subquery_expression::SubqueryType;
use crate::error::{Error, Result};
use crate::sql::{
    bare_call, bare_query, call, literal, parse_expression, parse_identifier, parse_type,
};
use crate::tree::{
    Bound, Case, Cast, Expression, Frame, FrameUnits, Lambda, Literal, Name, Over, SortKey, Star,
    Subquery, SubqueryKind, Window, WindowSpec,
};

impl<'a> Reader<'a> {
    /// An expression.
    pub(super) fn expression(&self, message: &'a proto::Expression) -> Result<Expression> {
        let Some(kind) = &message.expr_type else {
            return Err(Error::illegal_argument("an expression is empty"));
        };
        self.inside(|| self.expression_kind(kind))
    }

    fn expression_kind(&self, kind: &'a ExprType) -> Result<Expression> {
        match kind {
            ExprType::Literal(literal) => literal_of(literal),
            ExprType::UnresolvedAttribute(attribute) => {
                name_of(&attribute.unparsed_identifier, attribute.plan_id)
            }
            ExprType::UnresolvedStar(star) => {
                let target = star.unparsed_target.as_deref().unwrap_or("*");
                star_of(target, star.plan_id)
            }
            ExprType::UnresolvedRegex(regex) => {
                let pattern = regex.col_name.trim_matches('`');
                Ok(Expression::Matching(pattern.to_string()))
            }
            ExprType::UnresolvedFunction(function) => self.function(function),
            ExprType::CallFunction(function) => {
                self.call(&function.function_name, &function.arguments, false)
            }
            ExprType::CommonInlineUserDefinedFunction(function)
                if matches!(function.function, Some(InlineFunction::PythonUdf(_))) =>
            {
                let inline = self.inline.ok_or_else(|| {
                    Error::analysis("a function of Python cannot stand here")
                        .with_condition("UNSUPPORTED_FEATURE.PYTHON_UDF")
                })?;
                let name = inline.name_of(function)?;
                let call = bare_call(&name, self.expressions(&function.arguments)?, None);
                Ok(Expression::Call(Box::new(call)))
            }
            ExprType::CommonInlineUserDefinedFunction(function) => self.call(
                &function.function_name,
                &function.arguments,
                function.is_distinct,
            ),
            ExprType::ExpressionString(text) => parse_expression(&text.expression),
            ExprType::Alias(alias) if alias.name.is_empty() => {
                Err(Error::analysis("an alias needs a name"))
            }
            ExprType::Alias(alias) => Ok(Expression::Alias {
                expression: Box::new(self.part(alias.expr.as_deref(), "an alias's expression")?),
                names: alias.name.clone(),
            }),
            ExprType::Cast(cast) => self.cast(cast),
            ExprType::Window(window) => self.over(window),
            ExprType::LambdaFunction(lambda) => self.lambda(lambda),
            ExprType::UnresolvedNamedLambdaVariable(variable) => variable_of(variable),
            ExprType::UnresolvedExtractValue(extract) => Ok(Expression::Item {
                of: Box::new(self.part(extract.child.as_deref(), "what an item is taken of")?),
                key: Box::new(self.part(extract.extraction.as_deref(), "an item's key")?),
            }),
            ExprType::UpdateFields(update) => {
                let value = update.value_expression.as_deref();
                let value = value.map(|value| self.expression(value)).transpose()?;
                let of = self.part(update.struct_expression.as_deref(), "the struct to change")?;
                Ok(Expression::UpdateFields {
                    of: Box::new(of),
                    name: update.field_name.clone(),
                    value: value.map(Box::new),
                })
            }
            ExprType::NamedArgumentExpression(argument) => Ok(Expression::Argument {
                name: argument.key.clone(),
                value: Box::new(self.part(argument.value.as_deref(), "an argument's value")?),
            }),
            ExprType::SubqueryExpression(subquery) => self.subquery(subquery),
            ExprType::SortOrder(_) => Err(Error::analysis("a sort order can stand only in a sort")),
            other => Err(not_supported("expression", other)),
        }
    }

    /// Expressions in their order.
    pub(super) fn expressions(&self, messages: &'a [proto::Expression]) -> Result<Vec<Expression>> {
        messages
            .iter()
            .map(|message| self.expression(message))
            .collect()
    }

    /// An expression that must be there.
    pub(super) fn part(
        &self,
        message: Option<&'a proto::Expression>,
        what: &str,
    ) -> Result<Expression> {
        self.expression(message.ok_or_else(|| missing(what))?)
    }

    /// A sort key.
    pub(super) fn sort_key(&self, order: &'a SortOrder) -> Result<SortKey> {
        let ascending = order.direction() != SortDirection::Descending;
        let nulls_first = match order.null_ordering() {
            NullOrdering::SortNullsUnspecified => ascending,
            other => other == NullOrdering::SortNullsFirst,
        };
        let expression = self.part(order.child.as_deref(), "a sort's expression")?;
        Ok(SortKey {
            expression,
            ascending,
            nulls_first,
        })
    }

    /// A function or an operator.
    fn function(&self, function: &'a UnresolvedFunction) -> Result<Expression> {
        let name = function.function_name.to_lowercase();
        let mut arguments = self.expressions(&function.arguments)?;
        if name == "when" && arguments.len() >= 2 {
            return Ok(case_of(arguments));
        }
        if name == "count" && arguments.is_empty() {
            arguments.push(star_of("*", None)?);
        }
        let name = match (name.as_str(), arguments.len()) {
            ("==", _) => "=",
            ("<>", _) => "!=",
            ("!", 1) => "not",
            ("-", 1) => "negative",
            ("+", 1) => "positive",
            ("||", _) => "concat",
            ("bitwisenot", 1) => "~",
            (name, _) => name,
        };
        let mut call = bare_call(name, arguments, None);
        call.distinct = function.is_distinct;
        Ok(Expression::Call(Box::new(call)))
    }

    /// A call by a function's own name, which is none of an operator.
    pub(super) fn call(
        &self,
        name: &str,
        arguments: &'a [proto::Expression],
        distinct: bool,
    ) -> Result<Expression> {
        let name = name.replace('`', "").to_lowercase();
        let mut call = bare_call(&name, self.expressions(arguments)?, None);
        call.distinct = distinct;
        Ok(Expression::Call(Box::new(call)))
    }

    fn cast(&self, cast: &'a CastMessage) -> Result<Expression> {
        let expression = self.part(cast.expr.as_deref(), "a cast's expression")?;
        let to = match &cast.cast_to_type {
            Some(CastToType::TypeStr(text)) => parse_type(text)?,
            Some(CastToType::Type(data_type)) => type_of(data_type)?,
            None => return Err(missing("a cast's type")),
        };
        let lenient = cast.eval_mode() == EvalMode::Try;
        Ok(Expression::Cast(Box::new(Cast {
            expression,
            to,
            lenient,
        })))
    }

    fn lambda(&self, lambda: &'a LambdaFunction) -> Result<Expression> {
        let parameters = lambda.arguments.iter().map(|variable| {
            let name = variable.name_parts.first().cloned();
            name.ok_or_else(|| missing("a lambda variable's name"))
        });
        let parameters = parameters.collect::<Result<_>>()?;
        let body = self.part(lambda.function.as_deref(), "a lambda's body")?;
        Ok(Expression::Lambda(Box::new(Lambda { parameters, body })))
    }

    fn over(&self, window: &'a WindowMessage) -> Result<Expression> {
        let call = self.part(window.window_function.as_deref(), "a window's function")?;
        if !matches!(call, Expression::Call(_)) {
            return Err(Error::analysis(
                "only a function can be computed over a window",
            ));
        }
        let order_by = window.order_spec.iter().map(|order| self.sort_key(order));
        let frame = window.frame_spec.as_deref().map(|frame| self.frame(frame));
        let window = Window::Spec(Box::new(WindowSpec {
            base: None,
            partition_by: self.expressions(&window.partition_spec)?,
            order_by: order_by.collect::<Result<_>>()?,
            frame: frame.transpose()?,
        }));
        Ok(Expression::Over(Box::new(Over { call, window })))
    }

    fn frame(&self, frame: &'a WindowFrame) -> Result<Frame> {
        Ok(Frame {
            units: match frame.frame_type() {
                FrameType::Range => FrameUnits::Range,
                FrameType::Row | FrameType::Undefined => FrameUnits::Rows,
            },
            start: self.bound(frame.lower.as_deref(), Bound::UnboundedPreceding)?,
            end: self.bound(frame.upper.as_deref(), Bound::UnboundedFollowing)?,
        })
    }

    /// A frame's end; `unbounded` is what it is without one.
    fn bound(&self, boundary: Option<&'a FrameBoundary>, unbounded: Bound) -> Result<Bound> {
        let boundary = boundary.and_then(|boundary| boundary.boundary.as_ref());
        Ok(
            match boundary.ok_or_else(|| missing("a frame's boundary"))? {
                Boundary::CurrentRow(_) => Bound::CurrentRow,
                Boundary::Unbounded(_) => unbounded,
                Boundary::Value(value) => distance_of(self.expression(value)?),
            },
        )
    }

    fn subquery(&self, subquery: &'a proto::SubqueryExpression) -> Result<Expression> {
        let kind = match subquery.subquery_type() {
            SubqueryType::Scalar => SubqueryKind::Scalar,
            SubqueryType::Exists => SubqueryKind::Exists,
            SubqueryType::In => SubqueryKind::In(self.expressions(&subquery.in_subquery_values)?),
            other => return Err(not_supported("subquery", &other)),
        };
        let found = self.references.iter().find(|relation| {
            let common = relation.common.as_ref();
            common.and_then(|common| common.plan_id) == Some(subquery.plan_id)
        });
        let found = found.ok_or_else(|| missing("a subquery's relation"))?;
        let query = bare_query(self.relation(found)?);
        Ok(Expression::Subquery(Box::new(Subquery { kind, query })))
    }
}

/// `a.b`, `t.*`.
fn name_of(text: &str, plan_id: Option<i64>) -> Result<Expression> {
    if text == "*" || text.ends_with(".*") {
        return star_of(text, plan_id);
    }
    let parts = parse_identifier(text)?;
    Ok(Expression::Name(Name {
        parts,
        plan_id,
        place: None,
    }))
}

/// `*`, `t.*`.
fn star_of(text: &str, plan_id: Option<i64>) -> Result<Expression> {
    let of = match text.strip_suffix(".*") {
        Some(of) => parse_identifier(of)?,
        None => Vec::new(),
    };
    let (except, place) = (Vec::new(), None);
    Ok(Expression::Star(Star {
        of,
        except,
        plan_id,
        place,
    }))
}

fn variable_of(variable: &UnresolvedNamedLambdaVariable) -> Result<Expression> {
    if variable.name_parts.is_empty() {
        return Err(missing("a lambda variable's name"));
    }
    let parts = variable.name_parts.clone();
    Ok(Expression::Name(Name {
        parts,
        plan_id: None,
        place: None,
    }))
}

/// Conditions and values in turn, and perhaps a last value.
fn case_of(arguments: Vec<Expression>) -> Expression {
    let mut branches = Vec::new();
    let mut rest = arguments.into_iter();
    let mut otherwise = None;
    while let Some(when) = rest.next() {
        match rest.next() {
            Some(then) => branches.push((when, then)),
            None => otherwise = Some(when),
        }
    }
    Expression::Case(Box::new(Case {
        operand: None,
        branches,
        otherwise,
    }))
}

/// A bound so far away; a negative distance is one backwards.
fn distance_of(value: Expression) -> Bound {
    match value {
        Expression::Call(mut negative) if negative.name == "negative" => {
            match negative.arguments.pop() {
                Some(distance) => Bound::Preceding(distance),
                None => Bound::CurrentRow,
            }
        }
        Expression::Literal(Literal { value, shown }) => match sign_of(&value) {
            Some(0) => Bound::CurrentRow,
            Some(-1) => match value.arithmetic_negate() {
                Ok(value) => Bound::Preceding(literal(value)),
                Err(_) => {
                    let value = Expression::Literal(Literal { value, shown });
                    Bound::Preceding(call("negative", vec![value]))
                }
            },
            _ => Bound::Following(Expression::Literal(Literal { value, shown })),
        },
        value => Bound::Following(value),
    }
}

fn sign_of(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int8(Some(number)) => Some(i64::from(number.signum())),
        ScalarValue::Int16(Some(number)) => Some(i64::from(number.signum())),
        ScalarValue::Int32(Some(number)) => Some(i64::from(number.signum())),
        ScalarValue::Int64(Some(number)) => Some(number.signum()),
        ScalarValue::DurationMicrosecond(Some(number)) => Some(number.signum()),
        ScalarValue::Float64(Some(number)) if *number < 0.0 => Some(-1),
        _ => None,
    }
}
