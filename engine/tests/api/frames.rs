//! Frames as clients build them: columns of frames that are gone, columns of one name, long chains.

use prost::Message as _;
use tidebook_engine::Session;
use tidebook_engine::connect::proto::expression::{ExprType, UpdateFields};
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    Deduplicate, Expression, Filter, Join, Plan, Project, Relation, join::JoinType,
};
use tidebook_engine::connect::read_plan;

use crate::names::{column, equal, numbered, rows, select};
use crate::user_code::support::{relation, sql};

fn filter(input: Relation, condition: Expression) -> Relation {
    relation(RelType::Filter(Box::new(Filter {
        input: Some(Box::new(input)),
        condition: Some(condition),
    })))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_a_frame_that_is_no_part_is_refused() {
    let frame = numbered(sql("SELECT 1 AS id"), 1);
    let other = select(frame.clone(), vec![column("id", Some(7))]);
    let error = Session::new().unwrap().collect(&other).await.unwrap_err();
    assert_eq!(error.condition(), Some("CANNOT_RESOLVE_DATAFRAME_COLUMN"));

    // A column that was replaced is not the frame's any more.
    let replaced = select(frame, vec![column("id", Some(1))]);
    let (_, lines) = rows(&replaced).await;
    assert_eq!(lines, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_union_has_the_columns_of_its_left_side() {
    use tidebook_engine::connect::proto::{SetOperation, set_operation::SetOpType};
    let union = relation(RelType::SetOp(Box::new(SetOperation {
        left_input: Some(Box::new(numbered(sql("SELECT 1 AS id"), 1))),
        right_input: Some(Box::new(numbered(sql("SELECT 2 AS id"), 2))),
        set_op_type: SetOpType::Union.into(),
        is_all: Some(true),
        ..Default::default()
    })));
    let ones = filter(union, equal(column("id", Some(1)), column("id", Some(1))));
    assert_eq!(rows(&ones).await.1.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_dropped_by_all_columns_of_a_name() {
    let pairs = "SELECT * FROM VALUES (1, 1), (1, 2), (1, 2) AS t(id, v)";
    let both = relation(RelType::Join(Box::new(Join {
        left: Some(Box::new(numbered(sql("SELECT 1 AS id"), 1))),
        right: Some(Box::new(numbered(
            sql(&format!("SELECT v AS id FROM ({pairs})")),
            2,
        ))),
        join_condition: None,
        join_type: JoinType::Cross.into(),
        ..Default::default()
    })));
    let distinct = relation(RelType::Deduplicate(Box::new(Deduplicate {
        input: Some(Box::new(both)),
        column_names: vec!["id".to_owned()],
        ..Default::default()
    })));
    let mut lines = rows(&distinct).await.1;
    lines.sort();
    assert_eq!(lines, ["1 1", "1 2"]);
}

fn with_field(of: Expression, name: &str, value: Expression) -> Expression {
    Expression {
        common: None,
        expr_type: Some(ExprType::UpdateFields(Box::new(UpdateFields {
            struct_expression: Some(Box::new(of)),
            field_name: name.to_owned(),
            value_expression: Some(Box::new(value)),
        }))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_chain_of_with_field_is_one_struct() {
    let frame =
        sql("SELECT named_struct('a', 1, 'b', 2, 'c', named_struct('d', 3, 'e', 4)) AS s, 9 AS n");
    let chain = (0..60).fold(column("s", None), |of, step| {
        let name = ["a", "b", "c.d", "c.e", "f"][step % 5];
        with_field(of, name, column("n", None))
    });
    let changed = relation(RelType::Project(Box::new(Project {
        input: Some(Box::new(frame)),
        expressions: vec![chain],
    })));
    let (_, lines) = rows(&changed).await;
    assert_eq!(lines, ["{a: 9, b: 9, c: {d: 9, e: 9}, f: 9}"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_read_as_deep_as_they_are_planned() {
    let steps = |count: usize| {
        let start = sql("SELECT 1 AS id");
        let deep = (0..count).fold(start, |input, _| {
            filter(input, equal(column("id", None), column("id", None)))
        });
        let plan = Plan {
            op_type: Some(OpType::Root(deep)),
        };
        plan.encode_to_vec()
    };
    let plan = read_plan(&steps(900)).unwrap();
    let Some(OpType::Root(relation)) = plan.as_ref().and_then(|plan| plan.op_type.as_ref()) else {
        panic!("the plan has a root");
    };
    let schema = Session::new().unwrap().schema(relation).await.unwrap();
    assert_eq!(schema.fields().len(), 1);
}
