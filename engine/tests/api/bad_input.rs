//! Input that is wrong: records that do not parse are counted or located, definitions of sources
//! that cannot work are refused with the way out.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::{SinkDestination, Trigger};
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Read, Relation, Sql, StreamingForeachFunction,
    WriteStreamOperationStart, read,
};
use tidebook_engine::{CommandOutput, Error, Session, SqlOutput, StreamingQuery};

struct Source<'a> {
    format: &'a str,
    schema: &'a str,
    options: &'a [(&'a str, &'a str)],
}

fn relation(kind: RelType) -> Relation {
    Relation {
        common: None,
        rel_type: Some(kind),
    }
}

fn command(kind: CommandType) -> Command {
    Command {
        command_type: Some(kind),
    }
}

fn map(options: &[(&str, &str)]) -> HashMap<String, String> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    options.iter().map(owned).collect()
}

/// Makes `source` the stream `events`.
async fn define(session: &Session, source: &Source<'_>, path: &Path) -> Result<(), Error> {
    let input = relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some(source.format.to_string()),
            schema: Some(source.schema.to_string()),
            options: map(source.options),
            paths: vec![path.display().to_string()],
            ..Default::default()
        })),
    }));
    let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
        input: Some(input),
        name: "events".into(),
        is_global: false,
        replace: true,
    });
    session.execute(&command(view)).await.map(drop)
}

/// Reads everything there is in `events`.
async fn run(session: &Session) -> Result<StreamingQuery, Error> {
    start_with(session, |_| ()).await
}

/// The same, with a command that `change` has changed.
async fn start_with(
    session: &Session,
    change: impl FnOnce(&mut WriteStreamOperationStart),
) -> Result<StreamingQuery, Error> {
    let input = relation(RelType::Sql(Sql {
        query: "SELECT i, s FROM events".into(),
        ..Default::default()
    }));
    let mut start = WriteStreamOperationStart {
        input: Some(input),
        format: "noop".into(),
        output_mode: "append".into(),
        trigger: Some(Trigger::AvailableNow(true)),
        ..Default::default()
    };
    change(&mut start);
    let start = CommandType::WriteStreamOperationStart(start);
    match session.execute(&command(start)).await? {
        CommandOutput::Query(query) => query.await_termination(None).await.map(|_| query),
        _ => panic!("a query was started"),
    }
}

const FORMATS: [(&str, &str); 2] = [
    (
        "json",
        "{\"i\":1,\"s\":\"a\"}\n\n{\"i\":\"x\",\"s\":\"b\"}\noops\n{\"i\":4,\"s\":\"d\"}\n",
    ),
    ("csv", "1,a\n\nx,b\noops\n4,d\n"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_do_not_fit_are_counted_where_they_are_kept_or_dropped() {
    for (format, text) in FORMATS {
        for (mode, rows) in [("PERMISSIVE", 4), ("DROPMALFORMED", 2)] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("a"), text).unwrap();
            let session = Session::new().unwrap();
            let source = Source {
                format,
                schema: "i INT, s STRING",
                options: &[("mode", mode)],
            };
            define(&session, &source, dir.path()).await.unwrap();
            let query = run(&session).await.unwrap();
            let progress = query.last_progress().unwrap();
            assert_eq!(progress.num_input_rows, rows, "{format} {mode}");
            let metrics = &progress.sources[0].metrics;
            assert_eq!(metrics["numCorruptRecords"], "2", "{format} {mode}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_ends_the_query_is_located() {
    for (format, text) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), text).unwrap();
        let session = Session::new().unwrap();
        let source = Source {
            format,
            schema: "i INT, s STRING",
            options: &[("mode", "FAILFAST")],
        };
        define(&session, &source, dir.path()).await.unwrap();
        let error = run(&session).await.unwrap_err();
        let place = format!("file '{}', line 3", dir.path().join("a.txt").display());
        assert!(error.message().contains(&place), "{error}");
        assert_eq!(
            error.condition(),
            Some("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_that_cannot_work_are_refused_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::new().unwrap();
    for (source, path, message, hint) in [
        (
            ("json", "i INT", ("", "")),
            "none",
            "none' does not exist",
            "exists",
        ),
        (
            ("jsn", "i INT", ("", "")),
            "",
            "no source 'jsn'",
            "did you mean 'json'?",
        ),
        (
            ("delta", "i INT", ("", "")),
            "",
            "has no source 'delta'",
            "as Parquet",
        ),
        (
            ("json", "i ITN", ("", "")),
            "",
            "has the type 'ITN'",
            "did you mean INT?",
        ),
        (
            ("json", "", ("", "")),
            "",
            "needs a schema",
            "give the schema",
        ),
        (
            ("csv", "a ARRAY<INT>", ("", "")),
            "",
            "cannot be read from CSV",
            "use json",
        ),
        (
            ("text", "a INT", ("", "")),
            "",
            "is a STRING",
            "value STRING",
        ),
        (
            ("csv", "i INT", ("heder", "true")),
            "",
            "unknown option 'heder'",
            "'header'",
        ),
        (
            ("csv", "i INT", ("samplingRatio", "1")),
            "",
            "not supported",
            "supported: path",
        ),
        (
            ("csv", "i INT", ("sep", "")),
            "",
            "at least one character",
            "",
        ),
        (
            ("json", "d DATE", ("dateFormat", "EEE d")),
            "",
            "letter 'E'",
            "yyyy-MM-dd",
        ),
        (("json", "i INT", ("mode", "LAX")), "", "PERMISSIVE", ""),
    ] {
        let (format, schema, option) = source;
        let options = [option];
        let source = Source {
            format,
            schema,
            options: if option.0.is_empty() { &[] } else { &options },
        };
        let path = dir.path().join(path);
        let error = define(&session, &source, &path).await.unwrap_err();
        assert!(error.message().contains(message), "{error}");
        let given = error.hint().unwrap_or_default();
        assert!(given.contains(hint), "{error}: {given}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_would_do_less_than_was_asked_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), "{\"i\":1}").unwrap();
    let session = Session::new().unwrap();
    let source = Source {
        format: "json",
        schema: "i INT, s STRING",
        options: &[],
    };
    define(&session, &source, dir.path()).await.unwrap();
    type Change = fn(&mut WriteStreamOperationStart);
    let asked: [(Change, &str); 4] = [
        (
            |start| start.partitioning_column_names = vec!["s".into()],
            "does not support partitionBy",
        ),
        (
            |start| start.clustering_column_names = vec!["s".into()],
            "clusterBy is not supported",
        ),
        (
            |start| start.foreach_writer = Some(StreamingForeachFunction::default()),
            "'foreach' needs a writer",
        ),
        (
            |start| start.sink_destination = Some(SinkDestination::TableName("t".into())),
            "so neither can 't'",
        ),
    ];
    for (change, message) in asked {
        let error = start_with(&session, change).await.unwrap_err();
        assert!(error.message().contains(message), "{error}");
    }
    assert!(session.streams().active().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_may_be_a_url() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("in")).unwrap();
    fs::write(dir.path().join("in/a"), "{\"i\":1}").unwrap();
    let session = Session::new().unwrap();
    let source = Source {
        format: "json",
        schema: "i INT, s STRING",
        options: &[],
    };
    define(&session, &source, &dir.path().join("in"))
        .await
        .unwrap();
    let location = format!("file:{}/a%20b", dir.path().display());
    let checkpointed = start_with(&session, |start| {
        start.options.insert("checkpointLocation".into(), location);
    });
    checkpointed.await.unwrap();
    assert!(dir.path().join("a b/commits/0").exists());
}

/// A stream over `DIR/in`, one file per batch, with a query into `DIR/out`.
struct Checkpointed {
    dir: tempfile::TempDir,
    session: Session,
}

impl Checkpointed {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        let session = Session::new().unwrap();
        let source = Source {
            format: "json",
            schema: "i INT, s STRING",
            options: &[("maxFilesPerTrigger", "1")],
        };
        define(&session, &source, &dir.path().join("in"))
            .await
            .unwrap();
        Self { dir, session }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn arrive(&self, name: &str, text: &str) {
        fs::write(self.path(&format!("in/{name}")), text).unwrap();
    }

    /// Reads all there is, with the checkpoint of this name.
    async fn run(&self, checkpoint: &str) -> Result<StreamingQuery, Error> {
        let options = [
            ("checkpointLocation".to_string(), self.path(checkpoint)),
            ("path".to_string(), self.path("out")),
        ];
        let started = start_with(&self.session, |start| {
            start.format = "json".into();
            start.options.extend(options);
        });
        started.await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_with_batches_of_another_checkpoint_is_refused() {
    let query = Checkpointed::new().await;
    query.arrive("a", "{\"i\":1}");
    query.run("first").await.unwrap();
    let error = query.run("second").await.unwrap_err();
    assert!(error.message().contains("holds batches up to 0"), "{error}");
    assert!(error.hint().unwrap().contains("write to another directory"));
    query.arrive("b", "{\"i\":2}");
    query.run("first").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_with_a_gap_is_refused() {
    let query = Checkpointed::new().await;
    query.arrive("a", "{\"i\":1}");
    query.arrive("b", "{\"i\":2}");
    query.run("checkpoint").await.unwrap();
    fs::remove_file(query.path("checkpoint/commits/1")).unwrap();
    let offsets = fs::read(query.path("checkpoint/offsets/0")).unwrap();
    fs::remove_file(query.path("checkpoint/offsets/0")).unwrap();
    let error = query.run("checkpoint").await.unwrap_err();
    assert!(error.message().contains("offsets/0 is missing"), "{error}");
    fs::write(query.path("checkpoint/offsets/0"), offsets).unwrap();
    fs::rename(query.path("checkpoint/sources"), query.path("elsewhere")).unwrap();
    let error = query.run("checkpoint").await.unwrap_err();
    assert!(error.message().contains("has no entry 1"), "{error}");
    // The attempt may have made a folder for a new log.
    let _ = fs::remove_dir_all(query.path("checkpoint/sources"));
    fs::rename(query.path("elsewhere"), query.path("checkpoint/sources")).unwrap();
    query.run("checkpoint").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_read_is_refused_before_the_checkpoint_knows_it() {
    let query = Checkpointed::new().await;
    query.arrive("a", "{\"i\":1}");
    query.arrive("empty.gz", "");
    query.arrive("empty.zst", "");
    query.arrive("z.xz", "7z");
    let error = query.run("checkpoint").await.unwrap_err();
    assert!(error.message().contains("no codec for '.xz'"), "{error}");
    fs::remove_file(query.path("in/z.xz")).unwrap();
    query.arrive("b", "{\"i\":2}");
    let progress = query
        .run("checkpoint")
        .await
        .unwrap()
        .last_progress()
        .unwrap();
    assert_eq!((progress.batch_id, progress.num_input_rows), (3, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_sparks_and_a_query_keeps_its_own() {
    let query = Checkpointed::new().await;
    let session = &query.session;
    session
        .sql("SET spark.sql.shuffle.partitions = 4;")
        .await
        .unwrap();
    assert_eq!(session.conf("spark.sql.shuffle.partitions").unwrap(), "4");
    let asked = session.sql("set spark.sql.session.timeZone").await;
    assert!(matches!(asked, Ok(SqlOutput::Rows(rows)) if rows.num_rows() == 1));
    for (statement, message) in [
        ("SET spark.sql.shuffle.partitions=none", "a whole number"),
        ("SET spark.sql.shufle.partitions=4", "there is no setting"),
        (
            "SET spark.sql.session.timeZone=Europe/Berlon",
            "there is no time zone 'Europe/Berlon'",
        ),
    ] {
        let error = session.sql(statement).await.unwrap_err();
        assert!(error.message().contains(message), "{error}");
    }
    query.arrive("a", "{\"i\":1}");
    query.run("checkpoint").await.unwrap();
    let policy = "spark.sql.streaming.multipleWatermarkPolicy";
    session.set_conf(policy, "max").unwrap();
    query.arrive("b", "{\"i\":2}");
    query.run("checkpoint").await.unwrap();
    let logged = fs::read_to_string(query.path("checkpoint/offsets/1")).unwrap();
    assert!(
        logged.contains(&format!("\"{policy}\":\"min\"")),
        "{logged}"
    );
}
