//! Queries that are deeper than anybody writes: planned as far as one can wait for it, refused beyond.

use tidebook_engine::Session;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{Expression, Filter, Range, Relation, expression};

use crate::user_code::support::relation;

fn condition() -> Expression {
    let text = expression::ExpressionString {
        expression: "id >= 0".to_owned(),
    };
    Expression {
        common: None,
        expr_type: Some(expression::ExprType::ExpressionString(text)),
    }
}

/// A range with so many filters on it.
fn filters(count: usize) -> Relation {
    let range = relation(RelType::Range(Range {
        start: None,
        end: 3,
        step: 1,
        num_partitions: None,
    }));
    (0..count).fold(range, |input, _| {
        relation(RelType::Filter(Box::new(Filter {
            input: Some(Box::new(input)),
            condition: Some(condition()),
        })))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_steps_are_planned_and_a_hundred_thousand_refused() {
    let session = Session::new().unwrap();
    let deep = filters(1_000);
    let schema = session.schema(&deep).await.unwrap();
    assert_eq!(schema.fields().len(), 1);

    let deeper = filters(100_000);
    let error = session.schema(&deeper).await.unwrap_err();
    assert!(error.message().contains("levels deep"), "{error}");
    // Dropped level by level: its own destructor would be as deep as the message.
    let mut rest = Some(Box::new(deeper));
    while let Some(mut message) = rest {
        rest = match message.rel_type.take() {
            Some(RelType::Filter(mut filter)) => filter.input.take(),
            _ => None,
        };
    }
}
