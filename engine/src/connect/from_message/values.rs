//! Steps that look at values: missing ones, certain ones, what is known of all of them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};

use super::literal::literal_of;
use super::types::type_of;
use super::{Reader, missing, not_supported};
use crate::connect::proto;
use crate::connect::proto::relation::RelType;
use crate::error::{Error, Result};
use crate::sql::{call, literal};
use crate::tree::{Cast, Expression, Name, Relation};

/// What `describe` gives.
const DESCRIBED: [&str; 5] = ["count", "mean", "stddev", "min", "max"];
/// What `summary` gives, if it is not told.
const SUMMARY: [&str; 8] = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];

impl<'a> Reader<'a> {
    /// A step of this kind.
    pub(super) fn of_values(&self, kind: &'a RelType) -> Result<Relation> {
        Ok(match kind {
            RelType::FillNa(fill) => Relation::FillNa {
                input: self.boxed(fill.input.as_deref())?,
                columns: fill.cols.clone(),
                values: fill.values.iter().map(literal_of).collect::<Result<_>>()?,
            },
            RelType::DropNa(drop) => Relation::DropNa {
                input: self.boxed(drop.input.as_deref())?,
                columns: drop.cols.clone(),
                at_least: drop.min_non_nulls,
            },
            RelType::Replace(replace) => {
                let pairs = replace.replacements.iter().map(|pair| {
                    let value = |value: &Option<proto::expression::Literal>| {
                        value
                            .as_ref()
                            .map_or_else(|| Err(missing("a value")), literal_of)
                    };
                    Ok((value(&pair.old_value)?, value(&pair.new_value)?))
                });
                Relation::Replace {
                    input: self.boxed(replace.input.as_deref())?,
                    columns: replace.cols.clone(),
                    pairs: pairs.collect::<Result<_>>()?,
                }
            }
            RelType::Crosstab(crosstab) => self.crosstab(crosstab)?,
            RelType::SampleBy(sample) => self.sample_by(sample)?,
            RelType::ToSchema(to) => {
                let schema = to.schema.as_ref().ok_or_else(|| missing("a schema"))?;
                let DataType::Struct(fields) = type_of(schema)? else {
                    return Err(Error::illegal_argument(
                        "the schema is no struct of columns",
                    ));
                };
                Relation::ToSchema {
                    input: self.boxed(to.input.as_deref())?,
                    schema: Arc::new(Schema::new(fields)),
                }
            }
            RelType::Describe(describe) => Relation::Describe {
                input: self.boxed(describe.input.as_deref())?,
                columns: describe.cols.clone(),
                statistics: DESCRIBED.map(str::to_string).to_vec(),
            },
            RelType::Summary(summary) => Relation::Describe {
                input: self.boxed(summary.input.as_deref())?,
                columns: Vec::new(),
                statistics: match summary.statistics.is_empty() {
                    true => SUMMARY.map(str::to_string).to_vec(),
                    false => summary.statistics.clone(),
                },
            },
            RelType::Corr(corr) => {
                if !corr.method().is_empty() && corr.method() != "pearson" {
                    return Err(Error::illegal_argument(format!(
                        "the correlation '{}' is not supported, only pearson",
                        corr.method()
                    )));
                }
                let arguments = vec![double(&corr.col1), double(&corr.col2)];
                self.one_value(corr.input.as_deref(), call("corr", arguments))?
            }
            RelType::Cov(cov) => {
                let arguments = vec![double(&cov.col1), double(&cov.col2)];
                self.one_value(cov.input.as_deref(), call("covar_samp", arguments))?
            }
            RelType::ApproxQuantile(quantile) => {
                let parts = quantile.probabilities.iter();
                let parts = call("array", parts.map(|part| literal((*part).into())).collect());
                let of_columns = quantile
                    .cols
                    .iter()
                    .map(|column| call("percentile_approx", vec![double(column), parts.clone()]));
                let all = call("array", of_columns.collect());
                self.one_value(quantile.input.as_deref(), all)?
            }
            other => return Err(not_supported("operation", other)),
        })
    }

    fn one_value(&self, input: Option<&'a proto::Relation>, value: Expression) -> Result<Relation> {
        Ok(Relation::Project {
            input: Some(self.boxed(input)?),
            expressions: vec![value],
        })
    }
}

/// A column as a number.
fn double(name: &str) -> Expression {
    Expression::Cast(Box::new(Cast {
        expression: Expression::Name(Name {
            parts: vec![name.to_string()],
            plan_id: None,
            place: None,
        }),
        to: DataType::Float64,
        lenient: false,
    }))
}
