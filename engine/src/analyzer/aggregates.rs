//! Calls of aggregates.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment as Nulls, Sort};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{AggregateUDF, Expr, TypeSignature, lit};
use datafusion::scalar::ScalarValue;

use super::expression::{Clause, Expressions};
use super::output_names::name_of;
use super::struct_fields::structure;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::tree::{Call, Expression, NullTreatment, SortKey};

/// Aggregates under another name, where no function has it.
const SYNONYMS: &[(&str, &str)] = &[
    ("any", "bool_or"),
    ("any_value", "first_value"),
    ("array_agg", "collect_list"),
    ("every", "bool_and"),
    ("first", "first_value"),
    ("grouping_id", "grouping"),
    ("last", "last_value"),
    ("mean", "avg"),
    ("some", "bool_or"),
    ("std", "stddev"),
    ("try_avg", "avg"),
    ("variance", "var_samp"),
];

/// Aggregates whose second argument says whether NULL is left out.
const IGNORING_NULLS: &[&str] = &["any_value", "first", "first_value", "last", "last_value"];

/// Aggregates whose sort key WITHIN GROUP is what they aggregate.
const OVER_SORT_KEY: &[&str] = &["mode", "percentile_cont", "percentile_disc"];

/// An aggregate's arguments and clauses, planned.
pub(super) struct Parts {
    pub arguments: Vec<Typed>,
    pub filter: Option<Box<Expr>>,
    pub order_by: Vec<Sort>,
    pub nulls: Option<Nulls>,
}

impl Expressions<'_> {
    /// The aggregate of that name.
    pub fn aggregate_function(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let functions = self.analyzer.session.aggregate_functions();
        let synonym = || SYNONYMS.iter().find(|(own, _)| *own == name);
        let found = functions.get(name).cloned();
        found.or_else(|| functions.get(synonym()?.1).cloned())
    }

    /// A call of an aggregate, where one may stand.
    pub fn aggregate(&self, function: &Arc<AggregateUDF>, call: &Call) -> Result<Typed> {
        self.check_place(call)?;
        let (function, parts) = self.aggregate_parts(function, call)?;
        let fields: Vec<FieldRef> = parts
            .arguments
            .iter()
            .map(|typed| Arc::clone(&typed.field))
            .collect();
        let field = function.return_field(&fields).map_err(from_datafusion)?;
        let arguments = parts.arguments.into_iter().map(|typed| typed.expr);
        let aggregate = AggregateFunction::new_udf(
            function,
            arguments.collect(),
            call.distinct,
            parts.filter,
            parts.order_by,
            parts.nulls,
        );
        let typed = Typed {
            expr: Expr::AggregateFunction(aggregate),
            field,
        };
        match call.name.as_str() {
            "grouping" => self.cast_to(typed, &DataType::Int8),
            "grouping_id" => self.cast_to(typed, &DataType::Int64),
            _ => Ok(typed),
        }
    }

    /// The aggregate with its arguments cast to what it takes, and its clauses.
    pub fn aggregate_parts(
        &self,
        function: &Arc<AggregateUDF>,
        call: &Call,
    ) -> Result<(Arc<AggregateUDF>, Parts)> {
        let mut inner = self.nested();
        inner.inside_aggregate = true;
        self.parts(&inner, function, call)
    }

    /// The same of a call over a window, whose arguments may be aggregates.
    pub fn window_aggregate_parts(
        &self,
        function: &Arc<AggregateUDF>,
        call: &Call,
    ) -> Result<(Arc<AggregateUDF>, Parts)> {
        self.parts(&self.nested(), function, call)
    }

    fn parts(
        &self,
        inner: &Expressions<'_>,
        function: &Arc<AggregateUDF>,
        call: &Call,
    ) -> Result<(Arc<AggregateUDF>, Parts)> {
        let mut nulls = call.nulls.map(|nulls| match nulls {
            NullTreatment::Ignore => Nulls::IgnoreNulls,
            NullTreatment::Respect => Nulls::RespectNulls,
        });
        let mut filter = match &call.filter {
            Some(condition) => Some(inner.condition(condition)?),
            None => None,
        };
        let mut order_by = inner.sorts(&call.order_by)?;
        let mut function = Arc::clone(function);
        let arguments = match (call.name.as_str(), call.arguments.as_slice()) {
            ("count", []) => {
                return Err(Error::analysis("count got 0 arguments")
                    .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
                    .with_hint("write count(*), or count(x) for the values that are not NULL"));
            }
            ("count", [one]) if !call.distinct && is_every_row(one) => {
                function = count_udaf();
                vec![Typed::literal(COUNT_STAR_EXPANSION)]
            }
            ("count", [Expression::Star(star)]) => {
                let columns = inner.star(star)?.into_iter().map(|(_, _, typed)| typed);
                vec![all_or_none(columns.collect(), &mut filter)]
            }
            ("count", [_, _, ..]) => {
                let arguments = inner.plan_all(&call.arguments)?;
                vec![all_or_none(arguments, &mut filter)]
            }
            (name, [value, ignore]) if IGNORING_NULLS.contains(&name) => {
                let ignore = inner.plan(ignore)?;
                let Some(ScalarValue::Boolean(Some(ignore))) = ignore.value() else {
                    return Err(Error::analysis(format!(
                        "the second argument of {name} must be true or false"
                    ))
                    .with_condition("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
                    .with_place(call.place));
                };
                nulls = ignore.then_some(Nulls::IgnoreNulls);
                vec![inner.plan(value)?]
            }
            (name, arguments) if OVER_SORT_KEY.contains(&name) && !call.order_by.is_empty() => {
                let key = call.order_by.iter().map(|key| inner.plan(&key.expression));
                let mut planned = key.collect::<Result<Vec<_>>>()?;
                planned.extend(inner.plan_all(arguments)?);
                planned
            }
            (_, arguments) => inner.plan_all(arguments)?,
        };
        let arguments = self.coerced(&function, arguments, call)?;
        if call.distinct && order_by.len() == 1 && arguments.len() > 1 {
            // DISTINCT with an order is possible over what is aggregated only.
            order_by.retain(|sort| arguments.iter().any(|typed| typed.expr == sort.expr));
        }
        let filter = filter.map(Box::new);
        Ok((
            function,
            Parts {
                arguments,
                filter,
                order_by,
                nulls,
            },
        ))
    }

    fn coerced(
        &self,
        function: &AggregateUDF,
        arguments: Vec<Typed>,
        call: &Call,
    ) -> Result<Vec<Typed>> {
        if arguments.is_empty() && function.name() == "grouping" {
            // That of all keys, once they are known.
            return Ok(arguments);
        }
        let fields: Vec<FieldRef> = arguments
            .iter()
            .map(|typed| Arc::clone(&typed.field))
            .collect();
        let types: Vec<DataType> = match function.signature().type_signature {
            TypeSignature::UserDefined => {
                let types: Vec<DataType> = fields
                    .iter()
                    .map(|field| field.data_type().clone())
                    .collect();
                function.coerce_types(&types)
            }
            _ => fields_with_udf(&fields, function).map(|fields| {
                fields
                    .iter()
                    .map(|field| field.data_type().clone())
                    .collect()
            }),
        }
        .map_err(|error| {
            let error = from_datafusion(error).with_place(call.place);
            match error.condition() {
                Some(_) => error,
                None => error.with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
            }
        })?;
        let pairs = arguments.into_iter().zip(&types);
        pairs.map(|(typed, to)| self.cast_to(typed, to)).collect()
    }

    fn check_place(&self, call: &Call) -> Result<()> {
        let stands_well = matches!(
            self.clause,
            Clause::Select | Clause::Having | Clause::OrderBy
        );
        if stands_well && !self.inside_aggregate && self.variables.is_empty() {
            return Ok(());
        }
        let shown = name_of(&Expression::Call(Box::new(call.clone())));
        let (condition, message, hint) = if self.inside_aggregate {
            (
                "NESTED_AGGREGATE_FUNCTION",
                format!("the aggregate {shown} stands inside of another one"),
                "compute the inner aggregate in a subquery",
            )
        } else if !self.variables.is_empty() {
            (
                "UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_AGGREGATE",
                format!("a lambda cannot use the aggregate {shown}"),
                "write aggregate(array, start, merge) to fold the elements",
            )
        } else {
            match self.clause {
                Clause::Where => (
                    "INVALID_WHERE_CONDITION",
                    format!("WHERE cannot use the aggregate {shown}"),
                    "use HAVING for conditions on aggregates",
                ),
                Clause::GroupBy => (
                    "GROUP_BY_AGGREGATE",
                    format!("GROUP BY cannot use the aggregate {shown}"),
                    "group by columns, and put the aggregate into SELECT",
                ),
                Clause::On | Clause::Values | Clause::Limit => (
                    "UNSUPPORTED_EXPR_FOR_OPERATOR",
                    format!("the aggregate {shown} cannot stand here"),
                    "compute it in a subquery",
                ),
                Clause::Select | Clause::Having | Clause::OrderBy => return Ok(()),
            }
        };
        Err(Error::analysis(message)
            .with_condition(condition)
            .with_hint(hint)
            .with_place(call.place))
    }

    /// Sort keys as DataFusion has them.
    pub fn sorts(&self, keys: &[SortKey]) -> Result<Vec<Sort>> {
        let sorts = keys.iter().map(|key| {
            let typed = self.plan(&key.expression)?;
            Ok(typed.expr.sort(key.ascending, key.nulls_first))
        });
        sorts.collect()
    }
}

/// `*` or a number: what counts every row.
fn is_every_row(argument: &Expression) -> bool {
    match argument {
        Expression::Star(star) => star.of.is_empty() && star.except.is_empty(),
        Expression::Literal(literal) => !literal.value.is_null(),
        _ => false,
    }
}

/// Several values as one that is counted where none of them is NULL.
fn all_or_none(arguments: Vec<Typed>, filter: &mut Option<Expr>) -> Typed {
    for typed in &arguments {
        let there = typed.expr.clone().is_not_null();
        *filter = Some(match filter.take() {
            Some(others) => others.and(there),
            None => there,
        });
    }
    if let [one] = arguments.as_slice() {
        return one.clone();
    }
    let named = arguments.into_iter().enumerate();
    structure(
        named
            .map(|(index, typed)| (format!("c{index}"), typed))
            .collect(),
    )
}

/// NULL of a type.
pub(super) fn null_of(data_type: &DataType) -> Result<Expr> {
    Ok(lit(
        ScalarValue::try_from(data_type).map_err(from_datafusion)?
    ))
}
