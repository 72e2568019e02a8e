//! Calls a generic function for the type that a column of numbers has.

/// `by_type!(data_type, function(arguments))` is `function::<Int32Type>(arguments)` for INT, and so
/// on for numbers and intervals; `None` for other types.
macro_rules! by_type {
    ($data_type:expr, $function:ident($($argument:expr),*)) => {{
        use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
        match $data_type {
            DataType::Int8 => Some($function::<arrow::datatypes::Int8Type>($($argument),*)),
            DataType::Int16 => Some($function::<arrow::datatypes::Int16Type>($($argument),*)),
            DataType::Int32 => Some($function::<arrow::datatypes::Int32Type>($($argument),*)),
            DataType::Int64 => Some($function::<arrow::datatypes::Int64Type>($($argument),*)),
            DataType::Float32 => Some($function::<arrow::datatypes::Float32Type>($($argument),*)),
            DataType::Float64 => Some($function::<arrow::datatypes::Float64Type>($($argument),*)),
            DataType::Decimal128(..) => {
                Some($function::<arrow::datatypes::Decimal128Type>($($argument),*))
            }
            DataType::Duration(TimeUnit::Microsecond) => {
                Some($function::<arrow::datatypes::DurationMicrosecondType>($($argument),*))
            }
            DataType::Duration(TimeUnit::Second) => {
                Some($function::<arrow::datatypes::DurationSecondType>($($argument),*))
            }
            DataType::Interval(IntervalUnit::YearMonth) => {
                Some($function::<arrow::datatypes::IntervalYearMonthType>($($argument),*))
            }
            _ => None,
        }
    }};
}
