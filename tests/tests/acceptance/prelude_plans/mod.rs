//! The prelude writes protobuf by hand: what it writes must be what the messages say.

mod commands;
mod expressions;
mod groups_with_state;
mod relations;
mod support;
