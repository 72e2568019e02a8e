//! Timestamps from their parts: `make_timestamp` and its kin.

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Int32Type, Time64MicrosecondType};
use chrono::NaiveDate;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{Last, at, session_zone, timestamps, zone_named};
use crate::datetime::{MICROS_PER_DAY, Zone};
use crate::error::{Error, Result};

const MICROS_PER_SECOND: i128 = 1_000_000;

const PARTS: &[Takes] = &[
    Takes::Int,
    Takes::Int,
    Takes::Int,
    Takes::Int,
    Takes::Int,
    Takes::DecimalOf(16, 6),
];

const PARTS_AND_ZONE: &[Takes] = &[
    Takes::Int,
    Takes::Int,
    Takes::Int,
    Takes::Int,
    Takes::Int,
    Takes::DecimalOf(16, 6),
    Takes::Text,
];

const OF_ZONE: Scalar = Scalar {
    forms: &[
        PARTS,
        PARTS_AND_ZONE,
        &[Takes::Date],
        &[Takes::Date, Takes::TimeOfDay],
        &[Takes::Date, Takes::TimeOfDay, Takes::Text],
    ],
    returns: Returns::Timestamp,
    call: |call| made(call, false),
    doc: "The timestamp of a year, a month, a day, an hour, a minute and a second, in a zone.",
    ..SCALAR
};

const OF_NO_ZONE: Scalar = Scalar {
    forms: &[PARTS, &[Takes::Date, Takes::TimeOfDay]],
    returns: Returns::TimestampNtz,
    call: |call| made(call, false),
    doc: "The timestamp without a zone of a year, a month, a day, an hour, a minute and a second.",
    ..SCALAR
};

/// The functions.
pub(super) const MAKE_TIMESTAMPS: &[Scalar] = &[
    Scalar {
        name: "make_timestamp",
        example: "SELECT make_timestamp(2024, 2, 29, 12, 58, 59.5)",
        ..OF_ZONE
    },
    Scalar {
        name: "make_timestamp_ltz",
        example: "SELECT make_timestamp_ltz(2024, 2, 29, 12, 58, 59.5, 'Europe/Berlin')",
        ..OF_ZONE
    },
    Scalar {
        name: "make_timestamp_ntz",
        example: "SELECT make_timestamp_ntz(2024, 2, 29, 12, 58, 59.5)",
        ..OF_NO_ZONE
    },
    Scalar {
        name: "try_make_timestamp",
        call: |call| made(call, true),
        doc: "The timestamp of its parts, NULL if they are those of no time.",
        example: "SELECT try_make_timestamp(2024, 2, 30, 12, 58, 59.5)",
        ..OF_ZONE
    },
    Scalar {
        name: "try_make_timestamp_ltz",
        call: |call| made(call, true),
        doc: "The timestamp of its parts, NULL if they are those of no time.",
        example: "SELECT try_make_timestamp_ltz(2024, 2, 30, 12, 58, 59.5)",
        ..OF_ZONE
    },
    Scalar {
        name: "try_make_timestamp_ntz",
        call: |call| made(call, true),
        doc: "The timestamp without a zone of its parts, NULL if they are those of no time.",
        example: "SELECT try_make_timestamp_ntz(2024, 2, 30, 12, 58, 59.5)",
        ..OF_NO_ZONE
    },
];

fn made(call: &Call<'_>, lenient: bool) -> Result<ArrayRef> {
    let mut zones = Zones::new(call)?;
    if call.len() < PARTS.len() {
        let dates = call.primitive::<Date32Type>(0)?;
        let times = (call.len() > 1).then(|| call.primitive::<Time64MicrosecondType>(1));
        let times = times.transpose()?;
        return timestamps(call, |row| {
            let time = match times {
                Some(times) => at(times, row),
                None => Some(0),
            };
            let local = at(dates, row).zip(time);
            let local = local.map(|(days, time)| i64::from(days) * MICROS_PER_DAY + time);
            Ok(local
                .zip(zones.at(row)?)
                .and_then(|(local, zone)| zone.to_utc(local)))
        });
    }
    let whole = call.primitives::<Int32Type, 5>()?;
    let seconds = call.primitive::<Decimal128Type>(5)?;
    timestamps(call, |row| {
        let parts = whole.map(|part| at(part, row));
        let ([Some(year), Some(month), Some(day), Some(hour), Some(minute)], Some(seconds)) =
            (parts, at(seconds, row))
        else {
            return Ok(None);
        };
        let zone = match zones.at(row) {
            Ok(Some(zone)) => zone,
            Err(error) if !lenient => return Err(error),
            _ => return Ok(None),
        };
        match local_micros(year, [month, day, hour, minute], seconds) {
            Ok(local) => Ok(zone.to_utc(local)),
            Err(_) if lenient => Ok(None),
            Err(error) => Err(error),
        }
    })
}

/// The zone of each row: the last argument's, or the session's, or none.
struct Zones<'a> {
    names: Option<&'a StringArray>,
    plain: Zone,
    last: Last<Zone>,
}

impl<'a> Zones<'a> {
    fn new(call: &'a Call<'_>) -> Result<Self> {
        // Behind six parts, or behind a date and a time.
        let last = match call.len() {
            3 => Some(2),
            count => (count > PARTS.len()).then_some(PARTS.len()),
        };
        Ok(Self {
            names: last.map(|last| call.text(last)).transpose()?,
            plain: match call.returns {
                arrow::datatypes::DataType::Timestamp(_, None) => Zone::UTC,
                _ => session_zone(call)?,
            },
            last: Last::new(),
        })
    }

    fn at(&mut self, row: usize) -> Result<Option<Zone>> {
        match self.names {
            None => Ok(Some(self.plain)),
            Some(names) if names.is_null(row) => Ok(None),
            Some(names) => self.last.get(names.value(row), zone_named).map(Some),
        }
    }
}

/// Microseconds since 1970; second 60 is the first of the next minute.
fn local_micros(year: i32, parts: [i32; 4], second_micros: i128) -> Result<i64> {
    if second_micros > 60 * MICROS_PER_SECOND && second_micros < 61 * MICROS_PER_SECOND {
        return Err(Error::runtime("the second 60 has no fraction")
            .with_condition("INVALID_FRACTION_OF_SECOND")
            .with_hint("seconds are less than 60, or 60 for the next minute"));
    }
    let micros = || {
        let [month, day, hour, minute] = parts.map(|part| u32::try_from(part).ok());
        let date = NaiveDate::from_ymd_opt(year, month?, day?)?;
        let minutes = date.and_hms_opt(hour?, minute?, 0)?.and_utc();
        let is_second = (0..=60 * MICROS_PER_SECOND).contains(&second_micros);
        let second_micros = i64::try_from(second_micros).ok().filter(|_| is_second)?;
        minutes.timestamp_micros().checked_add(second_micros)
    };
    micros().ok_or_else(|| {
        Error::runtime("the parts of a timestamp are not those of any time")
            .with_condition("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION")
            .with_hint("use try_make_timestamp(…) to get NULL instead")
    })
}
