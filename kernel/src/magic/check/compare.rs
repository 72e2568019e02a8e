//! What came out beside what should have: column by column, then row by row.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use tidebook_engine::{Rows, format_value, is_null, sql_type};

use crate::display::window_text;

/// How near two numbers that were computed in another order have to be.
const PRECISION: f64 = 1e-9;

/// How an answer differs from the right one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Not at all.
    Right {
        /// How many rows there are.
        rows: usize,
    },
    /// It has other columns.
    Columns {
        /// Columns that are asked for and not there.
        missing: Vec<String>,
        /// Columns that are there and not asked for.
        extra: Vec<String>,
    },
    /// It has no rows, and should have so many.
    Empty {
        /// How many are right.
        expected: usize,
    },
    /// It has the right rows in another order.
    Order,
    /// It has other rows.
    Rows(Difference),
}

/// The first place where rows differ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// What kind of difference it is.
    pub kind: DifferenceKind,
    /// How many keys have the right rows.
    pub right: usize,
    /// How many keys there are in the right answer.
    pub expected: usize,
    /// The columns of the rows.
    pub columns: Vec<String>,
    /// The rows of the answer there.
    pub theirs: Vec<Vec<String>>,
    /// The right rows there.
    pub reference: Vec<Vec<String>>,
    /// Where the answer has nothing: the first of its rows that should not be there.
    pub instead: Option<Vec<String>>,
    /// Columns of another type: name, the answer's type, the right one.
    pub types: Vec<(String, String, String)>,
}

/// Kinds of differences, as hints are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DifferenceKind {
    /// The answer has nothing there.
    Missing,
    /// The right answer has nothing there.
    Extra,
    /// Both have something, and not the same.
    Values,
}

impl DifferenceKind {
    /// The name of its hint.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Values => "values",
        }
    }
}

/// Compares an answer with the right one. Rows belong together that have the same values in the
/// columns `key`; without any, in all columns that are not numbers. `is_ordered` says that they have to
/// come in one order.
pub(super) fn compare(
    theirs: &Rows,
    reference: &Rows,
    key: &[String],
    is_ordered: bool,
) -> Verdict {
    let columns: Vec<String> = names(reference);
    let their_columns = names(theirs);
    let has =
        |names: &[String], name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let missing: Vec<String> = columns
        .iter()
        .filter(|name| !has(&their_columns, name))
        .cloned()
        .collect();
    let extra: Vec<String> = their_columns
        .iter()
        .filter(|name| !has(&columns, name))
        .cloned()
        .collect();
    if !missing.is_empty() || !extra.is_empty() {
        return Verdict::Columns { missing, extra };
    }
    if theirs.num_rows() == 0 && reference.num_rows() > 0 {
        return Verdict::Empty {
            expected: reference.num_rows(),
        };
    }
    let keys = key_columns(reference, key);
    let (their_texts, right_texts) = (texts(theirs, &columns), texts(reference, &columns));
    let is_other_order = is_ordered && their_texts != right_texts;
    let left = Groups::of(their_texts, &keys);
    let right = Groups::of(right_texts, &keys);
    let same = |key: &Vec<String>| same_rows(left.rows(key), right.rows(key));
    let matched = right.order.iter().filter(|key| same(key)).count();
    let differing = right.order.iter().find(|key| !same(key));
    let differing = differing.or_else(|| left.order.iter().find(|key| !same(key)));
    let Some(key) = differing else {
        return match is_other_order {
            true => Verdict::Order,
            false => Verdict::Right {
                rows: reference.num_rows(),
            },
        };
    };
    let not_asked_for = left.order.iter().find(|key| right.rows(key).is_empty());
    let instead = not_asked_for.and_then(|key| left.rows(key).first().cloned());
    let types = other_types(theirs, reference);
    let (theirs, reference) = (left.rows(key).to_vec(), right.rows(key).to_vec());
    Verdict::Rows(Difference {
        kind: match (theirs.is_empty(), reference.is_empty()) {
            (true, _) => DifferenceKind::Missing,
            (_, true) => DifferenceKind::Extra,
            _ => DifferenceKind::Values,
        },
        right: matched,
        expected: right.order.len(),
        columns,
        instead: instead.filter(|_| theirs.is_empty()),
        types,
        theirs,
        reference,
    })
}

/// Columns whose values are of another kind: a text for a time, a number for a text. Which of the numbers
/// a number is does not count.
fn other_types(theirs: &Rows, reference: &Rows) -> Vec<(String, String, String)> {
    let right = reference.schema.fields().iter();
    let others = right.filter_map(|right| {
        let mut fields = theirs.schema.fields().iter();
        let own = fields.find(|own| own.name().eq_ignore_ascii_case(right.name()))?;
        let (own, asked) = (own.data_type(), right.data_type());
        let is_same = own.is_numeric() && asked.is_numeric() || sql_type(own) == sql_type(asked);
        (!is_same).then(|| (right.name().clone(), sql_type(own), sql_type(asked)))
    });
    others.collect()
}

/// Rows by their key, in the order in which the keys came.
struct Groups {
    order: Vec<Vec<String>>,
    rows: HashMap<Vec<String>, Vec<Vec<String>>>,
}

impl Groups {
    fn of(rows: Vec<Vec<String>>, keys: &[usize]) -> Self {
        let mut groups = Self {
            order: Vec::new(),
            rows: HashMap::new(),
        };
        for row in rows {
            let key = row.iter().enumerate();
            let key = key.filter(|(index, _)| keys.contains(index));
            let key: Vec<String> = key.map(|(_, value)| value.clone()).collect();
            let known = groups.rows.entry(key.clone()).or_default();
            if known.is_empty() {
                groups.order.push(key);
            }
            known.push(row);
        }
        groups.order.sort();
        groups
    }

    fn rows(&self, key: &[String]) -> &[Vec<String>] {
        self.rows.get(key).map_or(&[], Vec::as_slice)
    }
}

/// Whether both hold the same rows, in whichever order.
fn same_rows(left: &[Vec<String>], right: &[Vec<String>]) -> bool {
    let mut left: Vec<&Vec<String>> = left.iter().collect();
    let mut right: Vec<&Vec<String>> = right.iter().collect();
    left.sort();
    right.sort();
    let same = |(left, right): (&&Vec<String>, &&Vec<String>)| {
        left.iter()
            .zip(*right)
            .all(|(left, right)| same_value(left, right))
    };
    left.len() == right.len() && left.iter().zip(&right).all(same)
}

fn same_value(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => (left - right).abs() <= PRECISION * left.abs().max(right.abs()),
        _ => false,
    }
}

fn names(rows: &Rows) -> Vec<String> {
    let fields = rows.schema.fields().iter();
    fields.map(|field| field.name().clone()).collect()
}

fn key_columns(reference: &Rows, key: &[String]) -> Vec<usize> {
    let fields = reference.schema.fields().iter().enumerate();
    let is_key = |name: &str, kind: &DataType| match key {
        [] => !kind.is_numeric(),
        key => key.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)),
    };
    fields
        .filter(|(_, field)| is_key(field.name(), field.data_type()))
        .map(|(index, _)| index)
        .collect()
}

/// The rows as texts, their columns in the order of `columns`.
fn texts(rows: &Rows, columns: &[String]) -> Vec<Vec<String>> {
    let fields = rows.schema.fields();
    let places = columns.iter().filter_map(|name| {
        let mut fields = fields.iter();
        fields.position(|field| field.name().eq_ignore_ascii_case(name))
    });
    let places: Vec<usize> = places.collect();
    let mut texts = Vec::with_capacity(rows.num_rows());
    for batch in &rows.batches {
        for row in 0..batch.num_rows() {
            let value = |place: &usize| {
                let array = batch.column(*place);
                match is_null(array, row) {
                    true => "NULL".to_owned(),
                    false => window_text(array, row).unwrap_or_else(|| format_value(array, row)),
                }
            };
            texts.push(places.iter().map(value).collect());
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

    use super::*;

    fn rows(keys: &[&str], ns: &[i64]) -> Rows {
        let batch = RecordBatch::try_from_iter([
            ("k", Arc::new(StringArray::from(keys.to_vec())) as ArrayRef),
            ("n", Arc::new(Int64Array::from(ns.to_vec())) as _),
        ]);
        of(batch.unwrap())
    }

    fn of(batch: RecordBatch) -> Rows {
        Rows {
            schema: batch.schema(),
            batches: vec![batch],
        }
    }

    fn difference(theirs: &Rows, reference: &Rows) -> Difference {
        match compare(theirs, reference, &[], false) {
            Verdict::Rows(difference) => difference,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn order_case_and_number_types_do_not_matter() {
        let reference = rows(&["a", "b", "a"], &[1, 2, 3]);
        let same = rows(&["a", "a", "b"], &[3, 1, 2]);
        assert_eq!(
            compare(&same, &reference, &[], false),
            Verdict::Right { rows: 3 }
        );
        let batch = RecordBatch::try_from_iter([
            (
                "N",
                Arc::new(Float64Array::from(vec![2.0, 1.0, 3.0])) as ArrayRef,
            ),
            ("K", Arc::new(StringArray::from(vec!["b", "a", "a"])) as _),
        ]);
        let floats = of(batch.unwrap());
        assert_eq!(
            compare(&floats, &reference, &[], false),
            Verdict::Right { rows: 3 }
        );
    }

    #[test]
    fn the_first_difference_is_named() {
        let reference = rows(&["a", "b", "c"], &[1, 2, 3]);
        let found = difference(&rows(&["a", "c"], &[1, 4]), &reference);
        assert_eq!(
            (found.kind, found.right, found.expected),
            (DifferenceKind::Missing, 1, 3)
        );
        assert_eq!(found.reference, [["b", "2"]]);
        let found = difference(&rows(&["a", "b", "c"], &[1, 2, 4]), &reference);
        assert_eq!(found.kind, DifferenceKind::Values);
        assert_eq!(
            (found.theirs, found.reference),
            (
                vec![vec!["c".into(), "4".into()]],
                vec![vec!["c".into(), "3".into()]]
            )
        );
        let found = difference(&rows(&["a", "b", "c", "d"], &[1, 2, 3, 4]), &reference);
        assert_eq!((found.kind, found.right), (DifferenceKind::Extra, 3));
        let found = difference(&rows(&["a", "a", "b", "c"], &[1, 1, 2, 3]), &reference);
        assert_eq!(
            (found.kind, found.theirs.len()),
            (DifferenceKind::Values, 2)
        );
        let empty = rows(&[], &[]);
        assert_eq!(
            compare(&empty, &reference, &[], false),
            Verdict::Empty { expected: 3 }
        );
        assert_eq!(
            compare(&empty, &empty, &[], false),
            Verdict::Right { rows: 0 }
        );
    }

    #[test]
    fn columns_come_first() {
        let reference = rows(&["a"], &[1]);
        let batch = RecordBatch::try_from_iter([
            ("k", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
            ("count(1)", Arc::new(Int64Array::from(vec![1])) as _),
        ]);
        let verdict = compare(&of(batch.unwrap()), &reference, &[], false);
        let expected = Verdict::Columns {
            missing: vec!["n".to_owned()],
            extra: vec!["count(1)".to_owned()],
        };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn an_order_that_is_asked_for_counts() {
        let (up, down) = (rows(&["a", "b"], &[1, 2]), rows(&["b", "a"], &[2, 1]));
        assert_eq!(compare(&up, &down, &[], true), Verdict::Order);
        assert_eq!(compare(&up, &down, &[], false), Verdict::Right { rows: 2 });
        assert_eq!(compare(&down, &down, &[], true), Verdict::Right { rows: 2 });
    }

    #[test]
    fn a_text_for_a_number_is_named() {
        let one = |column: ArrayRef| of(RecordBatch::try_from_iter([("n", column)]).unwrap());
        let asked = one(Arc::new(Int64Array::from(vec![7])));
        let own = one(Arc::new(StringArray::from(vec!["seven"])));
        let Verdict::Rows(difference) = compare(&own, &asked, &["n".to_owned()], false) else {
            panic!("they differ")
        };
        let named = ("n", "STRING", "BIGINT");
        let named = (named.0.to_owned(), named.1.to_owned(), named.2.to_owned());
        assert_eq!(difference.types, [named]);
        assert_eq!(difference.instead, Some(vec!["seven".to_owned()]));
    }
}
