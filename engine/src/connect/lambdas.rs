//! Functions of elements, as SQL's syntax tree has them: `x -> x + 1`.

use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Ident, LambdaFunction as SqlLambda, LambdaFunctionParameter, LambdaSyntax,
    OneOrManyWithParens,
};

use super::expressions::{missing, sql_of};
use super::proto::expression::{LambdaFunction, UnresolvedNamedLambdaVariable};
use crate::error::Result;

/// A function of elements.
pub(super) fn lambda_sql(lambda: &LambdaFunction) -> Result<SqlExpr> {
    let body = lambda.function.as_deref().map(sql_of);
    let parameters = lambda.arguments.iter().map(|variable| {
        Ok(LambdaFunctionParameter {
            name: variable_name(variable)?,
            data_type: None,
        })
    });
    Ok(SqlExpr::Lambda(SqlLambda {
        params: OneOrManyWithParens::Many(parameters.collect::<Result<_>>()?),
        body: Box::new(body.unwrap_or_else(|| Err(missing("a lambda's body")))?),
        syntax: LambdaSyntax::Arrow,
    }))
}

/// An element inside of such a function.
pub(super) fn variable_sql(variable: &UnresolvedNamedLambdaVariable) -> Result<SqlExpr> {
    variable_name(variable).map(SqlExpr::Identifier)
}

fn variable_name(variable: &UnresolvedNamedLambdaVariable) -> Result<Ident> {
    let name = variable.name_parts.first();
    let name = name.ok_or_else(|| missing("a lambda variable's name"))?;
    Ok(Ident::with_quote('`', name))
}
