//! All acceptance tests, in one program: what they need of the engine is compiled and linked once.

mod batch_equals_stream;
mod format;
mod kill;
mod layering;
mod prelude_plans;
mod streaming;
