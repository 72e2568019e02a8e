//! Which types Spark casts to which, and for which of them arrow's cast is the same.

use arrow::datatypes::{DataType, Fields, IntervalUnit, TimeUnit};

/// Whether Spark casts a type to another in ANSI mode.
pub(crate) fn can_cast(from: &DataType, to: &DataType) -> bool {
    use DataType::{Boolean, Date32, Date64, Duration, Interval, List, Map, Null, Struct};
    use DataType::{Time64, Timestamp};
    let is_binary = matches!(
        to,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    );
    match (from, to) {
        _ if from == to => true,
        (Null, _) => true,
        (_, to) if to.is_string() => true,
        (from, _) if from.is_string() => {
            is_binary
                || to.is_numeric()
                || matches!(
                    to,
                    Boolean | Date32 | Timestamp(..) | Duration(_) | Interval(_) | Time64(_)
                )
        }
        (DataType::Binary | DataType::LargeBinary | DataType::BinaryView, _) => is_binary,
        (Boolean, to) => to.is_numeric(),
        (from, Boolean | Timestamp(_, Some(_))) if from.is_numeric() => true,
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (from, Duration(_) | Interval(IntervalUnit::YearMonth)) if is_exact(from) => true,
        (Date32 | Date64 | Timestamp(..), Date32 | Date64 | Timestamp(..)) => true,
        (Timestamp(..), Time64(_)) => true,
        (Timestamp(_, Some(_)), to) => to.is_numeric(),
        (Time64(_), to) => to.is_integer() || to.is_decimal(),
        (Duration(_), Duration(_)) => true,
        // A literal may be an interval of any kind.
        (Interval(IntervalUnit::MonthDayNano), Duration(_) | Interval(_)) => true,
        (Duration(TimeUnit::Second) | Interval(IntervalUnit::YearMonth), to) => is_exact(to),
        (List(from), List(to)) => can_cast(from.data_type(), to.data_type()),
        (Map(from, _), Map(to, _)) => can_cast(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => all_pairs(from, to, can_cast),
        _ => false,
    }
}

/// Whether arrow's cast gives what Spark's does, or there is no such cast in Spark.
pub(super) fn is_arrows(from: &DataType, to: &DataType) -> bool {
    use DataType::{Boolean, Date32, Date64, Decimal128, Float32, Float64, List, Map, Null};
    use DataType::{Interval, Struct, Timestamp};
    let is_signed = |data_type: &DataType| data_type.is_signed_integer();
    match (from, to) {
        _ if from == to || !can_cast(from, to) => true,
        (Null, _) => false,
        (from, to) if from.is_string() && to.is_string() => true,
        (from, to) if to.is_string() => {
            from.is_integer() || from.is_decimal() || matches!(from, Boolean | Date32 | Date64)
        }
        (from, to) if from.is_string() => {
            !(to.is_numeric()
                || matches!(
                    to,
                    Boolean
                        | Date32
                        | Timestamp(..)
                        | DataType::Duration(_)
                        | DataType::Time64(_)
                        | Interval(_)
                ))
        }
        (from, to) if is_signed(from) && is_signed(to) => {
            from.primitive_width() <= to.primitive_width()
        }
        (from, Decimal128(precision, scale)) if is_signed(from) => {
            let digits = match from {
                DataType::Int8 => 3,
                DataType::Int16 => 5,
                DataType::Int32 => 10,
                _ => 19,
            };
            *precision as i8 - scale >= digits
        }
        (Decimal128(p1, s1), Decimal128(p2, s2)) => s2 >= s1 && *p2 as i8 - s2 >= *p1 as i8 - s1,
        (Boolean, Decimal128(..)) | (Decimal128(..), Boolean) => false,
        (Boolean, _) | (_, Boolean) => true,
        (from, Float32 | Float64) if from.is_integer() => true,
        (Float32, Float64) => true,
        (from, _) if from.is_unsigned_integer() => true,
        (_, to) if to.is_unsigned_integer() || to == &DataType::Float16 => true,
        (Timestamp(_, one), Timestamp(_, other)) => one.is_some() == other.is_some(),
        (Date32 | Date64, Date32 | Date64) => true,
        (List(from), List(to)) => is_arrows(from.data_type(), to.data_type()),
        (Map(from, _), Map(to, _)) => is_arrows(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => all_pairs(from, to, is_arrows) && same_names(from, to),
        (DataType::Binary | DataType::LargeBinary | DataType::BinaryView, _) => true,
        _ => false,
    }
}

fn all_pairs(from: &Fields, to: &Fields, fits: fn(&DataType, &DataType) -> bool) -> bool {
    let mut pairs = from.iter().zip(to);
    from.len() == to.len() && pairs.all(|(from, to)| fits(from.data_type(), to.data_type()))
}

/// Arrow casts the fields of structs by name, Spark by place.
fn same_names(from: &Fields, to: &Fields) -> bool {
    from.iter()
        .zip(to)
        .all(|(from, to)| from.name() == to.name())
}

/// A whole number or a decimal.
fn is_exact(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type.is_decimal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::TIME_ZONE;

    #[test]
    fn what_spark_refuses() {
        use DataType::{Binary, Boolean, Date32, Int32, Utf8};
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()));
        let local = DataType::Timestamp(TimeUnit::Microsecond, None);
        for (from, to, can) in [
            (&Utf8, &Int32, true),
            (&Int32, &timestamp, true),
            (&timestamp, &Int32, true),
            (&local, &Int32, false),
            (&Int32, &Date32, false),
            (&Date32, &Int32, false),
            (&Boolean, &timestamp, false),
            (&Int32, &Binary, false),
            (&Binary, &Utf8, true),
            (&Date32, &Boolean, false),
        ] {
            assert_eq!(can_cast(from, to), can, "{from} {to}");
        }
    }

    #[test]
    fn widening_is_arrows() {
        use DataType::{Decimal128, Float64, Int32, Int64, Utf8};
        assert!(is_arrows(&Int32, &Int64));
        assert!(!is_arrows(&Int64, &Int32));
        assert!(is_arrows(&Int32, &Decimal128(12, 2)));
        assert!(!is_arrows(&Int32, &Decimal128(11, 2)));
        assert!(!is_arrows(&Float64, &Int64));
        assert!(!is_arrows(&Utf8, &Int64));
        assert!(!is_arrows(&DataType::Null, &Int64));
    }
}
