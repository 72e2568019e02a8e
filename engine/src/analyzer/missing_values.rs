//! `df.na` and `df.to`: values in the place of missing or of certain ones, rows without them, columns
//! as a schema wants them.

use arrow::datatypes::{DataType, Schema};

use super::Analyzer;
use super::frames::at_place;
use super::planned::{Planned, same_name};
use super::query::Context;
use crate::error::{Error, Result, unresolved_column};
use crate::sql::{call, literal};
use crate::tree::{Case, Cast, Expression, Literal};
use crate::type_names::sql_type;

impl Analyzer<'_> {
    /// `fillna`: each value in the columns of its kind, or in the column named at its place.
    pub(super) fn fill_na(
        &self,
        input: Planned,
        columns: &[String],
        values: &[Expression],
        context: &Context<'_>,
    ) -> Result<Planned> {
        check_names(&input, columns)?;
        if values.is_empty() || (values.len() > 1 && values.len() != columns.len()) {
            return Err(Error::illegal_argument(format!(
                "fillna got {} values for {} columns",
                values.len(),
                columns.len()
            )));
        }
        self.changed(input, context, |name, data_type, value_of_column| {
            let place = columns.iter().position(|column| same_name(column, name));
            let value = match (place, values) {
                (None, _) if !columns.is_empty() => return None,
                (_, [only]) => only,
                (place, _) => values.get(place?)?,
            };
            if !is_of_kind(literal_type(value)?, data_type) {
                return None;
            }
            let present = match is_fraction(data_type) {
                true => call("nullif", vec![value_of_column, nan(data_type)]),
                false => value_of_column,
            };
            Some(call(
                "coalesce",
                vec![present, cast(value.clone(), data_type)],
            ))
        })
    }

    /// `dropna`: the rows with at least so many values that are there, or with all of them.
    pub(super) fn drop_na(
        &self,
        input: Planned,
        columns: &[String],
        at_least: Option<i32>,
        context: &Context<'_>,
    ) -> Result<Planned> {
        check_names(&input, columns)?;
        let is_meant =
            |name: &str| columns.is_empty() || columns.iter().any(|column| same_name(column, name));
        let meant = input.shown().enumerate();
        let meant = meant.filter(|(_, column)| is_meant(&column.name));
        let there: Vec<Expression> = meant
            .map(|(place, column)| {
                let value = at_place(place);
                let is_there = call("isnotnull", vec![value.clone()]);
                match is_fraction(column.field.data_type()) {
                    true => {
                        let is_nan = call("not", vec![call("isnan", vec![value])]);
                        call("and", vec![is_there, is_nan])
                    }
                    false => is_there,
                }
            })
            .collect();
        let wanted = at_least.unwrap_or_else(|| i32::try_from(there.len()).unwrap_or(i32::MAX));
        let counted = there.into_iter().map(|is_there| {
            Expression::Case(Box::new(Case {
                operand: None,
                branches: vec![(is_there, literal(1_i32.into()))],
                otherwise: Some(literal(0_i32.into())),
            }))
        });
        let count = counted.reduce(|all, one| call("+", vec![all, one]));
        match count {
            Some(count) => {
                let enough = call(">=", vec![count, literal(wanted.into())]);
                self.filtered(input, &enough, context)
            }
            None => Ok(input),
        }
    }

    /// `replace`: new values for old ones, in the columns of their kind.
    pub(super) fn replace_values(
        &self,
        input: Planned,
        columns: &[String],
        pairs: &[(Expression, Expression)],
        context: &Context<'_>,
    ) -> Result<Planned> {
        check_names(&input, columns)?;
        let is_meant =
            |name: &str| columns.is_empty() || columns.iter().any(|column| same_name(column, name));
        self.changed(input, context, |name, data_type, value_of_column| {
            let fits = |value: &Expression| {
                literal_type(value)
                    .is_some_and(|kind| kind.is_null() || is_of_kind(kind, data_type))
            };
            let own = pairs.iter().filter(|(old, new)| fits(old) && fits(new));
            let branches: Vec<(Expression, Expression)> = own
                .map(|(old, new)| {
                    let is_old = call("<=>", vec![value_of_column.clone(), old.clone()]);
                    (is_old, cast(new.clone(), data_type))
                })
                .collect();
            (is_meant(name) && !branches.is_empty()).then(|| {
                Expression::Case(Box::new(Case {
                    operand: None,
                    branches,
                    otherwise: Some(value_of_column),
                }))
            })
        })
    }

    /// `to`: the columns that a schema names, in its order and of its types.
    pub(super) fn to_schema(
        &self,
        input: Planned,
        schema: &Schema,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let columns = schema.fields().iter().map(|field| {
            let mut shown = input.shown().enumerate();
            let found = shown.find(|(_, column)| column.is_named(field.name()));
            let (place, column) =
                found.ok_or_else(|| unresolved_column(field.name(), &input.names()))?;
            if column.field.is_nullable() && !field.is_nullable() {
                return Err(Error::analysis(format!(
                    "column '{}' may be NULL, which the schema forbids",
                    field.name()
                ))
                .with_condition("NULLABLE_COLUMN_OR_FIELD"));
            }
            let (from, to) = (column.field.data_type(), field.data_type());
            if from != to && !widens(from, to) {
                return Err(Error::analysis(format!(
                    "column '{}' is a {} and cannot be a {}",
                    field.name(),
                    sql_type(from),
                    sql_type(to)
                ))
                .with_condition("INVALID_COLUMN_OR_FIELD_DATA_TYPE"));
            }
            Ok(Expression::Alias {
                expression: Box::new(match from == to {
                    true => at_place(place),
                    false => cast(at_place(place), to),
                }),
                names: vec![field.name().clone()],
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        self.project(input, &columns, context)
    }

    /// The same columns, each with the value that `change` gives for its name, type and value.
    fn changed(
        &self,
        input: Planned,
        context: &Context<'_>,
        change: impl Fn(&str, &DataType, Expression) -> Option<Expression>,
    ) -> Result<Planned> {
        let columns = input.shown().enumerate().map(|(place, column)| {
            let own = at_place(place);
            match change(&column.name, column.field.data_type(), own.clone()) {
                Some(changed) => Expression::Alias {
                    expression: Box::new(changed),
                    names: vec![column.name.clone()],
                },
                None => own,
            }
        });
        let columns: Vec<Expression> = columns.collect();
        self.project(input, &columns, context)
    }
}

fn check_names(input: &Planned, columns: &[String]) -> Result<()> {
    let absent = columns
        .iter()
        .find(|name| !input.shown().any(|column| column.is_named(name)));
    match absent {
        Some(name) => Err(unresolved_column(name, &input.names())),
        None => Ok(()),
    }
}

fn literal_type(value: &Expression) -> Option<DataType> {
    match value {
        Expression::Literal(Literal { value, .. }) => Some(value.data_type()),
        _ => None,
    }
}

/// Whether a value may stand in a column: numbers in numbers, texts in texts, truth in truth.
fn is_of_kind(value: DataType, column: &DataType) -> bool {
    match value {
        DataType::Boolean => column == &DataType::Boolean,
        DataType::Utf8 => column == &DataType::Utf8,
        number => number.is_numeric() && column.is_numeric(),
    }
}

fn is_fraction(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

fn nan(data_type: &DataType) -> Expression {
    cast(literal(f64::NAN.into()), data_type)
}

fn cast(expression: Expression, to: &DataType) -> Expression {
    Expression::Cast(Box::new(Cast {
        expression,
        to: to.clone(),
        lenient: false,
    }))
}

/// Whether every value of one type is one of the other.
fn widens(from: &DataType, to: &DataType) -> bool {
    let rank = |data_type: &DataType| match data_type {
        DataType::Int8 => Some(1),
        DataType::Int16 => Some(2),
        DataType::Int32 => Some(3),
        DataType::Int64 => Some(4),
        DataType::Float32 => Some(5),
        DataType::Float64 => Some(6),
        _ => None,
    };
    match (rank(from), rank(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => to == &DataType::Utf8 && from.is_primitive(),
    }
}
