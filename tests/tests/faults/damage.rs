//! Files of a checkpoint and of an output that a power cut or a disk has spoilt.

use std::fs;
use std::path::{Path, PathBuf};

use acceptance::seeded::Seeded;
use tidebook_engine::FaultPoint;

use crate::row;
use crate::world::{Ended, Target, World, says_what_to_do};

/// The batch that is under way when the files are spoilt.
const UNDER_WAY: u64 = 5;
const EARLIER: u64 = 2;

/// What can happen to a file.
type Damage = fn(&[u8]) -> Option<Vec<u8>>;

const DAMAGES: [(&str, Damage); 6] = [
    ("emptied", |_| Some(Vec::new())),
    ("cut in half", |bytes| {
        Some(bytes[..bytes.len() / 2].to_vec())
    }),
    ("half of its last line", |bytes| {
        let last = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        Some(bytes[..last + (bytes.len() - last) / 2].to_vec())
    }),
    ("garbage", |bytes| Some(vec![0xa7; bytes.len()])),
    ("without newlines", |bytes| {
        Some(
            bytes
                .iter()
                .copied()
                .filter(|byte| *byte != b'\n')
                .collect(),
        )
    }),
    ("gone", |_| None),
];

/// How often which came out.
#[derive(Default)]
struct Counts {
    same: usize,
    refused: usize,
}

impl Counts {
    fn total(&self) -> usize {
        self.same + self.refused
    }

    fn result(&self) -> String {
        match (self.same, self.refused) {
            (same, 0) => format!("{same} same output"),
            (same, refused) => format!(
                "{same} same output, {refused} refused by name, and same output once put back"
            ),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn torn_log_files() {
    let world = World::new();
    let wanted = world.wanted("parquet", "windows").await;
    let planned = begun(&world, "planned", FaultPoint::OffsetsLogged);
    let done = begun(&world, "done", FaultPoint::CommitLogged);
    for (log, newest) in [
        ("checkpoint/offsets", UNDER_WAY),
        ("checkpoint/commits", UNDER_WAY - 1),
        ("checkpoint/sources/0", UNDER_WAY),
        ("out/_spark_metadata", UNDER_WAY - 1),
    ] {
        let mut counts = Counts::default();
        for (begun, newest) in [(&planned, newest), (&done, UNDER_WAY)] {
            for id in [newest, EARLIER] {
                let file = PathBuf::from(log).join(id.to_string());
                for (what, damage) in DAMAGES {
                    spoil(begun, &file, what, damage, &wanted, &mut counts).await;
                }
            }
        }
        row(
            &format!("torn file in {log}"),
            counts.total(),
            &counts.result(),
        );
    }
    let mut counts = Counts::default();
    for (what, damage) in DAMAGES {
        // Its only line has no newline.
        if what != "without newlines" {
            spoil(
                &planned,
                Path::new("checkpoint/metadata"),
                what,
                damage,
                &wanted,
                &mut counts,
            )
            .await;
        }
    }
    row("torn checkpoint/metadata", counts.total(), &counts.result());
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_state() {
    let world = World::new();
    let wanted = world.wanted("parquet", "windows").await;
    let begun = begun(&world, "begun", FaultPoint::OffsetsLogged);
    let mut random = Seeded::new(5);
    let mut counts = Counts::default();
    for version in 1..=UNDER_WAY {
        let file = PathBuf::from(format!("checkpoint/state/0/0/{version}.delta"));
        let size = fs::metadata(begun.work.join(&file)).expect("a delta").len();
        for _ in 0..6 {
            let (at, bit) = (random.below(size) as usize, random.below(8));
            let flip = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= 1 << bit;
                Some(bytes)
            };
            spoil(
                &begun,
                &file,
                &format!("bit {bit} of byte {at}"),
                flip,
                &wanted,
                &mut counts,
            )
            .await;
        }
        for (what, damage) in DAMAGES {
            spoil(&begun, &file, what, damage, &wanted, &mut counts).await;
        }
    }
    assert_eq!(counts.same, 0, "damaged state was taken for state");
    row(
        "corrupt state delta: a flipped bit, torn, gone",
        counts.total(),
        &counts.result(),
    );
}

/// A query that was killed in the middle.
fn begun(world: &World, name: &str, point: FaultPoint) -> Target {
    let target = world.target(name, "parquet", "windows");
    assert!(target.killed_at(point, UNDER_WAY));
    target
}

/// Spoils one file of a copy and goes on with it. What is refused goes on once the file is back.
async fn spoil(
    begun: &Target,
    file: &Path,
    what: &str,
    damage: impl Fn(&[u8]) -> Option<Vec<u8>>,
    wanted: &[String],
    counts: &mut Counts,
) {
    let case = format!("{} {what}", file.display());
    let target = begun.copy("spoilt");
    let path = target.work.join(file);
    let content = fs::read(&path).expect("a file");
    match damage(&content) {
        Some(spoilt) => fs::write(&path, spoilt).expect("a file that can be written"),
        None => fs::remove_file(&path).expect("a file that can be removed"),
    }
    let run = match target.run() {
        // What the query could do without may be missed by who reads its output.
        Ended::Fine => target.rows().await,
        Ended::Failed(error) => Err(error),
        Ended::Killed => panic!("{case}: killed"),
    };
    match run {
        Ok(rows) => {
            assert!(
                rows == wanted,
                "{case}: {} rows, not {}",
                rows.len(),
                wanted.len()
            );
            counts.same += 1;
        }
        Err(error) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            assert!(
                error.contains(&*name) && says_what_to_do(&error),
                "{case}: {error}"
            );
            fs::write(&path, content).expect("a file that can be written");
            target.run_to_end();
            let rows = target.rows().await.expect("its output");
            assert!(
                rows == wanted,
                "{case}, put back: {} rows, not {}",
                rows.len(),
                wanted.len()
            );
            counts.refused += 1;
        }
    }
    fs::remove_dir_all(&target.work).expect("a folder that can be removed");
}
