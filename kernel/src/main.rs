//! `tidebook`: a Jupyter kernel with a Structured Streaming engine inside.
//!
//! ```text
//! sockets ── requests ──► session ── text ──► cell ──► magic ──► tidebook_engine
//!    ▲                       │                            │
//!    └── iopub ◄── outputs ◄─┴── live (displays that go on) ◄── display (pure: data → MIME)
//! ```
//! Start reading at [`session`]: it shows who answers what. A cell's way goes through [`cell`]
//! (what is it?), [`magic`] (the table of all magics) or [`rust`] (compiled cells), and [`outputs`].
//!
//! **Invariants.** The sockets have a thread of their own and never wait for the engine. · A cell
//! ends with at most one error, whatever happened in it. · Running queries survive interrupts,
//! errors and panics of cells. · Every update of a display is caused by the request that runs now.

mod cell;
mod display;
mod doctor;
mod engine;
mod error;
mod install;
mod language;
mod live;
mod magic;
mod outputs;
mod rust;
mod session;
mod sockets;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// A Jupyter kernel with a Structured Streaming engine inside.
#[derive(Debug, Parser)]
#[command(name = "tidebook", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run as a kernel; Jupyter does this.
    Kernel {
        /// The connection file that Jupyter wrote.
        #[arg(short = 'f', long = "connection-file", value_name = "FILE")]
        connection_file: PathBuf,
    },
    /// Tell Jupyter about this kernel.
    Install(install::Where),
    /// Build what Rust cells need, so that the first one is fast.
    Warm,
    /// Say what is present, what is missing, and what that disables.
    Doctor,
    /// Print the magics.
    #[command(hide = true)]
    Magics {
        /// As the table of the README.
        #[arg(long)]
        markdown: bool,
    },
}

fn main() -> ExitCode {
    if let Some(status) = rust::other_role() {
        return ExitCode::from(u8::try_from(status).unwrap_or(1));
    }
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tidebook: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Kernel { connection_file } => {
            rust::choose_folder();
            log_to_stderr();
            let sockets = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .context("start the sockets' thread")?;
            sockets.block_on(session::run(&connection_file))?;
            // Queries have been stopped; whatever else still runs has nobody to report to.
            std::process::exit(0);
        }
        Command::Install(place) => println!("{}", install::install(&place)?),
        Command::Warm => warm_up()?,
        Command::Doctor => {
            let report = doctor::examine();
            println!("{}", report.text);
            return Ok(match report.can_run {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            });
        }
        Command::Magics { markdown: true } => print!("{}", magic::markdown_table()),
        Command::Magics { markdown: false } => {
            for magic in magic::MAGICS {
                println!("{}", magic::usage(*magic));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts the compiler of the Rust cells once and ends it again.
fn warm_up() -> anyhow::Result<()> {
    rust::choose_folder();
    log_to_stderr();
    let cells = std::sync::Arc::new(rust::RustCells::new(live::Live::new(
        sockets::IoPub::closed(),
    )));
    let runtime = tokio::runtime::Runtime::new()?;
    let warmed = runtime.block_on(cells.warm_up());
    cells.shut_down();
    warmed?;
    println!("Rust cells are ready");
    // The compiler's thread has nobody to report to.
    std::process::exit(0);
}

/// What is logged unless `TIDEBOOK_LOG` says otherwise. A client that hangs up is no error.
const LOGGED: &str = "warn,zeromq=off";

/// Logs go to stderr, where `jupyter` shows them; `TIDEBOOK_LOG=debug` says more.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TIDEBOOK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LOGGED));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .init();
}
