//! Arrays by their elements: which ones a row has, and new arrays and maps made of chosen ones.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt32Array, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, FieldRef};

use super::entries::check_keys;
use crate::error::{Error, Result, from_datafusion};

/// The arrays of a column.
pub(in crate::functions) struct Lists<'a> {
    lists: &'a ListArray,
    elements: ArrayRef,
    nulls: Option<NullBuffer>,
}

impl<'a> Lists<'a> {
    /// Those of a column that has them.
    pub(crate) fn new(array: &'a ArrayRef) -> Self {
        let lists = array.as_list::<i32>();
        let elements = used(lists.values(), lists.value_offsets());
        let nulls = elements.logical_nulls();
        Self {
            lists,
            elements,
            nulls,
        }
    }

    /// The elements of all rows.
    pub(crate) fn elements(&self) -> &ArrayRef {
        &self.elements
    }

    /// Which of them a row has; `None` if its array is NULL.
    pub(crate) fn row(&self, row: usize) -> Option<Range<usize>> {
        let valid = self.lists.is_valid(row);
        valid.then(|| range(self.lists.value_offsets(), row))?
    }

    /// Whether an element is NULL.
    pub(crate) fn is_null(&self, element: usize) -> bool {
        self.nulls
            .as_ref()
            .is_some_and(|nulls| nulls.is_null(element))
    }
}

/// The maps of a column.
pub(in crate::functions) struct Maps<'a> {
    maps: &'a MapArray,
    pub keys: ArrayRef,
    pub values: ArrayRef,
}

impl<'a> Maps<'a> {
    /// Those of a column that has them.
    pub(crate) fn new(array: &'a ArrayRef) -> Self {
        let maps = array.as_map();
        let part = |part| used(part, maps.value_offsets());
        Self {
            maps,
            keys: part(maps.keys()),
            values: part(maps.values()),
        }
    }

    /// Which entries a row has; `None` if its map is NULL.
    pub(crate) fn row(&self, row: usize) -> Option<Range<usize>> {
        let valid = self.maps.is_valid(row);
        valid.then(|| range(self.maps.value_offsets(), row))?
    }
}

/// The part of the values of all rows that rows have.
fn used(values: &ArrayRef, offsets: &[i32]) -> ArrayRef {
    let (first, last) = match offsets {
        [first, .., last] => (*first as usize, *last as usize),
        _ => (0, 0),
    };
    values.slice(first, last - first)
}

/// `None` if there is no such row.
fn range(offsets: &[i32], row: usize) -> Option<Range<usize>> {
    let (first, [start, end]) = (offsets.first()?, offsets.get(row..)?.first_chunk()?);
    Some((start - first) as usize..(end - first) as usize)
}

/// New arrays, made of elements of others; the source of NULL elements is [`NULL`].
pub(in crate::functions) struct Picks {
    at: Vec<(usize, usize)>,
    ends: Vec<usize>,
    valid: Vec<bool>,
}

/// Where NULL elements are from.
const NULL: usize = usize::MAX;

impl Picks {
    /// One array for each row: `each` picks its elements, or says that it is NULL.
    pub(crate) fn of_rows(
        rows: usize,
        mut each: impl FnMut(usize, &mut Self) -> Option<()>,
    ) -> Self {
        let mut picks = Self::with_capacity(rows);
        for row in 0..rows {
            let valid = each(row, &mut picks);
            picks.end(valid);
        }
        picks
    }

    /// The same, where a row may fail.
    pub(crate) fn try_of_rows(
        rows: usize,
        mut each: impl FnMut(usize, &mut Self) -> Result<Option<()>>,
    ) -> Result<Self> {
        let mut picks = Self::with_capacity(rows);
        for row in 0..rows {
            let valid = each(row, &mut picks)?;
            picks.end(valid);
        }
        Ok(picks)
    }

    fn with_capacity(rows: usize) -> Self {
        Self {
            at: Vec::new(),
            ends: Vec::with_capacity(rows),
            valid: Vec::with_capacity(rows),
        }
    }

    fn end(&mut self, valid: Option<()>) {
        if valid.is_none() {
            self.at.truncate(self.ends.last().copied().unwrap_or(0));
        }
        self.ends.push(self.at.len());
        self.valid.push(valid.is_some());
    }

    /// The next element is that of a source.
    pub(crate) fn push(&mut self, source: usize, element: usize) {
        self.at.push((source, element));
    }

    /// The next elements are those of a source.
    pub(crate) fn extend(&mut self, source: usize, elements: Range<usize>) {
        self.at.extend(elements.map(|element| (source, element)));
    }

    /// The next elements are NULL.
    pub(crate) fn nulls(&mut self, count: usize) {
        self.at.extend(std::iter::repeat_n((NULL, 0), count));
    }

    /// The arrays, of the type `returns`.
    pub(crate) fn lists(&self, sources: &[&ArrayRef], returns: &DataType) -> Result<ArrayRef> {
        let DataType::List(field) = returns else {
            return Err(Error::internal(format!("{returns} is no array")));
        };
        self.of_values(field, self.values(sources)?)
    }

    /// The arrays of values that were made of the picked ones.
    pub(crate) fn of_values(&self, field: &FieldRef, values: ArrayRef) -> Result<ArrayRef> {
        let nulls = Some(NullBuffer::from(self.valid.clone()));
        let lists = ListArray::try_new(Arc::clone(field), self.offsets()?, values, nulls);
        Ok(Arc::new(lists.map_err(failed)?))
    }

    /// The maps of the entries that were picked, of the type `returns`.
    pub(crate) fn maps(
        &self,
        keys: &[&ArrayRef],
        values: &[&ArrayRef],
        returns: &DataType,
    ) -> Result<ArrayRef> {
        self.maps_of(self.values(keys)?, self.values(values)?, returns)
    }

    /// The maps of keys and values that were made of the picked ones.
    pub(crate) fn maps_of(
        &self,
        keys: ArrayRef,
        values: ArrayRef,
        returns: &DataType,
    ) -> Result<ArrayRef> {
        map_array(
            keys,
            values,
            self.offsets()?,
            NullBuffer::from(self.valid.clone()),
            returns,
        )
    }

    /// For each value its place in its row, counted from 0.
    pub(crate) fn places(&self) -> impl Iterator<Item = i32> {
        self.lengths().flat_map(|length| 0..length as i32)
    }

    /// For each value its row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> {
        let rows = self.lengths().enumerate();
        rows.flat_map(|(row, length)| std::iter::repeat_n(row, length))
    }

    /// For each row which of the values are its own; `None` if it is NULL.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Option<Range<usize>>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let ranges = self.ends.iter().zip(starts).zip(&self.valid);
        ranges.map(|((end, start), valid)| valid.then_some(start..*end))
    }

    /// Those of the values that are chosen; the values are the source.
    pub(crate) fn chosen(&self, is_chosen: impl Fn(usize) -> bool) -> Self {
        let mut chosen = Self::with_capacity(self.ends.len());
        for range in self.ranges() {
            let kept = range
                .clone()
                .into_iter()
                .flatten()
                .filter(|value| is_chosen(*value));
            chosen.at.extend(kept.map(|value| (0, value)));
            chosen.end(range.map(drop));
        }
        chosen
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.ends.iter().zip(starts).map(|(end, start)| end - start)
    }

    /// All values that were picked.
    pub(crate) fn values(&self, sources: &[&ArrayRef]) -> Result<ArrayRef> {
        if let [source] = sources {
            let first = self.at.first().map_or(0, |(_, element)| *element);
            let follows = |(place, at): (usize, &(usize, usize))| *at == (0, first + place);
            if self.at.iter().enumerate().all(follows) {
                return Ok(source.slice(first, self.at.len()));
            }
            let index =
                |(from, element): &(usize, usize)| (*from != NULL).then_some(*element as u32);
            let indices: UInt32Array = self.at.iter().map(index).collect();
            return take(source, &indices, None).map_err(failed);
        }
        let Some(first) = sources.first() else {
            return Err(Error::internal("there is nothing to pick from"));
        };
        let null = new_null_array(first.data_type(), 1);
        let all: Vec<&dyn Array> = sources.iter().map(|source| source.as_ref()).collect();
        let all = [all, vec![null.as_ref()]].concat();
        let at = self
            .at
            .iter()
            .map(|(from, element)| ((*from).min(sources.len()), *element));
        interleave(&all, &at.collect::<Vec<_>>()).map_err(failed)
    }

    fn offsets(&self) -> Result<OffsetBuffer<i32>> {
        if i32::try_from(self.at.len()).is_err() {
            return Err(too_long());
        }
        let ends = self.ends.iter().map(|end| *end as i32);
        let offsets: Vec<i32> = std::iter::once(0).chain(ends).collect();
        Ok(OffsetBuffer::new(offsets.into()))
    }
}

/// Maps whose keys are neither NULL nor twice there.
pub(in crate::functions) fn map_array(
    keys: ArrayRef,
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: NullBuffer,
    returns: &DataType,
) -> Result<ArrayRef> {
    check_keys(&keys, &offsets)?;
    let DataType::Map(field, sorted) = returns else {
        return Err(Error::internal(format!("{returns} is no map")));
    };
    let DataType::Struct(pair) = field.data_type() else {
        return Err(Error::internal(format!("{returns} is no map")));
    };
    let entries = StructArray::try_new(pair.clone(), vec![keys, values], None).map_err(failed)?;
    let maps = MapArray::try_new(Arc::clone(field), offsets, entries, Some(nulls), *sorted);
    Ok(Arc::new(maps.map_err(failed)?))
}

/// So many elements fit into memory at once.
const MAX_LENGTH: i64 = 1 << 28;

/// Refuses an array that is too long to be tried.
pub(in crate::functions) fn check_length(length: i64) -> Result<()> {
    match length <= MAX_LENGTH {
        true => Ok(()),
        false => Err(too_long()),
    }
}

/// An array of more elements than there can be.
pub(in crate::functions) fn too_long() -> Error {
    Error::runtime("an array cannot have so many elements")
        .with_condition("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION")
}

/// A failure of a kernel.
pub(in crate::functions) fn failed(error: arrow::error::ArrowError) -> Error {
    from_datafusion(error.into())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Int32Type;

    use super::*;
    use crate::text::format_value;

    #[test]
    fn a_part_of_a_column_has_its_own_elements() {
        let rows = [
            Some(vec![Some(1)]),
            Some(vec![Some(2), None]),
            None,
            Some(vec![Some(3)]),
        ];
        let whole = ListArray::from_iter_primitive::<Int32Type, _, _>(rows);
        let part: ArrayRef = Arc::new(whole.slice(1, 3));
        let lists = Lists::new(&part);
        assert_eq!(
            (lists.elements().len(), lists.row(1), lists.row(2)),
            (3, None, Some(2..3))
        );
        assert!(lists.is_null(1) && !lists.is_null(2));
        let other: ArrayRef = Arc::new(arrow::array::Int32Array::from(vec![7]));
        let picks = Picks::of_rows(3, |row, picks| {
            picks.push(1, 0);
            picks.extend(0, lists.row(row)?);
            picks.nulls(row);
            Some(())
        });
        let made = picks
            .lists(&[lists.elements(), &other], part.data_type())
            .unwrap();
        let made = (0..3).map(|row| format_value(&made, row));
        assert_eq!(
            made.collect::<Vec<_>>(),
            ["[7, 2, NULL]", "NULL", "[7, 3, NULL, NULL]"]
        );
        assert_eq!(picks.rows().collect::<Vec<_>>(), [0, 0, 0, 2, 2, 2, 2]);
        assert_eq!(picks.places().collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2, 3]);
    }
}
