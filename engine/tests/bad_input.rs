//! Input that is wrong: records that do not parse are counted or located, definitions of sources
//! that cannot work are refused with the way out.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::Trigger;
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Read, Relation, Sql, WriteStreamOperationStart, read,
};
use tidebook_engine::{CommandOutput, Error, Session, StreamingQuery};

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
    let input = relation(RelType::Sql(Sql {
        query: "SELECT i, s FROM events".into(),
        ..Default::default()
    }));
    let start = CommandType::WriteStreamOperationStart(WriteStreamOperationStart {
        input: Some(input),
        format: "noop".into(),
        output_mode: "append".into(),
        trigger: Some(Trigger::AvailableNow(true)),
        ..Default::default()
    });
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
            ("kafka", "i INT", ("", "")),
            "",
            "has no source 'kafka'",
            "sources are json, csv",
        ),
        (
            ("json", "i ITN", ("", "")),
            "",
            "has the type 'ITN'",
            "did you mean INT?",
        ),
        (("json", "", ("", "")), "", "needs a schema", "%%source"),
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
            ("csv", "i INT", ("multiLine", "true")),
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
