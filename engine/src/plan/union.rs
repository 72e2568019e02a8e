//! The event time of a union is that of its first input, as in Spark.
//!
//! DataFusion keeps of the inputs' field metadata what does not differ, so two watermarks with
//! different delays would leave none. Each other input therefore takes over the first one's marks.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Union, Volatility,
};

use super::event_time::event_time_marks;

/// Gives every input of `union` the event times of its first input.
pub(super) fn unify_event_times(union: Union) -> DataFusionResult<LogicalPlan> {
    let Some((first, others)) = union.inputs.split_first() else {
        return Ok(LogicalPlan::Union(union));
    };
    let marks: Vec<_> = marks_of(first);
    let mut inputs = vec![Arc::clone(first)];
    for input in others {
        inputs.push(Arc::new(marked(input, &marks)?));
    }
    Union::try_new_with_loose_types(inputs).map(LogicalPlan::Union)
}

pub(super) type Marks = BTreeMap<String, String>;

fn marks_of(plan: &LogicalPlan) -> Vec<Marks> {
    let fields = plan.schema().fields().iter();
    fields.map(|field| event_time_marks(field)).collect()
}

/// `input` with these marks on its columns, by position.
fn marked(input: &Arc<LogicalPlan>, marks: &[Marks]) -> DataFusionResult<LogicalPlan> {
    let own = marks_of(input);
    if own == marks || own.len() != marks.len() {
        return Ok(input.as_ref().clone());
    }
    let columns = input.schema().columns().into_iter();
    let outputs = columns.zip(own.iter().zip(marks)).map(|(column, marks)| {
        let (own, wanted) = marks;
        if own == wanted {
            return Expr::Column(column);
        }
        let (relation, name) = (column.relation.clone(), column.name.clone());
        with_marks(Expr::Column(column), wanted.clone()).alias_qualified(relation, name)
    });
    let outputs: Vec<Expr> = outputs.collect();
    LogicalPlanBuilder::from(input.as_ref().clone())
        .project(outputs)?
        .build()
}

/// `expr` as it is, with these marks and no others. A function, because unlike an alias it can take
/// marks away.
pub(super) fn with_marks(expr: Expr, marks: Marks) -> Expr {
    ScalarUDF::from(EventTimeLike::new(marks)).call(vec![expr])
}

/// Whether an expression has the marks it has by [`with_marks`].
pub(super) fn is_marked(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.inner().is::<EventTimeLike>())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct EventTimeLike {
    marks: Marks,
    signature: Signature,
}

impl EventTimeLike {
    fn new(marks: Marks) -> Self {
        Self {
            marks,
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for EventTimeLike {
    fn name(&self) -> &str {
        "event_time_like"
    }

    /// The value keeps its name.
    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        Ok(value_of(args)?.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(value_of(arg_types)?.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let value = value_of(args.arg_fields)?;
        let field = Field::new(self.name(), value.data_type().clone(), value.is_nullable());
        let marks = self.marks.clone().into_iter().collect();
        Ok(Arc::new(field.with_metadata(marks)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        Ok(value_of(&args.args)?.clone())
    }
}

/// The only argument of [`EventTimeLike`].
fn value_of<T>(args: &[T]) -> DataFusionResult<&T> {
    match args {
        [value] => Ok(value),
        _ => datafusion::common::internal_err!("event_time_like needs a value"),
    }
}
