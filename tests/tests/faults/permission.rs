//! Folders that cannot be written. Root may write everywhere, so as root the target runs as nobody.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;

use crate::row;
use crate::world::{Ended, World, ended, says_what_to_do};

const NOBODY: u32 = 65_534;

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_somebody_else() {
    let world = World::new();
    let wanted = world.wanted("json", "rows").await;
    let mut injected = 0;
    for folder in ["checkpoint", "out"] {
        let target = world.target(folder, "json", "rows");
        let closed = target.work.join(folder);
        fs::create_dir_all(&closed).expect("a folder");
        let is_root = fs::metadata(&closed).expect("a folder").uid() == 0;
        let open = |path: &std::path::Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("permissions");
        };
        // What is above and beside it may be used.
        let above = target.work.parent().expect("a folder above");
        open(above, 0o777);
        open(&target.work, 0o777);
        open(&closed, 0o555);
        let mut command = target.command();
        if is_root {
            // A copy, because the folders above the program may be closed to others.
            let program = above.join("target");
            fs::copy(&target.words()[0], &program).expect("a copy of the program");
            open(&program, 0o755);
            command = std::process::Command::new(program);
            command.args(&target.words()[1..]).uid(NOBODY);
        }
        let Ended::Failed(error) = ended(&mut command) else {
            panic!("{folder}: it did not fail");
        };
        assert!(error.contains("Permission denied"), "{error}");
        assert!(
            error.contains(&*closed.to_string_lossy()) && says_what_to_do(&error),
            "{error}"
        );
        injected += 1;
        open(&closed, 0o755);
        target.run_to_end();
        assert_eq!(target.rows().await.expect("its output"), wanted, "{folder}");
    }
    row(
        "permission denied on checkpoint, output",
        injected,
        "refused by name, then same output",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_place_of_a_folder() {
    let world = World::new();
    let wanted = world.wanted("json", "windows").await;
    let mut injected = 0;
    for folder in [
        "checkpoint",
        "checkpoint/offsets",
        "checkpoint/commits",
        "checkpoint/sources",
        "checkpoint/state",
        "out",
    ] {
        let target = world.target(&folder.replace('/', "-"), "json", "windows");
        let file = target.work.join(folder);
        fs::create_dir_all(file.parent().expect("a folder above")).expect("a folder");
        fs::write(&file, "").expect("a file");
        let Ended::Failed(error) = target.run() else {
            panic!("{folder}: it did not fail");
        };
        assert!(
            error.contains(&*file.to_string_lossy()) && says_what_to_do(&error),
            "{folder}: {error}"
        );
        injected += 1;
        fs::remove_file(&file).expect("a file");
        target.run_to_end();
        assert_eq!(target.rows().await.expect("its output"), wanted, "{folder}");
    }
    row(
        "a file in place of a folder of the checkpoint, of the output",
        injected,
        "refused by name, then same output",
    );
}
