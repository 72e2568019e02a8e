//! What chooses between values: `CASE`, `if`, `coalesce`, `nvl`, `nullif`.

use arrow::datatypes::DataType;
use datafusion::functions::core::{coalesce, nullif};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Case as PlanCase;
use datafusion::scalar::ScalarValue;

use super::aggregates::null_of;
use super::compare::{as_compared, comparison_type, is_nested};
use super::expression::Expressions;
use super::planned::same_name;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::functions::{common_type, has_fractions};
use crate::tree::{Case, Expression};
use crate::type_names::sql_type;

impl Expressions<'_> {
    /// `CASE`.
    pub(super) fn case(&self, case: &Case) -> Result<Typed> {
        let branches = case.branches.iter().map(|(when, then)| (when, then));
        self.branches(
            case.operand.as_ref(),
            branches.collect(),
            case.otherwise.as_ref(),
        )
    }

    /// WHEN and THEN, and ELSE.
    pub(super) fn branches(
        &self,
        operand: Option<&Expression>,
        branches: Vec<(&Expression, &Expression)>,
        otherwise: Option<&Expression>,
    ) -> Result<Typed> {
        let operand = operand.map(|operand| self.plan(operand)).transpose()?;
        let results = branches.iter().map(|(_, result)| self.plan(result));
        let results: Vec<Typed> = results.collect::<Result<_>>()?;
        let otherwise = otherwise.map(|otherwise| self.plan(otherwise));
        let otherwise = otherwise.transpose()?;
        match operand {
            None => {
                let conditions = branches.iter().map(|(condition, _)| self.truth(condition));
                let conditions: Vec<Expr> = conditions.collect::<Result<_>>()?;
                let branches = conditions.into_iter().zip(results).collect();
                self.choose(None, branches, otherwise)
            }
            Some(operand) => {
                let values = branches.iter().map(|(value, _)| self.plan(value));
                let values: Vec<Typed> = values.collect::<Result<_>>()?;
                let mut common = operand.data_type().clone();
                for value in &values {
                    common = comparison_type(&common, value.data_type())?;
                }
                let compared = |typed| Ok(as_compared(self.cast_to(typed, &common)?).expr);
                let operand = compared(operand)?;
                let values: Vec<Expr> = values.into_iter().map(compared).collect::<Result<_>>()?;
                self.choose(
                    Some(operand),
                    values.into_iter().zip(results).collect(),
                    otherwise,
                )
            }
        }
    }

    pub(super) fn choose(
        &self,
        operand: Option<Expr>,
        branches: Vec<(Expr, Typed)>,
        otherwise: Option<Typed>,
    ) -> Result<Typed> {
        let types = branches.iter().map(|(_, result)| result.data_type());
        let types: Vec<&DataType> = types
            .chain(otherwise.iter().map(Typed::data_type))
            .collect();
        let common = common_type(types.iter().copied()).filter(|_| have_same_fields(&types));
        let common = common.ok_or_else(|| different(&types, "CASE"))?;
        let branches = branches
            .into_iter()
            .map(|(when, then)| Ok((Box::new(when), Box::new(self.cast_to(then, &common)?.expr))));
        let branches = branches.collect::<Result<Vec<_>>>()?;
        let otherwise = match otherwise {
            Some(otherwise) => self.cast_to(otherwise, &common)?.expr,
            None => null_of(&common)?,
        };
        let case = PlanCase::new(operand.map(Box::new), branches, Some(Box::new(otherwise)));
        Ok(Typed::new(Expr::Case(case), common))
    }

    pub(super) fn first_there(&self, name: &str, values: Vec<Typed>) -> Result<Typed> {
        let types: Vec<&DataType> = values.iter().map(Typed::data_type).collect();
        let common = common_type(types.iter().copied()).filter(|_| have_same_fields(&types));
        let common = common.ok_or_else(|| different(&types, name))?;
        let values = values.into_iter().map(|value| self.cast_to(value, &common));
        self.coalesced(values.collect::<Result<_>>()?, &common)
    }

    /// The first of some values of one type that is not NULL. All but the last are computed twice: to
    /// see whether they are NULL, and to be given.
    fn coalesced(&self, values: Vec<Typed>, common: &DataType) -> Result<Typed> {
        let last = values.len().saturating_sub(1);
        let mut twice = values.iter().take(last).enumerate();
        if let Some((at, volatile)) = twice.find(|(_, value)| value.expr.is_volatile()) {
            return self.once(volatile.clone(), |once| {
                let values = values.iter().enumerate();
                let values = values.map(|(index, value)| match index == at {
                    true => once.clone(),
                    false => value.clone(),
                });
                self.coalesced(values.collect(), common)
            });
        }
        let values = values.into_iter().map(|value| value.expr);
        Ok(Typed::new(
            coalesce().call(values.collect()),
            common.clone(),
        ))
    }

    pub(super) fn null_if(&self, value: Typed, other: Typed) -> Result<Typed> {
        let own = value.data_type().clone();
        let common = comparison_type(&own, other.data_type())?;
        if common == own && !is_nested(&own) && !has_fractions(&own) {
            let other = self.cast_to(other, &common)?;
            return Ok(Typed::new(nullif().call(vec![value.expr, other.expr]), own));
        }
        self.once(value, |value| {
            let equal = self.compare("=", value.clone(), other.clone())?;
            let nothing = Typed::literal(ScalarValue::Null);
            self.choose(None, vec![(equal.expr, nothing)], Some(value))
        })
    }
}

/// Whether the structs among some types have fields of the same names.
fn have_same_fields(types: &[&DataType]) -> bool {
    let mut structs = types.iter().filter_map(|data_type| match data_type {
        DataType::Struct(fields) => Some(fields),
        _ => None,
    });
    let Some(first) = structs.next() else {
        return true;
    };
    structs.all(|fields| {
        let mut pairs = first.iter().zip(fields);
        first.len() == fields.len()
            && pairs.all(|(one, other)| {
                same_name(one.name(), other.name())
                    && have_same_fields(&[one.data_type(), other.data_type()])
            })
    })
}

fn different(types: &[&DataType], what: &str) -> Error {
    let types: Vec<String> = types.iter().map(|data_type| sql_type(data_type)).collect();
    Error::analysis(format!(
        "the values of {what} must have one type, but they are {}",
        types.join(", ")
    ))
    .with_condition("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
    .with_hint("cast them: CAST(x AS type)")
}
