//! What plans say, and the messages that they are compared with.

use prost::Message as _;
use tidebook::prelude::*;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::expression::literal::LiteralType;
use tidebook_engine::connect::proto::expression::sort_order::{NullOrdering, SortDirection};
use tidebook_engine::connect::proto::expression::{
    Alias, ExprType, Literal, SortOrder, UnresolvedAttribute, UnresolvedFunction,
};
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::read::{NamedTable, ReadType};
use tidebook_engine::connect::proto::relation::RelType;

pub(super) fn decode(plan: &[u8]) -> OpType {
    let plan = proto::Plan::decode(plan).expect("a plan is a message");
    plan.op_type.expect("a plan has a kind")
}

pub(super) fn root(frame: &DataFrame) -> proto::Relation {
    match decode(&frame.plan()) {
        OpType::Root(relation) => relation,
        other => panic!("{other:?}"),
    }
}

pub(super) fn command(plan: &[u8]) -> CommandType {
    match decode(plan) {
        OpType::Command(command) => command.command_type.expect("a command has a kind"),
        other => panic!("{other:?}"),
    }
}

pub(super) fn check(frame: &DataFrame, expected: RelType) {
    let expected = proto::Relation {
        common: None,
        rel_type: Some(expected),
    };
    assert_eq!(root(frame), expected);
}

/// The expression of a column, seen through a projection.
pub(super) fn check_column(column: Column, expected: ExprType) {
    let RelType::Project(project) = root(&events().select([column])).rel_type.unwrap() else {
        panic!("a select is a projection");
    };
    assert_eq!(project.expressions, [expression(expected)]);
}

pub(super) fn events() -> DataFrame {
    spark.table("events").unwrap()
}

pub(super) fn input() -> Option<Box<proto::Relation>> {
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

pub(super) fn expression(kind: ExprType) -> proto::Expression {
    proto::Expression {
        common: None,
        expr_type: Some(kind),
    }
}

pub(super) fn boxed(kind: ExprType) -> Option<Box<proto::Expression>> {
    Some(Box::new(expression(kind)))
}

pub(super) fn attribute(name: &str) -> ExprType {
    let unparsed_identifier = name.into();
    ExprType::UnresolvedAttribute(UnresolvedAttribute {
        unparsed_identifier,
        ..Default::default()
    })
}

pub(super) fn literal(value: LiteralType) -> ExprType {
    ExprType::Literal(Literal {
        literal_type: Some(value),
        ..Default::default()
    })
}

pub(super) fn function(name: &str, arguments: Vec<ExprType>) -> ExprType {
    ExprType::UnresolvedFunction(UnresolvedFunction {
        function_name: name.into(),
        arguments: arguments.into_iter().map(expression).collect(),
        ..Default::default()
    })
}

pub(super) fn alias(kind: ExprType, name: &str) -> Alias {
    Alias {
        expr: boxed(kind),
        name: vec![name.into()],
        metadata: None,
    }
}

pub(super) fn order(name: &str, direction: SortDirection, nulls: NullOrdering) -> SortOrder {
    SortOrder {
        child: boxed(attribute(name)),
        direction: direction.into(),
        null_ordering: nulls.into(),
    }
}
