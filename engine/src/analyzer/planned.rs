//! A planned relation: its plan, and what names can see of it.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use crate::error::{Result, from_datafusion};
use crate::plan::resolve_node;

/// Between a name and the number that makes it different from others; no name has it.
const MARK: char = '\u{1f}';
/// Before the number of a column that is meant by its place, which no query can write.
pub(super) const PLACE: char = '\u{1e}';

/// A plan and its columns, from left to right.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub plan: LogicalPlan,
    pub columns: Vec<Visible>,
}

/// A column as names see it.
#[derive(Debug, Clone)]
pub(super) struct Visible {
    /// The relation it belongs to.
    pub qualifier: Option<String>,
    /// Its name, as it is shown.
    pub name: String,
    /// What it is in the plan, where no two are the same.
    pub column: Column,
    /// Its type.
    pub field: FieldRef,
    /// The frames it is a column of.
    pub plan_ids: Vec<i64>,
    /// Found by its qualified name only, and in no star: the other side of USING.
    pub hidden: bool,
    /// Whether it is `_metadata` of files, which is hidden.
    pub metadata: Metadata,
    /// Whether it is a column that the relation has before it, under the same name once more.
    pub again: bool,
}

/// What a query can see of `_metadata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Metadata {
    /// It is another column.
    #[default]
    No,
    /// Functions of the file that is read, e.g. through a view.
    ByFunctions,
    /// Its name too.
    ByName,
}

impl Visible {
    /// Whether `name` names it, whatever the case.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.metadata != Metadata::ByFunctions && same_name(&self.name, name)
    }

    /// Whether it is `_metadata` of files.
    pub(super) fn is_metadata(&self) -> bool {
        self.metadata != Metadata::No
    }

    /// Whether it belongs to the relation `qualifier`.
    pub(super) fn is_of(&self, qualifier: &str) -> bool {
        let own = self.qualifier.as_deref();
        own.is_some_and(|own| same_name(own, qualifier))
    }
}

/// Names are the same whatever their case.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || (!one.is_ascii() || !other.is_ascii()) && one.to_lowercase() == other.to_lowercase()
}

impl Planned {
    /// A plan whose columns are called what they are.
    pub(super) fn of(plan: LogicalPlan) -> Self {
        let fields = plan.schema().iter();
        let columns = fields.map(|(qualifier, field)| Visible {
            qualifier: qualifier.map(|qualifier| qualifier.table().to_string()),
            name: field.name().clone(),
            column: Column::new(qualifier.cloned(), field.name()),
            field: Arc::clone(field),
            plan_ids: Vec::new(),
            hidden: false,
            metadata: Metadata::No,
            again: false,
        });
        Self {
            columns: columns.collect(),
            plan,
        }
    }

    /// The scan of a table whose last column is `_metadata`.
    pub(super) fn with_metadata(plan: LogicalPlan, metadata: Metadata) -> Self {
        let mut planned = Self::of(plan);
        if let Some(column) = planned.columns.last_mut() {
            column.hidden = true;
            column.metadata = metadata;
        }
        planned
    }

    /// The same, `_metadata` seen by functions only.
    pub(super) fn without_metadata_name(mut self) -> Self {
        for column in &mut self.columns {
            if column.is_metadata() {
                column.metadata = Metadata::ByFunctions;
            }
        }
        self
    }

    /// The same columns, of a plan that has them all, in the same order.
    pub(super) fn with_plan(self, plan: LogicalPlan) -> Self {
        let mut columns = self.columns;
        for column in &mut columns {
            if let Ok(index) = plan.schema().index_of_column(&column.column) {
                let field = plan.schema().field(index);
                column.field = Arc::clone(field);
            }
        }
        Self { plan, columns }
    }

    /// The columns that a star stands for.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Visible> {
        self.columns.iter().filter(|column| !column.hidden)
    }

    /// The names of the columns that a star stands for.
    pub(super) fn names(&self) -> Vec<&str> {
        self.shown().map(|column| column.name.as_str()).collect()
    }

    /// The plan, its columns under their own names, of which one may be there twice.
    pub(super) fn named(self) -> Result<LogicalPlan> {
        let shown: Vec<&Visible> = self.shown().collect();
        let schema = self.plan.schema();
        let is_same = shown.len() == schema.fields().len()
            && shown
                .iter()
                .zip(schema.columns())
                .all(|(shown, column)| shown.column == column && shown.name == column.name);
        if is_same {
            return Ok(self.plan);
        }
        let outputs: Vec<Expr> = shown
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let mut same = shown.iter().filter(|other| other.name == column.name);
                let is_repeated = same.nth(1).is_some();
                let expr = Expr::Column(column.column.clone());
                if is_repeated {
                    // What has one name twice is told apart by a table's name.
                    expr.alias_qualified(Some(format!("column_{index}")), &column.name)
                } else if column.column.name == column.name {
                    expr
                } else {
                    expr.alias(&column.name)
                }
            })
            .collect();
        node(LogicalPlanBuilder::from(self.plan).project(outputs))
    }

    /// The same columns as those of a relation `name`, under new names if there are any.
    pub(super) fn aliased(self, name: &str, renamed: &[String]) -> Result<Self> {
        let kept = self.columns.iter();
        let kept = kept.filter(|column| !column.hidden || column.is_metadata());
        let kept: Vec<Visible> = kept.cloned().collect();
        let mut new = renamed.iter();
        let names = kept.iter().map(|column| {
            let new = if column.hidden { None } else { new.next() };
            new.unwrap_or(&column.name).clone()
        });
        let names: Vec<String> = names.collect();
        let open = Self {
            plan: self.plan,
            columns: opened(&kept),
        };
        let plan = open.apart(TableReference::bare(name), &names)?;
        let columns = plan.schema().columns().into_iter().zip(kept).zip(names);
        let columns: Vec<Visible> = columns
            .map(|((column, kept), own)| Visible {
                qualifier: Some(name.to_string()),
                name: own,
                column,
                again: kept.again && renamed.is_empty(),
                ..kept
            })
            .collect();
        let planned = Self {
            plan: plan.clone(),
            columns,
        };
        Ok(planned.with_plan(plan))
    }

    /// The plan of the shown columns, no two of one name.
    pub(super) fn distinct(&self) -> Result<LogicalPlan> {
        let names: Vec<String> = self.shown().map(|column| column.name.clone()).collect();
        let mut taken = HashSet::new();
        let shown = self.shown().zip(names).map(|(column, name)| {
            let name = distinct_name(&name, &mut taken);
            let expr = Expr::Column(column.column.clone());
            match column.column.name == name {
                true => expr,
                false => expr.alias(name),
            }
        });
        let outputs: Vec<Expr> = shown.collect();
        node(LogicalPlanBuilder::from(self.plan.clone()).project(outputs))
    }

    /// The plan of the shown columns under `names` made distinct, all qualified by `qualifier`.
    fn apart(&self, qualifier: TableReference, names: &[String]) -> Result<LogicalPlan> {
        let mut taken = HashSet::new();
        let distinct: Vec<String> = names
            .iter()
            .map(|name| distinct_name(name, &mut taken))
            .collect();
        let shown: Vec<&Visible> = self.shown().collect();
        let schema = self.plan.schema();
        let is_same = shown.len() == schema.fields().len()
            && shown
                .iter()
                .zip(&distinct)
                .zip(schema.columns())
                .all(|((shown, name), column)| shown.column == column && name == &column.name);
        let builder = LogicalPlanBuilder::from(self.plan.clone());
        let builder = match is_same {
            true => builder,
            false => {
                let outputs = shown.iter().zip(&distinct).map(|(shown, name)| {
                    let expr = Expr::Column(shown.column.clone());
                    match &shown.column.name == name {
                        true => expr,
                        false => expr.alias(name),
                    }
                });
                let outputs: Vec<Expr> = outputs.collect();
                LogicalPlanBuilder::from(node(builder.project(outputs))?)
            }
        };
        node(builder.alias(qualifier))
    }

    /// The same relation with qualifiers in its plan that nothing in `left` has, if it shares any.
    pub(super) fn beside(self, left: &Self) -> Result<Self> {
        let left = left.plan.schema();
        let clashes = |column: &Column| {
            let mut others = left.iter();
            others.any(|(qualifier, field)| {
                let both_qualified = qualifier.is_some() && column.relation.is_some();
                let same = qualifier == column.relation.as_ref();
                field.name() == &column.name && (same || !both_qualified)
            })
        };
        if !self.plan.schema().columns().iter().any(clashes) {
            return Ok(self);
        }
        self.requalified("__right", left)
    }

    /// The same relation with qualifiers in its plan if it has columns without, of names that `right`
    /// has too: no qualifier of the right's would tell those apart.
    pub(super) fn qualified_beside(self, right: &Self) -> Result<Self> {
        let right = right.plan.schema();
        let clashes = |column: &Column| {
            let mut others = right.fields().iter();
            column.relation.is_none() && others.any(|field| field.name() == &column.name)
        };
        if !self.plan.schema().columns().iter().any(clashes) {
            return Ok(self);
        }
        self.requalified("__left", right)
    }

    /// The same relation under a qualifier that begins like this and that `other` does not have.
    fn requalified(self, prefix: &str, other: &DFSchema) -> Result<Self> {
        let is_taken = |alias: &TableReference| {
            let mut others = other.iter();
            others.any(|(qualifier, _)| qualifier == Some(alias))
        };
        let mut aliases = (0..).map(|number| TableReference::bare(format!("{prefix}{number}")));
        let Some(alias) = aliases.find(|alias| !is_taken(alias)) else {
            return Ok(self);
        };
        // The hidden ones too stay there to be found.
        let all: Vec<Visible> = self.columns.clone();
        let names: Vec<String> = all.iter().map(|column| column.name.clone()).collect();
        let open = Self {
            plan: self.plan,
            columns: opened(&all),
        };
        let plan = open.apart(alias, &names)?;
        let columns = plan.schema().columns().into_iter().zip(all);
        let columns = columns.map(|(column, visible)| Visible { column, ..visible });
        Ok(Self {
            columns: columns.collect(),
            plan,
        })
    }
}

/// The same columns, none of them hidden.
fn opened(columns: &[Visible]) -> Vec<Visible> {
    let open = columns.iter().map(|column| Visible {
        hidden: false,
        ..column.clone()
    });
    open.collect()
}

/// A name that no other column has; `taken` holds those of the others, in lower case.
pub(super) fn distinct_name(name: &str, taken: &mut HashSet<String>) -> String {
    if taken.insert(name.to_lowercase()) {
        return name.to_string();
    }
    let mut number = 2;
    loop {
        let distinct = format!("{name}{MARK}{number}");
        if taken.insert(distinct.to_lowercase()) {
            return distinct;
        }
        number += 1;
    }
}

/// The plan that a builder made, what differs from Spark in its last step resolved.
pub(super) fn node(builder: datafusion::error::Result<LogicalPlanBuilder>) -> Result<LogicalPlan> {
    let plan = builder.and_then(LogicalPlanBuilder::build);
    resolve_node(plan.map_err(from_datafusion)?)
}
