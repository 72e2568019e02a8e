//! `tidebook doctor`: what is present, what is missing, and what each missing thing disables.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::install;
use crate::interpreter;
use crate::rust;

/// What was found.
pub(crate) struct Report {
    /// A table for people.
    pub text: String,
    /// Whether the kernel itself can run.
    pub can_run: bool,
}

struct Check {
    name: &'static str,
    found: Result<String, String>,
    /// What does not work without it.
    disables: &'static str,
    /// Whether the kernel cannot run without it.
    vital: bool,
}

/// Looks at the machine; changes nothing.
pub(crate) fn examine() -> Report {
    let checks = [
        vital(
            "loopback",
            loopback(),
            "the kernel: Jupyter cannot reach it",
        ),
        vital(
            "temp folder",
            temp_folder(),
            "the kernel: queries without --checkpoint need it",
        ),
        useful(
            "kernelspec",
            kernelspec(),
            "Jupyter does not list Tidebook: run 'tidebook install'",
        ),
        useful(
            "jupyter",
            jupyter(),
            "opening notebooks: pip install jupyterlab",
        ),
        useful(
            "rust",
            rust::toolchain(),
            "Rust cells: install Rust from rustup.rs, then rustup component add rust-src",
        ),
        useful(
            "compiler",
            rust::program(),
            "Rust cells: run ./install.sh, it goes on where it was",
        ),
        useful(
            "linker",
            program("cc"),
            "Rust cells: install a C compiler, e.g. build-essential",
        ),
        useful(
            "pyspark",
            interpreter::describe(),
            "%%pyspark: run ./install.sh --pyspark",
        ),
    ];
    let can_run = checks
        .iter()
        .all(|check| !check.vital || check.found.is_ok());
    let mut text = format!("tidebook {}\n\n", env!("CARGO_PKG_VERSION"));
    for check in &checks {
        let _ = match &check.found {
            Ok(what) => writeln!(text, "  ok       {:<12} {what}", check.name),
            Err(why) => writeln!(
                text,
                "  missing  {:<12} {why}\n           {:<12} disables {}",
                check.name, "", check.disables
            ),
        };
    }
    text.push('\n');
    text.push_str(match can_run {
        true => "the kernel can run",
        false => "the kernel cannot run",
    });
    Report { text, can_run }
}

fn vital(name: &'static str, found: Result<String, String>, disables: &'static str) -> Check {
    Check {
        name,
        found,
        disables,
        vital: true,
    }
}

fn useful(name: &'static str, found: Result<String, String>, disables: &'static str) -> Check {
    Check {
        vital: false,
        ..vital(name, found, disables)
    }
}

fn loopback() -> Result<String, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .map(|_| "127.0.0.1".to_owned())
        .map_err(|error| format!("cannot listen on 127.0.0.1: {error}"))
}

fn temp_folder() -> Result<String, String> {
    let folder = env::temp_dir();
    let probe = folder.join(format!("tidebook-doctor-{}", uuid::Uuid::new_v4()));
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .map(|()| folder.display().to_string())
        .map_err(|error| format!("cannot write to '{}': {error}", folder.display()))
}

/// Looks where Jupyter looks, and whether the program the spec names is still there.
fn kernelspec() -> Result<String, String> {
    let mut folders: Vec<PathBuf> = env::var_os("JUPYTER_PATH")
        .iter()
        .flat_map(env::split_paths)
        .collect();
    folders.extend(beside().map(|bin| bin.join("../share/jupyter")));
    folders.extend(install::user_data_dir().ok());
    folders.extend(
        install::sys_prefix()
            .ok()
            .map(|prefix| prefix.join("share/jupyter")),
    );
    folders.extend(jupyter_zmq_client::system_data_dirs());
    let spec = folders
        .iter()
        .map(|folder| {
            folder
                .join("kernels")
                .join(install::NAME)
                .join("kernel.json")
        })
        .find(|spec| spec.is_file())
        .ok_or("not installed")?;
    let shown = spec.display().to_string();
    let text = std::fs::read_to_string(&spec).map_err(|error| format!("'{shown}': {error}"))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("'{shown}': {error}"))?;
    let binary = json.pointer("/argv/0").and_then(|binary| binary.as_str());
    let binary = binary.unwrap_or_default();
    match Path::new(binary).is_file() {
        true => Ok(shown),
        false => Err(format!("'{shown}' names '{binary}', which is not there")),
    }
}

/// The folder of this program: that of an environment, which need not be active.
fn beside() -> Option<PathBuf> {
    let program = env::args_os().next().map(PathBuf::from);
    let named = program.filter(|program| program.components().count() > 1);
    let program = named.or_else(|| install::on_path(OsStr::new("tidebook")))?;
    let folder = program.parent()?;
    Some(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()))
}

/// Beside this program, or else on the path.
fn jupyter() -> Result<String, String> {
    let beside = beside().map(|bin| bin.join("jupyter"));
    match beside.filter(|program| program.is_file()) {
        Some(program) => Ok(program.display().to_string()),
        None => program("jupyter"),
    }
}

fn program(name: &str) -> Result<String, String> {
    install::on_path(OsStr::new(name))
        .map(|path| path.display().to_string())
        .ok_or_else(|| "not on PATH".to_owned())
}
