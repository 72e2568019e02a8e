//! User code that the engine calls, through the public surface: scalar functions, functions over
//! groups, foreachBatch, and what frames of user code ask of a session.

mod frames;
mod groups;
mod queries;
mod scalar_functions;
mod support;
