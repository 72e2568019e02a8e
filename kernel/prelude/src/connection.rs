//! Asks the kernel: one question at a time per connection, and a connection for everyone who asks.

use std::os::unix::net::UnixStream;
use std::panic;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::callbacks;
use crate::error::{Error, Result};
use crate::idle::Idle;
use crate::wire::{self, Hello, Reply, Request, Role, SOCKET};

/// Connections of cells.
static OF_CELLS: Idle = Idle::new();
/// Connections of functions that the kernel calls.
static OF_CALLBACKS: Idle = Idle::new();

/// The panic that ends a cell whose user has interrupted it; what the cell's variables hold is kept.
#[derive(Debug, Clone, Copy)]
pub struct Interrupted;

/// What the kernel answers to `request` with `body`.
///
/// If the user interrupts the cell meanwhile, this does not return: it unwinds with [`Interrupted`].
pub(crate) fn ask<T: DeserializeOwned>(request: &Request, body: &[u8]) -> Result<T> {
    match exchange(request, body)? {
        Reply::Done(value) => serde_json::from_value(value).map_err(|error| {
            let message = format!("the kernel's answer is not understood: {error}");
            Error::of("InternalError", message)
        }),
        Reply::Failed(failure) => Err(failure.into()),
        // Unlike `panic!` this prints nothing.
        Reply::Interrupted => panic::resume_unwind(Box::new(Interrupted)),
    }
}

/// Asks for something that has no answer.
pub(crate) fn tell(request: &Request, body: &[u8]) -> Result<()> {
    ask::<Value>(request, body).map(drop)
}

/// A new connection for `role`.
pub(crate) fn connect(role: Role) -> Result<UnixStream> {
    let Some(path) = std::env::var_os(SOCKET) else {
        return Err(Error::of("RustError", format!("{SOCKET} is not set"))
            .with_hint("run this code in a cell of Tidebook"));
    };
    let mut stream = UnixStream::connect(PathBuf::from(path)).map_err(lost)?;
    wire::send(&mut stream, &Hello { role }, &[]).map_err(lost)?;
    Ok(stream)
}

fn exchange(request: &Request, body: &[u8]) -> Result<Reply> {
    let (idle, role) = match callbacks::is_serving() {
        true => (&OF_CALLBACKS, Role::Callback),
        false => (&OF_CELLS, Role::Session),
    };
    let mut stream = match idle.take() {
        Some(stream) => stream,
        None => connect(role)?,
    };
    wire::send(&mut stream, request, body).map_err(lost)?;
    let Some((reply, _)) = wire::receive(&mut stream).map_err(lost)? else {
        return Err(lost("the connection was closed"));
    };
    idle.put(stream);
    Ok(reply)
}

fn lost(error: impl std::fmt::Display) -> Error {
    Error::of("RustError", format!("the kernel does not answer: {error}"))
        .with_hint("restart the kernel")
}
