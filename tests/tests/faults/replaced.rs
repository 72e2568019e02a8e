//! A file that another takes the place of while a query reads it: never rows of both.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acceptance::action::SourceArgs;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use tempfile::TempDir;
use tidebook_engine::{
    Cancellation, Error, Result, ScalarFunction, StreamingQuery, UserDefinedFunction,
};

use crate::row;

/// So many that they are not all read before the first of them is processed.
const ROWS: i64 = 300_000;

/// Gives back its argument; the first time, another file takes the place of the one that is read.
#[derive(Debug)]
struct Replace {
    file: PathBuf,
    other: PathBuf,
    done: AtomicBool,
}

impl UserDefinedFunction for Replace {
    fn call(&self, arguments: &[ArrayRef], _: usize, _: &Cancellation) -> Result<ArrayRef> {
        if !self.done.swap(true, Ordering::SeqCst) {
            fs::rename(&self.other, &self.file)
                .map_err(|error| Error::io("replace the file", error))?;
        }
        Ok(Arc::clone(&arguments[0]))
    }
}

/// Numbers from `first` on, one a line.
fn write(path: &Path, first: i64) {
    let mut text = String::new();
    for id in first..first + ROWS {
        writeln!(text, "{{\"id\":{id}}}").expect("a text");
    }
    fs::write(path, text).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_replaced_while_it_is_read() {
    let folder = TempDir::with_prefix("replaced-").expect("a folder");
    let input = folder.path().join("in");
    fs::create_dir(&input).expect("a folder");
    let (file, other) = (input.join("events.json"), folder.path().join("other"));
    write(&file, 0);
    write(&other, ROWS);
    let driver = EngineDriver::new(false).expect("a session");
    let function = ScalarFunction {
        name: "replacing".to_owned(),
        arguments: vec![DataType::Int64],
        returns: DataType::Int64,
        deterministic: true,
        function: Arc::new(Replace {
            file,
            other,
            done: AtomicBool::new(false),
        }),
    };
    let registered = driver.session().register_function(function);
    registered.expect("a function");
    let source = SourceArgs {
        name: "events".to_owned(),
        schema: "id bigint".to_owned(),
        ..SourceArgs::default()
    };
    let created = driver.create_source(&source, &input, true).await;
    created.expect("a stream");
    let query = start(&driver, folder.path()).await;
    let error = query.await_termination(None).await.expect_err("an error");
    assert!(
        error
            .message()
            .contains("events.json' was changed while it was read"),
        "{error}"
    );
    assert!(error.hint().is_some(), "{error}");
    assert!(driver.batches().expect("batches").is_empty());

    let again = start(&driver, folder.path()).await;
    again
        .await_termination(None)
        .await
        .expect("a query that ends");
    let rows = driver.batches().expect("batches").into_values().flatten();
    let mut rows: Vec<i64> = rows.map(|row| row.parse().expect("a number")).collect();
    rows.sort_unstable();
    assert_eq!(rows, (ROWS..2 * ROWS).collect::<Vec<_>>());
    row(
        "file replaced while it is read",
        1,
        "failed by name, then the new file's rows once",
    );
}

async fn start(driver: &EngineDriver, folder: &Path) -> StreamingQuery {
    let select = ["SELECT replacing(id) AS id FROM events".to_owned()];
    let checkpoint = folder.join("checkpoint").display().to_string();
    let start = Start {
        relation: relation(&select).expect("a query"),
        mode: "append".to_owned(),
        trigger: Some("available-now".to_owned()),
        options: [("checkpointLocation".to_owned(), checkpoint)].into(),
        ..Start::default()
    };
    driver.start(&start).await.expect("a query that starts")
}
