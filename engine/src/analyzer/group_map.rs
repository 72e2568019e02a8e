//! Groups with a function of the user's, or a processor, which keeps state for each of them.

use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, cast};

use spark_connect_proto::{GroupMap, TransformWithStateInfo};

use super::Analyzer;
use crate::error::{Error, Result, from_datafusion};
use crate::output_mode::OutputMode;
use crate::plan::{
    FlatMapGroupsWithState, KeyedRows, TransformWithState, check_binary, check_unique,
    flat_map_groups_with_state, is_streaming, transform_with_state, with_key_columns,
};
use crate::user_functions::{GroupsFunctions, StatefulProcessors, shown_name};

/// A frame and what it is grouped by.
pub(super) struct Grouped {
    pub(super) plan: LogicalPlan,
    pub(super) keys: Vec<Expr>,
}

/// Plans a `GroupMap` over rows that are grouped. The name of its function is the id under which one
/// was registered with the session.
impl Analyzer<'_> {
    pub(super) fn plan_groups(
        &self,
        map: &GroupMap,
        input: Grouped,
        initial: Option<Grouped>,
    ) -> Result<LogicalPlan> {
        if let Some(info) = &map.transform_with_state_info {
            return self.plan_processor(map, info, input, initial);
        }
        check_absent(map, initial.as_ref())?;
        let name = function_name(map)?;
        let functions = self.session.config().get_extension::<GroupsFunctions>();
        let registered = functions.and_then(|functions| functions.get(name));
        let registered = registered.ok_or_else(|| {
            Error::illegal_argument(format!("no function '{name}' over groups is registered"))
        })?;
        let default = match map.is_map_groups_with_state() {
            true => OutputMode::Update,
            false => OutputMode::Append,
        };
        let asked = FlatMapGroupsWithState {
            name: shown_name(name).to_string(),
            registered,
            timeout: match map.timeout_conf.as_deref().map(str::trim) {
                None | Some("") => Default::default(),
                Some(timeout) => timeout.parse()?,
            },
            output_mode: output_mode(map, default, "flatMapGroupsWithState")?,
            one_row: map.is_map_groups_with_state(),
        };
        flat_map_groups_with_state(input.plan, input.keys, asked)
    }

    fn plan_processor(
        &self,
        map: &GroupMap,
        info: &TransformWithStateInfo,
        input: Grouped,
        initial: Option<Grouped>,
    ) -> Result<LogicalPlan> {
        let name = function_name(map)?;
        let processors = self.session.config().get_extension::<StatefulProcessors>();
        let definition = processors.and_then(|processors| processors.get(name));
        let definition = definition.ok_or_else(|| {
            Error::illegal_argument(format!("no stateful processor '{name}' is registered"))
        })?;
        check_streams(&input, initial.as_ref())?;
        check_binary(shown_name(name), &definition.output)?;
        let event_time = info.event_time_column_name.as_deref().map(str::trim);
        let asked = TransformWithState {
            name: shown_name(name).to_string(),
            definition,
            time_mode: info.time_mode.parse()?,
            output_mode: output_mode(map, OutputMode::Append, "transformWithState")?,
            event_time: event_time
                .filter(|name| !name.is_empty())
                .map(str::to_string),
        };
        let input = keyed(input)?;
        let initial = initial.map(|initial| keyed(with_keys_of(initial, &input)?));
        transform_with_state(input, initial.transpose()?, asked)
    }
}

fn function_name(map: &GroupMap) -> Result<&str> {
    let function = map.func.as_ref();
    let function = function.ok_or_else(|| Error::illegal_argument("a group's function is missing"));
    Ok(&function?.function_name)
}

fn output_mode(map: &GroupMap, default: OutputMode, operation: &str) -> Result<OutputMode> {
    let mode: OutputMode = match map.output_mode.as_deref().map(str::trim) {
        None | Some("") => default,
        Some(mode) => mode.parse()?,
    };
    match mode {
        OutputMode::Complete => Err(Error::illegal_argument(format!(
            "the output mode of {operation} must be append or update"
        ))),
        OutputMode::Append | OutputMode::Update => Ok(mode),
    }
}

fn check_streams(input: &Grouped, initial: Option<&Grouped>) -> Result<()> {
    if !is_streaming(&input.plan) {
        return Err(
            Error::analysis("transformWithState needs a stream in this version")
                .with_hint("read it as a stream, with the trigger available-now"),
        );
    }
    if input.keys.is_empty() {
        return Err(Error::analysis(
            "transformWithState needs a grouping column",
        ));
    }
    if initial.is_some_and(|initial| is_streaming(&initial.plan)) {
        return Err(
            Error::analysis("the initial state of transformWithState cannot be a stream")
                .with_hint("read it with spark.read instead of spark.read_stream"),
        );
    }
    Ok(())
}

/// The rows with their keys among their columns.
fn keyed(grouped: Grouped) -> Result<KeyedRows> {
    let columns = grouped.plan.schema().columns();
    check_unique(&columns)?;
    let (plan, keys) = with_key_columns(grouped.plan, grouped.keys)?;
    let place = |column: &_| plan.schema().index_of_column(column);
    let places = |columns: &[_]| {
        columns
            .iter()
            .map(place)
            .collect::<std::result::Result<_, _>>()
    };
    Ok(KeyedRows {
        keys: places(&keys).map_err(from_datafusion)?,
        values: places(&columns).map_err(from_datafusion)?,
        plan,
    })
}

/// An initial state whose keys have the types of those of the stream.
fn with_keys_of(initial: Grouped, input: &KeyedRows) -> Result<Grouped> {
    if initial.keys.len() != input.keys.len() {
        return Err(Error::analysis(format!(
            "the initial state is grouped by {} columns, the stream by {}",
            initial.keys.len(),
            input.keys.len()
        ))
        .with_hint("group both by the same columns"));
    }
    let keys = initial.keys.into_iter().zip(&input.keys);
    let cast_key = |(key, place): (Expr, &usize)| {
        let wanted = input.plan.schema().field(*place).data_type();
        let given = key
            .get_type(initial.plan.schema())
            .map_err(from_datafusion)?;
        Ok(match given == *wanted {
            true => key,
            false => cast(key.unalias(), wanted.clone()),
        })
    };
    Ok(Grouped {
        keys: keys.map(cast_key).collect::<Result<_>>()?,
        plan: initial.plan,
    })
}

fn check_absent(map: &GroupMap, initial: Option<&Grouped>) -> Result<()> {
    let absent = if initial.is_some() {
        "an initial state for groups"
    } else if !map.sorting_expressions.is_empty() {
        "sorting within groups"
    } else if map.is_map_groups_with_state.is_none() {
        "a map over groups without state"
    } else {
        return Ok(());
    };
    Err(Error::analysis(format!(
        "{absent} is not supported in this version"
    )))
}
