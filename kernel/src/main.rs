//! `tidebook`: a Jupyter kernel with a Structured Streaming engine inside.
//!
//! ```text
//! sockets ── requests ──► session ── text ──► cell ──► magic ──► tidebook_engine
//!    ▲                       │                            │
//!    └── iopub ◄── outputs ◄─┴── live (displays that go on) ◄── display (pure: data → MIME)
//! ```
//! Start reading at [`session`]: it shows who answers what. A cell's way goes through [`cell`]
//! (what is it?), [`magic`] (the table of all magics) or [`rust`] (compiled cells), and [`outputs`].
//! What it works on is a [`context`]; where its queries run, a [`backend`]. Compiled cells are compiled by
//! another program, `tidebook-rust`: nothing here depends on a compiler. Cells of Python run in
//! [`python`], a kernel beside this one.
//!
//! Beside the kernel, [`serve`] opens a door for clients of Spark Connect.
//!
//! Dependencies point one way: error ← {backend ← display, sockets, kafka, interpreter, door, scratch,
//! process_group} ← outputs ← live ← python ← context ← magic ← language ← rust ← session.
//!
//! **Invariants.** The sockets have a thread of their own and never wait for the engine. · A cell
//! ends with at most one error, whatever happened in it. · Running queries survive interrupts,
//! errors and panics of cells. · Every update of a display is caused by the request that runs now.

mod backend;
mod cell;
mod context;
mod course;
mod display;
mod doctor;
mod door;
mod engine;
mod error;
mod install;
mod interpreter;
mod kafka;
mod language;
mod live;
mod magic;
mod names;
mod outputs;
mod process_group;
mod python;
mod rust;
mod scratch;
mod serve;
mod session;
mod sockets;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

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
        /// Where queries run instead of in this process, as for %connect: sc://HOST:PORT.
        #[arg(
            long,
            value_name = "ADDRESS",
            env = "TIDEBOOK_CONNECT",
            hide_env_values = true
        )]
        connect: Option<String>,
    },
    /// Tell Jupyter about this kernel.
    Install(install::Where),
    /// Copy the course (notebooks, exercises, data) to a folder of your own; what you have changed
    /// there stays.
    Course(course::Course),
    /// Let clients of Spark Connect (PySpark) work on the engine, without a notebook.
    Serve(serve::Serve),
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
    /// Print the formats of sources and sinks with their options, as the tables of the README.
    #[command(hide = true)]
    Formats,
}

fn main() -> ExitCode {
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
        Command::Kernel {
            connection_file,
            connect,
        } => {
            log_to_stderr();
            let sockets = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .context("start the sockets' thread")?;
            sockets.block_on(session::run(&connection_file, connect))?;
            // Queries have been stopped; whatever else still runs has nobody to report to.
            std::process::exit(0);
        }
        Command::Install(place) => println!("{}", install::install(&place)?),
        Command::Course(course) => println!("{}", course::copy(&course)?),
        Command::Serve(door) => {
            log_to_stderr();
            serve::run(&door)?;
        }
        Command::Warm => return warm_up(),
        Command::Doctor => {
            let report = doctor::examine();
            println!("{}", report.text);
            return Ok(match report.can_run {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            });
        }
        Command::Formats => print!("{}", magic::markdown_tables()),
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
fn warm_up() -> anyhow::Result<ExitCode> {
    log_to_stderr();
    let live = live::Live::new(sockets::IoPub::closed());
    let cells = Arc::new(rust::RustCells::new(live, Arc::default()));
    let runtime = tokio::runtime::Runtime::new()?;
    let warmed = runtime.block_on(async {
        let warmed = cells.warm_up().await;
        cells.shut_down().await;
        warmed
    });
    warmed?;
    println!("Rust cells are ready");
    Ok(ExitCode::SUCCESS)
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
