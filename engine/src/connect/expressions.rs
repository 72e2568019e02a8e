//! `spark.connect.Expression` to DataFusion's `Expr`.

use std::sync::Arc;

use datafusion::common::{Column, DFSchema};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::expr::{AggregateFunction, Sort};
use datafusion::logical_expr::{Expr, Operator, binary_expr, lit, not};
use datafusion::scalar::ScalarValue;

use super::column_names::column_name;
use super::proto::expression::cast::CastToType;
use super::proto::expression::literal::LiteralType;
use super::proto::expression::sort_order::{NullOrdering, SortDirection};
use super::proto::expression::{ExprType, Literal, SortOrder, UnresolvedFunction};
use super::proto::{Expression, data_type};
use super::sql_names::resolve_expression;
use super::types::{TIME_ZONE, parse_type};
use crate::error::{Error, Result};
use crate::error::{from_datafusion, unresolved_column};

/// Resolves expressions against the columns of one relation.
pub(super) struct ExpressionPlanner<'a> {
    pub(super) session: &'a SessionState,
    pub(super) schema: &'a DFSchema,
}

impl ExpressionPlanner<'_> {
    /// One expression. A star is refused here; see [`Self::plan_list`].
    pub(super) fn plan(&self, expression: &Expression) -> Result<Expr> {
        let Some(kind) = &expression.expr_type else {
            return Err(Error::illegal_argument("an expression is empty"));
        };
        match kind {
            ExprType::Literal(literal) => Ok(Expr::Literal(literal_value(literal)?, None)),
            ExprType::UnresolvedAttribute(attribute) => self.column(&attribute.unparsed_identifier),
            ExprType::UnresolvedFunction(call) => self.function(call),
            ExprType::CallFunction(call) => {
                self.registered(&call.function_name, &call.arguments, false)
            }
            ExprType::CommonInlineUserDefinedFunction(call) => {
                self.registered(&call.function_name, &call.arguments, call.is_distinct)
            }
            ExprType::ExpressionString(text) => self.sql(&text.expression),
            ExprType::Alias(alias) => {
                let inner = alias.expr.as_deref().map(|inner| self.plan(inner));
                let inner = inner.unwrap_or_else(|| Err(missing("an alias's expression")))?;
                match alias.name.as_slice() {
                    [name] => Ok(inner.alias(name)),
                    _ => Err(Error::analysis("an alias needs exactly one name")),
                }
            }
            ExprType::Cast(cast) => {
                let inner = cast.expr.as_deref().map(|inner| self.plan(inner));
                let inner = inner.unwrap_or_else(|| Err(missing("a cast's expression")))?;
                let data_type = match &cast.cast_to_type {
                    Some(CastToType::TypeStr(text)) => parse_type(text)?,
                    Some(CastToType::Type(data_type)) => simple_type(data_type)?,
                    None => return Err(missing("a cast's type")),
                };
                Ok(datafusion::logical_expr::cast(inner, data_type))
            }
            ExprType::SortOrder(_) => Err(Error::analysis("a sort order can stand only in a sort")),
            other => Err(Error::analysis(format!(
                "the expression {} is not supported in this version",
                variant_name(other)
            ))),
        }
    }

    /// A select list: stars become the columns they stand for.
    pub(super) fn plan_list(&self, expressions: &[Expression]) -> Result<Vec<Expr>> {
        let mut planned = Vec::new();
        for expression in expressions {
            if is_star(expression) {
                planned.extend(self.all_columns());
            } else {
                planned.push(named(self.plan(expression)?, &column_name(expression)));
            }
        }
        Ok(planned)
    }

    /// The arguments of a function, in which a star stands for all columns too.
    fn arguments(&self, expressions: &[Expression]) -> Result<Vec<Expr>> {
        let mut planned = Vec::new();
        for expression in expressions {
            if is_star(expression) {
                planned.extend(self.all_columns());
            } else {
                planned.push(self.plan(expression)?);
            }
        }
        Ok(planned)
    }

    fn all_columns(&self) -> impl Iterator<Item = Expr> {
        self.schema.columns().into_iter().map(Expr::Column)
    }

    /// An expression written in SQL.
    fn sql(&self, text: &str) -> Result<Expr> {
        let columns = self.schema.fields().iter();
        let columns = columns.map(|field| field.name().as_str());
        self.session
            .create_logical_expr_from_sql_expr(resolve_expression(text, columns)?, self.schema)
            .map_err(from_datafusion)
    }

    /// A sort key.
    pub(super) fn sort(&self, order: &SortOrder) -> Result<Sort> {
        let child = order.child.as_deref().map(|child| self.plan(child));
        let child = child.unwrap_or_else(|| Err(missing("a sort's expression")))?;
        let ascending = order.direction() != SortDirection::Descending;
        let nulls_first = match order.null_ordering() {
            NullOrdering::SortNullsUnspecified => ascending,
            other => other == NullOrdering::SortNullsFirst,
        };
        Ok(child.sort(ascending, nulls_first))
    }

    /// A column by name, whatever its case; `a.b` is column b of relation a, or field b of column a.
    pub(super) fn column(&self, identifier: &str) -> Result<Expr> {
        let name = identifier.replace('`', "");
        let find = |qualifier: Option<&str>, name: &str| {
            self.schema.iter().find(|(table, field)| {
                field.name().eq_ignore_ascii_case(name)
                    && qualifier.is_none_or(|qualifier| {
                        table.is_some_and(|table| table.table().eq_ignore_ascii_case(qualifier))
                    })
            })
        };
        let found = find(None, &name).or_else(|| {
            let (qualifier, name) = name.rsplit_once('.')?;
            find(Some(qualifier), name)
        });
        if let Some((qualifier, field)) = found {
            return Ok(Expr::Column(Column::new(qualifier.cloned(), field.name())));
        }
        if let Some((outer, field)) = name.split_once('.')
            && find(None, outer).is_some()
        {
            return self.call("get_field", vec![self.column(outer)?, lit(field)], false);
        }
        let names: Vec<&str> = self
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        Err(unresolved_column(&name, &names))
    }

    fn function(&self, call: &UnresolvedFunction) -> Result<Expr> {
        let name = call.function_name.to_ascii_lowercase();
        if name == "count" && is_star_or_one(&call.arguments) {
            return self.call("count", vec![lit(1_i64)], call.is_distinct);
        }
        let arguments = self.arguments(&call.arguments)?;
        if let Some(operator) = operator(&name)
            && let [left, right] = arguments.as_slice()
        {
            return Ok(binary_expr(left.clone(), operator, right.clone()));
        }
        match (name.as_str(), arguments.as_slice()) {
            ("/", [_, _]) => self.call("spark_divide", arguments, false),
            ("div", [_, _]) => self.call("spark_div", arguments, false),
            ("not" | "!", [inner]) => Ok(not(inner.clone())),
            ("negative" | "-", [inner]) => Ok(Expr::Negative(Box::new(inner.clone()))),
            ("isnull", [inner]) => Ok(inner.clone().is_null()),
            ("isnotnull", [inner]) => Ok(inner.clone().is_not_null()),
            ("in", [inner, list @ ..]) => Ok(inner.clone().in_list(list.to_vec(), false)),
            ("like", [text, pattern]) => Ok(text.clone().like(pattern.clone())),
            ("when", [first, then, ..]) => {
                let mut builder = case_when(first.clone(), then.clone());
                let mut rest = arguments[2..].chunks_exact(2);
                for pair in &mut rest {
                    builder = builder.when(pair[0].clone(), pair[1].clone());
                }
                match rest.remainder() {
                    [otherwise] => builder.otherwise(otherwise.clone()),
                    _ => builder.end(),
                }
                .map_err(from_datafusion)
            }
            _ => self.call(&name, arguments, call.is_distinct),
        }
    }

    /// A call by a function's own name, which is none of an operator.
    fn registered(&self, name: &str, arguments: &[Expression], distinct: bool) -> Result<Expr> {
        let name = name.replace('`', "").to_lowercase();
        self.call(&name, self.arguments(arguments)?, distinct)
    }

    fn call(&self, name: &str, arguments: Vec<Expr>, distinct: bool) -> Result<Expr> {
        if let Ok(function) = self.session.udf(name) {
            return Ok(function.call(arguments));
        }
        if let Ok(function) = self.session.udaf(name) {
            return Ok(Expr::AggregateFunction(AggregateFunction::new_udf(
                Arc::clone(&function),
                arguments,
                distinct,
                None,
                Vec::new(),
                None,
            )));
        }
        let known = self.session.udfs().into_iter().chain(self.session.udafs());
        let known: Vec<String> = known.collect();
        let error = Error::analysis(format!("function '{name}' does not exist"))
            .with_condition("UNRESOLVED_ROUTINE");
        Err(
            match crate::options::nearest(name, known.iter().map(String::as_str)) {
                Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                None => error,
            },
        )
    }
}

/// The value under its name. A column of that name keeps its table's name too.
fn named(value: Expr, name: &str) -> Expr {
    match value {
        Expr::Column(column) if column.name == name => Expr::Column(column),
        other if name.is_empty() => other,
        other => other.unalias().alias(name),
    }
}

fn case_when(
    condition: Expr,
    then: Expr,
) -> datafusion::logical_expr::conditional_expressions::CaseBuilder {
    datafusion::logical_expr::when(condition, then)
}

/// Whether an expression stands for all columns.
pub(super) fn is_star(expression: &Expression) -> bool {
    match &expression.expr_type {
        Some(ExprType::UnresolvedStar(_)) => true,
        Some(ExprType::ExpressionString(text)) => text.expression.trim() == "*",
        _ => false,
    }
}

fn is_star_or_one(arguments: &[Expression]) -> bool {
    match arguments {
        [] => true,
        [one] if is_star(one) => true,
        [one] => match &one.expr_type {
            Some(ExprType::Literal(literal)) => matches!(
                literal.literal_type,
                Some(LiteralType::Integer(_) | LiteralType::Long(_))
            ),
            _ => false,
        },
        _ => false,
    }
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "==" | "=" => Operator::Eq,
        "!=" | "<>" => Operator::NotEq,
        "<" => Operator::Lt,
        "<=" => Operator::LtEq,
        ">" => Operator::Gt,
        ">=" => Operator::GtEq,
        "<=>" => Operator::IsNotDistinctFrom,
        "+" => Operator::Plus,
        "-" => Operator::Minus,
        "*" => Operator::Multiply,
        "%" => Operator::Modulo,
        "and" => Operator::And,
        "or" => Operator::Or,
        _ => return None,
    })
}

/// The value of a literal.
pub(super) fn literal_value(literal: &Literal) -> Result<ScalarValue> {
    let Some(value) = &literal.literal_type else {
        return Err(missing("a literal's value"));
    };
    Ok(match value {
        LiteralType::Null(_) => ScalarValue::Null,
        LiteralType::Binary(bytes) => ScalarValue::Binary(Some(bytes.to_vec())),
        LiteralType::Boolean(value) => ScalarValue::Boolean(Some(*value)),
        LiteralType::Byte(value) => ScalarValue::Int8(Some(*value as i8)),
        LiteralType::Short(value) => ScalarValue::Int16(Some(*value as i16)),
        LiteralType::Integer(value) => ScalarValue::Int32(Some(*value)),
        LiteralType::Long(value) => ScalarValue::Int64(Some(*value)),
        LiteralType::Float(value) => ScalarValue::Float32(Some(*value)),
        LiteralType::Double(value) => ScalarValue::Float64(Some(*value)),
        LiteralType::String(value) => ScalarValue::Utf8(Some(value.clone())),
        LiteralType::Date(days) => ScalarValue::Date32(Some(*days)),
        LiteralType::Timestamp(us) => {
            ScalarValue::TimestampMicrosecond(Some(*us), Some(TIME_ZONE.into()))
        }
        LiteralType::TimestampNtz(us) => ScalarValue::TimestampMicrosecond(Some(*us), None),
        _ => {
            return Err(Error::analysis(
                "this kind of literal is not supported in this version",
            ));
        }
    })
}

fn simple_type(data_type: &super::proto::DataType) -> Result<arrow::datatypes::DataType> {
    use data_type::Kind;
    let text = match &data_type.kind {
        Some(Kind::Boolean(_)) => "boolean",
        Some(Kind::Byte(_)) => "tinyint",
        Some(Kind::Short(_)) => "smallint",
        Some(Kind::Integer(_)) => "int",
        Some(Kind::Long(_)) => "bigint",
        Some(Kind::Float(_)) => "float",
        Some(Kind::Double(_)) => "double",
        Some(Kind::String(_)) => "string",
        Some(Kind::Binary(_)) => "binary",
        Some(Kind::Date(_)) => "date",
        Some(Kind::Timestamp(_)) => "timestamp",
        Some(Kind::TimestampNtz(_)) => "timestamp_ntz",
        _ => {
            return Err(Error::analysis(
                "this type is not supported in a cast in this version",
            ));
        }
    };
    parse_type(text)
}

fn variant_name(kind: &ExprType) -> String {
    let text = format!("{kind:?}");
    text.split(['(', ' ', '{'])
        .next()
        .unwrap_or_default()
        .to_string()
}

pub(super) fn missing(what: &str) -> Error {
    Error::illegal_argument(format!("{what} is missing"))
}
