//! Times of other zones: `convert_timezone`, `from_utc_timestamp`, `current_timezone`.

use arrow::array::ArrayRef;
use arrow::datatypes::TimestampMicrosecondType;
use datafusion::logical_expr::Volatility;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{Last, at, session_zone, text_at, texts, timestamps, zone_named};
use crate::datetime::Zone;
use crate::error::Result;

/// The functions.
pub(super) const ZONES: &[Scalar] = &[
    Scalar {
        name: "convert_timezone",
        forms: &[
            &[Takes::Text, Takes::TimestampNtz],
            &[Takes::Text, Takes::Text, Takes::TimestampNtz],
        ],
        returns: Returns::TimestampNtz,
        call: converted,
        doc: "The local time in one zone when it is a given local time in another.",
        example: "SELECT convert_timezone('Europe/Berlin', 'Asia/Tokyo', TIMESTAMP_NTZ'2024-02-29 12:00:00')",
        ..SCALAR
    },
    Scalar {
        name: "from_utc_timestamp",
        forms: &[&[Takes::Timestamp, Takes::Text]],
        returns: Returns::Timestamp,
        call: |call| moved(call, |time, zone| zone.to_local(time)),
        doc: "A timestamp of Greenwich as the clocks of a zone show it.",
        example: "SELECT from_utc_timestamp(TIMESTAMP'2024-02-29 12:00:00', 'Asia/Tokyo')",
        ..SCALAR
    },
    Scalar {
        name: "to_utc_timestamp",
        forms: &[&[Takes::Timestamp, Takes::Text]],
        returns: Returns::Timestamp,
        call: |call| moved(call, |time, zone| zone.to_utc(time)),
        doc: "A timestamp of a zone's clocks as that of Greenwich.",
        example: "SELECT to_utc_timestamp(TIMESTAMP'2024-02-29 12:00:00', 'Asia/Tokyo')",
        ..SCALAR
    },
    Scalar {
        name: "current_timezone",
        forms: &[&[]],
        volatility: Volatility::Stable,
        call: |call| texts(call, |_| Ok(Some(call.zone.to_string()))),
        doc: "The session's time zone.",
        example: "SELECT current_timezone()",
        ..SCALAR
    },
];

fn moved(call: &Call<'_>, moved: fn(i64, Zone) -> Option<i64>) -> Result<ArrayRef> {
    let (times, names) = (
        call.primitive::<TimestampMicrosecondType>(0)?,
        call.text(1)?,
    );
    let mut last = Last::new();
    timestamps(call, |row| {
        let Some((time, name)) = at(times, row).zip(text_at(names, row)) else {
            return Ok(None);
        };
        Ok(moved(time, last.get(name, zone_named)?))
    })
}

fn converted(call: &Call<'_>) -> Result<ArrayRef> {
    let last_index = call.len() - 1;
    let session = session_zone(call)?;
    let sources = (last_index == 2).then(|| call.text(0)).transpose()?;
    let targets = call.text(last_index - 1)?;
    let times = call.primitive::<TimestampMicrosecondType>(last_index)?;
    let (mut from, mut to) = (Last::new(), Last::new());
    timestamps(call, |row| {
        let Some((time, target)) = at(times, row).zip(text_at(targets, row)) else {
            return Ok(None);
        };
        let source = match sources.map(|sources| text_at(sources, row)) {
            None => session,
            Some(None) => return Ok(None),
            Some(Some(name)) => from.get(name, zone_named)?,
        };
        let target = to.get(target, zone_named)?;
        Ok(source.to_utc(time).and_then(|utc| target.to_local(utc)))
    })
}
