//! `durable=true`: what a batch has written is on the disk before the log says that it is done.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once};

use tidebook_engine::Session;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{Deduplicate, Relation};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::support::{Folder, Start, stream};

/// What was forced to the disk, in order, in all tests of this program.
static FORCED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Listens to what the engine tells of forcing.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tidebook_engine::storage::durable"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut PathOf);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct PathOf;

impl Visit for PathOf {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "path" {
            FORCED.lock().unwrap().push(format!("{value:?}").into());
        }
    }
}

/// Runs two batches with state into folders by `k`; what was forced meanwhile.
async fn run(folder: &Folder, durable: &str) -> Vec<PathBuf> {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
    folder.add("in/1.json", 1, r#"{"k":"a","v":1}"#);
    folder.add("in/2.json", 2, r#"{"k":"b","v":2}"#);
    let input = stream(
        "json",
        "k STRING, v BIGINT",
        &folder.text("in"),
        &[("maxFilesPerTrigger", "1")],
    );
    let distinct = Deduplicate {
        input: Some(Box::new(input)),
        column_names: vec!["v".to_owned()],
        ..Default::default()
    };
    let start = Start {
        input: Relation {
            common: None,
            rel_type: Some(RelType::Deduplicate(Box::new(distinct))),
        },
        format: "json",
        path: folder.text("out"),
        checkpoint: folder.text("checkpoint"),
        options: &[("durable", durable)],
        partition_by: &["k"],
    };
    start.run(&Session::new().unwrap()).await.unwrap();
    let below = folder.path("");
    let forced = FORCED.lock().unwrap();
    let forced = forced.iter().filter(|path| path.starts_with(&below));
    forced.cloned().collect()
}

/// Where in the order a temporary file of that name was forced, and its folder after it.
fn written(forced: &[PathBuf], folder: &Path, name: &str) -> usize {
    let prefix = format!(".{name}.");
    let is_it = |path: &PathBuf| {
        let found = path.file_name().unwrap_or_default().to_string_lossy();
        path.parent() == Some(folder) && found.starts_with(&prefix)
    };
    let bytes = forced.iter().position(is_it);
    let bytes = bytes.unwrap_or_else(|| panic!("{}/{name}: {forced:#?}", folder.display()));
    let name = forced.iter().skip(bytes).position(|path| path == folder);
    bytes + name.unwrap_or_else(|| panic!("{} after {bytes}: {forced:#?}", folder.display()))
}

/// Where a path was forced first.
fn first(forced: &[PathBuf], path: &Path) -> usize {
    let place = forced.iter().position(|one| one == path);
    place.unwrap_or_else(|| panic!("{}: {forced:#?}", path.display()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_on_the_disk_before_it_counts() {
    let folder = Folder::new();
    let forced = run(&folder, "true").await;
    let log = |name: &str, file: &str| written(&forced, &folder.path(name), file);
    for (batch, key) in [(0, "a"), (1, "b")] {
        let id = batch.to_string();
        let offsets = log("checkpoint/offsets", &id);
        assert!(log("checkpoint/sources/0", &id) < offsets, "{forced:#?}");
        let parts = folder.path(&format!("out/k={key}"));
        let part = std::fs::read_dir(&parts).unwrap().next().unwrap();
        let part = first(&forced, &part.unwrap().path());
        assert!(offsets < part, "{forced:#?}");
        let sink = log("out/_spark_metadata", &id);
        // The file, its name, and the name of the folder it is in.
        assert!(part < sink && first(&forced, &parts) < sink, "{forced:#?}");
        let above = forced.iter().take(sink).skip(part);
        let out = folder.path("out");
        assert!(above.clone().any(|path| *path == out), "{forced:#?}");
        let state = log("checkpoint/state/0/0", &format!("{}.delta", batch + 1));
        let done = log("checkpoint/commits", &id);
        assert!(sink < done && state < done, "{forced:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_forced_unless_that_is_asked_for() {
    let forced = run(&Folder::new(), "false").await;
    assert_eq!(forced, [] as [&Path; 0]);
}
