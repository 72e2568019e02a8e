//! Values in arrays: `array_contains`, `array_position`, `array_remove`, `array_compact`,
//! `array_binary_search`.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, Int64Array};
use arrow::row::{Row, Rows};

use super::keys::keys;
use super::lists::{Lists, Picks};
use crate::error::Result;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::text::is_null;

const ARRAY_AND_VALUE: &[&[Takes]] = &[&[Takes::TightArrays, Takes::TightItem]];

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "array_contains",
        forms: &[&[Takes::Arrays, Takes::Item]],
        returns: Returns::Boolean,
        call: array_contains,
        doc: "Whether an array has a value; NULL if only a NULL could be it.",
        example: "SELECT array_contains(array(1, 2), 2)",
        ..SCALAR
    },
    Scalar {
        name: "array_position",
        forms: ARRAY_AND_VALUE,
        returns: Returns::Long,
        call: array_position,
        doc: "The place of the first element that is a value, counted from 1; 0 if there is none.",
        example: "SELECT array_position(array('a', 'b'), 'b')",
        ..SCALAR
    },
    Scalar {
        name: "array_remove",
        forms: ARRAY_AND_VALUE,
        returns: Returns::Like(0),
        call: array_remove,
        doc: "The array without the elements that are a value.",
        example: "SELECT array_remove(array(1, 2, 1), 1)",
        ..SCALAR
    },
    Scalar {
        name: "array_compact",
        forms: &[&[Takes::Array]],
        returns: Returns::Like(0),
        call: array_compact,
        doc: "The array without its NULL elements.",
        example: "SELECT array_compact(array(1, NULL, 2))",
        ..SCALAR
    },
    Scalar {
        name: "array_binary_search",
        forms: ARRAY_AND_VALUE,
        returns: Returns::Int,
        call: array_binary_search,
        doc: "The place of a value in a sorted array, counted from 0; if it is not there, -1 and less by the place where it belongs.",
        example: "SELECT array_binary_search(array(1, 3, 5), 3)",
        ..SCALAR
    },
];

/// An array and a value in each row.
struct Search<'a> {
    lists: Lists<'a>,
    values: &'a ArrayRef,
    elements: Rows,
    wanted: Rows,
}

impl<'a> Search<'a> {
    fn new(call: &'a Call<'_>) -> Result<Self> {
        let [lists, values] = call.first()?;
        let lists = Lists::new(lists);
        let [elements, wanted] = keys([lists.elements(), values])?;
        Ok(Self {
            lists,
            values,
            elements,
            wanted,
        })
    }

    /// The elements and the value of a row, if none of them is NULL.
    fn row(&self, row: usize) -> Option<(Range<usize>, Row<'_>)> {
        let range = self.lists.row(row)?;
        (!is_null(self.values, row)).then(|| (range, self.wanted.row(row)))
    }
}

fn array_contains(call: &Call<'_>) -> Result<ArrayRef> {
    let search = Search::new(call)?;
    let found = (0..call.rows).map(|row| {
        let (mut range, wanted) = search.row(row)?;
        let has_null = range.clone().any(|element| search.lists.is_null(element));
        let found = range.any(|element| search.elements.row(element) == wanted);
        (found || !has_null).then_some(found)
    });
    Ok(Arc::new(found.collect::<BooleanArray>()))
}

fn array_position(call: &Call<'_>) -> Result<ArrayRef> {
    let search = Search::new(call)?;
    let places = (0..call.rows).map(|row| {
        let (mut range, wanted) = search.row(row)?;
        let place = range.position(|element| search.elements.row(element) == wanted);
        Some(place.map_or(0, |place| place as i64 + 1))
    });
    Ok(Arc::new(places.collect::<Int64Array>()))
}

fn array_remove(call: &Call<'_>) -> Result<ArrayRef> {
    let search = Search::new(call)?;
    let picks = Picks::of_rows(call.rows, |row, picks| {
        let (range, wanted) = search.row(row)?;
        let kept = range.filter(|element| search.elements.row(*element) != wanted);
        kept.for_each(|element| picks.push(0, element));
        Some(())
    });
    picks.lists(&[search.lists.elements()], call.returns)
}

fn array_compact(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let picks = Picks::of_rows(call.rows, |row, picks| {
        let kept = lists.row(row)?.filter(|element| !lists.is_null(*element));
        kept.for_each(|element| picks.push(0, element));
        Some(())
    });
    picks.lists(&[lists.elements()], call.returns)
}

fn array_binary_search(call: &Call<'_>) -> Result<ArrayRef> {
    let search = Search::new(call)?;
    let places = (0..call.rows).map(|row| {
        let (range, wanted) = search.row(row)?;
        let (mut low, mut high) = (0, range.len() as i32 - 1);
        while low <= high {
            let middle = low + (high - low) / 2;
            match search
                .elements
                .row(range.start + middle as usize)
                .cmp(&wanted)
            {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle - 1,
                Ordering::Equal => return Some(middle),
            }
        }
        Some(-low - 1)
    });
    Ok(Arc::new(places.collect::<Int32Array>()))
}
