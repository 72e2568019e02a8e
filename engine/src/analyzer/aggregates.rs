//! Calls of aggregates.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment as Nulls, Sort};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{AggregateUDF, Expr, TypeSignature, lit};
use datafusion::scalar::ScalarValue;

use super::Analyzer;
use super::compare::{as_compared, as_grouped, is_nested};
use super::expression::{Clause, Expressions};
use super::output_names::name_of;
use super::struct_fields::structure;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::functions::{is_ansi, one_nan_of, wrapping_sum};
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

/// Aggregates that tell equal values from others.
const OF_DISTINCT_VALUES: &[&str] = &["approx_count_distinct", "collect_set", "mode"];

/// An aggregate's arguments and clauses, planned.
pub(super) struct Parts {
    pub arguments: Vec<Typed>,
    pub filter: Option<Box<Expr>>,
    pub order_by: Vec<Sort>,
    pub nulls: Option<Nulls>,
}

impl Analyzer<'_> {
    /// The aggregate of that name.
    pub(super) fn aggregate_function(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let functions = self.session.aggregate_functions();
        let synonym = || SYNONYMS.iter().find(|(own, _)| *own == name);
        let found = functions.get(name).cloned();
        found.or_else(|| functions.get(synonym()?.1).cloned())
    }
}

impl Expressions<'_> {
    /// A call of an aggregate, where one may stand.
    pub(super) fn aggregate(&self, function: &Arc<AggregateUDF>, call: &Call) -> Result<Typed> {
        self.check_place(call)?;
        let (function, parts) = self.aggregate_parts(function, call)?;
        check_arguments(&parts.arguments).map_err(|error| error.with_place(call.place))?;
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
    pub(super) fn aggregate_parts(
        &self,
        function: &Arc<AggregateUDF>,
        call: &Call,
    ) -> Result<(Arc<AggregateUDF>, Parts)> {
        let mut inner = self.nested();
        inner.inside_aggregate = true;
        self.parts(&inner, function, call)
    }

    /// The same of a call over a window, whose arguments may be aggregates.
    pub(super) fn window_aggregate_parts(
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
        // With DISTINCT an order is one of what is aggregated, as it is.
        let mut order_by = match call.distinct {
            true => inner.plain_sorts(&call.order_by)?,
            false => inner.sorts(&call.order_by)?,
        };
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
        let (function, arguments) = self.comparing(function, arguments, call);
        let arguments = self.coerced(&function, arguments, call)?;
        let function = self.of_mode(function, &arguments);
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

    /// The aggregate as it counts in the session's mode: without ANSI a sum of whole numbers begins again
    /// behind the end of its range, and one of decimals is NULL there.
    fn of_mode(&self, function: Arc<AggregateUDF>, arguments: &[Typed]) -> Arc<AggregateUDF> {
        let session = self.analyzer.session;
        if function.name() != "sum" || is_ansi(session.config_options()) {
            return function;
        }
        match arguments.first().map(Typed::data_type) {
            Some(DataType::Int64) => wrapping_sum(),
            Some(DataType::Decimal128(..)) => {
                let lenient = session.aggregate_functions().get("try_sum");
                lenient.cloned().unwrap_or(function)
            }
            _ => function,
        }
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

    /// The aggregate and its arguments, those that it compares made comparable.
    fn comparing(
        &self,
        function: Arc<AggregateUDF>,
        mut arguments: Vec<Typed>,
        call: &Call,
    ) -> (Arc<AggregateUDF>, Vec<Typed>) {
        let functions = self.analyzer.session.aggregate_functions();
        match (call.name.as_str(), arguments.as_mut_slice()) {
            ("max" | "min", [value]) if is_nested(value.data_type()) => {
                let by = functions.get(&format!("{}_by", call.name));
                if let Some(by) = by {
                    let key = as_compared(value.clone());
                    return (Arc::clone(by), vec![value.clone(), key]);
                }
            }
            ("max" | "min", [value]) if value.data_type().is_floating() => {
                value.expr = one_nan_of().call(vec![std::mem::take(&mut value.expr)]);
            }
            ("max_by" | "min_by", [_, key, ..]) => *key = as_compared(key.clone()),
            _ if call.distinct || OF_DISTINCT_VALUES.contains(&call.name.as_str()) => {
                arguments = arguments.into_iter().map(as_grouped).collect();
            }
            _ => {}
        }
        (function, arguments)
    }

    /// Sort keys as DataFusion has them.
    pub(super) fn sorts(&self, keys: &[SortKey]) -> Result<Vec<Sort>> {
        self.sorts_of(keys, as_compared)
    }

    fn plain_sorts(&self, keys: &[SortKey]) -> Result<Vec<Sort>> {
        self.sorts_of(keys, as_grouped)
    }

    fn sorts_of(&self, keys: &[SortKey], compared: fn(Typed) -> Typed) -> Result<Vec<Sort>> {
        let sorts = keys.iter().map(|key| {
            let typed = compared(self.plan(&key.expression)?);
            Ok(typed.expr.sort(key.ascending, key.nulls_first))
        });
        sorts.collect()
    }
}

/// Refuses what gives another value each time, and what is of the rows here and of those outside at once.
fn check_arguments(arguments: &[Typed]) -> Result<()> {
    for typed in arguments {
        if typed.expr.is_volatile() {
            return Err(Error::analysis(
                "an aggregate cannot be of values that are others each time they are computed",
            )
            .with_condition("AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION")
            .with_hint("compute them in a subquery: SELECT sum(r) FROM (SELECT rand() AS r …)"));
        }
        if typed.expr.contains_outer() && !typed.expr.column_refs().is_empty() {
            return Err(Error::analysis(
                "an aggregate cannot be of columns here and of the query outside at once",
            )
            .with_condition(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES",
            )
            .with_hint("aggregate the columns here, and compute the rest with the result"));
        }
    }
    Ok(())
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
