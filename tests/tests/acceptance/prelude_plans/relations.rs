//! What frames are made of: readers, and what is done with one input or two.

use tidebook::prelude::*;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::aggregate::{GroupType, Pivot};
use tidebook_engine::connect::proto::expression::literal::LiteralType;
use tidebook_engine::connect::proto::expression::sort_order::{NullOrdering, SortDirection};
use tidebook_engine::connect::proto::expression::{ExprType, Literal};
use tidebook_engine::connect::proto::join::JoinType as ProtoJoinType;
use tidebook_engine::connect::proto::read::{DataSource, ReadType};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::set_operation::SetOpType;
use tidebook_engine::connect::proto::with_columns_renamed::Rename;

use super::support::{
    alias, attribute, boxed, check, events, expression, function, input, literal, order,
};

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
