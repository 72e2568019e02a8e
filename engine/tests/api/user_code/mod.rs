//! Queries through the public surface: user code that the engine calls (scalar functions, functions
//! over groups, foreachBatch), joins with tables, restarts, and what frames of user code ask of a
//! session.

mod frames;
mod groups;
mod groups_interpreter;
mod interpreter;
mod joins;
mod processors;
mod queries;
mod restarts;
mod scalar_functions;
mod state_variables;
pub(crate) mod support;
