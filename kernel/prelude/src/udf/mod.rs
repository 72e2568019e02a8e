//! Functions of SQL written in Rust.

mod argument;
mod build;
mod function;
mod register;
mod returned;
mod vectorized;

pub use argument::{UdfArgument, UdfArguments};
pub use function::{UdfFunction, UdfSignature};
pub use register::{Udf, UdfRegistration, udf, vectorized_udf};
pub use returned::UdfReturn;
pub use vectorized::{
    VectorArgument, VectorArguments, VectorElement, VectorFunction, VectorReturn,
};
