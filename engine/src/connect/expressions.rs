//! `spark.connect.Expression` to DataFusion's `Expr`, by way of SQL's syntax tree: names, functions
//! and operators mean the same wherever an expression was written.

use chrono::DateTime;
use datafusion::common::DFSchema;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Sort;
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DuplicateTreatment, Expr as SqlExpr, ExprWithAlias,
    FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, UnaryOperator, Value,
};

use super::lambdas::{lambda_sql, variable_sql};
use super::literals::settle_expression;
use super::over::over_sql;
use super::proto::Expression;
use super::proto::expression::cast::{CastToType, EvalMode};
use super::proto::expression::literal::LiteralType;
use super::proto::expression::sort_order::{NullOrdering, SortDirection};
use super::proto::expression::{Cast, ExprType, Literal, SortOrder, UnresolvedFunction};
use super::proto_types::sql_type;
use super::sql::parse_expression;
use super::sql_columns::column_name;
use super::sql_names::{call, resolve_expression};
use super::types::parse_sql_type;
use crate::error::from_datafusion;
use crate::error::{Error, Result};

/// Resolves expressions against the columns of one relation.
pub(super) struct ExpressionPlanner<'a> {
    pub(super) session: &'a SessionState,
    pub(super) schema: &'a DFSchema,
}

impl ExpressionPlanner<'_> {
    /// One expression. A star is refused here; see [`Self::plan_list`].
    pub(super) fn plan(&self, expression: &Expression) -> Result<Expr> {
        let (sql, name) = with_name(expression)?;
        let expr = self.plan_sql(sql)?;
        Ok(match name {
            Some(name) => expr.alias(name),
            None => expr,
        })
    }

    /// A select list under Spark's names: stars become the columns they stand for.
    pub(super) fn plan_list(&self, expressions: &[Expression]) -> Result<Vec<Expr>> {
        let mut planned = Vec::new();
        for expression in expressions {
            if is_star(expression) {
                planned.extend(self.schema.columns().into_iter().map(Expr::Column));
                continue;
            }
            let (sql, name) = with_name(expression)?;
            let name = name.unwrap_or_else(|| column_name(&sql));
            planned.push(match self.plan_sql(sql)? {
                // A column keeps its table's name if it can.
                Expr::Column(column) if column.name == name => Expr::Column(column),
                other => other.unalias().alias(name),
            });
        }
        Ok(planned)
    }

    /// A sort key.
    pub(super) fn sort(&self, order: &SortOrder) -> Result<Sort> {
        let child = order.child.as_deref().map(|child| self.plan(child));
        let child = child.unwrap_or_else(|| Err(missing("a sort's expression")))?;
        let (ascending, nulls_first) = sort_options(order);
        Ok(child.sort(ascending, nulls_first))
    }

    fn plan_sql(&self, mut sql: SqlExpr) -> Result<Expr> {
        resolve_expression(self.schema, &mut sql);
        let sql = ExprWithAlias {
            expr: sql,
            alias: None,
        };
        let planned = self
            .session
            .create_logical_expr_from_sql_expr(sql, self.schema);
        settle_expression(planned.map_err(from_datafusion)?, self.schema)
    }
}

/// An expression, and the name it was given.
fn with_name(expression: &Expression) -> Result<(SqlExpr, Option<String>)> {
    match &expression.expr_type {
        Some(ExprType::Alias(alias)) => {
            let inner = alias.expr.as_deref();
            let inner = inner.ok_or_else(|| missing("an alias's expression"))?;
            match alias.name.as_slice() {
                [name] => Ok((sql_of(inner)?, Some(name.clone()))),
                _ => Err(Error::analysis("an alias needs exactly one name")),
            }
        }
        Some(ExprType::ExpressionString(text)) => parse_expression(&text.expression),
        _ => Ok((sql_of(expression)?, None)),
    }
}

/// Whether a sort is ascending, and whether NULL comes first.
pub(super) fn sort_options(order: &SortOrder) -> (bool, bool) {
    let ascending = order.direction() != SortDirection::Descending;
    let nulls_first = match order.null_ordering() {
        NullOrdering::SortNullsUnspecified => ascending,
        other => other == NullOrdering::SortNullsFirst,
    };
    (ascending, nulls_first)
}

/// An expression as SQL's syntax tree has it.
pub(super) fn sql_of(expression: &Expression) -> Result<SqlExpr> {
    let Some(kind) = &expression.expr_type else {
        return Err(Error::illegal_argument("an expression is empty"));
    };
    match kind {
        ExprType::Literal(literal) => literal_sql(literal),
        ExprType::UnresolvedAttribute(attribute) => {
            Ok(attribute_sql(&attribute.unparsed_identifier))
        }
        ExprType::UnresolvedFunction(function) => function_sql(function),
        ExprType::CallFunction(function) => {
            registered_sql(&function.function_name, &function.arguments, false)
        }
        ExprType::CommonInlineUserDefinedFunction(function) => {
            let (name, arguments) = (&function.function_name, &function.arguments);
            registered_sql(name, arguments, function.is_distinct)
        }
        ExprType::Cast(cast) => cast_sql(cast),
        ExprType::Window(window) => over_sql(window),
        ExprType::LambdaFunction(lambda) => lambda_sql(lambda),
        ExprType::UnresolvedNamedLambdaVariable(variable) => variable_sql(variable),
        ExprType::ExpressionString(_) | ExprType::Alias(_) => Ok(match with_name(expression)? {
            (expr, Some(name)) => SqlExpr::Named {
                expr: Box::new(expr),
                name: Ident::with_quote('`', name),
            },
            (expr, None) => expr,
        }),
        ExprType::SortOrder(_) => Err(Error::analysis("a sort order can stand only in a sort")),
        other => Err(Error::analysis(format!(
            "the expression {} is not supported in this version",
            variant_name(other)
        ))),
    }
}

/// `a.b` is field b of column a, or column b of relation a; backticks keep a dot in a name.
fn attribute_sql(identifier: &str) -> SqlExpr {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for char in identifier.chars() {
        match char {
            '`' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            char => parts
                .iter_mut()
                .last()
                .into_iter()
                .for_each(|part| part.push(char)),
        }
    }
    let mut parts: Vec<Ident> = parts
        .into_iter()
        .map(|part| Ident::with_quote('`', part))
        .collect();
    if parts.len() == 1 {
        return SqlExpr::Identifier(parts.swap_remove(0));
    }
    // Names of relations are in lower case, whatever the case they are written in.
    parts[0].value = parts[0].value.to_lowercase();
    SqlExpr::CompoundIdentifier(parts)
}

fn function_sql(function: &UnresolvedFunction) -> Result<SqlExpr> {
    let name = function.function_name.to_ascii_lowercase();
    if name == "count" && is_star_or_one(&function.arguments) {
        return call_sql(
            "count",
            vec![FunctionArgExpr::Wildcard],
            function.is_distinct,
        );
    }
    let arguments = function.arguments.iter().map(sql_of);
    let mut arguments = arguments.collect::<Result<Vec<_>>>()?;
    let boxed = |expr: &SqlExpr| Box::new(expr.clone());
    if let (Some(op), [left, right]) = (operator(&name), arguments.as_slice()) {
        return Ok(SqlExpr::Nested(Box::new(SqlExpr::BinaryOp {
            left: boxed(left),
            op,
            right: boxed(right),
        })));
    }
    Ok(match (name.as_str(), arguments.as_slice()) {
        ("not" | "!", [inner]) => SqlExpr::UnaryOp {
            op: UnaryOperator::Not,
            expr: boxed(inner),
        },
        ("negative" | "-", [inner]) => SqlExpr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: boxed(inner),
        },
        ("isnull", [inner]) => SqlExpr::IsNull(boxed(inner)),
        ("isnotnull", [inner]) => SqlExpr::IsNotNull(boxed(inner)),
        ("in", [_, _, ..]) => {
            let expr = Box::new(arguments.remove(0));
            SqlExpr::InList {
                expr,
                list: arguments,
                negated: false,
            }
        }
        ("like", [text, pattern]) => SqlExpr::Like {
            negated: false,
            any: false,
            expr: boxed(text),
            pattern: boxed(pattern),
            escape_char: None,
        },
        ("struct", [_, ..]) => SqlExpr::Struct {
            values: arguments,
            fields: Vec::new(),
        },
        ("when", [_, _, ..]) => case_sql(&arguments),
        _ => {
            let arguments = arguments.into_iter().map(FunctionArgExpr::Expr);
            return call_sql(&name, arguments.collect(), function.is_distinct);
        }
    })
}

/// A call by a function's own name, which is none of an operator.
fn registered_sql(name: &str, arguments: &[Expression], distinct: bool) -> Result<SqlExpr> {
    let arguments = arguments.iter().map(|argument| {
        Ok(if is_star(argument) {
            FunctionArgExpr::Wildcard
        } else {
            FunctionArgExpr::Expr(sql_of(argument)?)
        })
    });
    call_sql(
        &name.replace('`', ""),
        arguments.collect::<Result<_>>()?,
        distinct,
    )
}

fn call_sql(name: &str, arguments: Vec<FunctionArgExpr>, distinct: bool) -> Result<SqlExpr> {
    let Some(SqlExpr::Function(mut function)) = call("f", Vec::new()) else {
        return Err(Error::internal("a call cannot be written as SQL"));
    };
    let name = name.to_lowercase();
    let is_word = name
        .chars()
        .all(|char| char.is_alphanumeric() || char == '_');
    let name = match is_word {
        true => Ident::new(name),
        false => Ident::with_quote('`', name),
    };
    function.name = ObjectName::from(vec![name]);
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = arguments.into_iter().map(FunctionArg::Unnamed).collect();
        list.duplicate_treatment = distinct.then_some(DuplicateTreatment::Distinct);
    }
    Ok(SqlExpr::Function(function))
}

fn case_sql(arguments: &[SqlExpr]) -> SqlExpr {
    let pairs = arguments.chunks_exact(2);
    let otherwise = pairs.remainder().first();
    SqlExpr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        else_result: otherwise.map(|expr| Box::new(expr.clone())),
        conditions: pairs
            .map(|pair| CaseWhen {
                condition: pair[0].clone(),
                result: pair[1].clone(),
            })
            .collect(),
    }
}

/// Whether an expression stands for all columns.
fn is_star(expression: &Expression) -> bool {
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

fn operator(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "==" | "=" => BinaryOperator::Eq,
        "!=" | "<>" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        "<=>" => BinaryOperator::Spaceship,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "div" => BinaryOperator::MyIntegerDivide,
        "%" => BinaryOperator::Modulo,
        "and" => BinaryOperator::And,
        "or" => BinaryOperator::Or,
        _ => return None,
    })
}

fn literal_sql(literal: &Literal) -> Result<SqlExpr> {
    let Some(value) = &literal.literal_type else {
        return Err(missing("a literal's value"));
    };
    let number = |number: String, data_type: &str| format!("CAST('{number}' AS {data_type})");
    let time = |us: i64| {
        let time = DateTime::from_timestamp_micros(us);
        time.map(|time| time.naive_utc().to_string())
            .ok_or_else(|| Error::illegal_argument(format!("{us} is not a time")))
    };
    let sql = match value {
        LiteralType::String(text) => {
            return Ok(SqlExpr::value(Value::SingleQuotedString(text.clone())));
        }
        LiteralType::Null(_) => "NULL".to_string(),
        LiteralType::Binary(bytes) => {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("X'{}'", digits.concat())
        }
        LiteralType::Boolean(value) => value.to_string(),
        LiteralType::Byte(value) => format!("{value}Y"),
        LiteralType::Short(value) => format!("{value}S"),
        LiteralType::Integer(value) => value.to_string(),
        LiteralType::Long(value) => format!("{value}L"),
        LiteralType::Float(value) if value.is_finite() => format!("{value}F"),
        LiteralType::Float(value) => number(value.to_string(), "FLOAT"),
        LiteralType::Double(value) if value.is_finite() => format!("{value}D"),
        LiteralType::Double(value) => number(value.to_string(), "DOUBLE"),
        LiteralType::Decimal(decimal) => {
            let (precision, scale) = (decimal.precision(), decimal.scale());
            number(
                decimal.value.clone(),
                &format!("DECIMAL({precision}, {scale})"),
            )
        }
        LiteralType::Date(days) => {
            let midnight = time(i64::from(*days) * 86_400_000_000)?;
            format!("DATE '{}'", midnight.split(' ').next().unwrap_or_default())
        }
        LiteralType::Timestamp(us) => format!("TIMESTAMP '{}'", time(*us)?),
        LiteralType::TimestampNtz(us) => format!("TIMESTAMP_NTZ '{}'", time(*us)?),
        _ => {
            return Err(Error::analysis(
                "this kind of literal is not supported in this version",
            ));
        }
    };
    Ok(parse_expression(&sql)?.0)
}

fn cast_sql(cast: &Cast) -> Result<SqlExpr> {
    let inner = cast.expr.as_deref().map(sql_of);
    let inner = inner.unwrap_or_else(|| Err(missing("a cast's expression")))?;
    let data_type = match &cast.cast_to_type {
        Some(CastToType::TypeStr(text)) => parse_sql_type(text)?,
        Some(CastToType::Type(data_type)) => sql_type(data_type)?,
        None => return Err(missing("a cast's type")),
    };
    Ok(SqlExpr::Cast {
        kind: match cast.eval_mode() {
            EvalMode::Try => CastKind::TryCast,
            _ => CastKind::Cast,
        },
        expr: Box::new(inner),
        data_type,
        array: false,
        format: None,
    })
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
