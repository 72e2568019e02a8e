//! Expressions over the columns of one scope.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};

use super::Analyzer;
use super::calls::settled;
use super::query::Context;
use super::scope::Scope;
use super::shown_as::{Shown, ShownAs};
use super::typed::Typed;
use crate::datetime::{TIME_ZONE, Zone};
use crate::depth::deeper;
use crate::error::{Error, Result};
use crate::tree::{Expression, SESSION_ZONE, WindowSpec};
use crate::type_names::sql_type;

/// Where an expression stands, which decides what may be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    Select,
    Where,
    GroupBy,
    Having,
    OrderBy,
    On,
    Values,
    Limit,
}

/// Plans expressions over the names of a scope.
pub(super) struct Expressions<'a> {
    pub analyzer: &'a Analyzer<'a>,
    pub scope: &'a Scope<'a>,
    pub clause: Clause,
    pub context: Context<'a>,
    /// Windows that the query names.
    pub windows: &'a [(String, WindowSpec)],
    /// The variables of the lambdas around an expression, the innermost last.
    pub variables: Vec<Variable>,
    /// The aggregate whose argument an expression is.
    pub inside_aggregate: bool,
    /// Whether it stands in a call over a window of rows.
    pub inside_window: bool,
    /// Calls that Spark shows as others than they are written as.
    pub shown_as: ShownAs,
}

/// A variable of a lambda.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    /// As the query writes it.
    pub name: String,
    /// What it is in the plan.
    pub typed: Typed,
}

impl<'s> Analyzer<'s> {
    /// A planner of expressions over `scope`.
    pub(super) fn expressions<'a>(
        &'a self,
        scope: &'a Scope<'a>,
        clause: Clause,
        context: &Context<'a>,
    ) -> Expressions<'a> {
        Expressions {
            analyzer: self,
            scope,
            clause,
            context: context.clone(),
            windows: &[],
            variables: Vec::new(),
            inside_aggregate: false,
            inside_window: false,
            shown_as: ShownAs::default(),
        }
    }
}

impl<'a> Expressions<'a> {
    /// One expression.
    pub(super) fn plan(&self, expression: &Expression) -> Result<Typed> {
        let mut inner = self.nested();
        inner.context.depth += 1;
        let depth = inner.context.depth;
        deeper(depth, || inner.plan_here(expression))
    }

    /// The same planner, to be changed for what stands inside.
    pub(super) fn nested(&self) -> Expressions<'a> {
        Expressions {
            analyzer: self.analyzer,
            scope: self.scope,
            clause: self.clause,
            context: self.context.clone(),
            windows: self.windows,
            variables: self.variables.clone(),
            inside_aggregate: self.inside_aggregate,
            inside_window: self.inside_window,
            shown_as: self.shown_as.clone(),
        }
    }

    /// Several.
    pub(super) fn plan_all(&self, expressions: &[Expression]) -> Result<Vec<Typed>> {
        expressions.iter().map(|one| self.plan(one)).collect()
    }

    fn plan_here(&self, expression: &Expression) -> Result<Typed> {
        match expression {
            Expression::Literal(literal) => Ok(Typed::literal(self.settled(&literal.value))),
            Expression::Name(name) => {
                let typed = self.name(name)?;
                if let Some(path) = self.path_of(name) {
                    self.shown_as.put(expression, Shown::Path(path));
                }
                Ok(typed)
            }
            Expression::Star(star) => Err(Error::analysis("* can stand in a select list only")
                .with_condition("INVALID_USAGE_OF_STAR_OR_REGEX")
                .with_place(star.place)),
            Expression::Call(call) => self.call(call, expression),
            Expression::Cast(cast) => self.cast(&cast.expression, &cast.to, cast.lenient),
            Expression::Case(case) => self.case(case),
            Expression::Alias { expression, .. } => self.plan(expression),
            Expression::Lambda(_) => Err(Error::analysis(
                "a lambda can be an argument of a higher-order function only",
            )
            .with_condition("UNRESOLVED_ROUTINE")
            .with_hint("such as transform(array, x -> x + 1)")),
            Expression::Field { of, name } => {
                let of = self.plan(of)?;
                self.field(of, name)
            }
            Expression::Item { of, key } => {
                let (of, key) = (self.plan(of)?, self.plan(key)?);
                if let (DataType::Struct(_), Some(ScalarValue::Utf8(Some(name)))) =
                    (of.data_type(), key.value())
                {
                    self.shown_as.put(expression, Shown::Field(name.clone()));
                }
                self.item(of, key)
            }
            Expression::Over(over) => {
                let mut inner = self.nested();
                inner.inside_window = true;
                inner.over(over, expression)
            }
            Expression::Subquery(subquery) => self.subquery(subquery),
            Expression::Parameter(name) => Err(Error::analysis(format!(
                "the parameter '{name}' has no value"
            ))
            .with_condition("UNBOUND_SQL_PARAMETER")
            .with_hint("give parameters their values where the statement is run")),
            Expression::Argument { value, .. } => self.plan(value),
            Expression::UpdateFields { .. } => self.update_fields(expression),
            Expression::Matching(_) => Err(Error::analysis(
                "columns by pattern can stand in a select list only",
            )),
        }
    }

    /// A literal's value; a local time becomes one of UTC.
    fn settled(&self, value: &ScalarValue) -> ScalarValue {
        let ScalarValue::TimestampMicrosecond(Some(local), Some(zone)) = value else {
            return value.clone();
        };
        if zone.as_ref() != SESSION_ZONE {
            return value.clone();
        }
        let options = self.analyzer.session.config_options();
        let zone = options.execution.time_zone.as_deref().unwrap_or(TIME_ZONE);
        let zone = zone.parse().unwrap_or(Zone::UTC);
        ScalarValue::TimestampMicrosecond(zone.to_utc(*local), Some(TIME_ZONE.into()))
    }

    /// A condition: a BOOLEAN.
    pub(super) fn condition(&self, expression: &Expression) -> Result<Expr> {
        let typed = self.plan(expression)?;
        match typed.data_type() {
            DataType::Boolean => Ok(settled(self.analyzer.session, typed.expr)),
            DataType::Null => Ok(lit(ScalarValue::Boolean(None))),
            other => {
                let clause = match self.clause {
                    Clause::Having => "HAVING",
                    Clause::On => "ON",
                    _ => "WHERE",
                };
                Err(Error::analysis(format!(
                    "the condition of {clause} is {}, not BOOLEAN",
                    sql_type(other)
                ))
                .with_condition("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN")
                .with_hint("compare the value: WHERE x > 0"))
            }
        }
    }
}

impl Analyzer<'_> {
    /// The value of an expression that is the same for all rows; `None` if it is not.
    pub(super) fn constant(&self, typed: &Typed) -> Result<Option<ScalarValue>> {
        if let Some(value) = typed.value() {
            return Ok(Some(value.clone()));
        }
        let simplified = super::calls::evaluated(self.session, typed)?;
        Ok(simplified)
    }
}
