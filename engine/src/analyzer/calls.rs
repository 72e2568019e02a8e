//! Calls by name: operators and what chooses between values each have a file, the others are functions
//! of the session.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarUDF, TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::expression::Expressions;
use super::generate::{generators, is_generator};
use super::hidden::{is_hidden, is_not_sparks};
use super::struct_fields::structure;
use super::typed::Typed;
use crate::error::{Error, Result, SEARCH_PATH, from_datafusion, quoted};
use crate::functions::{check_time_type, entropy, is_of_time, is_own};
use crate::nearest::nearest;
use crate::plan::is_user_function;
use crate::tree::{Call, Expression, Place};

/// How large an expression may be to be computed while planning.
const MAX_CONSTANT: usize = 16;

impl Expressions<'_> {
    /// A call.
    pub(super) fn call(&self, call: &Call, written: &Expression) -> Result<Typed> {
        if let Some(planned) = self.operator(call, written)? {
            return Ok(planned);
        }
        if let Some(planned) = self.input_file(call)? {
            return Ok(planned);
        }
        let session = self.analyzer.session;
        let name = call.name.as_str();
        if is_not_sparks(name) {
            return Err(self.unknown(name).with_place(call.place));
        }
        if let Some(function) = session.higher_order_functions().get(name)
            && (call.arguments.iter()).any(|argument| matches!(argument, Expression::Lambda(_)))
        {
            return self.higher_order(function, call);
        }
        if let Some(function) = self.analyzer.aggregate_function(name) {
            return self.aggregate(&function, call);
        }
        if call.distinct
            || call.filter.is_some()
            || call.nulls.is_some()
            || !call.order_by.is_empty()
        {
            return Err(Error::analysis(format!(
                "{name} is no aggregate, so it cannot have DISTINCT, FILTER, ORDER BY or IGNORE NULLS"
            ))
            .with_condition("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX")
            .with_place(call.place));
        }
        if name == "struct" {
            return self.plan_struct(&call.arguments);
        }
        if is_generator(name) {
            return Err(Error::analysis(format!(
                "{name} gives several rows, so it cannot stand inside of an expression"
            ))
            .with_condition("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS")
            .with_hint(format!(
                "put it alone into the select list, or write LATERAL VIEW {name}(…)"
            ))
            .with_place(call.place));
        }
        if !session.scalar_functions().contains_key(name) {
            return Err(self.unknown(name).with_place(call.place));
        }
        let mut arguments = self.plan_all(&call.arguments)?;
        if let Some(seed) = new_seed(name, arguments.len()) {
            arguments.push(Typed::literal(seed));
        }
        self.registered(name, arguments, call.place)
    }

    /// A function of the session with planned arguments.
    pub(super) fn registered(
        &self,
        name: &str,
        arguments: Vec<Typed>,
        place: Option<Place>,
    ) -> Result<Typed> {
        let session = self.analyzer.session;
        let Some(function) = session.scalar_functions().get(name) else {
            return Err(self.unknown(name).with_place(place));
        };
        self.invoke(function, arguments)
            .map_err(|error| error.with_place(place))
    }

    /// A call of `function`, its arguments cast to what it takes.
    pub(super) fn invoke(&self, function: &Arc<ScalarUDF>, arguments: Vec<Typed>) -> Result<Typed> {
        let fields: Vec<FieldRef> = arguments
            .iter()
            .map(|typed| Arc::clone(&typed.field))
            .collect();
        let signature = &function.signature().type_signature;
        let fields = match signature {
            TypeSignature::UserDefined => {
                let types = fields.iter().map(|field| field.data_type().clone());
                let types: Vec<DataType> = types.collect();
                let types = function.coerce_types(&types).map_err(from_datafusion)?;
                retyped(fields, types)
            }
            _ => fields_with_udf(&fields, function.as_ref())
                .map_err(|error| self.refused(function, fields.len(), error))?,
        };
        let pairs = arguments.into_iter().zip(&fields);
        let cast = pairs.map(|(typed, field)| self.cast_to(typed, field.data_type()));
        let cast: Vec<Typed> = cast.collect::<Result<_>>()?;
        let fields: Vec<FieldRef> = cast.iter().map(|typed| Arc::clone(&typed.field)).collect();
        let constants: Vec<Option<ScalarValue>> = cast
            .iter()
            .map(|typed| match typed.value() {
                Some(value) => Ok(Some(value.clone())),
                None => evaluated(self.analyzer.session, typed),
            })
            .collect::<Result<_>>()?;
        let constants: Vec<Option<&ScalarValue>> = constants.iter().map(Option::as_ref).collect();
        let field = function.return_field_from_args(ReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: &constants,
        });
        let field = field.map_err(from_datafusion)?;
        let types = fields.iter().map(|field| field.data_type().clone());
        let options = self.analyzer.session.config_options();
        check_time_type(options, is_of_time(function.name(), types))?;
        // What decides about the type must be a literal in the plan too.
        let arguments = cast
            .into_iter()
            .zip(constants)
            .map(|(typed, constant)| match constant {
                Some(value) => datafusion::logical_expr::lit(value.clone()),
                None => typed.expr,
            });
        let expr = function.call(arguments.collect());
        Ok(Typed { expr, field })
    }

    fn refused(
        &self,
        function: &ScalarUDF,
        given: usize,
        error: datafusion::error::DataFusionError,
    ) -> Error {
        let counts = argument_counts(&function.signature().type_signature);
        if let Some(counts) = counts.filter(|counts| !counts.contains(&given)) {
            let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
            let name = function.name();
            return Error::analysis(format!("{name} got {given} arguments"))
                .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
                .with_hint(format!(
                    "the number of arguments of {name} is {}",
                    counts.join(" or ")
                ));
        }
        let translated = from_datafusion(error);
        match translated.condition() {
            Some(_) => translated,
            None => translated.with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
        }
    }

    /// `struct(a, b + 1)` has the fields `a` and `col2`; `struct(*)` has those of all columns.
    fn plan_struct(&self, arguments: &[Expression]) -> Result<Typed> {
        let mut parts = Vec::new();
        for argument in arguments {
            let name = match argument {
                Expression::Star(star) => {
                    parts.extend(
                        self.star(star)?
                            .into_iter()
                            .map(|(name, _, typed)| (name, typed)),
                    );
                    continue;
                }
                Expression::Alias { names, .. } => names.first().cloned().unwrap_or_default(),
                Expression::Name(name) => name.parts.last().cloned().unwrap_or_default(),
                Expression::Field { name, .. } => name.clone(),
                _ => format!("col{}", parts.len() + 1),
            };
            parts.push((name, self.plan(argument)?));
        }
        Ok(structure(parts))
    }

    /// The refusal of a function that is not there.
    pub(super) fn unknown(&self, name: &str) -> Error {
        let session = self.analyzer.session;
        if session.window_functions().contains_key(name) {
            return Error::analysis(format!("{name} needs a window: {name}(…) OVER (…)"))
                .with_condition("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE");
        }
        let error = Error::analysis(format!("function '{name}' does not exist"))
            .with_condition("UNRESOLVED_ROUTINE")
            .with_parameter("routineName", quoted(name))
            .with_parameter("searchPath", SEARCH_PATH);
        let scalars = session.scalar_functions().keys();
        let all = scalars.chain(session.aggregate_functions().keys());
        let all = all.chain(session.higher_order_functions().keys());
        let all = all.map(String::as_str);
        let mut names: Vec<&str> = all.filter(|name| !is_hidden(name)).collect();
        for name in generators() {
            names.push(name);
        }
        match nearest(name, names) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        }
    }
}

/// The seed of a call that names none. It is given while planning, so that a query that is read twice, as
/// one of WITH may be, gives the same numbers twice, and no two calls are the same.
fn new_seed(name: &str, arguments: usize) -> Option<ScalarValue> {
    let lacks_seed = match name {
        "rand" | "random" | "randn" | "uuid" => arguments == 0,
        "uniform" => arguments == 2,
        _ => false,
    };
    lacks_seed.then(|| ScalarValue::Int64(Some(entropy())))
}

fn retyped(fields: Vec<FieldRef>, types: Vec<DataType>) -> Vec<FieldRef> {
    let pairs = fields.into_iter().zip(types);
    let fields = pairs.map(|(field, data_type)| {
        if field.data_type() == &data_type {
            return field;
        }
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    });
    fields.collect()
}

/// How many arguments a function takes, if that can be told.
fn argument_counts(signature: &TypeSignature) -> Option<Vec<usize>> {
    use datafusion::logical_expr_common::signature::Arity;
    if let TypeSignature::OneOf(variants) = signature {
        let counts: Option<Vec<Vec<usize>>> = variants.iter().map(argument_counts).collect();
        let mut counts = counts?.concat();
        counts.sort_unstable();
        counts.dedup();
        return Some(counts);
    }
    match signature.arity() {
        Arity::Fixed(count) => Some(vec![count]),
        Arity::Variable => None,
    }
}

/// The value of a small expression over nothing but literals and Spark's own functions; what fails
/// fails again when it runs.
pub(super) fn evaluated(session: &SessionState, typed: &Typed) -> Result<Option<ScalarValue>> {
    let mut nodes = 0;
    let mut is_constant = true;
    let visited = typed.expr.apply(|expr| {
        nodes += 1;
        is_constant &= nodes <= MAX_CONSTANT
            && match expr {
                Expr::Literal(..) | Expr::Cast(_) | Expr::TryCast(_) | Expr::Negative(_) => true,
                Expr::ScalarFunction(call) => {
                    let name = call.name();
                    let own = is_own(name) || name.starts_with("spark_");
                    own && call.func.signature().volatility == Volatility::Immutable
                }
                _ => false,
            };
        Ok(match is_constant {
            true => TreeNodeRecursion::Continue,
            false => TreeNodeRecursion::Stop,
        })
    });
    visited.map_err(from_datafusion)?;
    if !is_constant || nodes == 1 {
        return Ok(None);
    }
    Ok(of_no_row(session, typed.expr.clone()))
}

/// The value of an expression without columns; `None` if it has none.
fn of_no_row(session: &SessionState, expr: Expr) -> Option<ScalarValue> {
    let physical = session
        .create_physical_expr(expr, &DFSchema::empty())
        .ok()?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options);
    match physical.evaluate(&batch.ok()?).ok()? {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(values) => ScalarValue::try_from_array(&values, 0).ok(),
    }
}

/// A condition that is the same for all rows as its value. DataFusion's optimizer would move it below an
/// aggregate of all rows, which gives a row also where it is false.
pub(super) fn settled(session: &SessionState, condition: Expr) -> Expr {
    if !is_constant(&condition) || matches!(condition, Expr::Literal(..)) {
        return condition;
    }
    match of_no_row(session, condition.clone()) {
        Some(value) => datafusion::logical_expr::lit(value),
        None => condition,
    }
}

/// Whether an expression has one value, known before the query runs, or none.
pub(super) fn is_constant(expr: &Expr) -> bool {
    expr.column_refs().is_empty() && !expr.exists(varies).unwrap_or(true)
}

/// Whether an expression has a value only where the query runs.
fn varies(expr: &Expr) -> datafusion::error::Result<bool> {
    Ok(match expr {
        Expr::ScalarFunction(call) => {
            call.func.signature().volatility != Volatility::Immutable
                || is_user_function(&call.func)
        }
        Expr::AggregateFunction(_)
        | Expr::WindowFunction(_)
        | Expr::OuterReferenceColumn(..)
        | Expr::ScalarSubquery(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::Placeholder(_) => true,
        _ => false,
    })
}
