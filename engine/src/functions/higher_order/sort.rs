//! `array_sort(array, comparator)`: the elements in the order that a lambda of two of them tells.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int64Type};

use super::arrays::{all_elements, rows_of};
use super::function::{Call, HigherOrder, element, wrong_body};
use crate::error::{Error, Result};
use crate::functions::collections::entries::widened;
use crate::functions::collections::lists::{Lists, failed};
use crate::functions::takes::Takes;

pub(super) static TABLE: &[HigherOrder] = &[HigherOrder {
    name: "array_sort",
    aliases: &[],
    values: &[&[Takes::Array]],
    lambdas: (1, 1),
    variables: |types| Ok(vec![vec![element(types.value(0)?); 2]]),
    returns: |types| match types.body(0)? {
        body if body.is_integer() || body.is_null() => Ok(types.value(0)?.clone()),
        body => Err(wrong_body(types.name, "INT", body)),
    },
    call: array_sort,
    doc: "The elements in the order of a lambda of two of them, which gives a number below 0 if the first comes first, above 0 if the second does, and else 0.",
    example: "SELECT array_sort(array(1, 3, 2), (a, b) -> b - a)",
}];

/// Two runs of sorted elements that become one, and how much of them is done.
struct Merge {
    left: std::ops::Range<usize>,
    right: std::ops::Range<usize>,
    into: usize,
}

/// Merges runs of 1, 2, 4, … elements, in all rows at once: the lambda compares one pair of elements
/// of each pair of runs at a time.
#[expect(
    clippy::indexing_slicing,
    reason = "runs are ranges of the elements, and both orders have all of these"
)]
fn array_sort(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.value(0)?);
    let picks = all_elements(&lists, call.rows);
    let elements = picks.values(&[lists.elements()])?;
    let rows = rows_of(&picks);
    let ranges: Vec<_> = picks.ranges().flatten().collect();
    let longest = ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
    let mut order: Vec<u32> = (0..elements.len() as u32).collect();
    let mut width = 1;
    while width < longest {
        let starts = |range: &std::ops::Range<usize>| range.clone().step_by(2 * width);
        let merges = ranges.iter().flat_map(|range| {
            starts(range).map(move |start| {
                let middle = (start + width).min(range.end);
                Merge {
                    left: start..middle,
                    right: middle..(middle + width).min(range.end),
                    into: start,
                }
            })
        });
        let mut merges: Vec<Merge> = merges.collect();
        let mut next = order.clone();
        loop {
            // A run that is left alone stays as it is.
            merges.retain(|merge| {
                let rest = match merge.left.is_empty() {
                    true => merge.right.clone(),
                    false => merge.left.clone(),
                };
                let ends = merge.left.is_empty() || merge.right.is_empty();
                if ends {
                    next[merge.into..merge.into + rest.len()].copy_from_slice(&order[rest]);
                }
                !ends
            });
            if merges.is_empty() {
                break;
            }
            let at = |pick: fn(&Merge) -> usize| {
                let elements = merges.iter().map(|merge| order[pick(merge)]);
                UInt32Array::from_iter_values(elements)
            };
            let (left, right) = (at(|merge| merge.left.start), at(|merge| merge.right.start));
            let is_swapped = compared(call, &elements, &rows, &left, &right)?;
            for (merge, swapped) in merges.iter_mut().zip(is_swapped) {
                let from = match swapped {
                    true => &mut merge.right,
                    false => &mut merge.left,
                };
                next[merge.into] = order[from.start];
                from.start += 1;
                merge.into += 1;
            }
        }
        order = next;
        width *= 2;
    }
    let sorted = take(&elements, &UInt32Array::from(order), None).map_err(failed)?;
    match call.returns {
        DataType::List(item) => picks.of_values(item, sorted),
        other => Err(Error::internal(format!("{other} is no array"))),
    }
}

/// Whether the right one of two elements comes first.
fn compared(
    call: &Call<'_>,
    elements: &ArrayRef,
    rows: &UInt32Array,
    left: &UInt32Array,
    right: &UInt32Array,
) -> Result<Vec<bool>> {
    let pick = |indices: &UInt32Array| take(elements, indices, None).map_err(failed);
    let of_rows = take(rows, left, None).map_err(failed)?;
    let order = call.evaluate(0, &[pick(left)?, pick(right)?], of_rows.as_primitive())?;
    let order = widened(&order, &DataType::Int64)?;
    if order.null_count() > 0 {
        return Err(Error::runtime("the comparator of array_sort gave NULL")
            .with_condition("COMPARATOR_RETURNS_NULL")
            .with_hint("give a number for NULL elements too: CASE WHEN a IS NULL THEN …"));
    }
    Ok(order
        .as_primitive::<Int64Type>()
        .values()
        .iter()
        .map(|order| *order > 0)
        .collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, ListArray, RecordBatch};
    use arrow::datatypes::{Field, Int32Type};
    use datafusion::logical_expr::expr::{HigherOrderFunction, LambdaVariable};
    use datafusion::prelude::{Expr, SessionContext, col};

    use super::super::udf::udf;
    use super::*;
    use crate::text::format_value;

    #[tokio::test]
    async fn a_lambda_tells_the_order() {
        let lists = [
            Some(vec![Some(3), Some(1), Some(2), Some(9), Some(-4)]),
            Some(vec![Some(7), Some(8)]),
            None,
            Some(vec![]),
            Some(vec![Some(5), Some(4), Some(5)]),
        ];
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists));
        let signs: ArrayRef = Arc::new(Int32Array::from(vec![1, -1, 1, 1, -1]));
        let batch = RecordBatch::try_from_iter([("xs", lists), ("sign", signs)]).unwrap();
        let variable = |name: &str| {
            let field = Arc::new(Field::new(name, DataType::Int32, true));
            Expr::LambdaVariable(LambdaVariable::new(name.to_string(), Some(field)))
        };
        let body = (variable("a") - variable("b")) * col("sign");
        let lambda = datafusion::logical_expr::lambda(["a", "b"], body);
        let sorted = HigherOrderFunction::new(udf(&TABLE[0]), vec![col("xs"), lambda]);
        let context = SessionContext::new();
        let frame = context.read_batch(batch.slice(0, 5)).unwrap();
        let frame = frame.select(vec![Expr::HigherOrderFunction(sorted).alias("sorted")]);
        let rows = frame.unwrap().collect().await.unwrap();
        let texts = (0..5).map(|row| format_value(rows[0].column(0), row));
        assert_eq!(
            texts.collect::<Vec<_>>(),
            ["[-4, 1, 2, 3, 9]", "[8, 7]", "NULL", "[]", "[5, 5, 4]"]
        );
    }
}
