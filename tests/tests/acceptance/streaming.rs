//! Every stream script, in every variation, its state in 1, 2 or 5 parts; and the scripts against what Spark
//! answered.
//!
//! Which number of parts a script meets in a variation is chosen by its name. `PARTITIONS=5` takes five for all of them.
//! `SCRIPT=dedup cargo test --release --test acceptance streaming` plays the scripts whose name contains `dedup`.
//! `UPDATE=1` writes the engine's answers into blocks that Spark does not back.

use std::path::{Path, PathBuf};

use acceptance::recording::Recording;
use acceptance::report::report;
use acceptance::run::{Variation, check, outcomes};
use acceptance::script::Script;
use acceptance::update::rewrite;

#[tokio::test(flavor = "multi_thread")]
async fn scripts_give_the_expected_answers() {
    play_all(Variation::Plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_before_every_step_changes_nothing() {
    play_all(Variation::Restarted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_before_the_commit_log_changes_nothing() {
    play_all(Variation::Killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_on_disk_changes_nothing() {
    play_all(Variation::OnDisk).await;
}

#[test]
fn scripts_agree_with_the_recorded_answers_of_spark() {
    let mut found = Vec::new();
    for script in scripts() {
        let recording = Recording::read(&golden(), &script).expect("a recording that parses");
        match (recording, &script.not_recorded) {
            (Some(recording), None) => found.extend(recording.disagreements(&script)),
            (None, Some(_)) => {}
            (None, None) => found.push(format!(
                "{}: not recorded, and does not say why",
                script.name
            )),
            (Some(_), Some(_)) => found.push(format!("{}: recorded all the same", script.name)),
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Variations play one after the other: each already uses every core.
static PLAYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn play_all(variation: Variation) {
    let _alone = PLAYING.lock().await;
    let mut reports = Vec::new();
    let mut played = 0;
    let chosen: Option<usize> = std::env::var("PARTITIONS")
        .ok()
        .map(|number| number.parse().expect("a number"));
    for script in scripts() {
        let left_out = match variation {
            Variation::Plain | Variation::OnDisk => None,
            Variation::Restarted => script.no_restart.as_ref(),
            Variation::Killed => script.no_kill.as_ref(),
        };
        if left_out.is_some() || script.open.is_some() && variation != Variation::Plain {
            continue;
        }
        if variation == Variation::Plain && std::env::var_os("UPDATE").is_some() {
            update(&script).await;
            continue;
        }
        played += 1;
        let name = script.name.clone();
        let open = script.open.is_some();
        let parts = match script.one_partition {
            Some(_) => 1,
            None => chosen.unwrap_or_else(|| state_partitions(&name, variation)),
        };
        let playing = tokio::spawn(async move {
            let result = check(&script, variation, parts).await;
            let how = format!("{variation:?}, {parts} state partitions");
            result.map_err(|wrong| report(&script, &how, &wrong))
        });
        match playing.await {
            Ok(Ok(())) if open => {
                let text =
                    format!("{name}: marked open, but everything in it is right: unmark it\n");
                reports.push((name, text));
            }
            Ok(Err(_)) | Err(_) if open => {}
            Ok(Ok(())) => {}
            Ok(Err(report)) => reports.push((name, report)),
            Err(panic) => reports.push((name.clone(), format!("{name}: {panic}"))),
        }
    }
    let names: Vec<_> = reports.iter().map(|(name, _)| name.as_str()).collect();
    let texts: String = reports.iter().map(|(_, text)| text.as_str()).collect();
    assert!(
        reports.is_empty(),
        "{texts}\n{} of {played} scripts went wrong: {}",
        names.len(),
        names.join(" ")
    );
}

/// The variations of one script have different numbers.
fn state_partitions(name: &str, variation: Variation) -> usize {
    let sum: usize = name.bytes().map(usize::from).sum();
    [1, 2, 5][(sum + variation as usize) % 3]
}

async fn update(script: &Script) {
    let is_recorded = script.not_recorded.is_none();
    let outcomes = outcomes(script).await.expect("a script that can be played");
    if rewrite(script, &outcomes, is_recorded).expect("a script that can be written") {
        println!("{} rewritten", script.name);
    }
}

fn scripts() -> Vec<Script> {
    let root = tests().join("streaming");
    let filter = std::env::var("SCRIPT").unwrap_or_default();
    let scripts = Script::read_all(&root, &filter).expect("scripts that can be read");
    assert!(!scripts.is_empty(), "no script of this name");
    scripts
}

fn golden() -> PathBuf {
    tests().join("golden/spark-4.3.0")
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
