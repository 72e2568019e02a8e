//! Higher-order functions: functions of elements as arguments.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda, LambdaVariable};
use datafusion::logical_expr::type_coercion::functions::value_fields_with_higher_order_udf;
use datafusion::logical_expr::{
    Expr, HigherOrderReturnFieldArgs, HigherOrderUDF, LambdaParametersProgress, ValueOrLambda,
};

use super::expression::{Expressions, Variable};
use super::planned::same_name;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::tree::{Call, Expression, Lambda as Function};

/// An argument on its way to being planned.
enum Argument<'e> {
    Value(Typed),
    Function(&'e Function),
}

impl Expressions<'_> {
    /// A call of a function that takes functions.
    pub(super) fn higher_order(
        &self,
        function: &Arc<HigherOrderUDF>,
        call: &Call,
    ) -> Result<Typed> {
        let arguments = call.arguments.iter().map(|argument| match argument {
            Expression::Lambda(lambda) => {
                let mut names: Vec<&String> = Vec::new();
                for name in &lambda.parameters {
                    if names.iter().any(|other| same_name(other, name)) {
                        return Err(Error::analysis(format!(
                            "the lambda has two variables '{name}'"
                        ))
                        .with_condition("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES"));
                    }
                    names.push(name);
                }
                Ok(Argument::Function(lambda))
            }
            value => self.plan(value).map(Argument::Value),
        });
        let mut arguments = arguments.collect::<Result<Vec<_>>>()?;
        let fields: Vec<ValueOrLambda<FieldRef, ()>> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Value(typed) => ValueOrLambda::Value(Arc::clone(&typed.field)),
                Argument::Function(_) => ValueOrLambda::Lambda(()),
            })
            .collect();
        let fields = value_fields_with_higher_order_udf(&fields, function.as_ref());
        let fields = fields.map_err(|error| from_datafusion(error).with_place(call.place))?;
        for (argument, field) in arguments.iter_mut().zip(&fields) {
            if let (Argument::Value(typed), ValueOrLambda::Value(field)) = (argument, field) {
                *typed = self.cast_to(typed.clone(), field.data_type())?;
            }
        }
        let mut known: Vec<ValueOrLambda<FieldRef, Option<FieldRef>>> = fields
            .into_iter()
            .map(|field| match field {
                ValueOrLambda::Value(field) => ValueOrLambda::Value(field),
                ValueOrLambda::Lambda(()) => ValueOrLambda::Lambda(None),
            })
            .collect();
        // What a lambda gives may decide what another one takes.
        for step in 0..function.signature().lambda_parameters_max_iterations {
            let progress = function.lambda_parameters(step, &known);
            match progress.map_err(from_datafusion)? {
                LambdaParametersProgress::Partial(parameters) => {
                    let mut parameters = parameters.into_iter();
                    for (argument, field) in arguments.iter().zip(&mut known) {
                        let (Argument::Function(lambda), ValueOrLambda::Lambda(field)) =
                            (argument, field)
                        else {
                            continue;
                        };
                        if let Some(Some(parameters)) = parameters.next() {
                            let (_, body) = self.function(lambda, &parameters, call)?;
                            *field = Some(body.field);
                        }
                    }
                }
                LambdaParametersProgress::Complete(parameters) => {
                    return self.applied(function, arguments, parameters, call);
                }
            }
        }
        Err(Error::internal(format!(
            "{} does not say what its functions take",
            call.name
        )))
    }

    fn applied(
        &self,
        function: &Arc<HigherOrderUDF>,
        arguments: Vec<Argument<'_>>,
        parameters: Vec<Vec<FieldRef>>,
        call: &Call,
    ) -> Result<Typed> {
        let mut parameters = parameters.into_iter();
        let mut planned = Vec::new();
        let mut fields = Vec::new();
        let mut values = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Value(typed) => {
                    fields.push(ValueOrLambda::Value(Arc::clone(&typed.field)));
                    values.push(typed.value().cloned());
                    planned.push(typed.expr);
                }
                Argument::Function(lambda) => {
                    let own = parameters.next().unwrap_or_default();
                    let (names, body) = self.function(lambda, &own, call)?;
                    fields.push(ValueOrLambda::Lambda(body.field));
                    values.push(None);
                    planned.push(Expr::Lambda(Lambda::new(names, body.expr)));
                }
            }
        }
        let values: Vec<_> = values.iter().map(Option::as_ref).collect();
        let field = function.return_field_from_args(HigherOrderReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: &values,
        });
        let field = field.map_err(|error| from_datafusion(error).with_place(call.place))?;
        let function = HigherOrderFunction::new(Arc::clone(function), planned);
        Ok(Typed {
            expr: Expr::HigherOrderFunction(function),
            field,
        })
    }

    /// A lambda whose variables have these types: their names in the plan, and its body.
    fn function(
        &self,
        lambda: &Function,
        parameters: &[FieldRef],
        call: &Call,
    ) -> Result<(Vec<String>, Typed)> {
        if lambda.parameters.len() > parameters.len() {
            return Err(Error::analysis(format!(
                "the lambda of {} has {} variables, but it can have {} at most",
                call.name,
                lambda.parameters.len(),
                parameters.len()
            ))
            .with_condition("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH")
            .with_place(call.place));
        }
        let mut inner = self.nested();
        let mut names = Vec::new();
        for (name, field) in lambda.parameters.iter().zip(parameters) {
            // In the plan no lambda inside of another one has its names.
            let own = format!("{}_{}", name.to_lowercase(), inner.variables.len());
            let variable = LambdaVariable::new(
                own.clone(),
                Some(Arc::new(field.as_ref().clone().with_name(&own))),
            );
            inner.variables.push(Variable {
                name: name.clone(),
                typed: Typed {
                    expr: Expr::LambdaVariable(variable),
                    field: Arc::clone(field),
                },
            });
            names.push(own);
        }
        let body = inner.plan(&lambda.body)?;
        Ok((names, body))
    }

    /// `transform(list, element -> f(element))`.
    pub(super) fn of_each(&self, list: Typed, f: impl Fn(Typed) -> Result<Typed>) -> Result<Typed> {
        let DataType::List(item) = list.data_type() else {
            return Err(Error::internal("only arrays have elements"));
        };
        let function = self
            .analyzer
            .session
            .higher_order_functions()
            .get("transform");
        let function = function.ok_or_else(|| Error::internal("there is no transform"))?;
        let name = format!("element_{}", self.variables.len());
        let field: FieldRef = Arc::new(item.as_ref().clone().with_name(&name));
        let variable = LambdaVariable::new(name.clone(), Some(Arc::clone(&field)));
        let body = f(Typed {
            expr: Expr::LambdaVariable(variable),
            field,
        })?;
        let data_type = DataType::new_list(body.data_type().clone(), true);
        let lambda = Expr::Lambda(Lambda::new(vec![name], body.expr));
        let call = HigherOrderFunction::new(Arc::clone(function), vec![list.expr, lambda]);
        Ok(Typed::new(Expr::HigherOrderFunction(call), data_type))
    }
}
