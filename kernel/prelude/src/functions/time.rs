//! Time: windows, the clock, dates and timestamps.

use super::functions;
use crate::column::{Column, Operand};

/// Windows of a fixed length that follow each other: a struct of `start` and `end`. Group by it.
///
/// ```
/// use tidebook::prelude::*;
///
/// let per_window = window("ts", "10 minutes");
/// assert_eq!(per_window.to_string(), "window(ts, 10 minutes)");
/// ```
pub fn window(time: impl Into<Column>, window_duration: &str) -> Column {
    Column::call("window", [time.into(), window_duration.into_operand()])
}

/// Windows that overlap: a new one of `window_duration` begins each `slide_duration`.
///
/// ```
/// use tidebook::prelude::*;
///
/// let sliding = window_with_slide("ts", "10 minutes", "5 minutes");
/// assert_eq!(sliding.to_string(), "window(ts, 10 minutes, 5 minutes)");
/// ```
pub fn window_with_slide(
    time: impl Into<Column>,
    window_duration: &str,
    slide_duration: &str,
) -> Column {
    let durations = [window_duration, slide_duration].map(Operand::into_operand);
    Column::call("window", std::iter::once(time.into()).chain(durations))
}

/// Windows that overlap, or with both durations equal do not, and begin `start_time` after the hour.
///
/// ```
/// use tidebook::prelude::*;
///
/// let shifted = window_with_slide_and_start(col("ts"), "1 hour", "1 hour", "15 minutes");
/// assert_eq!(shifted.to_string(), "window(ts, 1 hour, 1 hour, 15 minutes)");
/// ```
pub fn window_with_slide_and_start(
    time: impl Into<Column>,
    window_duration: &str,
    slide_duration: &str,
    start_time: &str,
) -> Column {
    let durations = [window_duration, slide_duration, start_time].map(Operand::into_operand);
    Column::call("window", std::iter::once(time.into()).chain(durations))
}

functions! {
    /// Sessions: a window ends when no row has come for `gap_duration`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// let sessions = session_window("ts", "5 minutes");
    /// assert_eq!(sessions.to_string(), "session_window(ts, 5 minutes)");
    /// ```
    fn session_window(time: column, gap_duration: value);
    /// The time a window stands for: its end less a microsecond. Lets a window be windowed again.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// let hours = window(window_time("window"), "1 hour");
    /// assert_eq!(hours.to_string(), "window(window_time(window), 1 hour)");
    /// ```
    fn window_time(window: column);
    /// The time of the query; of a stream, that of the batch.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(current_timestamp().to_string(), "current_timestamp()");
    /// ```
    fn current_timestamp();
    /// The date of the query; of a stream, that of the batch.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(current_date().to_string(), "current_date()");
    /// ```
    fn current_date();
    /// The same as [`current_date`].
    fn curdate();
    /// The same as [`current_timestamp`].
    fn now();
    /// The local time of the query, without a time zone.
    fn localtimestamp();
    /// The session's time zone.
    fn current_timezone();
    /// Text as a timestamp.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(to_timestamp("time").to_string(), "to_timestamp(time)");
    /// ```
    fn to_timestamp(column: column);
    /// Text of this format, e.g. `yyyy-MM-dd HH:mm`, as a timestamp.
    fn to_timestamp_format(column: column, format: value) = "to_timestamp";
    /// Text as a timestamp, `NULL` where that cannot be.
    fn try_to_timestamp(column: column);
    /// Text or a timestamp as a date.
    fn to_date(column: column);
    /// Text of this format, e.g. `dd.MM.yyyy`, as a date.
    fn to_date_format(column: column, format: value) = "to_date";
    /// Text as a timestamp without a time zone.
    fn to_timestamp_ntz(column: column);
    /// Text as a timestamp.
    fn to_timestamp_ltz(column: column);
    /// A date or timestamp as text of this format, e.g. `HH:mm`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(date_format("ts", "HH:mm").to_string(), "date_format(ts, HH:mm)");
    /// ```
    fn date_format(column: column, format: value);
    /// A timestamp cut to a unit: `year`, `month`, `week`, `day`, `hour`, `minute`, `second`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(date_trunc("hour", "ts").to_string(), "date_trunc(hour, ts)");
    /// ```
    fn date_trunc(unit: value, time: column);
    /// A date cut to a unit: `year`, `quarter`, `month`, `week`.
    fn trunc(date: column, unit: value);
    /// So many days later.
    fn date_add(date: column, days: value);
    /// So many days earlier.
    fn date_sub(date: column, days: value);
    /// So many days later.
    fn dateadd(date: column, days: value) = "date_add";
    /// Days from `start` to `end`.
    fn datediff(end: column, start: column);
    /// Days from `start` to `end`.
    fn date_diff(end: column, start: column) = "datediff";
    /// So many months later.
    fn add_months(date: column, months: value);
    /// Months from `start` to `end`, with a fraction.
    fn months_between(end: column, start: column);
    /// The last day of the month.
    fn last_day(date: column);
    /// The next day of the week, e.g. `Mon`, after a date.
    fn next_day(date: column, day_of_week: value);
    /// A part of a date or timestamp: `YEAR`, `MONTH`, `DOW`, `HOUR`, …
    fn date_part(part: value, time: column);
    /// A part of a date or timestamp.
    fn datepart(part: value, time: column) = "date_part";
    /// The year.
    fn year(time: column);
    /// The quarter, 1 to 4.
    fn quarter(time: column);
    /// The month, 1 to 12.
    fn month(time: column);
    /// The week of the year, by ISO 8601.
    fn weekofyear(time: column);
    /// The day of the month.
    fn day(time: column);
    /// The day of the month.
    fn dayofmonth(time: column);
    /// The day of the week, 1 is Sunday.
    fn dayofweek(time: column);
    /// The day of the week, 0 is Monday.
    fn weekday(time: column);
    /// The day of the year.
    fn dayofyear(time: column);
    /// The short name of the day.
    fn dayname(time: column);
    /// The short name of the month.
    fn monthname(time: column);
    /// The hour, 0 to 23.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(hour("ts").to_string(), "hour(ts)");
    /// ```
    fn hour(time: column);
    /// The minute, 0 to 59.
    fn minute(time: column);
    /// The second, 0 to 59.
    fn second(time: column);
    /// Seconds since 1970, now.
    fn unix_timestamp();
    /// Seconds since 1970 of a time.
    fn to_unix_timestamp(time: column);
    /// Seconds since 1970 of a timestamp.
    fn unix_seconds(time: column);
    /// Milliseconds since 1970 of a timestamp.
    fn unix_millis(time: column);
    /// Microseconds since 1970 of a timestamp.
    fn unix_micros(time: column);
    /// Days since 1970 of a date.
    fn unix_date(date: column);
    /// A date from days since 1970.
    fn date_from_unix_date(days: column);
    /// Text from seconds since 1970.
    fn from_unixtime(seconds: column);
    /// A timestamp from seconds since 1970.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(timestamp_seconds("epoch").to_string(), "timestamp_seconds(epoch)");
    /// ```
    fn timestamp_seconds(seconds: column);
    /// A timestamp from milliseconds since 1970.
    fn timestamp_millis(millis: column);
    /// A timestamp from microseconds since 1970.
    fn timestamp_micros(micros: column);
    /// So many units (`HOUR`, …) later.
    fn timestamp_add(unit: value, count: value, time: column) = "timestampadd";
    /// Units (`HOUR`, …) from `start` to `end`.
    fn timestamp_diff(unit: value, start: column, end: column) = "timestampdiff";
    /// A date from its parts.
    fn make_date(year: column, month: column, day: column);
    /// A timestamp from its parts.
    fn make_timestamp(years: column, months: column, days: column, hours: column, mins: column, secs: column);
    /// The local time in a time zone of a time in UTC.
    fn from_utc_timestamp(time: column, time_zone: value);
    /// The time in UTC of a local time in a time zone.
    fn to_utc_timestamp(time: column, time_zone: value);
}
