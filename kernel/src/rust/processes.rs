//! Ends the compilers that evcxr has started: it gives no handle on them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Ends cargo, rustc, linkers and shells that were started for a cell; the process that runs user
/// code is this same program and is left alone.
pub fn kill_compilers() {
    let parents = parents();
    let mut victims: Vec<u32> = Vec::new();
    collect(std::process::id(), &parents, &mut victims);
    if victims.is_empty() {
        return;
    }
    // The shell's own `kill` is there on every system.
    let pids = victims.iter().map(u32::to_string);
    let _ = Command::new("sh")
        .args(["-c", "kill -9 \"$@\"", "sh"])
        .args(pids)
        .stderr(Stdio::null())
        .status();
}

fn collect(parent: u32, parents: &HashMap<u32, u32>, victims: &mut Vec<u32>) {
    let own = fs::read_link("/proc/self/exe").ok();
    for (&pid, _) in parents.iter().filter(|(_, of)| **of == parent) {
        let program = fs::read_link(Path::new("/proc").join(pid.to_string()).join("exe")).ok();
        if program.is_none() || program == own || victims.contains(&pid) {
            continue;
        }
        victims.push(pid);
        collect(pid, parents, victims);
    }
}

/// Process → its parent, of all processes there are.
fn parents() -> HashMap<u32, u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return HashMap::new();
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, parent_of(pid)?)))
        .collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
