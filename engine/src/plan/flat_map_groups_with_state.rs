//! `mapGroupsWithState` and `flatMapGroupsWithState` in a logical plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, DFSchema, DFSchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNodeCore,
};

use super::event_time::{event_time_columns, has_event_time};
use super::resolve::resolve_node;
use super::streaming_relation::is_streaming;
use crate::error::{Error, Result, from_datafusion};
use crate::operators::GroupsCall;
use crate::output_mode::OutputMode;
use crate::user_functions::{GroupStateTimeout, RegisteredGroups};

/// Grouping expressions that are no columns become columns under this name and a number.
const KEY_PREFIX: &str = "__group_key_";

/// What the user asked for.
#[derive(Debug)]
pub(crate) struct FlatMapGroupsWithState {
    /// The registered name of the function.
    pub name: String,
    /// The function and its columns.
    pub registered: RegisteredGroups,
    /// When a group without new rows is called.
    pub timeout: GroupStateTimeout,
    /// The mode in which the function's rows are meant: append or update.
    pub output_mode: OutputMode,
    /// `mapGroupsWithState`, where every call gives exactly one row.
    pub one_row: bool,
}

/// Hands the rows of `input`, grouped by `keys`, to a function.
pub(crate) fn flat_map_groups_with_state(
    input: LogicalPlan,
    keys: Vec<Expr>,
    asked: FlatMapGroupsWithState,
) -> Result<LogicalPlan> {
    if !is_streaming(&input) {
        return Err(Error::analysis(
            "mapGroupsWithState and flatMapGroupsWithState need a stream in this version",
        )
        .with_hint("read it as a stream, with the trigger available-now"));
    }
    if keys.is_empty() {
        return Err(Error::analysis(
            "mapGroupsWithState and flatMapGroupsWithState need a grouping column",
        ));
    }
    check_binary(&asked.name, &asked.registered.output)?;
    let values = input.schema().columns();
    check_unique(&values)?;
    let (input, keys) = with_key_columns(input, keys)?;
    let node = FlatMapGroupsWithStateNode::try_new(Arc::new(asked), keys, values, input)
        .map_err(from_datafusion)?;
    Ok(LogicalPlan::Extension(Extension {
        node: Arc::new(node),
    }))
}

/// Refuses columns that rows of user code, which are JSON, cannot hold.
pub(crate) fn check_binary(name: &str, output: &Schema) -> Result<()> {
    let mut fields = output.fields().iter();
    let binary = fields.find(|field| has_binary(field.data_type()));
    match binary {
        Some(field) => Err(Error::analysis(format!(
            "column '{}' of function '{name}' is BINARY, which its rows cannot hold in this version",
            field.name(),
        ))
        .with_condition("UNSUPPORTED_DATATYPE")
        .with_hint("declare it as STRING and encode the bytes")),
        None => Ok(()),
    }
}

fn has_binary(data_type: &DataType) -> bool {
    match data_type {
        DataType::Binary => true,
        DataType::List(item) | DataType::Map(item, _) => has_binary(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_binary(field.data_type())),
        _ => false,
    }
}

/// The function sees a row as an object, which has each name once.
pub(crate) fn check_unique(columns: &[Column]) -> Result<()> {
    let mut names = HashSet::new();
    for column in columns {
        if !names.insert(&column.name) {
            return Err(Error::analysis(format!(
                "column '{}' stands twice in the rows to group",
                column.name
            ))
            .with_condition("COLUMN_ALREADY_EXISTS")
            .with_hint("rename or drop one of them first"));
        }
    }
    Ok(())
}

/// The grouping expressions as columns of the input, which gets those it does not have.
pub(crate) fn with_key_columns(
    input: LogicalPlan,
    keys: Vec<Expr>,
) -> Result<(LogicalPlan, Vec<Column>)> {
    let mut columns: Vec<Expr> = input
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    let own = columns.len();
    let mut names = Vec::new();
    for key in keys {
        match key.unalias() {
            Expr::Column(column) => names.push(column),
            computed => {
                let name = format!("{KEY_PREFIX}{}", columns.len() - own);
                columns.push(computed.alias(&name));
                names.push(Column::from_name(name));
            }
        }
    }
    if columns.len() == own {
        return Ok((input, names));
    }
    let projected = LogicalPlanBuilder::from(input)
        .project(columns)
        .and_then(LogicalPlanBuilder::build)
        .map_err(from_datafusion)?;
    Ok((resolve_node(projected)?, names))
}

/// The node.
#[derive(Debug, Clone)]
pub(super) struct FlatMapGroupsWithStateNode {
    pub(super) asked: Arc<FlatMapGroupsWithState>,
    pub(super) input: LogicalPlan,
    keys: Vec<Column>,
    values: Vec<Column>,
    schema: DFSchemaRef,
}

impl FlatMapGroupsWithStateNode {
    fn try_new(
        asked: Arc<FlatMapGroupsWithState>,
        keys: Vec<Column>,
        values: Vec<Column>,
        input: LogicalPlan,
    ) -> DataFusionResult<Self> {
        let output = asked.registered.output.as_ref().clone();
        Ok(Self {
            schema: Arc::new(DFSchema::try_from(output)?),
            asked,
            input,
            keys,
            values,
        })
    }

    /// What the operator calls, with rows of `input`.
    pub(super) fn call(&self, input: &DFSchema) -> DataFusionResult<GroupsCall> {
        let indices = |columns: &[Column]| {
            let indices = columns.iter().map(|column| input.index_of_column(column));
            indices.collect::<DataFusionResult<Vec<_>>>()
        };
        let event_time = event_time_columns(input).map(|(index, _)| index).next();
        Ok(GroupsCall {
            name: self.asked.name.clone(),
            function: Arc::clone(&self.asked.registered.function),
            keys: indices(&self.keys)?,
            values: indices(&self.values)?,
            event_time,
            timeout: self.asked.timeout,
            one_row: self.asked.one_row,
            output: Arc::clone(&self.asked.registered.output),
        })
    }

    /// Whether the rows it gets have an event time.
    pub(super) fn has_event_time(&self) -> bool {
        has_event_time(self.input.schema())
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.keys.iter().chain(&self.values)
    }

    /// What makes two nodes the same, beside their inputs.
    fn identity(&self) -> (usize, &[Column], &[Column]) {
        (Arc::as_ptr(&self.asked).addr(), &self.keys, &self.values)
    }
}

impl PartialEq for FlatMapGroupsWithStateNode {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity() && self.input == other.input
    }
}

impl Eq for FlatMapGroupsWithStateNode {}

impl Hash for FlatMapGroupsWithStateNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for FlatMapGroupsWithStateNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.identity().partial_cmp(&other.identity()) {
            Some(Ordering::Equal) => self.input.partial_cmp(&other.input),
            unequal => unequal,
        }
    }
}

impl UserDefinedLogicalNodeCore for FlatMapGroupsWithStateNode {
    fn name(&self) -> &str {
        "FlatMapGroupsWithState"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.columns().cloned().map(Expr::Column).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(Column::flat_name).collect();
        let FlatMapGroupsWithState { name, timeout, .. } = self.asked.as_ref();
        write!(
            f,
            "FlatMapGroupsWithState: {name} [{}], {timeout}",
            keys.join(", ")
        )
    }

    fn with_exprs_and_inputs(
        &self,
        exprs: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> DataFusionResult<Self> {
        let columns = exprs.into_iter().map(|expr| match expr.unalias() {
            Expr::Column(column) => Ok(column),
            other => datafusion::common::internal_err!("{other} is not a column"),
        });
        let mut keys = columns.collect::<DataFusionResult<Vec<_>>>()?;
        let values = keys.split_off(self.keys.len());
        Self::try_new(Arc::clone(&self.asked), keys, values, inputs.swap_remove(0))
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let schema = self.input.schema();
        let mut needed: Vec<usize> = event_time_columns(schema).map(|(index, _)| index).collect();
        for column in self.columns() {
            needed.push(schema.index_of_column(column).ok()?);
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}
