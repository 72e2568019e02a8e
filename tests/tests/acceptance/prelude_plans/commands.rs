//! What is written: streams that are started, and batches.

use tidebook::prelude::*;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::write_operation::{SaveMode as ProtoSaveMode, SaveType};
use tidebook_engine::connect::proto::write_stream_operation_start::{
    SinkDestination, Trigger as ProtoTrigger,
};

use super::support::{command, events, input};

#[test]
fn streams_are_started() {
    let writer = events()
        .write_stream()
        .format("parquet")
        .option("checkpointLocation", "/tmp/c")
        .partition_by(["day"])
        .output_mode(OutputMode::Append)
        .query_name("q");
    let expected = |trigger, sink_destination| {
        CommandType::WriteStreamOperationStart(proto::WriteStreamOperationStart {
            input: input().map(|input| *input),
            format: "parquet".into(),
            options: [("checkpointLocation".to_string(), "/tmp/c".to_string())].into(),
            partitioning_column_names: vec!["day".into()],
            output_mode: "append".into(),
            query_name: "q".into(),
            trigger,
            sink_destination,
            ..Default::default()
        })
    };
    let path = || Some(SinkDestination::Path("out".into()));
    assert_eq!(command(&writer.plan("")), expected(None, None));
    for (ours, theirs) in [
        (
            Trigger::processing_time("1 second"),
            ProtoTrigger::ProcessingTimeInterval("1 second".into()),
        ),
        (Trigger::Once, ProtoTrigger::Once(true)),
        (Trigger::AvailableNow, ProtoTrigger::AvailableNow(true)),
        (
            Trigger::continuous("1 second"),
            ProtoTrigger::ContinuousCheckpointInterval("1 second".into()),
        ),
        (
            Trigger::real_time("5 minutes"),
            ProtoTrigger::RealTimeBatchDuration("5 minutes".into()),
        ),
    ] {
        let writer = writer.clone().trigger(ours);
        assert_eq!(command(&writer.plan("out")), expected(Some(theirs), path()));
    }
}

#[test]
fn batches_are_written() {
    let writer = events()
        .write()
        .format("json")
        .mode("overwrite")
        .option("a", 1);
    let writer = writer.partition_by(["day"]).sort_by(["n"]);
    let expected = CommandType::WriteOperation(proto::WriteOperation {
        input: input().map(|input| *input),
        source: Some("json".into()),
        mode: ProtoSaveMode::Overwrite.into(),
        sort_column_names: vec!["n".into()],
        partitioning_columns: vec!["day".into()],
        options: [("a".to_string(), "1".to_string())].into(),
        save_type: Some(SaveType::Path("out".into())),
        ..Default::default()
    });
    assert_eq!(command(&writer.plan("out")), expected);
}
