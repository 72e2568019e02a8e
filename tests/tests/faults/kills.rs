//! `kill -9` at every step of the loop, for every sink that outlives its process.

use acceptance::embedded_broker::EmbeddedBroker;
use tidebook_engine::FaultPoint;
use tidebook_engine::sinks::{SINK_FORMATS, Target as SinkTarget};

use crate::row;
use crate::world::{FILES, QUERIES, World};

/// Early, before a compaction of the logs, at it, and the last.
const BATCHES: [u64; 4] = [0, 4, 9, FILES - 1];

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step() {
    let files = SINK_FORMATS
        .iter()
        .filter(|sink| sink.target == SinkTarget::Directory);
    let sinks = files
        .map(|sink| sink.name)
        .chain(["foreachBatch", "foreach", "console"])
        .map(str::to_owned);
    let broker = EmbeddedBroker::shared().address();
    let topics = ["kafka", "kafka-once"].map(|kind| format!("{kind}:{broker}"));
    for sink in sinks.chain(topics) {
        let sink = sink.as_str();
        let kind = sink.split(':').next().unwrap_or_default();
        let world = World::new();
        let mut injected = 0;
        for query in QUERIES {
            let wanted = world.wanted(sink, query).await;
            for point in FaultPoint::ALL {
                let target = world.target(&format!("{kind}-{query}-{point:?}"), sink, query);
                let killed = BATCHES
                    .into_iter()
                    .filter(|batch| target.killed_at(point, *batch))
                    .count();
                assert!(
                    killed >= 3,
                    "{sink} {query} {point:?}: killed only {killed} times"
                );
                injected += killed;
                target.run_to_end();
                let rows = target.rows().await.expect("its output");
                assert_eq!(rows, wanted, "{sink} {query} {point:?}");
            }
        }
        row(
            &format!(
                "kill -9 at each of {} steps, sink {kind}",
                FaultPoint::ALL.len()
            ),
            injected,
            match kind {
                "kafka" => "nothing lost (at least once, as in Spark)",
                _ => "same output",
            },
        );
    }
}
