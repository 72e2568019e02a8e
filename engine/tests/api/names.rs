//! Whose column is meant, in frames: all columns of one side, the fields of a struct, the column of that
//! very frame.

use tidebook_engine::Session;
use tidebook_engine::connect::proto::expression::{
    ExprType, UnresolvedAttribute, UnresolvedFunction,
};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    Expression, Filter, Join, Project, Relation, RelationCommon, SubqueryAlias, join::JoinType,
};

use crate::user_code::support::{lines, relation, sql};

pub(crate) fn column(name: &str, plan_id: Option<i64>) -> Expression {
    Expression {
        common: None,
        expr_type: Some(ExprType::UnresolvedAttribute(UnresolvedAttribute {
            unparsed_identifier: name.to_owned(),
            plan_id,
            is_metadata_column: None,
        })),
    }
}

pub(crate) fn equal(left: Expression, right: Expression) -> Expression {
    Expression {
        common: None,
        expr_type: Some(ExprType::UnresolvedFunction(UnresolvedFunction {
            function_name: "==".to_owned(),
            arguments: vec![left, right],
            ..Default::default()
        })),
    }
}

pub(crate) fn numbered(mut frame: Relation, plan_id: i64) -> Relation {
    frame.common = Some(RelationCommon {
        plan_id: Some(plan_id),
        ..Default::default()
    });
    frame
}

fn alias(input: Relation, name: &str) -> Relation {
    relation(RelType::SubqueryAlias(Box::new(SubqueryAlias {
        input: Some(Box::new(input)),
        alias: name.to_owned(),
        qualifier: Vec::new(),
    })))
}

fn join(left: Relation, right: Relation, condition: Expression) -> Relation {
    relation(RelType::Join(Box::new(Join {
        left: Some(Box::new(left)),
        right: Some(Box::new(right)),
        join_condition: Some(condition),
        join_type: JoinType::Inner.into(),
        ..Default::default()
    })))
}

pub(crate) fn select(input: Relation, columns: Vec<Expression>) -> Relation {
    relation(RelType::Project(Box::new(Project {
        input: Some(Box::new(input)),
        expressions: columns,
    })))
}

pub(crate) async fn rows(frame: &Relation) -> (Vec<String>, Vec<String>) {
    let session = Session::new().unwrap();
    let rows = session.collect(frame).await.unwrap();
    let names = rows
        .schema
        .fields()
        .iter()
        .map(|field| field.name().clone());
    (names.collect(), lines(&rows))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_is_of_one_side_or_of_a_struct() {
    let left = alias(sql("SELECT 1 AS id, 'l' AS v"), "a");
    let right = alias(sql("SELECT 1 AS id, 'r' AS w"), "b");
    let both = join(
        left,
        right,
        equal(column("a.id", None), column("b.id", None)),
    );
    let (names, _) = rows(&select(both, vec![column("a.*", None)])).await;
    assert_eq!(names, ["id", "v"]);

    let parsed = sql(r#"SELECT from_json('{"a":1,"b":"x"}', 'a INT, b STRING') AS data"#);
    let (names, lines) = rows(&select(parsed, vec![column("data.*", None)])).await;
    assert_eq!(
        (names, lines),
        (vec!["a".into(), "b".into()], vec!["1 x".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_joined_with_one_made_of_it_keeps_its_columns_apart() {
    let all = || numbered(sql("SELECT * FROM VALUES (1, 10), (2, 20) AS t(id, v)"), 1);
    let condition = Expression {
        common: None,
        expr_type: Some(ExprType::ExpressionString(
            tidebook_engine::connect::proto::expression::ExpressionString {
                expression: "v > 10".to_owned(),
            },
        )),
    };
    let some = numbered(
        relation(RelType::Filter(Box::new(Filter {
            input: Some(Box::new(sql(
                "SELECT * FROM VALUES (1, 10), (2, 20) AS t(id, v)",
            ))),
            condition: Some(condition),
        }))),
        2,
    );
    let both = join(
        all(),
        some,
        equal(column("id", Some(1)), column("id", Some(2))),
    );
    let columns = vec![column("v", Some(1)), column("id", Some(2))];
    let (names, lines) = rows(&select(both, columns)).await;
    assert_eq!(
        (names, lines),
        (vec!["v".into(), "id".into()], vec!["20 2".to_owned()])
    );
}
