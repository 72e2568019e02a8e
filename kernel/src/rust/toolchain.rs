//! Whether this machine can compile Rust cells.

use std::path::Path;
use std::process::Command;

use crate::error::{CellError, Result};

/// What an unmarked cell is told where it cannot be compiled.
const ENAME: &str = "RustCellsNotAvailable";

/// The version of the Rust compiler; an error that says what to install if something is missing.
pub fn rustc_version() -> Result<String> {
    let version = output("rustc", &["--version"])
        .ok_or_else(|| missing("a Rust compiler", "install Rust from https://rustup.rs"))?;
    output("cargo", &["--version"])
        .ok_or_else(|| missing("cargo", "install Rust from https://rustup.rs"))?;
    let sysroot = output("rustc", &["--print", "sysroot"]).unwrap_or_default();
    let source = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/src/lib.rs");
    match source.exists() {
        true => Ok(version),
        false => Err(missing(
            "the source of Rust's standard library",
            "run: rustup component add rust-src",
        )),
    }
}

/// Where the Rust standard library is that compiled cells load; the path they carry themselves is
/// relative and counts one folder too many.
pub fn libraries() -> Option<String> {
    output("rustc", &["--print", "target-libdir"])
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn missing(what: &str, hint: &str) -> CellError {
    CellError::new(
        ENAME,
        format!("a cell without a magic is Rust, and {what} is missing on this machine"),
    )
    .hint(format!(
        "{hint}, then run the cell again; %%sql, %%stream and all other magics work without it"
    ))
}
