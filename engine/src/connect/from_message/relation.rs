//! Relations as messages have them.

use super::literal::literal_of;
use super::local::local_of;
use super::{Reader, cached_name, missing};
use crate::connect::proto;
use crate::connect::proto::aggregate::GroupType;
use crate::connect::proto::join::JoinType;
use crate::connect::proto::read::{DataSource, ReadType};
use crate::connect::proto::relation::RelType;
use crate::connect::proto::set_operation::SetOpType;
use crate::error::{Error, Result};
use crate::formats::nullable;
use crate::sql::{
    Parameters, bare_call, bare_query, parse_identifier, parse_query_with, parse_schema_of_columns,
};
use crate::tree::{
    Aggregate, Cte, Expression, Grouping, Join, JoinCondition, JoinKind, Pivot, PivotValue,
    Relation, SetOperation, SetOperator, Unpivot, UnpivotColumn,
};

impl<'a> Reader<'a> {
    /// A relation, under its number if it has one.
    pub(super) fn relation(&self, message: &'a proto::Relation) -> Result<Relation> {
        let Some(kind) = &message.rel_type else {
            return Err(missing("a relation"));
        };
        let relation = self.inside(|| self.kind(kind))?;
        let plan_id = message.common.as_ref().and_then(|common| common.plan_id);
        Ok(match plan_id {
            Some(plan_id) => Relation::Numbered {
                plan_id,
                input: Box::new(relation),
            },
            None => relation,
        })
    }

    fn input(&self, input: Option<&'a proto::Relation>) -> Result<Relation> {
        self.relation(input.ok_or_else(|| missing("an input relation"))?)
    }

    pub(super) fn boxed(&self, input: Option<&'a proto::Relation>) -> Result<Box<Relation>> {
        self.input(input).map(Box::new)
    }

    fn kind(&self, kind: &'a RelType) -> Result<Relation> {
        Ok(match kind {
            RelType::Read(read) => read_of(read)?,
            RelType::Sql(sql) => self.sql(sql)?,
            RelType::LocalRelation(local) => local_of(local)?,
            RelType::Range(range) if range.step == 0 => {
                return Err(Error::illegal_argument("the step of a range must not be 0"));
            }
            RelType::Range(range) => Relation::Range {
                start: range.start(),
                end: range.end,
                step: range.step,
            },
            RelType::SubqueryAlias(alias) => Relation::Alias {
                input: self.boxed(alias.input.as_deref())?,
                name: alias.alias.clone(),
                columns: Vec::new(),
            },
            RelType::Project(project) => Relation::Project {
                input: match project.input.as_deref() {
                    Some(input) => Some(Box::new(self.relation(input)?)),
                    None => None,
                },
                expressions: self.expressions(&project.expressions)?,
            },
            RelType::Filter(filter) => Relation::Filter {
                input: self.boxed(filter.input.as_deref())?,
                condition: self.part(filter.condition.as_ref(), "a filter's condition")?,
            },
            RelType::Limit(limit) if limit.limit < 0 => {
                return Err(Error::illegal_argument("a limit cannot be negative"));
            }
            RelType::Limit(limit) => Relation::Limit {
                input: self.boxed(limit.input.as_deref())?,
                rows: limit.limit,
            },
            RelType::Offset(offset) if offset.offset < 0 => {
                return Err(Error::illegal_argument("an offset cannot be negative"));
            }
            RelType::Offset(offset) => Relation::Offset {
                input: self.boxed(offset.input.as_deref())?,
                rows: offset.offset,
            },
            RelType::Sort(sort) => {
                let keys = sort.order.iter().map(|order| self.sort_key(order));
                Relation::Sort {
                    input: self.boxed(sort.input.as_deref())?,
                    keys: keys.collect::<Result<_>>()?,
                }
            }
            RelType::Aggregate(aggregate) => self.aggregate(aggregate)?,
            RelType::Join(join) => self.join(join)?,
            RelType::LateralJoin(join) => Relation::Join(Box::new(Join {
                left: self.input(join.left.as_deref())?,
                right: Relation::Lateral(self.boxed(join.right.as_deref())?),
                kind: join_kind(join.join_type()),
                condition: self.on(join.join_condition.as_ref())?,
            })),
            RelType::SetOp(set) => self.set_operation(set)?,
            RelType::Unpivot(unpivot) => self.unpivot(unpivot)?,
            RelType::UnresolvedTableValuedFunction(function) => {
                let arguments = self.expressions(&function.arguments)?;
                let name = function.function_name.to_lowercase();
                Relation::TableFunction(Box::new(bare_call(&name, arguments, None)))
            }
            // Where rows stand and how they are joined changes no result.
            RelType::Repartition(repartition) => self.input(repartition.input.as_deref())?,
            RelType::RepartitionByExpression(repartition) => {
                self.input(repartition.input.as_deref())?
            }
            RelType::Hint(hint) => self.input(hint.input.as_deref())?,
            RelType::WithRelations(with) => self.with_relations(with)?,
            RelType::CachedRemoteRelation(cached) => Relation::Table {
                name: vec![cached_name(&cached.relation_id)],
                place: None,
            },
            other => return self.of_columns(other),
        })
    }

    /// What changes the columns of a frame, and what streams have of their own.
    fn of_columns(&self, kind: &'a RelType) -> Result<Relation> {
        Ok(match kind {
            RelType::WithColumns(with) => {
                let columns = with.aliases.iter().map(|alias| {
                    let [name] = alias.name.as_slice() else {
                        return Err(Error::analysis("a new column needs exactly one name"));
                    };
                    Ok((
                        name.clone(),
                        self.part(alias.expr.as_deref(), "a column's value")?,
                    ))
                });
                Relation::WithColumns {
                    columns: columns.collect::<Result<_>>()?,
                    input: self.boxed(with.input.as_deref())?,
                }
            }
            RelType::WithColumnsRenamed(renamed) => Relation::Renamed {
                input: self.boxed(renamed.input.as_deref())?,
                renames: renames_of(renamed),
            },
            RelType::Drop(drop) => Relation::Drop {
                input: self.boxed(drop.input.as_deref())?,
                names: drop.column_names.clone(),
                columns: self.expressions(&drop.columns)?,
            },
            RelType::ToDf(to_df) => Relation::ToDf {
                input: self.boxed(to_df.input.as_deref())?,
                names: to_df.column_names.clone(),
            },
            RelType::Sample(sample) if sample.with_replacement() => {
                return Err(Error::analysis(
                    "a sample with replacement is not supported in this version",
                ));
            }
            RelType::Sample(sample) => Relation::Sample {
                input: self.boxed(sample.input.as_deref())?,
                lower: sample.lower_bound,
                upper: sample.upper_bound,
                seed: sample.seed,
            },
            RelType::WithWatermark(watermark) => Relation::WithWatermark {
                input: self.boxed(watermark.input.as_deref())?,
                event_time: watermark.event_time.clone(),
                delay: watermark.delay_threshold.clone(),
            },
            RelType::Deduplicate(dedup) => Relation::Deduplicate {
                input: self.boxed(dedup.input.as_deref())?,
                columns: dedup.column_names.clone(),
                within_watermark: dedup.within_watermark(),
            },
            RelType::GroupMap(map) => {
                let input = self.boxed(map.input.as_deref())?;
                let keys = self.expressions(&map.grouping_expressions)?;
                let initial = match map.initial_input.as_deref() {
                    None => None,
                    initial => {
                        let keys = self.expressions(&map.initial_grouping_expressions)?;
                        Some((self.boxed(initial)?, keys))
                    }
                };
                let map = proto::GroupMap {
                    input: None,
                    grouping_expressions: Vec::new(),
                    initial_input: None,
                    initial_grouping_expressions: Vec::new(),
                    ..map.as_ref().clone()
                };
                Relation::GroupMap {
                    input,
                    keys,
                    initial,
                    map: Box::new(map),
                }
            }
            other => return self.of_values(other),
        })
    }

    #[allow(deprecated)] // Spark 3.4 and 3.5 give literals there.
    fn sql(&self, sql: &'a proto::Sql) -> Result<Relation> {
        let mut parameters = Parameters::default();
        for (name, value) in &sql.args {
            parameters.named.insert(name.clone(), literal_of(value)?);
        }
        for (name, value) in &sql.named_arguments {
            parameters
                .named
                .insert(name.clone(), self.expression(value)?);
        }
        for value in &sql.pos_args {
            parameters.positional.push(literal_of(value)?);
        }
        parameters
            .positional
            .extend(self.expressions(&sql.pos_arguments)?);
        let query = parse_query_with(&sql.query, parameters)?;
        Ok(Relation::Query(Box::new(query)))
    }

    /// A relation whose subqueries, or whose SQL by name, refer to others.
    fn with_relations(&self, with: &'a proto::WithRelations) -> Result<Relation> {
        let mut reader = self.clone();
        reader.references.extend(&with.references);
        let mut query = bare_query(reader.input(with.root.as_deref())?);
        for reference in &with.references {
            if let Some(RelType::SubqueryAlias(alias)) = &reference.rel_type {
                query.with.push(Cte {
                    name: alias.alias.clone(),
                    columns: Vec::new(),
                    max_level: None,
                    query: bare_query(reader.input(alias.input.as_deref())?),
                });
            }
        }
        Ok(match query.with.is_empty() {
            true => query.body,
            false => Relation::Query(Box::new(query)),
        })
    }

    fn on(&self, condition: Option<&'a proto::Expression>) -> Result<JoinCondition> {
        Ok(match condition {
            Some(condition) => JoinCondition::On(self.expression(condition)?),
            None => JoinCondition::None,
        })
    }

    fn join(&self, join: &'a proto::Join) -> Result<Relation> {
        Ok(Relation::Join(Box::new(Join {
            left: self.input(join.left.as_deref())?,
            right: self.input(join.right.as_deref())?,
            kind: join_kind(join.join_type()),
            condition: match join.using_columns.is_empty() {
                true => self.on(join.join_condition.as_ref())?,
                false => JoinCondition::Using(join.using_columns.clone()),
            },
        })))
    }

    fn set_operation(&self, set: &'a proto::SetOperation) -> Result<Relation> {
        let operator = match set.set_op_type() {
            SetOpType::Unspecified => return Err(missing("the kind of set operation")),
            SetOpType::Intersect => SetOperator::Intersect,
            SetOpType::Except => SetOperator::Except,
            SetOpType::Union => SetOperator::Union,
        };
        Ok(Relation::SetOperation(Box::new(SetOperation {
            left: self.input(set.left_input.as_deref())?,
            right: self.input(set.right_input.as_deref())?,
            operator,
            all: set.is_all(),
            by_name: set.by_name(),
            allow_missing: set.allow_missing_columns(),
        })))
    }

    fn aggregate(&self, aggregate: &'a proto::Aggregate) -> Result<Relation> {
        let input = self.input(aggregate.input.as_deref())?;
        let keys = self.expressions(&aggregate.grouping_expressions)?;
        let values = self.expressions(&aggregate.aggregate_expressions)?;
        let grouping = match aggregate.group_type() {
            GroupType::Unspecified | GroupType::Groupby => Grouping::Plain,
            GroupType::Rollup => Grouping::Rollup,
            GroupType::Cube => Grouping::Cube,
            GroupType::GroupingSets => {
                let sets = aggregate.grouping_sets.iter();
                let sets = sets.map(|set| self.expressions(&set.grouping_set));
                Grouping::Sets(sets.collect::<Result<_>>()?)
            }
            GroupType::Pivot => {
                let pivot = aggregate
                    .pivot
                    .as_ref()
                    .ok_or_else(|| missing("what to pivot by"))?;
                let (columns, values_of_pivot) = self.pivot(pivot)?;
                return Ok(Relation::Pivot(Box::new(Pivot {
                    input,
                    aggregates: values,
                    columns,
                    values: values_of_pivot,
                    keys: Some(keys),
                })));
            }
        };
        Ok(Relation::Aggregate(Box::new(Aggregate {
            input,
            grouping,
            keys,
            values,
        })))
    }

    fn pivot(
        &self,
        pivot: &'a proto::aggregate::Pivot,
    ) -> Result<(Vec<Expression>, Vec<PivotValue>)> {
        let column = self.part(pivot.col.as_ref(), "what to pivot by")?;
        let values = pivot.values.iter().map(|value| {
            let values = vec![literal_of(value)?];
            Ok(PivotValue { values, name: None })
        });
        Ok((vec![column], values.collect::<Result<_>>()?))
    }

    fn unpivot(&self, unpivot: &'a proto::Unpivot) -> Result<Relation> {
        let columns = unpivot
            .values
            .as_ref()
            .map(|values| self.expressions(&values.values));
        let columns = columns.transpose()?.unwrap_or_default().into_iter();
        let columns = columns.map(|column| UnpivotColumn {
            columns: vec![column],
            name: None,
        });
        Ok(Relation::Unpivot(Box::new(Unpivot {
            input: self.input(unpivot.input.as_deref())?,
            include_nulls: true,
            values: vec![unpivot.value_column_name.clone()],
            name: unpivot.variable_column_name.clone(),
            columns: columns.collect(),
            ids: Some(self.expressions(&unpivot.ids)?),
        })))
    }
}

fn join_kind(kind: JoinType) -> JoinKind {
    match kind {
        JoinType::Unspecified | JoinType::Inner => JoinKind::Inner,
        JoinType::Cross => JoinKind::Cross,
        JoinType::FullOuter => JoinKind::Full,
        JoinType::LeftOuter => JoinKind::Left,
        JoinType::RightOuter => JoinKind::Right,
        JoinType::LeftAnti => JoinKind::Anti,
        JoinType::LeftSemi => JoinKind::Semi,
    }
}

#[allow(deprecated)] // Spark 3.4 gives a map.
fn renames_of(renamed: &proto::WithColumnsRenamed) -> Vec<(String, String)> {
    let pairs = renamed.renames.iter();
    let pairs = pairs.map(|rename| (rename.col_name.clone(), rename.new_col_name.clone()));
    let old = renamed.rename_columns_map.iter();
    pairs
        .chain(old.map(|(from, to)| (from.clone(), to.clone())))
        .collect()
}

fn read_of(read: &proto::Read) -> Result<Relation> {
    match &read.read_type {
        Some(ReadType::NamedTable(table)) => Ok(Relation::Table {
            name: parse_identifier(&table.unparsed_identifier)?,
            place: None,
        }),
        Some(ReadType::DataSource(source)) => source_of(source, read.is_streaming),
        None => Err(missing("what to read")),
    }
}

fn source_of(source: &DataSource, is_streaming: bool) -> Result<Relation> {
    let schema = match source.schema.as_deref() {
        None | Some("") => None,
        Some(text) => Some(nullable(parse_schema_of_columns(text)?.as_ref())),
    };
    Ok(Relation::Source {
        is_streaming,
        format: source
            .format
            .clone()
            .unwrap_or_else(|| "parquet".to_string()),
        schema,
        paths: source.paths.clone(),
        options: source.options.clone().into_iter().collect(),
    })
}
