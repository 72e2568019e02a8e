//! A stream joined with a table.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use tidebook_engine::{Rows, Session};

use super::support::{Feed, Start, soon, sql};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_without_rows_keeps_no_batch_from_being_read() {
    for join in [
        "names JOIN counts ON names.id = counts.user",
        "names JOIN counts ON names.id < counts.user",
        "names CROSS JOIN counts",
    ] {
        let session = Session::new().unwrap();
        let feed = Feed::new(&session, "events");
        let names = Schema::new(vec![Field::new("id", DataType::Utf8, true)]);
        let names = Rows {
            schema: Arc::new(names),
            batches: Vec::new(),
        };
        session.create_rows_view("names", names).unwrap();
        let counts = "SELECT user, count(*) AS n FROM events GROUP BY user";
        let view = format!("CREATE TEMPORARY VIEW counts AS {counts}");
        session.sql(&view).await.unwrap();
        let query = sql(&format!("SELECT id, user, n FROM {join}"));
        let (query, joined) = Start::new("joined", query, "update")
            .run(&session)
            .await
            .unwrap();
        feed.add(&[(1, "a", 1), (2, "b", 2), (3, "a", 3)]);
        soon(query.process_all_available()).await.unwrap();
        let progress = query.last_progress().unwrap();
        assert_eq!(progress.num_input_rows, 3, "{join}");
        assert_eq!(progress.state_operators[0].num_rows_total, 2, "{join}");
        assert!(joined.take().is_empty());
        query.stop().await.unwrap();
    }
}
