//! The connection to the kernel: work comes in, answers go out, and its end is the end of all.

use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::thread;

use anyhow::Context as _;
use tidebook::wire::{self, Hello, Role, SOCKET};
use tidebook_rust_protocol::{Answer, VERSION, Work};

use crate::{cleaner, compiler};

/// Whether the kernel has started this process.
pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(SOCKET).is_some()
}

/// Serves the kernel until it ends the connection; gives the exit status.
pub(crate) fn run(folder: &Path) -> anyhow::Result<i32> {
    let _cleaner = cleaner::start(folder)?;
    // An interrupt is for the compilers in our process group. A signal that is handled is the
    // default again in the programs that are started, one that is ignored stays ignored there.
    signal_hook::flag::register(
        signal_hook::consts::SIGINT,
        Arc::new(AtomicBool::new(false)),
    )
    .context("listen to interrupts")?;
    let socket = std::env::var_os(SOCKET).context("the kernel's socket is not named")?;
    let mut kernel = UnixStream::connect(&socket).context("reach the kernel")?;
    let role = Role::Compiler { protocol: VERSION };
    wire::send(&mut kernel, &Hello { role }, &[])?;
    let mut answers = kernel.try_clone()?;
    let answer = move |answer: &Answer| {
        if let Err(error) = wire::send(&mut answers, answer, &[]) {
            // Whoever waits for the answer learns of it by our end.
            eprintln!("tidebook-rust: an answer cannot be sent: {error}");
            std::process::exit(1);
        }
    };
    let (work, received) = mpsc::channel();
    let evcxr = thread::Builder::new()
        .name("evcxr".to_owned())
        // rust-analyzer recurses along the user's expressions.
        .stack_size(16 * 1024 * 1024);
    evcxr.spawn(move || {
        let serves = AssertUnwindSafe(|| compiler::serve(&received, answer));
        if panic::catch_unwind(serves).is_err() {
            // What evcxr held is lost. The kernel learns of it by our end.
            std::process::exit(1);
        }
    })?;
    while let Ok(Some((next, _))) = wire::receive::<Work>(&mut kernel) {
        let _ = work.send(next);
    }
    Ok(0)
}
