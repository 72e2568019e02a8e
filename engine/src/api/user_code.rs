//! User code that the session's queries call.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::execution::FunctionRegistry;

use super::Session;
use crate::error::{Error, Result, from_datafusion};
use crate::plan::scalar_udf;
use crate::sinks::{EachRow, ForeachBatch, MakeForeachWriter};
use crate::user_functions::{
    GroupsFunction, RegisteredGroups, ScalarFunction, StatefulProcessorDefinition,
};

impl Session {
    /// Makes a scalar function known to SQL and frames, in the place of one of the same name.
    /// Queries that run keep the function they were planned with.
    pub fn register_function(&self, function: ScalarFunction) -> Result<()> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let name = &function.name;
        if name.is_empty()
            || !name.chars().all(is_word)
            || name.starts_with(|c: char| c.is_numeric())
        {
            return Err(Error::illegal_argument(format!(
                "'{name}' cannot be the name of a function"
            ))
            .with_hint("use letters, digits and underscores, beginning with a letter"));
        }
        let state = self.inner.context.state_ref();
        let registered = state.write().register_udf(Arc::new(scalar_udf(function)));
        registered.map(drop).map_err(from_datafusion)
    }

    /// Makes writers known to the sink format `foreach` under the option `callback`.
    pub fn register_foreach(&self, name: &str, make: Arc<MakeForeachWriter>) {
        self.register_foreach_batch(name, Arc::new(EachRow::new(make)));
    }

    /// Makes `function` known to the sink formats `foreachBatch` and `foreach` under the option
    /// `callback`.
    pub fn register_foreach_batch(&self, name: &str, function: Arc<dyn ForeachBatch>) {
        let mut functions = self.inner.foreach_batch.write();
        functions.insert(name.to_string(), function);
    }

    /// Forgets such a function; queries that run keep theirs.
    pub fn remove_foreach_batch(&self, name: &str) {
        self.inner.foreach_batch.write().remove(name);
    }

    /// Makes `function` known to the relation `GroupMap` whose function has the name `id`; its rows
    /// have the columns of `output`.
    pub fn register_groups_function(
        &self,
        id: &str,
        output: SchemaRef,
        function: Arc<dyn GroupsFunction>,
    ) {
        let registered = RegisteredGroups { output, function };
        self.inner.groups_functions.insert(id, registered);
    }

    /// Forgets such a function; queries that run keep theirs.
    pub fn remove_groups_function(&self, id: &str) {
        self.inner.groups_functions.remove(id);
    }

    /// Makes a processor known to the relation `GroupMap` whose function has the name `id`.
    pub fn register_stateful_processor(&self, id: &str, definition: StatefulProcessorDefinition) {
        self.inner.stateful_processors.insert(id, definition);
    }

    /// Forgets such a processor; queries that run keep theirs.
    pub fn remove_stateful_processor(&self, id: &str) {
        self.inner.stateful_processors.remove(id);
    }
}
