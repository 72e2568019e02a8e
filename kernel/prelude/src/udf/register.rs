//! Makes functions known to SQL, and serves them.

use std::sync::Arc;
use std::thread::available_parallelism;

use super::{
    UdfArguments, UdfFunction, UdfReturn, UdfSignature, VectorArguments, VectorFunction,
    VectorReturn,
};
use crate::callbacks;
use crate::column::Column;
use crate::columns::{self, Array, Kind};
use crate::error::{Error, Result};
use crate::functions::call_udf;
use crate::wire::{self, Function};

/// The column of a function's values. Boxed early: what is generic is compiled with every cell.
type Call = Box<dyn Fn(&[Array], usize) -> Result<Array<'static>> + Send + Sync>;

/// A function of SQL that was written in Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Udf {
    name: String,
}

impl Udf {
    /// The name in SQL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A call with these columns.
    pub fn call<C: Into<Column>>(&self, arguments: impl IntoIterator<Item = C>) -> Column {
        call_udf(&self.name, arguments)
    }
}

/// Makes a function or closure known to SQL under a name, for data frames, SQL and magics; one of
/// the same name is replaced.
///
/// It takes up to six arguments of the types `bool`, `i8`, `i16`, `i32`, `i64`, `f32`, `f64`,
/// `String`, `&str`, `Vec<u8>`, `&[u8]` and [`Timestamp`](crate::Timestamp), or `Option` of them,
/// and returns one of them, an `Option`, or a `Result`. A row with `NULL` for an argument that is no
/// `Option` is `NULL`, without a call. It is called from several threads at a time; equal arguments
/// should give equal values. An error or a panic fails the query that called it, and nothing else.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let gross = udf("gross", |net: f64, rate: Option<f64>| net * (1.0 + rate.unwrap_or(0.19)))?;
/// let domain = udf("domain", |mail: &str| mail.split_once('@').map(|(_, domain)| domain.to_string()))?;
///
/// let orders = spark.table("orders")?;
/// orders.select([gross.call(["net", "rate"]), domain.call(["mail"])]).show(5)?;
/// spark.sql("SELECT gross(net, rate) FROM orders")?.show(5)?;
/// # Ok::<(), Error>(())
/// ```
///
/// Another type does not compile, and the compiler names it:
///
/// ```compile_fail,E0277
/// use tidebook::prelude::*;
///
/// let f = udf("f", |pair: (i32, i32)| pair.0)?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// If the name cannot be one of a function.
pub fn udf<Function, Arguments, Return>(name: &str, function: Function) -> Result<Udf>
where
    Function: UdfSignature<Arguments, Return>,
    Arguments: UdfArguments,
    Return: UdfReturn,
    Function: UdfFunction<Arguments, Return>,
{
    let call: Call = Box::new(move |columns, rows| function.call_rows(columns, rows));
    register(name, Arguments::KINDS, Return::KIND, true, call)
}

/// As [`udf`], for a function that is called once per batch, with slices. Rows with `NULL` for an
/// argument that is no slice of `Option` are left out, and are `NULL`. It returns a value per row
/// that it was given.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let scaled = vectorized_udf("scaled", |values: &[f64]| -> Vec<f64> {
///     let greatest = values.iter().copied().fold(f64::MIN, f64::max);
///     values.iter().map(|value| value / greatest).collect()
/// })?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// If the name cannot be one of a function.
pub fn vectorized_udf<Function, Arguments, Return>(name: &str, function: Function) -> Result<Udf>
where
    Function: UdfSignature<Arguments, Return>,
    Arguments: VectorArguments,
    Return: VectorReturn,
    Function: VectorFunction<Arguments, Return>,
{
    let call: Call = Box::new(move |columns, rows| function.call_batch(columns, rows));
    register(name, Arguments::KINDS, Return::Element::KIND, true, call)
}

/// Makes functions known to SQL; see [`SparkSession::udf`](crate::SparkSession::udf).
#[derive(Debug, Clone, Copy)]
pub struct UdfRegistration;

impl UdfRegistration {
    /// The same as [`udf`].
    ///
    /// # Errors
    /// If the name cannot be one of a function.
    pub fn register<Function, Arguments, Return>(
        &self,
        name: &str,
        function: Function,
    ) -> Result<Udf>
    where
        Function: UdfSignature<Arguments, Return>,
        Arguments: UdfArguments,
        Return: UdfReturn,
        Function: UdfFunction<Arguments, Return>,
    {
        udf(name, function)
    }

    /// As [`udf`], for a function whose values differ for equal arguments.
    ///
    /// # Errors
    /// If the name cannot be one of a function.
    pub fn register_nondeterministic<Function, Arguments, Return>(
        &self,
        name: &str,
        function: Function,
    ) -> Result<Udf>
    where
        Function: UdfSignature<Arguments, Return>,
        Arguments: UdfArguments,
        Return: UdfReturn,
        Function: UdfFunction<Arguments, Return>,
    {
        let call: Call = Box::new(move |columns, rows| function.call_rows(columns, rows));
        register(name, Arguments::KINDS, Return::KIND, false, call)
    }
}

fn register(
    name: &str,
    kinds: &'static [Kind],
    returns: Kind,
    deterministic: bool,
    call: Call,
) -> Result<Udf> {
    let function = Function::Udf {
        name: name.to_string(),
        arguments: kinds.iter().map(|kind| kind.ddl().to_string()).collect(),
        returns: returns.ddl().to_string(),
        deterministic,
    };
    let serve = move |request, body: Vec<u8>| match request {
        wire::Call::Udf { rows } => {
            let rows = rows as usize;
            let columns = columns::decode(&body)?;
            check(&columns, kinds, rows)?;
            Ok(columns::encode(&[call(&columns, rows)?]))
        }
        other => Err(callbacks::unexpected(&other)),
    };
    let threads = available_parallelism().map_or(1, usize::from);
    callbacks::register("udf", function, threads, Arc::new(serve))?;
    Ok(Udf {
        name: name.to_string(),
    })
}

/// The columns must be those of the function: their readers rely on it.
fn check(columns: &[Array], kinds: &[Kind], rows: usize) -> Result<()> {
    let fits = |(column, kind): (&Array, &Kind)| column.kind == *kind && column.rows == rows;
    if columns.len() == kinds.len() && columns.iter().zip(kinds).all(fits) {
        return Ok(());
    }
    let got: Vec<_> = columns.iter().map(|column| column.kind.ddl()).collect();
    let wanted: Vec<_> = kinds.iter().map(|kind| kind.ddl()).collect();
    let message = format!("the function takes {wanted:?}, and was called with {got:?}");
    Err(Error::of("InternalError", message))
}
