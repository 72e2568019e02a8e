//! Which files a stream reads, and when.

use tidebook_engine::Session;

use super::support::{Folder, Start, failure, read_all, rows, stream};

/// The rows of each batch of a stream of text, in turn.
async fn batches(session: &Session, folder: &Folder, given: &[(&str, &str)]) -> Vec<i64> {
    let query = Start {
        input: stream("text", "", &folder.text("in"), given),
        format: "noop",
        path: String::new(),
        checkpoint: folder.text("checkpoint"),
        options: &[],
        partition_by: &[],
    };
    let query = query.run(session).await.unwrap();
    let progress = query.recent_progress();
    let rows = progress.iter().map(|progress| progress.num_input_rows);
    rows.filter(|rows| *rows > 0).collect()
}

/// Files of 3, 6, 9, … bytes, a row each three.
fn growing(count: u64) -> Folder {
    let folder = Folder::new();
    for file in 0..count {
        let lines = format!("f{file}\n").repeat(file as usize + 1);
        folder.add(&format!("in/f{file}.txt"), file, lines);
    }
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_has_files_of_so_many_bytes() {
    let session = Session::new().unwrap();
    for (bytes, expected) in [
        ("10", vec![3, 3, 4, 5]),
        ("1", vec![1, 2, 3, 4, 5]),
        ("45", vec![15]),
    ] {
        let given = [("maxBytesPerTrigger", bytes)];
        let rows = batches(&session, &growing(5), &given).await;
        assert_eq!(rows, expected, "{bytes}");
    }
    let given = [("maxFilesPerTrigger", "2"), ("latestFirst", "true")];
    assert_eq!(batches(&session, &growing(5), &given).await, [9, 5, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_options_of_batches_may_not_be() {
    let session = Session::new().unwrap();
    let folder = growing(1);
    for (option, value, said) in [
        ("maxBytesPerTrigger", "1b", "positive"),
        ("maxBytesPerTrigger", "0", "positive"),
        ("maxFilesPerTrigger", "-1", "positive"),
        ("latestFirst", "x", "true or false"),
        ("maxFileAge", "x", "a duration"),
        ("cleanSource", "x", "off, delete or archive"),
        ("modifiedBefore", "2024-01-01", "not allowed in streams"),
    ] {
        let given = [(option, value)];
        let input = stream("text", "", &folder.text("in"), &given);
        let error = failure(&session, input).await;
        let message = error.message().to_lowercase();
        assert!(message.contains(&option.to_lowercase()), "{error}");
        assert!(message.contains(said), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_ages_decide() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/a.txt", 100, "a\n");
    for passed_over in ["in/_hidden.txt", "in/.hidden.txt", "in/plain/b.txt"] {
        folder.add(passed_over, 100, "not read\n");
    }
    // Nothing is too old as long as nothing newer was read.
    folder.add("in/ancient.txt", 0, "ancient\n");
    let given = [("maxFileAge", "2s")];
    let read = async |given: &[(&str, &str)]| batches(&session, &folder, given).await;
    assert_eq!(read(&given).await, [2]);
    folder.add("in/old.txt", 97, "old\n");
    folder.add("in/young.txt", 99, "young\n");
    folder.add("in/a.txt", 200, "written again\n");
    assert_eq!(read(&given).await, [1], "the young one alone");
    // Under its new time, the file that was written again makes nothing old: it is not read.
    folder.add("in/younger.txt", 99, "younger\n");
    assert_eq!(read(&given).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_age_is_too_old_for_the_newest_first_and_a_limit() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    let given = [
        ("maxFileAge", "2s"),
        ("latestFirst", "true"),
        ("maxFilesPerTrigger", "1"),
    ];
    folder.add("in/new.txt", 100, "new\n");
    assert_eq!(batches(&session, &folder, &given).await, [1]);
    folder.add("in/old.txt", 1, "old\n");
    assert_eq!(batches(&session, &folder, &given).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_name_in_two_folders() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/a/f.txt", 0, "a\n");
    folder.add("in/b/f.txt", 1, "b\n");
    let given = [("recursiveFileLookup", "true"), ("fileNameOnly", "true")];
    // What is found together is not compared with each other …
    assert_eq!(batches(&session, &folder, &given).await, [2]);
    // … and later it is the same file.
    folder.add("in/c/f.txt", 2, "c\n");
    assert!(batches(&session, &folder, &given).await.is_empty());
    folder.add("in/c/g.txt", 3, "g\n");
    assert_eq!(batches(&session, &folder, &given).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_inside_a_partition_has_no_columns_of_folders() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/day=2024-01-01/a.csv", 0, "x\n");
    let inside = folder.text("in/day=2024-01-01");
    let schema = "v STRING, day STRING";
    let read = async |path: &str, given: &[(&str, &str)]| {
        let rows = read_all(&session, stream("csv", schema, path, given));
        rows.await.unwrap()
    };
    let above = folder.text("in");
    let base = [("basePath", above.as_str())];
    assert_eq!(read(&inside, &[]).await, ["x|NULL"]);
    // In a stream, the base of one folder is the folder itself, whatever is said; of a table it is not.
    assert_eq!(read(&inside, &base).await, ["x|NULL"]);
    let view = format!(
        "CREATE TEMPORARY VIEW inside USING csv OPTIONS (path '{inside}', basePath '{above}')"
    );
    session.sql(&view).await.unwrap();
    assert_eq!(
        rows(&session, "SELECT * FROM inside").await,
        ["x|2024-01-01"]
    );
    let pattern = folder.text("in/day=*");
    assert_eq!(read(&pattern, &base).await, ["x|2024-01-01"]);
    // Lines of text have the columns of their folders too.
    let text = stream("text", "", &above, &[]);
    assert_eq!(read_all(&session, text).await.unwrap(), ["x|2024-01-01"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemas_that_files_are_given_or_tell() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/a.csv", 0, "x,1\n");
    std::fs::create_dir(folder.path("empty")).unwrap();
    let path = folder.text("in");
    let columns = async |format: &str, schema: &str, path: &str| {
        let schema = session.schema(&stream(format, schema, path, &[])).await?;
        let fields = schema.fields().iter();
        let shown = fields.map(|field| {
            let kind = tidebook_engine::simple_string(field.data_type());
            format!("{} {kind}", field.name())
        });
        Ok::<_, tidebook_engine::Error>(shown.collect::<Vec<_>>())
    };
    assert_eq!(columns("text", "", &path).await.unwrap(), ["value string"]);
    // One column of text may have any name.
    let renamed = stream("text", "line STRING", &path, &[]);
    assert_eq!(
        columns("text", "line STRING", &path).await.unwrap(),
        ["line string"]
    );
    assert_eq!(read_all(&session, renamed).await.unwrap(), ["x,1"]);
    for (schema, said) in [
        ("a STRING, b STRING", "2 columns"),
        ("a INT", "is a STRING"),
    ] {
        let error = columns("text", schema, &path).await.unwrap_err();
        assert!(error.message().contains(said), "{error}");
    }
    for format in ["csv", "json", "parquet"] {
        let error = columns(format, "", &path).await.unwrap_err();
        assert!(error.message().contains("needs a schema"), "{error}");
    }
    let inference = "spark.sql.streaming.schemaInference";
    session.set_conf(inference, "true").unwrap();
    let told = columns("csv", "", &path).await.unwrap();
    assert_eq!(told, ["_c0 string", "_c1 string"]);
    let error = columns("csv", "", &folder.text("empty")).await.unwrap_err();
    assert_eq!(error.condition(), Some("UNABLE_TO_INFER_SCHEMA"));
}
