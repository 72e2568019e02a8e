//! Columns between arrow and the wire, whose layout is arrow's: buffers are copied whole.

use std::borrow::Cow;
use std::io;

use arrow::array::{Array as _, ArrayRef, make_array};
use arrow::array::{ArrayData, UInt32Array};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, TimeUnit};
use tidebook::columns::{Array, Kind, decode, encode as encode_arrays};
use tidebook_engine::{Error, Result, sql_type};

/// The body of a message that carries these columns.
pub(super) fn encode(columns: &[ArrayRef]) -> Result<Vec<u8>> {
    let data: Vec<(Kind, ArrayData)> = columns.iter().map(compact).collect::<Result<_>>()?;
    let arrays = data.iter().map(|(kind, data)| array(*kind, data));
    let arrays = arrays.collect::<Result<Vec<Array<'_>>>>()?;
    Ok(encode_arrays(&arrays))
}

/// The one column that a body carries, as this type.
pub(super) fn decode_one(body: &[u8], data_type: &DataType) -> Result<ArrayRef> {
    let mut columns = decode(body).map_err(unreadable)?;
    let column = match columns.len() {
        1 => columns.remove(0),
        count => {
            return Err(Error::internal(format!(
                "one column was expected, {count} came"
            )));
        }
    };
    let nulls = column.validity.as_deref().map(|bits| {
        let bits = arrow::buffer::BooleanBuffer::new(Buffer::from(bits), 0, column.rows);
        NullBuffer::new(bits)
    });
    let mut builder = ArrayData::builder(type_of(column.kind))
        .len(column.rows)
        .nulls(nulls);
    if column.kind.has_offsets() {
        builder = builder.add_buffer(Buffer::from(column.offsets.as_ref()));
    }
    let data = builder
        .add_buffer(Buffer::from(column.values.as_ref()))
        .align_buffers(true)
        .build()
        .map_err(|error| Error::internal(format!("a column cannot be read: {error}")))?;
    cast(&make_array(data), data_type).map_err(|error| Error::runtime(error.to_string()))
}

/// A column's kind on the wire, and its buffers beginning at its first row.
fn compact(column: &ArrayRef) -> Result<(Kind, ArrayData)> {
    let kind = kind_of(column.data_type())?;
    let plain = cast(column, &type_of(kind)).map_err(|error| Error::runtime(error.to_string()))?;
    let data = plain.to_data();
    let starts_with_bits = data.nulls().is_some_and(|nulls| nulls.offset() > 0);
    if data.offset() == 0 && !starts_with_bits {
        return Ok((kind, data));
    }
    // A slice: copied, so that bits and offsets count from its first row.
    let rows = u32::try_from(plain.len()).map_err(|error| Error::internal(error.to_string()))?;
    let copied = take(&plain, &UInt32Array::from_iter_values(0..rows), None);
    let copied = copied.map_err(|error| Error::internal(error.to_string()))?;
    Ok((kind, copied.to_data()))
}

fn array(kind: Kind, data: &ArrayData) -> Result<Array<'_>> {
    let cut_off = || Error::internal("a column's buffers do not hold its rows");
    let (offsets, values) = match (kind.has_offsets(), data.buffers()) {
        (true, [offsets, values, ..]) => (offsets.get(..(data.len() + 1) * 4), values.as_slice()),
        (false, [values, ..]) => (Some(&[][..]), values.as_slice()),
        _ => return Err(cut_off()),
    };
    let used = match kind.width() {
        Some(width) => data.len() * width,
        None if kind.has_offsets() => values.len(),
        None => data.len().div_ceil(8),
    };
    let validity = data.nulls().map(|nulls| {
        let bits = nulls.validity().get(..data.len().div_ceil(8));
        bits.map(Cow::Borrowed).ok_or_else(cut_off)
    });
    Ok(Array {
        kind,
        rows: data.len(),
        validity: validity.transpose()?,
        offsets: Cow::Borrowed(offsets.ok_or_else(cut_off)?),
        values: Cow::Borrowed(values.get(..used).ok_or_else(cut_off)?),
    })
}

fn kind_of(data_type: &DataType) -> Result<Kind> {
    Ok(match data_type {
        DataType::Boolean => Kind::Bool,
        DataType::Int8 => Kind::Int8,
        DataType::Int16 => Kind::Int16,
        DataType::Int32 => Kind::Int32,
        DataType::Int64 => Kind::Int64,
        DataType::Float32 => Kind::Float32,
        DataType::Float64 => Kind::Float64,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Utf8,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Kind::Binary,
        DataType::Timestamp(..) => Kind::Timestamp,
        other => {
            return Err(Error::analysis(format!(
                "a Rust function cannot take a value of type {}",
                sql_type(other)
            ))
            .with_hint("cast it, for example to STRING, before the call"));
        }
    })
}

fn type_of(kind: Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int8 => DataType::Int8,
        Kind::Int16 => DataType::Int16,
        Kind::Int32 => DataType::Int32,
        Kind::Int64 => DataType::Int64,
        Kind::Float32 => DataType::Float32,
        Kind::Float64 => DataType::Float64,
        Kind::Utf8 => DataType::Utf8,
        Kind::Binary => DataType::Binary,
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::internal(format!("the function's answer cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    fn comes_back(column: ArrayRef) {
        let body = encode(&[Arc::clone(&column)]).unwrap();
        assert_eq!(&decode_one(&body, column.data_type()).unwrap(), &column);
    }

    #[test]
    fn columns_come_back_as_they_went() {
        comes_back(Arc::new(Float64Array::from(vec![
            Some(1.5),
            None,
            Some(-0.0),
        ])));
        comes_back(Arc::new(StringArray::from(vec![
            Some("a"),
            None,
            Some(""),
            Some("é"),
        ])));
        comes_back(Arc::new(BooleanArray::from(vec![
            Some(true),
            None,
            Some(false),
        ])));
        comes_back(Arc::new(
            TimestampMicrosecondArray::from(vec![Some(1), None]).with_timezone("UTC"),
        ));
        comes_back(Arc::new(Float64Array::from(Vec::<f64>::new())));
    }

    #[test]
    fn slices_count_from_their_first_row() {
        let text = StringArray::from(vec![Some("xx"), None, Some("yyy"), Some("z"), None]);
        comes_back(Arc::new(text.slice(1, 3)));
        let truth = BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]);
        comes_back(Arc::new(truth.slice(2, 2)));
    }

    #[test]
    fn types_without_a_form_in_rust_are_refused() {
        let error = encode(&[Arc::new(arrow::array::Date32Array::from(vec![1]))]);
        assert!(error.unwrap_err().message().contains("type DATE"));
    }
}
