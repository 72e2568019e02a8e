//! `tidebook-rust`: compiles and runs the Rust cells of a kernel.
//!
//! ```text
//! kernel ── work ──► service ──► evcxr (thread: evcxr, rust-analyzer) ── cargo, rustc
//!   ▲   ◄── answers ───┘             │ lines on stdin and stdout
//!   └── told ── relay (process) ◄────┘
//!                 │ pipes
//!              runtime (process): user code + the prelude
//! ```
//! The kernel starts this program in a process group of its own, which the compilers share and
//! relay and runtime do not: an interrupt (`SIGINT`) of the group ends whatever compiles and
//! nothing else, `SIGKILL` ends the compiler whole. What the processes say to each other is in
//! `tidebook-rust-protocol`.
//!
//! **Invariants.** The end of the kernel's connection, or of the compiler, ends every process here;
//! a cleaner, which outlives them, removes their folder. · The program starts anew once it has chosen that folder: evcxr reads it from the
//! environment, which nobody may change in a program that has begun.

mod cleaner;
mod compiler;
mod diagnostics;
mod home;
mod relay;
mod service;
mod std_source;

use std::env;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(u8::try_from(status).unwrap_or(1)),
        Err(error) => {
            eprintln!("tidebook-rust: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<i32> {
    if cleaner::is_asked_for() {
        return cleaner::run();
    }
    if relay::is_asked_for() {
        return relay::run();
    }
    // Does not return if this is the runtime, or stands in for rustc.
    evcxr::runtime_hook();
    if !service::is_asked_for() {
        eprintln!("tidebook-rust is started by the kernel, 'tidebook', with the first Rust cell");
        return Ok(2);
    }
    let Some(cells) = env::args_os().nth(1) else {
        let cells = home::choose()?;
        let mut chosen = Command::new(env::current_exe()?);
        let chosen = chosen.arg(&cells).envs(home::variables(&cells));
        // Returns only if it fails.
        return Err(chosen.exec()).context("start anew with a folder to compile in");
    };
    service::run(Path::new(&cells))
}
