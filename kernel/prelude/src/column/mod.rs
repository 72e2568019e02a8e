//! Columns: expressions with methods to build more of them.

mod operand;
mod operators;

use std::fmt;

pub use operand::{Condition, Operand};

use crate::plan::expression::{CastTo, Expression, SortOrder};
use crate::window::WindowSpec;

/// An expression over the columns of a data frame.
///
/// Beside an operator a Rust value is a literal: `col("amount").gt(5)`, `col("user").eq("ann")`.
/// Where a column is asked for, a string is a column's name: `sum("amount")`.
///
/// ```
/// use tidebook::prelude::*;
///
/// let total = (col("price") * col("count") + 1.5).alias("total");
/// assert_eq!(total.to_string(), "((price * count) + 1.5) AS total");
/// ```
#[derive(Clone)]
pub struct Column {
    expression: Expression,
}

impl Column {
    /// The column of an expression.
    pub fn new(expression: Expression) -> Self {
        Self { expression }
    }

    /// What it is made of.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    pub(crate) fn into_expression(self) -> Expression {
        self.expression
    }

    /// A call of Spark's function `name`.
    pub(crate) fn call(name: &str, arguments: impl IntoIterator<Item = Column>) -> Self {
        let arguments = arguments.into_iter().map(Self::into_expression);
        Self::new(Expression::function(name, arguments.collect()))
    }

    fn with(self, name: &str, others: impl IntoIterator<Item = Column>) -> Self {
        Self::call(name, std::iter::once(self).chain(others))
    }

    /// Another name.
    pub fn alias(self, name: &str) -> Self {
        Self::new(Expression::Alias {
            expression: Box::new(self.expression),
            names: vec![name.to_string()],
            metadata: None,
        })
    }

    /// The same as [`alias`](Self::alias).
    pub fn name(self, name: &str) -> Self {
        self.alias(name)
    }

    /// The value as another type, given as a [`DataType`](crate::DataType) or its DDL name.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(col("n").cast("double").to_string(), "CAST(n AS DOUBLE)");
    /// assert_eq!(col("n").cast(DataType::Long).to_string(), "CAST(n AS BIGINT)");
    /// ```
    pub fn cast(self, to: impl Into<CastTo>) -> Self {
        self.cast_to(to.into(), false)
    }

    /// The same as [`cast`](Self::cast).
    pub fn astype(self, to: impl Into<CastTo>) -> Self {
        self.cast(to)
    }

    /// The value as another type, given by its DDL name.
    pub fn cast_str(self, type_name: &str) -> Self {
        self.cast_to(CastTo::Name(type_name.to_string()), false)
    }

    /// The value as another type, `NULL` where that cannot be.
    pub fn try_cast(self, to: impl Into<CastTo>) -> Self {
        self.cast_to(to.into(), true)
    }

    /// The value as another type given by its DDL name, `NULL` where that cannot be.
    pub fn try_cast_str(self, type_name: &str) -> Self {
        self.cast_to(CastTo::Name(type_name.to_string()), true)
    }

    fn cast_to(self, to: CastTo, or_null: bool) -> Self {
        Self::new(Expression::Cast {
            expression: Box::new(self.expression),
            to,
            or_null,
        })
    }

    /// A field of a struct.
    pub fn get_field(self, name: &str) -> Self {
        self.get_item(name)
    }

    /// An element: of an array by its index from 0, of a map by its key, of a struct by its name.
    pub fn get_item(self, key: impl Operand) -> Self {
        Self::new(Expression::Extract {
            expression: Box::new(self.expression),
            key: Box::new(key.into_operand().expression),
        })
    }

    /// The struct with this field changed or added.
    pub fn with_field(self, field_name: &str, value: impl Operand) -> Self {
        Self::new(Expression::UpdateField {
            expression: Box::new(self.expression),
            name: field_name.to_string(),
            value: Some(Box::new(value.into_operand().expression)),
        })
    }

    /// The struct without these fields.
    pub fn drop_fields<S: AsRef<str>>(self, names: impl IntoIterator<Item = S>) -> Self {
        names.into_iter().fold(self, |column, name| {
            Self::new(Expression::UpdateField {
                expression: Box::new(column.expression),
                name: name.as_ref().to_string(),
                value: None,
            })
        })
    }

    /// One more branch of [`when`](crate::functions::when).
    pub fn when(self, condition: Column, value: impl Operand) -> Self {
        let branch = (condition.expression, value.into_operand().expression);
        match self.expression {
            Expression::CaseWhen {
                mut branches,
                otherwise,
            } => {
                branches.push(branch);
                Self::new(Expression::CaseWhen {
                    branches,
                    otherwise,
                })
            }
            _ => Self::new(Expression::CaseWhen {
                branches: vec![branch],
                otherwise: None,
            }),
        }
    }

    /// The value if no branch of [`when`](crate::functions::when) holds; `NULL` without this.
    pub fn otherwise(self, value: impl Operand) -> Self {
        match self.expression {
            Expression::CaseWhen { branches, .. } => Self::new(Expression::CaseWhen {
                branches,
                otherwise: Some(Box::new(value.into_operand().expression)),
            }),
            expression => Self::new(expression),
        }
    }

    /// Sorts ascending, `NULL` first.
    pub fn asc(self) -> Self {
        self.sorted(false, false)
    }

    /// Sorts ascending, `NULL` first.
    pub fn asc_nulls_first(self) -> Self {
        self.sorted(false, false)
    }

    /// Sorts ascending, `NULL` last.
    pub fn asc_nulls_last(self) -> Self {
        self.sorted(false, true)
    }

    /// Sorts descending, `NULL` last.
    pub fn desc(self) -> Self {
        self.sorted(true, true)
    }

    /// Sorts descending, `NULL` first.
    pub fn desc_nulls_first(self) -> Self {
        self.sorted(true, false)
    }

    /// Sorts descending, `NULL` last.
    pub fn desc_nulls_last(self) -> Self {
        self.sorted(true, true)
    }

    fn sorted(self, descending: bool, nulls_last: bool) -> Self {
        SortOrder {
            child: self.expression,
            descending,
            nulls_last,
        }
        .into()
    }

    /// The function over the rows that `window` gives for each row.
    pub fn over(self, window: WindowSpec) -> Self {
        Self::new(Expression::Window {
            function: Box::new(self.expression),
            partition: window.partition,
            order: window.order,
            frame: window.frame,
        })
    }
}

/// Close to SQL.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column<'{self}'>")
    }
}

/// A column by name.
impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::new(Expression::attribute(name))
    }
}

/// A column by name.
impl From<String> for Column {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

/// A column by name.
impl From<&String> for Column {
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

impl From<&Column> for Column {
    fn from(column: &Column) -> Self {
        column.clone()
    }
}

impl From<Expression> for Column {
    fn from(expression: Expression) -> Self {
        Self::new(expression)
    }
}

impl From<SortOrder> for Column {
    fn from(order: SortOrder) -> Self {
        Self::new(Expression::SortOrder(Box::new(order)))
    }
}

/// Lists of whatever becomes a column.
pub(crate) trait Columns {
    fn expressions(self) -> Vec<Expression>;
    fn sort_orders(self) -> Vec<SortOrder>;
}

impl<C: Into<Column>, I: IntoIterator<Item = C>> Columns for I {
    fn expressions(self) -> Vec<Expression> {
        self.into_iter()
            .map(|column| column.into().expression)
            .collect()
    }

    fn sort_orders(self) -> Vec<SortOrder> {
        let expressions = self.expressions().into_iter();
        expressions.map(Expression::into_sort_order).collect()
    }
}
