//! Expressions of the unresolved tree.

use arrow::datatypes::DataType;
use datafusion::scalar::ScalarValue;

use super::Query;
pub(crate) use crate::error::Place;

/// What gives a value for a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    /// A value as it is.
    Literal(Literal),
    /// A column, a field of a column, or a variable of a lambda.
    Name(Name),
    /// All columns, or all of one relation or struct.
    Star(Star),
    /// A function or an operator.
    Call(Box<Call>),
    /// `CAST(x AS type)`, `TRY_CAST`, `x::type`.
    Cast(Box<Cast>),
    /// `CASE … END`.
    Case(Box<Case>),
    /// `x AS a`; a generator may have several names.
    Alias {
        /// What is named.
        expression: Box<Expression>,
        /// Its names.
        names: Vec<String>,
    },
    /// `x -> x + 1`, an argument of a higher-order function.
    Lambda(Box<Lambda>),
    /// `f(x).name`: a field of what is no plain name.
    Field {
        /// The struct.
        of: Box<Expression>,
        /// The field.
        name: String,
    },
    /// `x[key]`: an element of an array, a value of a map.
    Item {
        /// The array or map.
        of: Box<Expression>,
        /// Index or key.
        key: Box<Expression>,
    },
    /// `f(x) OVER (…)`.
    Over(Box<Over>),
    /// A query inside of an expression.
    Subquery(Box<Subquery>),
    /// `:name`, or `?` as its number from 0: `"0"`, `"1"`.
    Parameter(String),
    /// `f(name => value)`.
    Argument {
        /// The parameter's name.
        name: String,
        /// Its value.
        value: Box<Expression>,
    },
    /// A new struct with some fields added, replaced (`Some`) or dropped (`None`): frames only.
    UpdateFields {
        /// The struct.
        of: Box<Expression>,
        /// The field, dots between the parts of a nested one.
        name: String,
        /// Its new value.
        value: Option<Box<Expression>>,
    },
    /// `CAST`'s siblings among the messages: columns whose names match a pattern. Frames only.
    Matching(String),
}

/// The zone of a TIMESTAMP literal that names none: its value is local, in the session's time zone.
pub(crate) const SESSION_ZONE: &str = "session";

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Literal {
    /// Its value: whole numbers are INT, or BIGINT or DECIMAL where they do not fit; fractions are
    /// DECIMAL with the digits written; intervals are `DurationMicrosecond` or `IntervalYearMonth`.
    pub value: ScalarValue,
    /// How it is shown in the name of a column, where its value alone does not tell.
    pub shown: Option<String>,
}

/// `a`, `t.a`, `t.a.field`; a part in backticks may have dots.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    /// Its parts, as written.
    pub parts: Vec<String>,
    /// The frame whose column is meant.
    pub plan_id: Option<i64>,
    /// Where it stands.
    pub place: Option<Place>,
}

/// `*`, `t.*`, `s.*`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Star {
    /// What stands before the star.
    pub of: Vec<String>,
    /// `EXCEPT (…)`: the columns left out.
    pub except: Vec<Vec<String>>,
    /// The frame whose columns are meant.
    pub plan_id: Option<i64>,
    /// Where it stands.
    pub place: Option<Place>,
}

/// A call by name. Operators are calls too, under these names: `and or not`, `= <=> != < <= > >=`,
/// `+ - * / % div` (`negative` and `positive` with one operand), `concat` (`||`), `& | ^ ~`,
/// `isnull isnotnull istrue isfalse isnotfalse isnottrue isunknown`, `in` (the value, then the list), `between`
/// (value, low, high), `like ilike rlike` (value, pattern, escape), `like_any like_all ilike_any ilike_all` (value, then the
/// patterns). Negations are `not` around them; `EXTRACT(f FROM x)` is `extract('f', x)`, `x IS
/// DISTINCT FROM y` is `not(x <=> y)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// Its name in lower case.
    pub name: String,
    /// Its arguments; `*` only where the function takes one (`count(*)`, `struct(*)`).
    pub arguments: Vec<Expression>,
    /// `DISTINCT`.
    pub distinct: bool,
    /// `FILTER (WHERE …)`.
    pub filter: Option<Expression>,
    /// `WITHIN GROUP (ORDER BY …)`, or an ORDER BY among the arguments.
    pub order_by: Vec<SortKey>,
    /// `IGNORE NULLS` or `RESPECT NULLS`.
    pub nulls: Option<NullTreatment>,
    /// Where its name stands.
    pub place: Option<Place>,
}

/// What functions over rows do with NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NullTreatment {
    /// Leave it out.
    Ignore,
    /// Take it as it is.
    Respect,
}

/// A cast.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cast {
    /// What is cast.
    pub expression: Expression,
    /// To what.
    pub to: DataType,
    /// Whether what cannot be cast is NULL.
    pub lenient: bool,
}

/// `CASE`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    /// What is compared, in `CASE x WHEN 1 …`.
    pub operand: Option<Expression>,
    /// WHEN and THEN.
    pub branches: Vec<(Expression, Expression)>,
    /// ELSE.
    pub otherwise: Option<Expression>,
}

/// `(x, y) -> body`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lambda {
    /// Its variables, as written.
    pub parameters: Vec<String>,
    /// What it gives.
    pub body: Expression,
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SortKey {
    /// What is sorted by.
    pub expression: Expression,
    /// Whether small values come first.
    pub ascending: bool,
    /// Whether NULL comes first: by default it does where small values do.
    pub nulls_first: bool,
}

/// A call over a window of rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Over {
    /// The call.
    pub call: Expression,
    /// The window.
    pub window: Window,
}

/// A window of rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Window {
    /// One that the query names.
    Named(String),
    /// One of its own.
    Spec(Box<WindowSpec>),
}

/// `(PARTITION BY … ORDER BY … frame)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct WindowSpec {
    /// A named window that it builds on.
    pub base: Option<String>,
    /// PARTITION BY.
    pub partition_by: Vec<Expression>,
    /// ORDER BY.
    pub order_by: Vec<SortKey>,
    /// The frame, if one is given.
    pub frame: Option<Frame>,
}

/// Which rows of a partition a window function looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// What is counted.
    pub units: FrameUnits,
    /// Its first row.
    pub start: Bound,
    /// Its last row.
    pub end: Bound,
}

/// What a frame counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameUnits {
    /// Rows.
    Rows,
    /// Distances of the sort key.
    Range,
}

/// An end of a frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    /// The partition's first row.
    UnboundedPreceding,
    /// So many before the current row.
    Preceding(Expression),
    /// The current row.
    CurrentRow,
    /// So many behind it.
    Following(Expression),
    /// The partition's last row.
    UnboundedFollowing,
}

/// A query inside of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subquery {
    /// What is asked of it.
    pub kind: SubqueryKind,
    /// The query.
    pub query: Query,
}

/// What is asked of a subquery; negations are `not` around it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SubqueryKind {
    /// Its one value.
    Scalar,
    /// Whether it has a row.
    Exists,
    /// Whether it has this row: `x IN (…)`, `(x, y) IN (…)`.
    In(Vec<Expression>),
}
