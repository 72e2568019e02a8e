//! Queries of scripts as Spark Connect relations: SQL, or a pipeline `from NAME | stage | …` for
//! what only frames can say. `tests/spark/frame.py` reads the same notation.

use anyhow::{Context, Result, bail};
use tidebook_engine::connect::proto::aggregate::GroupType;
use tidebook_engine::connect::proto::expression::sort_order::{NullOrdering, SortDirection};
use tidebook_engine::connect::proto::expression::{
    Alias, ExprType, ExpressionString, SortOrder, UnresolvedAttribute,
};
use tidebook_engine::connect::proto::join::JoinType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::set_operation::SetOpType;
use tidebook_engine::connect::proto::with_columns_renamed::Rename;
use tidebook_engine::connect::proto::{
    Aggregate, Deduplicate, Drop, Expression, Filter, Join, Limit, Offset, Project, Read, Relation,
    Sample, SetOperation, Sort, Sql, ToDf, WithColumns, WithColumnsRenamed, WithWatermark, read,
};

use crate::action::{split_top, words};

/// The relation that a query's lines stand for.
pub fn relation(lines: &[String]) -> Result<Relation> {
    let text = lines.join("\n");
    if !text.trim_start().starts_with("from ") {
        return Ok(of(RelType::Sql(Sql {
            query: text,
            ..Sql::default()
        })));
    }
    let stages = split_top(&lines.join(" "), '|');
    let mut stages = stages.iter();
    let first = stages.next().context("an empty pipeline")?;
    let name = first
        .strip_prefix("from ")
        .context("a pipeline begins with 'from'")?;
    stages.try_fold(table(name), |input, stage| {
        let (verb, rest) = stage.split_once(' ').unwrap_or((stage, ""));
        apply(input, verb, rest.trim()).with_context(|| format!("stage '{stage}'"))
    })
}

/// A relation that reads a view by name.
pub fn table(name: &str) -> Relation {
    of(RelType::Read(Read {
        is_streaming: false,
        read_type: Some(read::ReadType::NamedTable(read::NamedTable {
            unparsed_identifier: name.trim().to_owned(),
            ..read::NamedTable::default()
        })),
    }))
}

/// `input` with a watermark.
pub fn with_watermark(input: Relation, event_time: &str, delay: &str) -> Relation {
    of(RelType::WithWatermark(Box::new(WithWatermark {
        input: boxed(input),
        event_time: event_time.to_owned(),
        delay_threshold: delay.to_owned(),
    })))
}

/// A relation of this kind.
pub fn of(rel_type: RelType) -> Relation {
    Relation {
        common: None,
        rel_type: Some(rel_type),
    }
}

fn apply(frame: Relation, verb: &str, rest: &str) -> Result<Relation> {
    let input = boxed(frame.clone());
    Ok(of(match verb {
        "where" => RelType::Filter(Box::new(Filter {
            input,
            condition: Some(expression(rest)),
        })),
        "select" => RelType::Project(Box::new(Project {
            input,
            expressions: expressions(rest),
        })),
        "with" => {
            let (name, value) = rest.split_once('=').context("with NAME = EXPRESSION")?;
            RelType::WithColumns(Box::new(WithColumns {
                input,
                aliases: vec![alias(expression(value.trim()), name.trim())],
            }))
        }
        "drop" => RelType::Drop(Box::new(Drop {
            input,
            column_names: names(rest),
            ..Drop::default()
        })),
        "rename" => {
            let (old, new) = rest.split_once(" to ").context("rename OLD to NEW")?;
            RelType::WithColumnsRenamed(Box::new(WithColumnsRenamed {
                input,
                renames: vec![Rename {
                    col_name: old.trim().to_owned(),
                    new_col_name: new.trim().to_owned(),
                }],
                ..WithColumnsRenamed::default()
            }))
        }
        "columns" => RelType::ToDf(Box::new(ToDf {
            input,
            column_names: names(rest),
        })),
        "watermark" => {
            let words = words(rest);
            let [event_time, delay] = words.as_slice() else {
                bail!("watermark COLUMN 'delay'");
            };
            return Ok(with_watermark(frame, event_time, delay));
        }
        "dedup" | "dedup-within-watermark" | "distinct" => {
            let columns = names(rest);
            RelType::Deduplicate(Box::new(Deduplicate {
                input,
                all_columns_as_keys: Some(columns.is_empty()),
                column_names: columns,
                within_watermark: Some(verb == "dedup-within-watermark"),
            }))
        }
        "group" | "rollup" | "cube" => {
            let group_type = match verb {
                "rollup" => GroupType::Rollup,
                "cube" => GroupType::Cube,
                _ => GroupType::Groupby,
            };
            let rest = rest.strip_prefix("by").unwrap_or(rest);
            let (keys, aggregates) = rest.split_once(" agg ").context("… agg AGGREGATES")?;
            RelType::Aggregate(Box::new(Aggregate {
                input,
                group_type: group_type.into(),
                grouping_expressions: expressions(keys.trim()),
                aggregate_expressions: expressions(aggregates.trim()),
                ..Aggregate::default()
            }))
        }
        "sort" => RelType::Sort(Box::new(Sort {
            input,
            order: names(rest).iter().map(|name| ascending(name)).collect(),
            is_global: Some(true),
        })),
        "limit" => RelType::Limit(Box::new(Limit {
            input,
            limit: rest.parse()?,
        })),
        "offset" => RelType::Offset(Box::new(Offset {
            input,
            offset: rest.parse()?,
        })),
        "sample" => RelType::Sample(Box::new(Sample {
            input,
            upper_bound: rest.parse()?,
            ..Sample::default()
        })),
        "union" => set_operation(frame, rest, SetOpType::Union, true),
        "intersect" => set_operation(frame, rest, SetOpType::Intersect, false),
        "except" => set_operation(frame, rest, SetOpType::Except, false),
        "join" => join(frame, rest)?,
        other => bail!("unknown stage '{other}'"),
    }))
}

fn set_operation(left: Relation, right: &str, kind: SetOpType, is_all: bool) -> RelType {
    RelType::SetOp(Box::new(SetOperation {
        left_input: boxed(left),
        right_input: boxed(table(right)),
        set_op_type: kind.into(),
        is_all: Some(is_all),
        ..SetOperation::default()
    }))
}

fn join(left: Relation, rest: &str) -> Result<RelType> {
    let (how, rest) = rest
        .split_once(' ')
        .context("join HOW NAME on CONDITION, or using COLUMNS")?;
    let (rest, using_columns) = rest.split_once(" using ").unwrap_or((rest, ""));
    let (right, condition) = rest.split_once(" on ").unwrap_or((rest, ""));
    let join_type = match how {
        "inner" => JoinType::Inner,
        "left" => JoinType::LeftOuter,
        "right" => JoinType::RightOuter,
        "full" => JoinType::FullOuter,
        "left_semi" => JoinType::LeftSemi,
        "left_anti" => JoinType::LeftAnti,
        "cross" => JoinType::Cross,
        other => bail!("unknown join '{other}'"),
    };
    Ok(RelType::Join(Box::new(Join {
        left: boxed(left),
        right: boxed(table(right)),
        join_condition: (!condition.is_empty()).then(|| expression(condition)),
        join_type: join_type.into(),
        using_columns: names(using_columns),
        ..Join::default()
    })))
}

fn expressions(text: &str) -> Vec<Expression> {
    if text.is_empty() {
        return Vec::new();
    }
    split_top(text, ',')
        .iter()
        .map(|part| expression(part))
        .collect()
}

/// An expression in SQL; ` AS name` at its end becomes an alias.
fn expression(text: &str) -> Expression {
    if let Some((value, name)) = text.rsplit_once(" AS ")
        && name
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_')
    {
        let alias = alias(expression(value), name);
        return expr(ExprType::Alias(Box::new(alias)));
    }
    if text
        .chars()
        .all(|char| char.is_ascii_alphabetic() || char == '_')
    {
        return attribute(text);
    }
    expr(ExprType::ExpressionString(ExpressionString {
        expression: text.to_owned(),
    }))
}

fn attribute(name: &str) -> Expression {
    expr(ExprType::UnresolvedAttribute(UnresolvedAttribute {
        unparsed_identifier: name.to_owned(),
        ..UnresolvedAttribute::default()
    }))
}

fn alias(value: Expression, name: &str) -> Alias {
    Alias {
        expr: Some(Box::new(value)),
        name: vec![name.to_owned()],
        metadata: None,
    }
}

fn ascending(name: &str) -> SortOrder {
    SortOrder {
        child: Some(Box::new(attribute(name))),
        direction: SortDirection::Ascending.into(),
        null_ordering: NullOrdering::SortNullsFirst.into(),
    }
}

fn expr(expr_type: ExprType) -> Expression {
    Expression {
        common: None,
        expr_type: Some(expr_type),
    }
}

fn boxed(relation: Relation) -> Option<Box<Relation>> {
    Some(Box::new(relation))
}

fn names(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|name| name.trim().to_owned()).collect()
}
