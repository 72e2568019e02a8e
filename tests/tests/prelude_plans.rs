//! The prelude writes protobuf by hand: what it writes must be what the messages say.

use std::os::unix::net::UnixListener;
use std::process::Command;

use prost::Message as _;
use tidebook::prelude::*;
use tidebook::wire::{self, SOCKET};
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::aggregate::{GroupType, Pivot};
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::common_inline_user_defined_function::Function;
use tidebook_engine::connect::proto::expression::cast::{CastToType, EvalMode};
use tidebook_engine::connect::proto::expression::literal::{Decimal, LiteralType};
use tidebook_engine::connect::proto::expression::sort_order::{NullOrdering, SortDirection};
use tidebook_engine::connect::proto::expression::window::WindowFrame;
use tidebook_engine::connect::proto::expression::window::window_frame::{
    FrameBoundary, FrameType as ProtoFrameType, frame_boundary::Boundary,
};
use tidebook_engine::connect::proto::expression::{
    Alias, Cast, ExprType, ExpressionString, LambdaFunction, Literal, SortOrder,
    UnresolvedAttribute, UnresolvedExtractValue, UnresolvedFunction, UnresolvedNamedLambdaVariable,
    UnresolvedStar, UpdateFields,
};
use tidebook_engine::connect::proto::join::JoinType as ProtoJoinType;
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::read::{DataSource, NamedTable, ReadType};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::set_operation::SetOpType;
use tidebook_engine::connect::proto::with_columns_renamed::Rename;
use tidebook_engine::connect::proto::write_operation::{SaveMode as ProtoSaveMode, SaveType};
use tidebook_engine::connect::proto::write_stream_operation_start::{
    SinkDestination, Trigger as ProtoTrigger,
};

fn decode(plan: &[u8]) -> OpType {
    let plan = proto::Plan::decode(plan).expect("a plan is a message");
    plan.op_type.expect("a plan has a kind")
}

fn root(frame: &DataFrame) -> proto::Relation {
    match decode(&frame.plan()) {
        OpType::Root(relation) => relation,
        other => panic!("{other:?}"),
    }
}

fn command(plan: &[u8]) -> CommandType {
    match decode(plan) {
        OpType::Command(command) => command.command_type.expect("a command has a kind"),
        other => panic!("{other:?}"),
    }
}

fn check(frame: &DataFrame, expected: RelType) {
    let expected = proto::Relation {
        common: None,
        rel_type: Some(expected),
    };
    assert_eq!(root(frame), expected);
}

/// The expression of a column, seen through a projection.
fn check_column(column: Column, expected: ExprType) {
    let RelType::Project(project) = root(&events().select([column])).rel_type.unwrap() else {
        panic!("a select is a projection");
    };
    assert_eq!(project.expressions, [expression(expected)]);
}

fn events() -> DataFrame {
    spark.table("events").unwrap()
}

fn input() -> Option<Box<proto::Relation>> {
    let table = NamedTable {
        unparsed_identifier: "events".into(),
        ..Default::default()
    };
    let read = proto::Read {
        read_type: Some(ReadType::NamedTable(table)),
        is_streaming: false,
    };
    Some(Box::new(proto::Relation {
        common: None,
        rel_type: Some(RelType::Read(read)),
    }))
}

fn expression(kind: ExprType) -> proto::Expression {
    proto::Expression {
        common: None,
        expr_type: Some(kind),
    }
}

fn boxed(kind: ExprType) -> Option<Box<proto::Expression>> {
    Some(Box::new(expression(kind)))
}

fn attribute(name: &str) -> ExprType {
    let unparsed_identifier = name.into();
    ExprType::UnresolvedAttribute(UnresolvedAttribute {
        unparsed_identifier,
        ..Default::default()
    })
}

fn literal(value: LiteralType) -> ExprType {
    ExprType::Literal(Literal {
        literal_type: Some(value),
        ..Default::default()
    })
}

fn function(name: &str, arguments: Vec<ExprType>) -> ExprType {
    ExprType::UnresolvedFunction(UnresolvedFunction {
        function_name: name.into(),
        arguments: arguments.into_iter().map(expression).collect(),
        ..Default::default()
    })
}

fn alias(kind: ExprType, name: &str) -> Alias {
    Alias {
        expr: boxed(kind),
        name: vec![name.into()],
        metadata: None,
    }
}

fn order(name: &str, direction: SortDirection, nulls: NullOrdering) -> SortOrder {
    SortOrder {
        child: boxed(attribute(name)),
        direction: direction.into(),
        null_ordering: nulls.into(),
    }
}

#[test]
fn literals() {
    let check = |column, expected| check_column(column, literal(expected));
    check(lit(true), LiteralType::Boolean(true));
    check(lit(-1_i8), LiteralType::Byte(-1));
    check(lit(i16::MIN), LiteralType::Short(i16::MIN.into()));
    check(lit(i32::MIN), LiteralType::Integer(i32::MIN));
    check(lit(i64::MIN), LiteralType::Long(i64::MIN));
    check(lit(1.5_f32), LiteralType::Float(1.5));
    check(lit(-2.5), LiteralType::Double(-2.5));
    check(lit("naïve"), LiteralType::String("naïve".into()));
    check(lit(""), LiteralType::String(String::new()));
    check(
        lit(vec![0_u8, 255]),
        LiteralType::Binary(vec![0, 255].into()),
    );
    check(lit(Timestamp(-1)), LiteralType::Timestamp(-1));
    check(lit(Value::Date(-1)), LiteralType::Date(-1));
    let null = proto::data_type::Kind::Null(proto::data_type::Null::default());
    check(
        lit(None::<i64>),
        LiteralType::Null(proto::DataType { kind: Some(null) }),
    );
    let decimal = Value::Decimal {
        value: "1.50".to_string(),
        precision: Some(3),
        scale: Some(2),
    };
    let expected = Decimal {
        value: "1.50".into(),
        precision: Some(3),
        scale: Some(2),
    };
    check(lit(decimal), LiteralType::Decimal(expected));
}

#[test]
fn columns() {
    check_column(col("a.b"), attribute("a.b"));
    check_column(
        col("*"),
        ExprType::UnresolvedStar(UnresolvedStar::default()),
    );
    let star = UnresolvedStar {
        unparsed_target: Some("e.*".into()),
        plan_id: None,
    };
    check_column(col("e.*"), ExprType::UnresolvedStar(star));
    check_column(
        expr("1 + 1"),
        ExprType::ExpressionString(ExpressionString {
            expression: "1 + 1".into(),
        }),
    );
    check_column(
        col("a").alias("b"),
        ExprType::Alias(Box::new(alias(attribute("a"), "b"))),
    );
    let five = || literal(LiteralType::Integer(5));
    check_column(col("a").gt(5), function(">", vec![attribute("a"), five()]));
    let equal = function("==", vec![attribute("a"), five()]);
    check_column(col("a").ne(5), function("not", vec![equal]));
    let cases = vec![
        function(">", vec![attribute("a"), five()]),
        five(),
        attribute("b"),
    ];
    check_column(
        when(col("a").gt(5), 5).otherwise(col("b")),
        function("when", cases),
    );
    let distinct = UnresolvedFunction {
        function_name: "count".into(),
        arguments: vec![expression(attribute("a"))],
        is_distinct: true,
        ..Default::default()
    };
    check_column(count_distinct("a"), ExprType::UnresolvedFunction(distinct));
    let call = proto::CallFunction {
        function_name: "soundex".into(),
        arguments: vec![expression(attribute("a"))],
    };
    check_column(
        call_function("soundex", ["a"]),
        ExprType::CallFunction(call),
    );
}

#[test]
fn casts() {
    let cast = |to, mode: EvalMode| {
        ExprType::Cast(Box::new(Cast {
            expr: boxed(attribute("a")),
            eval_mode: mode.into(),
            cast_to_type: Some(to),
        }))
    };
    let name = CastToType::TypeStr("array<int>".into());
    check_column(
        col("a").cast("array<int>"),
        cast(name.clone(), EvalMode::Unspecified),
    );
    check_column(
        col("a").try_cast_str("array<int>"),
        cast(name, EvalMode::Try),
    );

    use proto::data_type::{Array, Decimal, Integer, Kind, Map, Struct, StructField, Timestamp};
    let of = |kind| proto::DataType { kind: Some(kind) };
    let decimal = Decimal {
        precision: Some(10),
        scale: Some(2),
        type_variation_reference: 0,
    };
    let map = Map {
        key_type: Some(Box::new(of(Kind::Integer(Integer::default())))),
        value_type: Some(Box::new(of(Kind::Decimal(decimal)))),
        value_contains_null: true,
        type_variation_reference: 0,
    };
    let list = Array {
        element_type: Some(Box::new(of(Kind::Timestamp(Timestamp::default())))),
        contains_null: true,
        type_variation_reference: 0,
    };
    let field = |name: &str, kind, nullable| StructField {
        name: name.into(),
        data_type: Some(of(kind)),
        nullable,
        metadata: None,
    };
    let fields = vec![
        field("m", Kind::Map(Box::new(map)), true),
        field("l", Kind::Array(Box::new(list)), false),
    ];
    let expected = of(Kind::Struct(Struct {
        fields,
        type_variation_reference: 0,
    }));
    let ddl = "m MAP<INT, DECIMAL(10, 2)>, l ARRAY<TIMESTAMP> NOT NULL";
    let to = DataType::from_ddl(ddl).unwrap();
    check_column(
        col("a").cast(to),
        cast(CastToType::Type(expected), EvalMode::Unspecified),
    );
}

#[test]
fn parts_of_columns() {
    let extract = |key| {
        ExprType::UnresolvedExtractValue(Box::new(UnresolvedExtractValue {
            child: boxed(attribute("a")),
            extraction: boxed(key),
        }))
    };
    check_column(
        col("a").get_field("b"),
        extract(literal(LiteralType::String("b".into()))),
    );
    check_column(
        col("a").get_item(0),
        extract(literal(LiteralType::Integer(0))),
    );
    let update = |value: Option<ExprType>| {
        ExprType::UpdateFields(Box::new(UpdateFields {
            struct_expression: boxed(attribute("a")),
            field_name: "b".into(),
            value_expression: value.and_then(boxed),
        }))
    };
    check_column(
        col("a").with_field("b", col("c")),
        update(Some(attribute("c"))),
    );
    check_column(col("a").drop_fields(["b"]), update(None));
}

#[test]
fn lambdas_have_names_of_their_own() {
    let variable = |name: &str| UnresolvedNamedLambdaVariable {
        name_parts: vec![name.into()],
    };
    let lambda = |name: &str, body| {
        ExprType::LambdaFunction(Box::new(LambdaFunction {
            function: boxed(body),
            arguments: vec![variable(name)],
        }))
    };
    let named = |name| ExprType::UnresolvedNamedLambdaVariable(variable(name));
    let inner = lambda("x_1", function("+", vec![named("x_1"), named("x")]));
    let inner = function("transform", vec![attribute("b"), inner]);
    let expected = function("transform", vec![attribute("a"), lambda("x", inner)]);
    let nested = transform("a", |x| transform("b", |y| y[0].clone() + x[0].clone()));
    check_column(nested, expected);
}

#[test]
fn windows_over_rows() {
    let spec = Window::partition_by(["u"])
        .order_by([col("ts").desc()])
        .rows_between(FrameBound::Preceding(2), Window::current_row());
    let minus_two = boxed(literal(LiteralType::Integer(-2)));
    let boundary = |boundary| {
        Some(Box::new(FrameBoundary {
            boundary: Some(boundary),
        }))
    };
    let frame = WindowFrame {
        frame_type: ProtoFrameType::Row.into(),
        lower: boundary(Boundary::Value(minus_two.unwrap())),
        upper: boundary(Boundary::CurrentRow(true)),
    };
    let expected = proto::expression::Window {
        window_function: boxed(function("sum", vec![attribute("n")])),
        partition_spec: vec![expression(attribute("u"))],
        order_spec: vec![order(
            "ts",
            SortDirection::Descending,
            NullOrdering::SortNullsLast,
        )],
        frame_spec: Some(Box::new(frame)),
    };
    check_column(sum("n").over(spec), ExprType::Window(Box::new(expected)));
}

#[test]
fn readers() {
    let stream = spark
        .read_stream()
        .name("clicks")
        .format("json")
        .schema("user STRING")
        .options([("maxFilesPerTrigger", 1), ("cleanSource", 0)])
        .load(Some("data/in"));
    let source = |paths: Vec<String>| DataSource {
        format: Some("json".into()),
        schema: Some("user STRING".into()),
        options: [("maxFilesPerTrigger", "1"), ("cleanSource", "0")]
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .into(),
        paths,
        predicates: Vec::new(),
        source_name: Some("clicks".into()),
    };
    let read = |source, is_streaming| {
        RelType::Read(proto::Read {
            read_type: Some(ReadType::DataSource(source)),
            is_streaming,
        })
    };
    assert!(stream.is_streaming());
    check(&stream, read(source(vec!["data/in".into()]), true));
    let plain = DataSource {
        format: Some("csv".into()),
        ..Default::default()
    };
    check(&spark.read().format("csv").load(None), read(plain, false));
    check(&events(), input().unwrap().rel_type.unwrap());
    let range = proto::Range {
        start: Some(-3),
        end: 9,
        step: 2,
        num_partitions: Some(4),
    };
    check(
        &spark.range_full(-3, 9, 2, Some(4)).unwrap(),
        RelType::Range(range),
    );
}

#[test]
fn rows_and_columns_of_one_input() {
    let df = events();
    let yes = literal(LiteralType::Boolean(true));
    let filter = proto::Filter {
        input: input(),
        condition: boxed(yes).map(|yes| *yes),
    };
    check(&df.filter(lit(true)), RelType::Filter(Box::new(filter)));
    let with = proto::WithColumns {
        input: input(),
        aliases: vec![alias(attribute("a"), "b")],
    };
    check(
        &df.with_column("b", col("a")),
        RelType::WithColumns(Box::new(with)),
    );
    let rename = Rename {
        col_name: "a".into(),
        new_col_name: "b".into(),
    };
    let renamed = proto::WithColumnsRenamed {
        input: input(),
        renames: vec![rename],
        ..Default::default()
    };
    check(
        &df.with_column_renamed("a", "b"),
        RelType::WithColumnsRenamed(Box::new(renamed)),
    );
    let dropped = proto::Drop {
        input: input(),
        columns: Vec::new(),
        column_names: vec!["a".into(), "b".into()],
    };
    check(&df.drop(["a", "b"]), RelType::Drop(Box::new(dropped)));
    let limit = proto::Limit {
        input: input(),
        limit: 3,
    };
    check(&df.limit(3), RelType::Limit(Box::new(limit)));
    let offset = proto::Offset {
        input: input(),
        offset: 3,
    };
    check(&df.offset(3), RelType::Offset(Box::new(offset)));
    let named = proto::ToDf {
        input: input(),
        column_names: vec!["x".into()],
    };
    check(&df.to_df(["x"]), RelType::ToDf(Box::new(named)));
    let aliased = proto::SubqueryAlias {
        input: input(),
        alias: "e".into(),
        qualifier: Vec::new(),
    };
    check(&df.alias("e"), RelType::SubqueryAlias(Box::new(aliased)));
    let watermark = proto::WithWatermark {
        input: input(),
        event_time: "ts".into(),
        delay_threshold: "10 minutes".into(),
    };
    check(
        &df.with_watermark("ts", "10 minutes"),
        RelType::WithWatermark(Box::new(watermark)),
    );
    let sample = proto::Sample {
        input: input(),
        lower_bound: 0.0,
        upper_bound: 0.25,
        with_replacement: Some(false),
        seed: Some(-7),
        deterministic_order: false,
    };
    check(
        &df.sample(0.25, Some(-7)),
        RelType::Sample(Box::new(sample)),
    );
    let sort = proto::Sort {
        input: input(),
        order: vec![
            order("a", SortDirection::Ascending, NullOrdering::SortNullsFirst),
            order("b", SortDirection::Descending, NullOrdering::SortNullsFirst),
        ],
        is_global: Some(true),
    };
    let sorted = df.order_by([col("a"), col("b").desc_nulls_first()]);
    check(&sorted, RelType::Sort(Box::new(sort)));
    let repartition = proto::Repartition {
        input: input(),
        num_partitions: 2,
        shuffle: Some(true),
    };
    check(
        &df.repartition(2),
        RelType::Repartition(Box::new(repartition)),
    );
    let hint = proto::Hint {
        input: input(),
        name: "broadcast".into(),
        parameters: Vec::new(),
    };
    check(&df.broadcast(), RelType::Hint(Box::new(hint)));
}

#[test]
fn duplicates() {
    let expected = |names: &[&str], within_watermark| {
        RelType::Deduplicate(Box::new(proto::Deduplicate {
            input: input(),
            column_names: names.iter().map(ToString::to_string).collect(),
            all_columns_as_keys: Some(names.is_empty()),
            within_watermark: Some(within_watermark),
        }))
    };
    check(&events().distinct(), expected(&[], false));
    check(&events().drop_duplicates(None), expected(&[], false));
    check(
        &events().drop_duplicates(Some(vec!["id"])),
        expected(&["id"], false),
    );
    check(
        &events().drop_duplicates_within_watermark(["id"]),
        expected(&["id"], true),
    );
}

#[test]
fn aggregates() {
    let total = || alias(function("sum", vec![attribute("n")]), "total");
    let expected = |group_type: GroupType| proto::Aggregate {
        input: input(),
        group_type: group_type.into(),
        grouping_expressions: vec![expression(attribute("u"))],
        aggregate_expressions: vec![expression(ExprType::Alias(Box::new(total())))],
        ..Default::default()
    };
    let aggregates = || [sum("n").alias("total")];
    let grouped = events().group_by(["u"]);
    check(
        &grouped.agg(aggregates()),
        RelType::Aggregate(Box::new(expected(GroupType::Groupby))),
    );
    let rollup = events().rollup(["u"]).agg(aggregates());
    check(
        &rollup,
        RelType::Aggregate(Box::new(expected(GroupType::Rollup))),
    );
    let cube = events().cube(["u"]).agg(aggregates());
    check(
        &cube,
        RelType::Aggregate(Box::new(expected(GroupType::Cube))),
    );
    let pivot = Pivot {
        col: boxed(attribute("kind")).map(|kind| *kind),
        values: vec![Literal {
            literal_type: Some(LiteralType::String("buy".into())),
            ..Default::default()
        }],
    };
    let values = Some(vec![Value::String("buy".to_string())]);
    let expected = proto::Aggregate {
        pivot: Some(pivot),
        ..expected(GroupType::Pivot)
    };
    let pivoted = grouped.pivot("kind", values).agg(aggregates());
    check(&pivoted, RelType::Aggregate(Box::new(expected)));
}

/// A function of groups is registered first, so this needs a kernel, whose name comes from the
/// environment: the test runs itself again beside one that does whatever is asked.
#[test]
fn groups_with_state() {
    if std::env::var_os(SOCKET).is_none() {
        return beside_a_kernel("groups_with_state");
    }
    let frame = events().group_by(["u"]).flat_map_groups_with_state(
        OutputMode::Append,
        GroupStateTimeout::ProcessingTimeTimeout,
        "u STRING, n BIGINT",
        |_: String, _: Vec<serde_json::Value>, _: &mut GroupState<i64>| Vec::<(String, i64)>::new(),
    );
    let RelType::GroupMap(group) = root(&frame.unwrap()).rel_type.unwrap() else {
        panic!("a function of groups is a GroupMap");
    };
    let function = group.func.unwrap();
    let id = function.function_name.clone();
    let Some(Function::ScalarScalaUdf(known)) = function.function else {
        panic!("{function:?}");
    };
    assert!(
        id.starts_with("groups-") && known.payload == id.as_bytes(),
        "{id}"
    );
    assert!(matches!(
        known.output_type.unwrap().kind,
        Some(proto::data_type::Kind::Struct(_))
    ));
    assert_eq!(group.grouping_expressions, [expression(attribute("u"))]);
    assert_eq!(group.is_map_groups_with_state, Some(false));
    assert_eq!(group.output_mode.as_deref(), Some("append"));
    assert_eq!(group.timeout_conf.as_deref(), Some("ProcessingTimeTimeout"));
}

fn beside_a_kernel(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kernel");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                wire::receive::<wire::Hello>(&mut stream).unwrap();
                while let Ok(Some(_)) = wire::receive::<wire::Request>(&mut stream) {
                    let done = wire::Reply::Done(serde_json::json!({}));
                    wire::send(&mut stream, &done, &[]).unwrap();
                }
            });
        }
    });
    let mut itself = Command::new(std::env::current_exe().unwrap());
    let output = itself
        .args(["--exact", test])
        .env(SOCKET, path)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
}

#[test]
fn two_inputs() {
    let (left, right) = (events(), events());
    let join = |condition: Option<ExprType>, join_type: ProtoJoinType, using: &[&str]| {
        RelType::Join(Box::new(proto::Join {
            left: input(),
            right: input(),
            join_condition: condition.map(expression),
            join_type: join_type.into(),
            using_columns: using.iter().map(ToString::to_string).collect(),
            join_data_type: None,
        }))
    };
    for (ours, theirs) in [
        (JoinType::Inner, ProtoJoinType::Inner),
        (JoinType::LeftOuter, ProtoJoinType::LeftOuter),
        (JoinType::RightOuter, ProtoJoinType::RightOuter),
        (JoinType::FullOuter, ProtoJoinType::FullOuter),
        (JoinType::LeftSemi, ProtoJoinType::LeftSemi),
        (JoinType::LeftAnti, ProtoJoinType::LeftAnti),
        (JoinType::Cross, ProtoJoinType::Cross),
    ] {
        check(&left.join(&right, None, ours), join(None, theirs, &[]));
        check(
            &left.join(&right, Some(col("c")), ours),
            join(Some(attribute("c")), theirs, &[]),
        );
        check(
            &left.join_using(&right, ["id"], ours),
            join(None, theirs, &["id"]),
        );
    }
    let set = |kind: SetOpType, is_all, by_name| proto::SetOperation {
        left_input: input(),
        right_input: input(),
        set_op_type: kind.into(),
        is_all: Some(is_all),
        by_name,
        allow_missing_columns: by_name,
    };
    let check = |frame: DataFrame, expected| check(&frame, RelType::SetOp(Box::new(expected)));
    check(left.union(&right), set(SetOpType::Union, true, None));
    check(
        left.union_by_name_opt(&right, true),
        set(SetOpType::Union, true, Some(true)),
    );
    check(
        left.intersect(&right),
        set(SetOpType::Intersect, false, None),
    );
    check(left.subtract(&right), set(SetOpType::Except, false, None));
    check(left.except_all(&right), set(SetOpType::Except, true, None));
}

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

#[test]
fn local_rows_are_a_query_with_names() {
    let row = Row::new(vec!["n".to_string()], vec![Value::Long(7)]);
    let schema = DataType::from_ddl("n BIGINT").unwrap();
    let frame = spark.create_dataframe(vec![row], schema).unwrap();
    let sql = proto::Sql {
        query: "SELECT * FROM (VALUES (CAST('7' AS bigint))) AS rows".into(),
        ..Default::default()
    };
    let rows = proto::Relation {
        common: None,
        rel_type: Some(RelType::Sql(sql)),
    };
    let named = proto::ToDf {
        input: Some(Box::new(rows)),
        column_names: vec!["n".into()],
    };
    check(&frame, RelType::ToDf(Box::new(named)));
}
