//! Columns, literals, casts, functions and windows over rows.

use tidebook::prelude::*;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::expression::cast::{CastToType, EvalMode};
use tidebook_engine::connect::proto::expression::literal::{Decimal, LiteralType};
use tidebook_engine::connect::proto::expression::sort_order::{NullOrdering, SortDirection};
use tidebook_engine::connect::proto::expression::window::WindowFrame;
use tidebook_engine::connect::proto::expression::window::window_frame::{
    FrameBoundary, FrameType as ProtoFrameType, frame_boundary::Boundary,
};
use tidebook_engine::connect::proto::expression::{
    Cast, ExprType, ExpressionString, LambdaFunction, UnresolvedExtractValue, UnresolvedFunction,
    UnresolvedNamedLambdaVariable, UnresolvedStar, UpdateFields,
};

use super::support::{alias, attribute, boxed, check_column, expression, function, literal, order};

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
