//! Which process holds a checkpoint, as it says so to others: they may know that it is gone.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// Its number.
    pub(super) process: u32,
    /// When it was started, which tells it from another of that number; if the system tells.
    started: Option<String>,
    /// Among which processes the number counts; if the system tells.
    among: Option<String>,
}

impl Holder {
    /// The one that runs this.
    pub(super) fn this_process() -> Self {
        let process = std::process::id();
        Self {
            process,
            started: started(process),
            among: among(),
        }
    }

    /// As one line.
    pub(super) fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What [`Self::to_line`] gave.
    pub(super) fn from_line(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Whether it has surely ended. Nothing is known of the processes of other machines.
    pub(super) fn is_gone(&self) -> bool {
        self.started.is_some()
            && self.among.is_some()
            && self.among == among()
            && started(self.process) != self.started
    }
}

/// When a process was started, on Linux: the 22nd word of its `stat`, of which the second may hold anything.
fn started(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, words) = stat.rsplit_once(')')?;
    words.split_whitespace().nth(19).map(str::to_string)
}

/// This run of the machine, and the namespace of processes in it.
fn among() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_it_has_ended() {
        let us = Holder::this_process();
        assert_eq!(Holder::from_line(&us.to_line()), Some(us.clone()));
        assert!(!us.is_gone());
        let mut child = std::process::Command::new("sleep")
            .arg("100")
            .spawn()
            .unwrap();
        let child_process = Holder {
            process: child.id(),
            started: started(child.id()),
            among: among(),
        };
        assert!(!child_process.is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(child_process.is_gone());
        let reused = Holder {
            started: Some("1".to_string()),
            ..us.clone()
        };
        assert!(reused.is_gone(), "another process has its number");
        let elsewhere = Holder {
            among: Some("another machine".to_string()),
            ..reused
        };
        assert!(!elsewhere.is_gone());
    }
}
