//! `transformWithState` in a logical plan.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;

use super::{Planning, StreamingNode, StreamingOperation};
use crate::error::{Error, Result};
use crate::operators::{self, InitialState, ProcessorCall};
use crate::output_mode::OutputMode;
use crate::plan::event_time::{WATERMARK_DELAY_MS, event_time_columns};
use crate::type_names::sql_type;
use crate::user_functions::{StatefulProcessorDefinition, TimeMode};

/// What the user asked for.
#[derive(Debug)]
pub(crate) struct TransformWithState {
    /// The registered name of the processor.
    pub name: String,
    /// The processor and what it declares.
    pub definition: StatefulProcessorDefinition,
    /// Which time its timers and TTLs live by.
    pub time_mode: TimeMode,
    /// The mode in which its rows are meant: append or update.
    pub output_mode: OutputMode,
    /// Which of its columns is the event time for what reads its rows.
    pub event_time: Option<String>,
}

/// Rows with the columns they are grouped by.
#[derive(Debug, Clone)]
pub(crate) struct KeyedRows {
    /// The rows.
    pub plan: LogicalPlan,
    /// The indices of the grouping columns.
    pub keys: Vec<usize>,
    /// The indices of the columns that user code sees.
    pub values: Vec<usize>,
}

/// Hands the rows of `input` to a processor, after those of `initial` in the first batch.
pub(crate) fn transform_with_state(
    input: KeyedRows,
    initial: Option<KeyedRows>,
    asked: TransformWithState,
) -> Result<LogicalPlan> {
    check_variables(&asked)?;
    let output = output(&asked)?;
    let initial_state = initial.as_ref().map(|initial| InitialState {
        keys: initial.keys.clone(),
        values: initial.values.clone(),
    });
    let operation = Processor {
        keys: input.keys,
        values: input.values,
        initial: initial_state,
        output,
        asked: Arc::new(asked),
    };
    let initial = initial.map(|initial| initial.plan);
    let inputs = std::iter::once(input.plan).chain(initial);
    StreamingNode::plan(operation, inputs.collect())
}

fn check_variables(asked: &TransformWithState) -> Result<()> {
    let variables = &asked.definition.variables;
    let mut deleted = asked.definition.deleted.iter();
    if let Some(name) = deleted.find(|name| variables.iter().any(|known| known.name == **name)) {
        let message = format!("state variable '{name}' is declared, and deleted as well");
        return Err(Error::illegal_argument(message).with_hint(
            "delete a variable in a run that does not declare it; one of another type takes its name in a later run",
        ));
    }
    for (number, variable) in variables.iter().enumerate() {
        let name = &variable.name;
        let refused = |what: String, condition: &'static str| {
            Err(
                Error::illegal_argument(format!("state variable '{name}' {what}"))
                    .with_condition(condition),
            )
        };
        if name.trim() != name || name.is_empty() || name == "default" {
            return refused(
                "needs another name: one that is not empty, does not begin or end with a space, and is not 'default'".into(),
                "STATE_STORE_CANNOT_USE_COLUMN_FAMILY_WITH_INVALID_NAME",
            );
        }
        if name.starts_with('$') {
            return refused(
                "needs another name: those that begin with $ are reserved".into(),
                "STATE_STORE_CANNOT_CREATE_COLUMN_FAMILY_WITH_RESERVED_CHARS",
            );
        }
        if variables
            .iter()
            .take(number)
            .any(|other| other.name == *name)
        {
            return refused(
                "is declared twice".into(),
                "STATEFUL_PROCESSOR_DUPLICATE_STATE_VARIABLE_DEFINED",
            );
        }
        // As in Spark, a TTL of 0 is none.
        let Some(ttl_ms) = variable.ttl_ms.filter(|ttl_ms| *ttl_ms != 0) else {
            continue;
        };
        if asked.time_mode != TimeMode::ProcessingTime {
            let what = format!("has a TTL, but the time mode is {}", asked.time_mode);
            return refused(what, "STATEFUL_PROCESSOR_INCORRECT_TIME_MODE_TO_ASSIGN_TTL")
                .map_err(|error: Error| error.with_hint("choose the time mode ProcessingTime"));
        }
        if ttl_ms < 0 {
            let what = format!("has a TTL of {ttl_ms} ms, which is not positive");
            return refused(what, "STATEFUL_PROCESSOR_TTL_DURATION_MUST_BE_POSITIVE");
        }
    }
    Ok(())
}

/// The columns of the processor's rows; the event time is marked as one.
fn output(asked: &TransformWithState) -> Result<SchemaRef> {
    let output = &asked.definition.output;
    let Some(name) = &asked.event_time else {
        return Ok(Arc::clone(output));
    };
    let index = output
        .fields()
        .iter()
        .position(|field| field.name().eq_ignore_ascii_case(name));
    let fields: Vec<&str> = output.fields().iter().map(|f| f.name().as_str()).collect();
    let Some(index) = index else {
        return Err(crate::error::unresolved_column(name, &fields));
    };
    let field = output.field(index);
    if !matches!(
        field.data_type(),
        DataType::Timestamp(TimeUnit::Microsecond, _)
    ) {
        return Err(Error::analysis(format!(
            "the event time '{name}' must be a TIMESTAMP, but it is {}",
            sql_type(field.data_type())
        ))
        .with_condition("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE"));
    }
    let marked = |(number, field): (usize, &Arc<Field>)| {
        let field = Field::clone(field);
        match number == index {
            true => field.with_metadata([(WATERMARK_DELAY_MS.into(), "0".into())].into()),
            false => field,
        }
    };
    let fields = output.fields().iter().enumerate().map(marked);
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// Hands groups to a processor.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Processor {
    pub(in crate::plan) asked: Arc<TransformWithState>,
    keys: Vec<usize>,
    values: Vec<usize>,
    initial: Option<InitialState>,
    output: SchemaRef,
}

impl StreamingOperation for Processor {
    const NAME: &'static str = "TransformWithState";

    fn schema(&self, _inputs: &[LogicalPlan]) -> DataFusionResult<DFSchemaRef> {
        let output = self.output.as_ref().clone();
        Ok(Arc::new(DFSchema::try_from(output)?))
    }

    /// All: it knows them by their places.
    fn other_columns(&self, _input: &DFSchema) -> Option<Vec<usize>> {
        None
    }

    fn describe(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, ": {}, {}", self.asked.name, self.asked.time_mode)
    }

    fn plan(&self, planning: &Planning<'_>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let Some(input) = planning.logical.first() else {
            return datafusion::common::internal_err!("the node has an input");
        };
        let output_event_time = event_time_columns(planning.schema).map(|(index, _)| index);
        let call = ProcessorCall {
            name: self.asked.name.clone(),
            definition: self.asked.definition.clone(),
            time_mode: self.asked.time_mode,
            output_mode: self.asked.output_mode,
            keys: self.keys.clone(),
            values: self.values.clone(),
            event_time: event_time_columns(input.schema())
                .map(|(index, _)| index)
                .next(),
            initial: self.initial.clone(),
            output: Arc::clone(&self.output),
            output_event_time: { output_event_time }.next(),
        };
        let context = Arc::clone(planning.context);
        let exec = operators::transform_with_state(context, planning.physical.to_vec(), call);
        Ok(Arc::new(exec))
    }
}

impl Processor {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.asked).addr()
    }
}

impl PartialEq for Processor {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Processor {}

impl Hash for Processor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl PartialOrd for Processor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.address().partial_cmp(&other.address())
    }
}
