//! Which Python runs cells, and functions of clients: the first one that has what they need.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tidebook_engine::Error;

use crate::error::{CellError, Result};
use crate::install::on_path;

/// Names the Python, before all others.
const SETTING: &str = "TIDEBOOK_PYTHON";

/// What cells need: PySpark's client, and the kernel that runs them.
pub(crate) const FOR_CELLS: &[&str] = &["pyspark", "grpc", "pandas", "pyarrow", "ipykernel"];

/// What functions of clients need.
pub(crate) const FOR_FUNCTIONS: &[&str] = &["pyspark", "grpc", "pandas", "pyarrow"];

/// How long a Python has to say what it has: a busy machine may need a while to start it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Prints which of its arguments cannot be imported.
const PROBE: &str = "import importlib.util, sys\n\
    print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None])";

/// The Python that has all of `needed`, or what to install. Starts programs: not for a thread that may
/// not wait.
pub(crate) fn find(needed: &[&str]) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(SETTING).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        return match missing(&named, needed) {
            Ok(missing) if missing.is_empty() => Ok(named),
            Ok(missing) => Err(lacks(&named, &missing)),
            Err(error) => Err(not_available(format!(
                "{SETTING} names '{}', which does not start: {error}",
                named.display()
            ))),
        };
    }
    let mut best: Option<(PathBuf, Vec<String>)> = None;
    for python in candidates() {
        match missing(&python, needed) {
            Ok(missing) if missing.is_empty() => return Ok(python),
            Ok(missing)
                if best
                    .as_ref()
                    .is_none_or(|(_, fewest)| missing.len() < fewest.len()) =>
            {
                best = Some((python, missing));
            }
            _ => {}
        }
    }
    Err(match best {
        Some((python, missing)) => lacks(&python, &missing),
        None => not_available("there is no Python on this machine")
            .hint(format!("install Python 3.11, or name one with {SETTING}")),
    })
}

/// The Python for cells, in words.
pub(crate) fn describe() -> std::result::Result<String, String> {
    match find(FOR_CELLS) {
        Ok(python) => Ok(python.display().to_string()),
        Err(error) => Err(error.evalue),
    }
}

/// The Python for functions of clients, or the engine's error.
pub(crate) fn for_functions() -> std::result::Result<PathBuf, Error> {
    find(FOR_FUNCTIONS).map_err(|error| {
        let hint = error.hint.unwrap_or_default();
        Error::runtime(format!("{}; {hint}", error.evalue))
            .with_condition("UNSUPPORTED_FEATURE.PYTHON_UDF")
    })
}

/// That of this program's environment, which need not be active, then that of the path.
fn candidates() -> impl Iterator<Item = PathBuf> {
    let program = std::env::args_os().next().map(PathBuf::from);
    let beside = program
        .filter(|program| program.components().count() > 1)
        .and_then(|program| std::path::absolute(program.with_file_name("python3")).ok());
    let beside = beside.filter(|python| python.is_file());
    beside.into_iter().chain(on_path(OsStr::new("python3")))
}

/// What this Python has not.
fn missing(python: &Path, needed: &[&str]) -> std::io::Result<Vec<String>> {
    let mut probe = Command::new(python);
    probe.args(["-c", PROBE]).args(needed).stdin(Stdio::null());
    let output = in_time(probe, PATIENCE)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.trim().lines().next_back().unwrap_or_default();
        return Err(std::io::Error::other(format!("{}: {last}", output.status)));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.split_whitespace().map(str::to_owned).collect())
}

/// What a program says before it ends; one that does not end in time is ended, and fails.
fn in_time(mut command: Command, patience: Duration) -> std::io::Result<Output> {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (end, ended) = mpsc::channel();
    std::thread::spawn(move || end.send(child.wait_with_output()));
    ended.recv_timeout(patience).unwrap_or_else(|_| {
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let seconds = patience.as_secs();
        Err(std::io::Error::other(format!(
            "it does not answer within {seconds} seconds"
        )))
    })
}

fn lacks(python: &Path, missing: &[String]) -> CellError {
    not_available(format!(
        "the Python '{}' lacks {}",
        python.display(),
        missing.join(", ")
    ))
    .hint(format!(
        "run ./install.sh --pyspark, or pip install pyspark-client ipykernel; {SETTING} names another Python"
    ))
}

fn not_available(why: impl Into<String>) -> CellError {
    CellError::new("PythonNotAvailable", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_answer_is_ended() {
        let mut endless = Command::new("sleep");
        endless.arg("600").stdin(Stdio::null());
        let error = in_time(endless, Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("does not answer"), "{error}");
        let mut quick = Command::new("echo");
        quick.arg("here");
        let output = in_time(quick, PATIENCE).unwrap();
        assert_eq!(output.stdout, b"here\n");
    }
}
