//! The cleaner: outlives the compiler, however that ends, and leaves nothing of it behind.

use std::env;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, getpid, kill_process_group};

/// Names the process group of the compiler, in the cleaner's environment.
const GROUP: &str = "TIDEBOOK_CLEANS_UP";
/// A program that is being ended may still write a file.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// Starts a cleaner for this process, which leads its group and compiles in a folder. The cleaner
/// goes to work when what is returned is closed: at the end of this process.
pub(crate) fn start(folder: &Path) -> anyhow::Result<ChildStdin> {
    let started = Command::new(env::current_exe()?)
        .env(GROUP, getpid().as_raw_nonzero().to_string())
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn();
    let mut cleaner = started.context("start the cleaner")?;
    cleaner.stdin.take().context("the cleaner has no stdin")
}

/// Whether this process was started to be a cleaner.
pub(crate) fn is_asked_for() -> bool {
    env::var_os(GROUP).is_some()
}

/// Waits for the end of the compiler, then ends what it has started and removes its folder.
pub(crate) fn run() -> anyhow::Result<i32> {
    let group = env::var(GROUP).context("no process group is named")?;
    let folder = env::args_os().nth(1).context("no folder is named")?;
    let _ = io::stdin().read_to_end(&mut Vec::new());
    if let Some(group) = group.parse().ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    for _ in 0..TRIES {
        if std::fs::remove_dir_all(&folder).is_ok() {
            break;
        }
        thread::sleep(PAUSE);
    }
    Ok(0)
}
