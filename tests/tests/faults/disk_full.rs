//! No room for the checkpoint, the state, the output: the query fails and says so, and goes on where
//! it was once there is room. A limit on the size of files (RLIMIT_FSIZE) needs no rights; a small
//! file system in memory is the real thing, where the system lets us mount one.

use std::path::Path;
use std::process::Command;

use crate::row;
use crate::world::{Ended, Target, World, ended, says_what_to_do};

#[tokio::test(flavor = "multi_thread")]
async fn files_may_not_grow() {
    let world = World::new();
    let mut injected = 0;
    for sink in ["parquet", "json", "csv"] {
        let wanted = world.wanted(sink, "windows").await;
        // In kibibytes: nothing at all, logs but no state, almost everything.
        for limit in [0, 1, 2, 3] {
            let target = world.target(&format!("limited-{sink}-{limit}"), sink, "windows");
            // The signal that comes with the limit would end the process.
            let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\"");
            let mut limited = Command::new("bash");
            limited.args(["-c", &script, "bash"]).args(target.words());
            if check_failed(ended(&mut limited), &["File too large"]) {
                injected += 1;
            }
            target.run_to_end();
            let rows = target.rows().await.expect("its output");
            assert_eq!(rows, wanted, "{sink} {limit}");
        }
    }
    assert!(injected >= 6, "only {injected} runs have met the limit");
    row(
        "file size limit while writing checkpoint, state, output",
        injected,
        "failed by name, then same output",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_system_is_full() {
    let world = World::new();
    let wanted = world.wanted("json", "windows").await;
    let Some(namespace) = namespace() else {
        row(
            "full tmpfs",
            0,
            "not run: this system lets nobody mount one",
        );
        return;
    };
    for folder in ["checkpoint", "checkpoint/state", "out"] {
        let target = world.target(&folder.replace('/', "-"), "json", "windows");
        let mounted = target.work.join(folder);
        std::fs::create_dir_all(&mounted).expect("a folder");
        let mut injected = 0;
        for pages in [4, 8, 13, 20] {
            let target = target.copy(&format!("{}-{pages}", folder.replace('/', "-")));
            let mounted = target.work.join(folder);
            // What was mounted goes with the namespace, so its content is kept beside it.
            let script = format!(
                "mount -t tmpfs -o size={}k tmpfs '{dir}' || exit 99
                \"$@\"; code=$?
                cp -a '{dir}' '{dir}.kept' && exit $code",
                pages * 4,
                dir = mounted.display()
            );
            let mut command = Command::new(namespace[0]);
            command
                .args(&namespace[1..])
                .args(["bash", "-c", &script, "bash"]);
            let run = ended(command.args(target.words()));
            replace(&mounted);
            if check_failed(run, &["No space left on device"]) {
                injected += 1;
            }
            finish(&target, &wanted).await;
        }
        assert!(
            injected >= 2,
            "{folder}: only {injected} runs have met the end"
        );
        row(
            &format!("full disk under {folder} (tmpfs)"),
            injected,
            "failed by name, then same output",
        );
    }
}

/// How to run something that may mount: as root, or where users may have namespaces of their own.
fn namespace() -> Option<&'static [&'static str]> {
    const WAYS: [&[&str]; 2] = [
        &["unshare", "--mount"],
        &["unshare", "--user", "--map-root-user", "--mount"],
    ];
    WAYS.into_iter().find(|way| {
        let mut command = Command::new(way[0]);
        let probe = "mount -t tmpfs tmpfs /mnt";
        command.args(&way[1..]).args(["sh", "-c", probe]);
        command.output().is_ok_and(|output| output.status.success())
    })
}

fn replace(mounted: &Path) {
    let kept = mounted.with_file_name(format!(
        "{}.kept",
        mounted.file_name().unwrap_or_default().to_string_lossy()
    ));
    std::fs::remove_dir_all(mounted).expect("an empty folder");
    std::fs::rename(kept, mounted).expect("what was kept");
}

async fn finish(target: &Target, wanted: &[String]) {
    target.run_to_end();
    let rows = target.rows().await.expect("its output");
    assert_eq!(rows, wanted, "{}", target.work.display());
}

/// Whether it failed; then it must be with one of these words and a hint.
fn check_failed(ended: Ended, words: &[&str]) -> bool {
    match ended {
        Ended::Fine => false,
        Ended::Killed => panic!("killed"),
        Ended::Failed(error) => {
            assert!(words.iter().any(|word| error.contains(word)), "{error}");
            assert!(says_what_to_do(&error), "{error}");
            true
        }
    }
}
