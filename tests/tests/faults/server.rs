//! A socket source whose server is not there, goes away, or talks nonsense.

use std::io::Write as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use acceptance::action::SourceArgs;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use tidebook_engine::StreamingQuery;
use tokio::time::timeout;

use crate::row;

const PATIENCE: Duration = Duration::from_secs(60);

async fn start(driver: &EngineDriver, host: &str, port: u16) -> StreamingQuery {
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let source = SourceArgs {
        name: "lines".to_owned(),
        format: Some("socket".to_owned()),
        options: [option("host", host), option("port", &port.to_string())].into(),
        ..SourceArgs::default()
    };
    let path = std::path::Path::new("");
    driver
        .create_source(&source, path, true)
        .await
        .expect("a stream");
    let select = ["SELECT value FROM lines".to_owned()];
    let start = Start {
        relation: relation(&select).expect("a query"),
        mode: "append".to_owned(),
        ..Start::default()
    };
    driver.start(&start).await.expect("a query that starts")
}

/// Waits until the batches hold so many rows.
async fn rows(driver: &EngineDriver, query: &StreamingQuery, count: usize) -> Vec<String> {
    let mut changes = query.watch();
    let collected = async {
        loop {
            let rows: Vec<String> = driver
                .batches()
                .expect("batches")
                .into_values()
                .flatten()
                .collect();
            if rows.len() >= count {
                return rows;
            }
            changes.changed().await.expect("a query that lives");
        }
    };
    timeout(PATIENCE, collected).await.unwrap_or_else(|_| {
        let rows = driver.batches();
        panic!("the lines do not come: {rows:?}, {:?}", query.status())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let driver = EngineDriver::new(false).expect("a session");
    let query = start(&driver, "127.0.0.1", port).await;
    let (mut server, _): (TcpStream, _) = listener.accept().expect("a connection");
    server
        .write_all(b"a\nb\n\nc\r\n\xff\xfe\nlast")
        .expect("lines");
    rows(&driver, &query, 5).await;
    server
        .shutdown(Shutdown::Both)
        .expect("a connection that can be closed");
    drop((server, listener));
    let all = rows(&driver, &query, 6).await;
    assert_eq!(all.iter().filter(|row| *row == "last").count(), 1);
    // As in Spark: nothing more comes, and that is no error.
    let idle = timeout(PATIENCE, query.process_all_available()).await;
    idle.expect("it hangs").expect("a query that lives");
    assert!(query.is_active());
    assert_eq!(query.status().message, "Waiting for data to arrive");
    assert_eq!(
        query.last_progress().expect("progress").sources[0].description,
        format!("TextSocketV2[host: 127.0.0.1, port: {port}]")
    );
    query.stop().await.expect("a query that stops");
    row(
        "socket server closes the connection",
        1,
        "all lines read once, query idle as in Spark",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there() {
    let unused = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = unused.local_addr().expect("an address").port();
    drop(unused);
    for (host, port, expected) in [
        ("127.0.0.1", port, "Connection refused"),
        ("no.such.host.invalid", 9, "no.such.host.invalid"),
    ] {
        let driver = EngineDriver::new(false).expect("a session");
        let query = start(&driver, host, port).await;
        let ended = timeout(PATIENCE, query.await_termination(None)).await;
        let error = ended.expect("it hangs").expect_err("an error");
        assert!(error.message().contains(expected), "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
    row("socket server not there, host unknown", 2, "failed by name");
}
