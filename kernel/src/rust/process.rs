//! The program that compiles cells: where it is, and its start.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidebook::wire::SOCKET;
use tidebook_rust_protocol::{INHERITED_BY_USER_CODE, PROGRAM};

use crate::error::{CellError, Result};
use crate::process_group::ProcessGroup;

/// What `install.sh` writes while it builds the program: how far it is. Locked as long as it builds.
const PROGRESS: &str = "tidebook-rust.progress";

/// Starts the program, which will connect to a socket.
pub(super) fn start(socket: &Path) -> Result<ProcessGroup> {
    let program = program()?;
    let mut command = Command::new(&program);
    // A kernel that user code has started is a kernel like any other.
    for name in INHERITED_BY_USER_CODE {
        command.env_remove(name);
    }
    command.env(SOCKET, socket);
    ProcessGroup::start(command, "compiler").map_err(|error| {
        let program = program.display();
        not_available(format!(
            "the compiler of the Rust cells, '{program}', does not start: {error}"
        ))
    })
}

/// Where the program is, or why it is not there.
pub(crate) fn describe() -> std::result::Result<String, String> {
    let program = program().map_err(|error| error.evalue)?;
    Ok(program.display().to_string())
}

/// The program beside this one, or what to do about its absence.
pub(super) fn program() -> Result<PathBuf> {
    let beside = std::env::current_exe().unwrap_or_default();
    let program = beside.with_file_name(PROGRAM);
    if program.is_file() {
        return Ok(program);
    }
    Err(match progress(&beside.with_file_name(PROGRESS)) {
        Some(progress) => not_available(format!(
            "the compiler of the Rust cells is still being built ({progress})"
        ))
        .hint("run this cell again when ./install.sh has ended; all magics work meanwhile"),
        None => not_available("a cell without a magic is Rust, and its compiler is not built")
            .hint("run ./install.sh, it goes on where it was; all magics work without it"),
    })
}

/// How far the build of the program is; nothing if nobody builds it.
fn progress(file: &Path) -> Option<String> {
    let is_built = File::open(file).ok()?.try_lock().is_err();
    let text = std::fs::read_to_string(file).ok()?;
    is_built.then(|| text.trim().to_owned())
}

fn not_available(why: impl Into<String>) -> CellError {
    CellError::new(super::NOT_AVAILABLE, why)
}
