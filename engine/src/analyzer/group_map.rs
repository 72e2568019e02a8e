//! Groups with a function of the user's, which keeps state for each of them.

use datafusion::logical_expr::{Expr, LogicalPlan};

use spark_connect_proto::GroupMap;

use super::Analyzer;
use crate::error::{Error, Result};
use crate::output_mode::OutputMode;
use crate::plan::{FlatMapGroupsWithState, flat_map_groups_with_state};
use crate::user_functions::GroupsFunctions;

/// Plans a `GroupMap` over `input`, which is grouped by `keys`. The name of its function is the id
/// under which one was registered with the session.
impl Analyzer<'_> {
    pub(super) fn plan_groups(
        &self,
        map: &GroupMap,
        input: LogicalPlan,
        keys: Vec<Expr>,
    ) -> Result<LogicalPlan> {
        let session = self.session;
        check_absent(map)?;
        let function = map.func.as_ref();
        let name = &function
            .ok_or_else(|| Error::illegal_argument("a group's function is missing"))?
            .function_name;
        let functions = session.config().get_extension::<GroupsFunctions>();
        let registered = functions.and_then(|functions| functions.get(name));
        let registered = registered.ok_or_else(|| {
            Error::illegal_argument(format!("no function '{name}' over groups is registered"))
        })?;
        let output_mode: OutputMode = match map.output_mode.as_deref().map(str::trim) {
            None | Some("") if map.is_map_groups_with_state() => OutputMode::Update,
            None | Some("") => OutputMode::Append,
            Some(mode) => mode.parse()?,
        };
        if output_mode == OutputMode::Complete {
            return Err(Error::illegal_argument(
                "the output mode of flatMapGroupsWithState must be append or update",
            ));
        }
        let asked = FlatMapGroupsWithState {
            // What stands behind '#' tells functions of one name apart.
            name: name.split('#').next().unwrap_or(name).to_string(),
            registered,
            timeout: match map.timeout_conf.as_deref().map(str::trim) {
                None | Some("") => Default::default(),
                Some(timeout) => timeout.parse()?,
            },
            output_mode,
            one_row: map.is_map_groups_with_state(),
        };
        flat_map_groups_with_state(input, keys, asked)
    }
}

fn check_absent(map: &GroupMap) -> Result<()> {
    let absent = if map.transform_with_state_info.is_some() {
        "transformWithState"
    } else if map.initial_input.is_some() {
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
