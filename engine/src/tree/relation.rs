//! Relations of the unresolved tree: what gives rows.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::expression::{Call, Expression, Place, SortKey};
use super::query::{Query, Select};
use spark_connect_proto::GroupMap;

/// What gives rows. The second half comes from frames, in which every step is a relation of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Relation {
    /// A table or view, by name.
    Table {
        /// The parts of its name.
        name: Vec<String>,
        /// Where it stands.
        place: Option<Place>,
    },
    /// A function that gives rows: `range(10)`, `explode(array(1, 2))`.
    TableFunction(Box<Call>),
    /// `VALUES (1, 'a'), (2, 'b')`.
    Values(Vec<Vec<Expression>>),
    /// A query in parentheses, or the one that a text is.
    Query(Box<Query>),
    /// `LATERAL (query)`: it sees the columns of what stands before it.
    Lateral(Box<Relation>),
    /// SELECT.
    Select(Box<Select>),
    /// UNION, INTERSECT, EXCEPT.
    SetOperation(Box<SetOperation>),
    /// A join.
    Join(Box<Join>),
    /// `input AS name (columns)`.
    Alias {
        /// What is named.
        input: Box<Relation>,
        /// Its name.
        name: String,
        /// New names for its columns; none keeps them.
        columns: Vec<String>,
    },
    /// `LATERAL VIEW`.
    LateralView(Box<LateralView>),
    /// `PIVOT`.
    Pivot(Box<Pivot>),
    /// `UNPIVOT`.
    Unpivot(Box<Unpivot>),
    /// A relation as a frame that columns can be asked of by its number.
    Numbered {
        /// The number.
        plan_id: i64,
        /// The relation.
        input: Box<Relation>,
    },

    /// Files, or a stream of them.
    Source {
        /// Whether it is a stream.
        is_streaming: bool,
        /// `json`, `parquet`, `csv`, `text`.
        format: String,
        /// Its columns, if they are given.
        schema: Option<SchemaRef>,
        /// Where it is.
        paths: Vec<String>,
        /// Options.
        options: BTreeMap<String, String>,
    },
    /// Rows that came with the query.
    Local {
        /// Their columns.
        schema: SchemaRef,
        /// The rows.
        batches: Vec<RecordBatch>,
    },
    /// Whole numbers in a column `id`.
    Range {
        /// The first.
        start: i64,
        /// Where they end; it is left out.
        end: i64,
        /// From one to the next.
        step: i64,
    },
    /// `select`.
    Project {
        /// Without one there is one row.
        input: Option<Box<Relation>>,
        /// The columns.
        expressions: Vec<Expression>,
    },
    /// `filter`.
    Filter {
        /// Whose rows.
        input: Box<Relation>,
        /// Which rows stay.
        condition: Expression,
    },
    /// `withColumns`.
    WithColumns {
        /// The frame.
        input: Box<Relation>,
        /// Name and value of each new or replaced column.
        columns: Vec<(String, Expression)>,
    },
    /// `fillna`.
    FillNa {
        /// The frame.
        input: Box<Relation>,
        /// Names of columns; none are all whose kind the value has.
        columns: Vec<String>,
        /// One value, or one for each column named.
        values: Vec<Expression>,
    },
    /// `dropna`.
    DropNa {
        /// The frame.
        input: Box<Relation>,
        /// Names of the columns looked at; none are all.
        columns: Vec<String>,
        /// How many values must be there; without it, all.
        at_least: Option<i32>,
    },
    /// `replace`.
    Replace {
        /// The frame.
        input: Box<Relation>,
        /// Names of columns; none are all whose kind the values have.
        columns: Vec<String>,
        /// Old and new values.
        pairs: Vec<(Expression, Expression)>,
    },
    /// `to`.
    ToSchema {
        /// The frame.
        input: Box<Relation>,
        /// The columns it shall have.
        schema: SchemaRef,
    },
    /// `describe`, `summary`.
    Describe {
        /// The frame.
        input: Box<Relation>,
        /// Names of columns; none are all numbers and texts.
        columns: Vec<String>,
        /// `count`, `mean`, `stddev`, `min`, `max`, `75%`, …
        statistics: Vec<String>,
    },
    /// `withColumnsRenamed`.
    Renamed {
        /// The frame.
        input: Box<Relation>,
        /// Old and new names.
        renames: Vec<(String, String)>,
    },
    /// `drop`.
    Drop {
        /// The frame.
        input: Box<Relation>,
        /// Names of columns; one that no column has is none to drop.
        names: Vec<String>,
        /// Columns themselves.
        columns: Vec<Expression>,
    },
    /// `toDF`.
    ToDf {
        /// The frame.
        input: Box<Relation>,
        /// A new name for each column.
        names: Vec<String>,
    },
    /// `groupBy(…).agg(…)`.
    Aggregate(Box<Aggregate>),
    /// `orderBy`.
    Sort {
        /// The frame.
        input: Box<Relation>,
        /// Its keys.
        keys: Vec<SortKey>,
    },
    /// `limit`.
    Limit {
        /// The frame.
        input: Box<Relation>,
        /// How many rows stay.
        rows: i32,
    },
    /// `offset`.
    Offset {
        /// The frame.
        input: Box<Relation>,
        /// How many rows are left out.
        rows: i32,
    },
    /// `sample`.
    Sample {
        /// A row stays if a random number is at least this …
        lower: f64,
        /// … and below this.
        upper: f64,
        /// What the random numbers begin with.
        seed: Option<i64>,
        /// The frame.
        input: Box<Relation>,
    },
    /// `withWatermark`.
    WithWatermark {
        /// The stream.
        input: Box<Relation>,
        /// The column of event times.
        event_time: String,
        /// How long after them, as text: `10 minutes`.
        delay: String,
    },
    /// `dropDuplicates`, `dropDuplicatesWithinWatermark`.
    Deduplicate {
        /// The frame.
        input: Box<Relation>,
        /// The columns that must differ; none means all.
        columns: Vec<String>,
        /// Only as far as the watermark.
        within_watermark: bool,
    },
    /// A user's function over groups, as its message.
    GroupMap {
        /// The frame.
        input: Box<Relation>,
        /// What it is grouped by.
        keys: Vec<Expression>,
        /// Rows that make state before those of the frame, and what they are grouped by.
        initial: Option<(Box<Relation>, Vec<Expression>)>,
        /// The rest of the message.
        map: Box<GroupMap>,
    },
}

/// A join.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Join {
    /// Its left side.
    pub left: Relation,
    /// Its right side.
    pub right: Relation,
    /// Its kind.
    pub kind: JoinKind,
    /// What it joins on.
    pub condition: JoinCondition,
}

/// The kinds of join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    /// INNER.
    Inner,
    /// CROSS, and the comma of FROM.
    Cross,
    /// LEFT OUTER.
    Left,
    /// RIGHT OUTER.
    Right,
    /// FULL OUTER.
    Full,
    /// LEFT SEMI.
    Semi,
    /// LEFT ANTI.
    Anti,
}

/// What a join is on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JoinCondition {
    /// Nothing: every row with every row.
    None,
    /// ON.
    On(Expression),
    /// USING: columns of one name.
    Using(Vec<String>),
    /// NATURAL: all columns of one name.
    Natural,
}

/// UNION, INTERSECT, EXCEPT.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SetOperation {
    /// Its left side, which gives the names.
    pub left: Relation,
    /// Its right side.
    pub right: Relation,
    /// Which one.
    pub operator: SetOperator,
    /// ALL: duplicates stay.
    pub all: bool,
    /// BY NAME.
    pub by_name: bool,
    /// Columns that only one side has are NULL on the other one; with `by_name`.
    pub allow_missing: bool,
}

/// The set operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOperator {
    /// UNION.
    Union,
    /// INTERSECT.
    Intersect,
    /// EXCEPT, MINUS.
    Except,
}

/// `LATERAL VIEW [OUTER] generator table AS columns`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LateralView {
    /// What stands before it.
    pub input: Relation,
    /// The generator.
    pub generator: Call,
    /// Whether a row without generated rows stays.
    pub outer: bool,
    /// The name of the generated table.
    pub table: Option<String>,
    /// The names of its columns.
    pub columns: Vec<String>,
}

/// `PIVOT (aggregates FOR columns IN (values))`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pivot {
    /// The rows.
    pub input: Relation,
    /// Aggregates, aliased or not.
    pub aggregates: Vec<Expression>,
    /// The columns whose values become columns.
    pub columns: Vec<Expression>,
    /// Those values; none are all that there are.
    pub values: Vec<PivotValue>,
    /// What the frame was grouped by; SQL groups by all other columns: `None`.
    pub keys: Option<Vec<Expression>>,
}

/// One value of PIVOT.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PivotValue {
    /// The value, or one for each column.
    pub values: Vec<Expression>,
    /// Its name.
    pub name: Option<String>,
}

/// `UNPIVOT [INCLUDE NULLS] (values FOR name IN (columns))`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unpivot {
    /// The rows.
    pub input: Relation,
    /// Whether rows with nothing but NULL stay.
    pub include_nulls: bool,
    /// The names of the columns of values.
    pub values: Vec<String>,
    /// The name of the column that says where a value came from.
    pub name: String,
    /// Where the values are; none means all columns that are no ids, in frames only.
    pub columns: Vec<UnpivotColumn>,
    /// The columns that stay as they are; SQL keeps all others: `None`.
    pub ids: Option<Vec<Expression>>,
}

/// The columns of one row of UNPIVOT.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UnpivotColumn {
    /// One for each column of values.
    pub columns: Vec<Expression>,
    /// What the name's column says.
    pub name: Option<String>,
}

/// `groupBy(keys).agg(values)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    /// The frame.
    pub input: Relation,
    /// How the keys make groups.
    pub grouping: Grouping,
    /// The keys.
    pub keys: Vec<Expression>,
    /// What is computed of each group.
    pub values: Vec<Expression>,
}

/// How keys make groups.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Grouping {
    /// Each combination of them.
    Plain,
    /// `rollup`.
    Rollup,
    /// `cube`.
    Cube,
    /// `groupingSets`.
    Sets(Vec<Vec<Expression>>),
}
