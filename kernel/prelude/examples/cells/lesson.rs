// A cell as a notebook has it, in a block so that it can be included into a function: it compiles
// unchanged with the prelude and with the official client of Spark Connect.
{
    let events = spark
        .read_stream()
        .format("json")
        .schema("id BIGINT, user STRING, kind STRING, amount DOUBLE, ts TIMESTAMP")
        .option("maxFilesPerTrigger", "1")
        .load(Some("data/events"))
        .with_watermark("ts", "10 minutes")
        .drop_duplicates(Some(vec!["id", "ts"]));
    let purchases = events
        .filter(col("kind").eq(lit_string("buy")).and(col("amount").gt(lit(0))))
        .with_column("gross", col("amount") * lit_double(1.19))
        .with_column("size", when(col("amount").ge(lit(100)), lit_string("big")).otherwise(lit_string("small")))
        .with_column("seen", current_timestamp())
        .drop(vec!["kind"]);

    // Windows, fixed and overlapping, and sessions.
    let totals = purchases
        .group_by([window(col("ts"), "10 minutes"), col("user")])
        .agg(vec![
            count(lit(1)).alias("n").expression().clone(),
            sum(col("gross")).alias("total").expression().clone(),
            avg(col("amount")).alias("mean").expression().clone(),
            approx_count_distinct(col("size")).alias("sizes").expression().clone(),
        ]);
    let sliding = purchases
        .group_by([window_with_slide_and_start(col("ts"), "10 minutes", "5 minutes", "0 seconds")])
        .count();
    let sessions = purchases
        .group_by([session_window(col("ts"), lit_string("5 minutes")), col("user")])
        .count();

    // JSON in a column, and a join of two streams.
    let clicks = spark
        .read_stream()
        .format("kafka")
        .options(std::collections::HashMap::from([
            ("kafka.bootstrap.servers".to_string(), "localhost:9092".to_string()),
            ("subscribe".to_string(), "clicks".to_string()),
        ]))
        .load(None)
        .select([from_json(col("value").cast_str("STRING"), lit_string("id BIGINT, ts TIMESTAMP")).alias("click")])
        .select(["click.*"])
        .with_watermark("ts", "2 hours");
    let joined = purchases.alias("p").join(
        &clicks.alias("c"),
        Some(expr("p.id = c.id AND c.ts BETWEEN p.ts - INTERVAL 1 HOUR AND p.ts")),
        JoinType::LeftOuter,
    );
    let answers = joined.select([to_json(r#struct([col("p.id"), col("c.ts")])).alias("value")]);

    // Listeners, queries, and their handles.
    struct Log;
    impl StreamingQueryListener for Log {
        fn on_event(&self, event: &StreamingQueryListenerEvent) {
            if event.event_type == QUERY_PROGRESS_EVENT {
                println!("{}", event.event_json);
            }
        }
    }
    let listener = spark.streams().add_listener(std::sync::Arc::new(Log))?;
    let query = totals
        .write_stream()
        .format("memory")
        .output_mode("append")
        .trigger(Trigger::AvailableNow)
        .query_name("totals")
        .option("checkpointLocation", "checkpoints/totals")
        .start("")?;
    query.await_termination(Some(60.0))?;
    println!("{:?} {:?}", query.name(), query.status()?);
    if let Some(progress) = query.last_progress()? {
        println!("{progress}");
    }
    for frame in [sliding, sessions] {
        let trigger = Trigger::ProcessingTime("1 second".to_string());
        let query = frame.write_stream().format("console").output_mode("update").trigger(trigger).start("")?;
        query.process_all_available()?;
        query.stop()?;
    }
    answers
        .write_stream()
        .format("parquet")
        .partition_by(vec!["value"])
        .trigger(Trigger::Continuous("1 second".to_string()))
        .start("out/answers")?;
    for query in spark.streams().active()? {
        println!("{} {} {:?}", query.id(), query.run_id(), query.exception()?);
        query.stop()?;
    }
    spark.streams().await_any_termination(Some(1.0))?;
    spark.streams().reset_terminated()?;
    spark.streams().remove_listener(&listener)?;

    // What a query has written, as batches.
    let busiest = Window::partition_by(vec![col("window").expression().clone()]);
    let ranked = spark
        .table("totals")?
        .select([col("window.start"), col("user"), col("n"), max(col("n")).over(busiest).alias("most")])
        .filter(col("n").eq(col("most")))
        .order_by(vec![col("start").expression().clone(), col("n").desc().expression().clone()])
        .limit(10);
    ranked.show(20)?;
    ranked.print_schema()?;
    for row in ranked.collect()? {
        if let (Some(user), Some(n)) = (row.get_by_name("user"), row.get(2)) {
            println!("{user}: {n}");
        }
    }
    ranked.create_or_replace_temp_view("ranked")?;
    let rows = spark.sql("SELECT user, SUM(n) AS n FROM ranked GROUP BY user")?.count()?;
    ranked.write().mode("overwrite").option("header", "true").csv("out/ranked")?;
    spark.conf().set("spark.sql.shuffle.partitions", "2")?;
    rows
}
