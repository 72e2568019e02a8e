//! Statistics of frames that other relations say too: `crosstab` and `sampleBy`.

use arrow::datatypes::DataType;
use datafusion::scalar::ScalarValue;

use super::literal::literal_of;
use super::{Reader, missing};
use crate::connect::proto;
use crate::error::Result;
use crate::sql::{call, literal};
use crate::tree::{Case, Cast, Expression, Name, Pivot, Relation};

/// The column whose values become columns.
const TURNED: &str = "__turned";

impl<'a> Reader<'a> {
    /// How often each pair of values comes: the values of one column below each other, those of the other
    /// beside each other, as texts.
    pub(super) fn crosstab(&self, crosstab: &'a proto::StatCrosstab) -> Result<Relation> {
        let (below, beside) = (&crosstab.col1, &crosstab.col2);
        let key = format!("{below}_{beside}");
        let texts = Relation::Project {
            input: Some(self.boxed(crosstab.input.as_deref())?),
            expressions: vec![named(as_text(below), &key), named(as_text(beside), TURNED)],
        };
        let counted = Relation::Pivot(Box::new(Pivot {
            input: texts,
            aggregates: vec![call("count", vec![literal(ScalarValue::Int32(Some(1)))])],
            columns: vec![column(TURNED)],
            values: Vec::new(),
            keys: Some(vec![column(&key)]),
        }));
        Ok(Relation::FillNa {
            input: Box::new(counted),
            columns: Vec::new(),
            values: vec![literal(ScalarValue::Int64(Some(0)))],
        })
    }

    /// A sample with a share of the rows of each stratum; of strata that are not named there are none.
    pub(super) fn sample_by(&self, sample: &'a proto::StatSampleBy) -> Result<Relation> {
        let stratum = self.part(sample.col.as_ref(), "the column of the strata")?;
        let shares = sample.fractions.iter().map(|share| {
            let stratum = share.stratum.as_ref().ok_or_else(|| missing("a stratum"))?;
            let share = literal(ScalarValue::Float64(Some(share.fraction)));
            Ok((literal_of(stratum)?, share))
        });
        let share = Expression::Case(Box::new(Case {
            operand: Some(stratum),
            branches: shares.collect::<Result<_>>()?,
            otherwise: Some(literal(ScalarValue::Float64(Some(0.0)))),
        }));
        let seed = sample
            .seed
            .map(|seed| literal(ScalarValue::Int64(Some(seed))));
        let chance = call("rand", seed.into_iter().collect());
        Ok(Relation::Filter {
            input: self.boxed(sample.input.as_deref())?,
            condition: call("<", vec![chance, share]),
        })
    }
}

fn column(name: &str) -> Expression {
    Expression::Name(Name {
        parts: vec![name.to_string()],
        plan_id: None,
        place: None,
    })
}

fn named(expression: Expression, name: &str) -> Expression {
    Expression::Alias {
        expression: Box::new(expression),
        names: vec![name.to_string()],
    }
}

/// The value of a column as a text, also if it is NULL.
fn as_text(name: &str) -> Expression {
    let text = Expression::Cast(Box::new(Cast {
        expression: column(name),
        to: DataType::Utf8,
        lenient: false,
    }));
    let null = literal(ScalarValue::Utf8(Some("null".to_string())));
    call("coalesce", vec![text, null])
}
