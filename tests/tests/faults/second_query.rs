//! Two processes, one checkpoint: the second is refused while the first lives, however it ends.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use tidebook_engine::FaultPoint;

use crate::row;
use crate::world::{Ended, World, says_what_to_do};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_query_is_refused() {
    let world = World::new();
    let wanted = world.wanted("parquet", "windows").await;
    let target = world.target("shared", "parquet", "windows");
    let mut injected = 0;
    for batch in [1, 3, 6] {
        let fault = [
            "wait".to_owned(),
            format!("{:?}", FaultPoint::SinkDone),
            batch.to_string(),
        ];
        let mut first = target.command();
        let mut first = first
            .args(fault)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the target");
        let mut said = String::new();
        let stdout = first.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut said).expect("a line");
        assert_eq!(said, "waiting\n");
        for _ in 0..2 {
            let Ended::Failed(error) = target.run() else {
                panic!("two queries on one checkpoint");
            };
            let holder = format!("in use by a query of process {}", first.id());
            assert!(
                error.contains("[CONCURRENT_QUERY]") && error.contains(&holder),
                "{error}"
            );
            assert!(says_what_to_do(&error), "{error}");
            injected += 1;
        }
        first.kill().expect("a process that can be killed");
        first.wait().expect("its end");
    }
    target.run_to_end();
    assert_eq!(target.rows().await.expect("its output"), wanted);
    row(
        "second process on a checkpoint, the first killed -9",
        injected,
        "refused by name, then same output",
    );
}
