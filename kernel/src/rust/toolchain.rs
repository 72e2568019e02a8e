//! Whether this machine can compile Rust cells.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tidebook_rust_protocol::Toolchain;

use crate::error::{CellError, Result};

/// The compiler's version, if Rust cells can be compiled; else what is missing.
pub(crate) fn describe() -> std::result::Result<String, String> {
    let toolchain = find().map_err(|error| error.evalue)?;
    let source = toolchain.library.display();
    Ok(format!("{}, source in {source}", toolchain.version))
}

/// The toolchain; an error that says what to install if something is missing.
pub(super) fn find() -> Result<Toolchain> {
    let no_rust = |what| missing(what, "install Rust from https://rustup.rs");
    // All at once: behind rustup each takes as long as a blink.
    let version = started("rustc", &["--version"]);
    let folders = started("rustc", &["--print", "sysroot", "--print", "target-libdir"]);
    let cargo = started("cargo", &["--version"]);
    let version = output(version).ok_or_else(|| no_rust("a Rust compiler"))?;
    output(cargo).ok_or_else(|| no_rust("cargo"))?;
    let folders = output(folders).unwrap_or_default();
    let (sysroot, libraries) = folders.split_once('\n').unwrap_or_default();
    let library = Path::new(sysroot).join("lib/rustlib/src/rust/library");
    match library.join("std/src/lib.rs").exists() {
        true => Ok(Toolchain {
            version,
            library,
            libraries: libraries.to_owned(),
        }),
        false => Err(missing(
            "the source of Rust's standard library",
            "run: rustup component add rust-src",
        )),
    }
}

fn started(program: &str, arguments: &[&str]) -> Option<Child> {
    let mut command = Command::new(program);
    let command = command.args(arguments).stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().ok()
}

fn output(started: Option<Child>) -> Option<String> {
    let output = started?.wait_with_output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn missing(what: &str, hint: &str) -> CellError {
    CellError::new(
        super::NOT_AVAILABLE,
        format!("a cell without a magic is Rust, and {what} is missing on this machine"),
    )
    .hint(format!(
        "{hint}, then run the cell again; %%sql, %%stream and all other magics work without it"
    ))
}
