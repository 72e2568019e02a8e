//! Functions of the user that the kernel calls: each has connections of its own, and a thread for
//! each of them.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::thread;

use crate::connection::{Interrupted, connect, tell};
use crate::error::{Error, Result};
use crate::wire::{self, Call, Function, Request, Return, Role};

/// What a call does with its body, and the body of the answer.
pub(crate) type Serve = dyn Fn(Call, Vec<u8>) -> Result<Vec<u8>> + Send + Sync;

/// Makes a function known to the kernel and serves it from now on. Gives its id.
pub(crate) fn register(
    kind: &str,
    function: Function,
    connections: usize,
    serve: Arc<Serve>,
) -> Result<String> {
    let id = unique(kind);
    tell(
        &Request::RegisterFunction {
            id: id.clone(),
            function,
        },
        &[],
    )?;
    catch_panics();
    for _ in 0..connections {
        let stream = connect(Role::Function { id: id.clone() })?;
        let serve = Arc::clone(&serve);
        thread::Builder::new()
            .name(id.clone())
            .spawn(move || run(stream, &*serve))?;
    }
    Ok(id)
}

/// The answer to a call that is not for this kind of function.
pub(crate) fn unexpected(call: &Call) -> Error {
    Error::of("InternalError", format!("unexpected call: {call:?}"))
}

/// Differs from the ids of all cells: each has a counter of its own, so chance has to tell them
/// apart.
fn unique(kind: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{kind}-{:016x}", RandomState::new().hash_one(number))
}

/// Answers calls until the kernel closes the connection.
fn run(mut stream: UnixStream, serve: &Serve) {
    SERVING.set(true);
    while let Ok(Some((call, body))) = wire::receive(&mut stream) {
        let returned = panic::catch_unwind(AssertUnwindSafe(|| serve(call, body)));
        let (header, body) = match returned.unwrap_or_else(|payload| Err(panicked(&*payload))) {
            Ok(body) => (Return::Done, body),
            Err(error) => (Return::Failed(error.into_failure()), Vec::new()),
        };
        if wire::send(&mut stream, &header, &body).is_err() {
            return;
        }
    }
}

thread_local! {
    /// Whether this thread serves a function, so that its panics are answers and no output.
    static SERVING: Cell<bool> = const { Cell::new(false) };
    /// Where this thread has panicked.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has panics of serving threads noted instead of printed. Every cell has a copy of this crate, with
/// threads of its own, and the process has one hook: so each copy puts its own before the others.
fn catch_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_recording(info) {
                others(info);
            }
        }));
    });
}

/// Whether this thread runs a function that the kernel has called.
pub(crate) fn is_serving() -> bool {
    SERVING.try_with(Cell::get).unwrap_or(false)
}

/// Whether the panic is one of a serving thread; then its place is kept, for the answer to the
/// kernel.
pub(crate) fn is_recording(info: &PanicHookInfo<'_>) -> bool {
    if is_serving() {
        let location = info.location().map(ToString::to_string);
        let _ = LOCATION.try_with(|kept| kept.replace(location));
    }
    is_serving()
}

fn panicked(payload: &(dyn Any + Send)) -> Error {
    if payload.is::<Interrupted>() {
        return Error::of("KeyboardInterrupt", "interrupted".to_string());
    }
    let mut message = crate::cell::message(payload);
    if let Some(location) = LOCATION.take() {
        message.push_str(&format!("\nat {location}"));
    }
    Error::of("RustPanic", message)
}
