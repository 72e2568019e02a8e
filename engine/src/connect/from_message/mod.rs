//! `spark.connect` messages to the tree.

mod expression;
mod literal;
mod local;
mod relation;
mod statistics;
mod types;
mod values;

pub use types::type_of;

use std::cell::Cell;

use super::proto;
use crate::depth::deeper;
use crate::error::{Error, Result};
use crate::tree;

/// The tree of a relation's message.
///
/// # Errors
/// If a part of the message is missing, or if this version has not what it asks for.
pub(crate) fn relation_of(
    relation: &proto::Relation,
    inline: &dyn Inline,
) -> Result<tree::Relation> {
    let inline = Some(inline);
    let reader = Reader {
        inline,
        ..Reader::default()
    };
    reader.relation(relation)
}

/// Gives functions that come with a message a name.
pub(crate) trait Inline: std::fmt::Debug {
    /// The name by which the function can be called from now on; what stands behind `#` is not shown.
    fn name_of(&self, function: &proto::CommonInlineUserDefinedFunction) -> Result<String>;
}

/// The name under which a session knows the rows that a client refers to by an id.
pub(crate) fn cached_name(id: &str) -> String {
    format!("cached relation {}", id.to_lowercase())
}

/// Reads messages, some of which refer to others.
#[derive(Debug, Clone, Default)]
struct Reader<'a> {
    /// Relations that subqueries name by the number of their plan.
    references: Vec<&'a proto::Relation>,
    /// Where functions that come with a message are known.
    inline: Option<&'a dyn Inline>,
    /// How many messages are around the one that is read.
    depth: Cell<usize>,
}

impl Reader<'_> {
    /// Reads what is inside of a message.
    fn inside<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        let depth = self.depth.get() + 1;
        self.depth.set(depth);
        let read = deeper(depth, read);
        self.depth.set(depth - 1);
        read
    }
}

fn missing(what: &str) -> Error {
    Error::illegal_argument(format!("{what} is missing"))
}

fn not_supported(what: &str, message: &impl std::fmt::Debug) -> Error {
    let text = format!("{message:?}");
    let name = text.split(['(', ' ', '{']).next().unwrap_or_default();
    Error::analysis(format!(
        "the {what} {name} is not supported in this version"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::proto::expression::literal::LiteralType;
    use crate::connect::proto::expression::{self, ExprType};
    use crate::connect::proto::relation::RelType;
    use crate::sql::{parse_expression, parse_query};
    use crate::tree::{Bound, Expression, Relation};

    fn relation_of(relation: &proto::Relation) -> Result<tree::Relation> {
        Reader::default().relation(relation)
    }

    fn expression_of(expression: &proto::Expression) -> Result<tree::Expression> {
        Reader::default().expression(expression)
    }

    fn message(kind: ExprType) -> proto::Expression {
        proto::Expression {
            common: None,
            expr_type: Some(kind),
        }
    }

    fn column(name: &str) -> proto::Expression {
        message(ExprType::UnresolvedAttribute(
            expression::UnresolvedAttribute {
                unparsed_identifier: name.to_string(),
                plan_id: None,
                is_metadata_column: None,
            },
        ))
    }

    fn number(value: i32) -> proto::Expression {
        message(ExprType::Literal(expression::Literal {
            data_type: None,
            literal_type: Some(LiteralType::Integer(value)),
        }))
    }

    fn function(name: &str, arguments: Vec<proto::Expression>) -> proto::Expression {
        message(ExprType::UnresolvedFunction(
            expression::UnresolvedFunction {
                function_name: name.to_string(),
                arguments,
                ..Default::default()
            },
        ))
    }

    fn relation(kind: RelType, plan_id: Option<i64>) -> proto::Relation {
        let common = proto::RelationCommon {
            plan_id,
            ..Default::default()
        };
        proto::Relation {
            common: Some(common),
            rel_type: Some(kind),
        }
    }

    /// Without the places that only texts have.
    fn bare(text: &str) -> String {
        let shown = format!("{:?}", parse_expression(text).unwrap());
        let mut parts = shown.split("place: Some(Place { ");
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |shown, part| {
            shown + "place: None" + part.split_once("})").map_or("", |(_, rest)| rest)
        })
    }

    #[test]
    fn expressions_are_what_sql_makes_of_them() {
        let cases = [
            (column("t.`a.b`"), "t.`a.b`"),
            (column("*"), "*"),
            (column("data.*"), "data.*"),
            (function("==", vec![column("a"), number(1)]), "a = 1"),
            (function("-", vec![column("a")]), "- a"),
            (function("count", vec![]), "count(*)"),
            (
                function("when", vec![column("a"), number(1), number(2)]),
                "CASE WHEN a THEN 1 ELSE 2 END",
            ),
            (function("Upper", vec![column("a")]), "upper(a)"),
        ];
        for (message, text) in cases {
            assert_eq!(
                format!("{:?}", expression_of(&message).unwrap()),
                bare(text),
                "{text}"
            );
        }
        assert!(expression_of(&proto::Expression::default()).is_err());
    }

    #[test]
    fn bounds_count_both_ways() {
        use crate::connect::proto::expression::window::WindowFrame;
        use crate::connect::proto::expression::window::window_frame::FrameBoundary;
        use crate::connect::proto::expression::window::window_frame::frame_boundary::Boundary;
        let bound = |value| {
            let boundary = Some(Boundary::Value(Box::new(number(value))));
            Some(Box::new(FrameBoundary { boundary }))
        };
        let window = message(ExprType::Window(Box::new(expression::Window {
            window_function: Some(Box::new(function("sum", vec![column("a")]))),
            frame_spec: Some(Box::new(WindowFrame {
                frame_type: 1,
                lower: bound(-2),
                upper: bound(0),
            })),
            ..Default::default()
        })));
        let Expression::Over(over) = expression_of(&window).unwrap() else {
            panic!("no window")
        };
        let crate::tree::Window::Spec(spec) = over.window else {
            panic!("no window of its own")
        };
        let frame = spec.frame.unwrap();
        let two = parse_expression("2").unwrap();
        assert_eq!(
            (frame.start, frame.end),
            (Bound::Preceding(two), Bound::CurrentRow)
        );
    }

    #[test]
    fn parameters_become_their_values() {
        let sql = proto::Sql {
            query: "SELECT :a + ?, x".to_string(),
            named_arguments: [("a".to_string(), number(1))].into(),
            pos_arguments: vec![number(2)],
            ..Default::default()
        };
        let read = relation_of(&relation(RelType::Sql(sql), None)).unwrap();
        let written = parse_query("SELECT  1 + 2, x").unwrap();
        assert_eq!(read, Relation::Query(Box::new(written)));
        let sql = proto::Sql {
            query: "SELECT :b".to_string(),
            ..Default::default()
        };
        let error = relation_of(&relation(RelType::Sql(sql), None)).unwrap_err();
        assert_eq!(error.condition(), Some("UNBOUND_SQL_PARAMETER"));
    }

    #[test]
    fn relations_have_numbers_and_refer_to_each_other() {
        let range = |plan_id| {
            let range = proto::Range {
                start: None,
                end: 3,
                step: 1,
                num_partitions: None,
            };
            relation(RelType::Range(range), Some(plan_id))
        };
        let subquery = message(ExprType::SubqueryExpression(proto::SubqueryExpression {
            plan_id: 7,
            subquery_type: 1,
            ..Default::default()
        }));
        let root = relation(
            RelType::Project(Box::new(proto::Project {
                input: Some(Box::new(range(1))),
                expressions: vec![subquery],
            })),
            None,
        );
        let with = proto::WithRelations {
            root: Some(Box::new(root.clone())),
            references: vec![range(7)],
        };
        let with = relation(RelType::WithRelations(Box::new(with)), None);
        let Relation::Project {
            input: Some(input),
            expressions,
        } = relation_of(&with).unwrap()
        else {
            panic!("no projection")
        };
        assert!(matches!(*input, Relation::Numbered { plan_id: 1, .. }));
        assert!(matches!(expressions.as_slice(), [Expression::Subquery(_)]));
        assert!(relation_of(&root).is_err());
        let local = proto::LocalRelation::default();
        let error = relation_of(&relation(RelType::LocalRelation(local), None)).unwrap_err();
        assert_eq!(error.message(), "the columns of the rows is missing");
        let items = RelType::FreqItems(Box::default());
        let error = relation_of(&relation(items, None)).unwrap_err();
        assert_eq!(
            error.message(),
            "the operation FreqItems is not supported in this version"
        );
    }
}
