//! A text, read by the items of a pattern.

use chrono::{Datelike, NaiveDate};

use super::{Field, Item, MONTHS, OffsetForm, SHORT};
use crate::datetime::scanner::Scanner;
use crate::datetime::zone::{Zone, fixed_offset};
use crate::datetime::{
    DAYS_TO_1970, MICROS_PER_SECOND, SECONDS_PER_DAY, days_since_1970, fraction_micros,
};

/// The first year that two digits may stand for.
const BASE_OF_CENTURY: i64 = 2000;

/// What was found in a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    numbers: [Option<i64>; 13],
    pm: Option<bool>,
    micros: i64,
    pub(super) zone: Option<Zone>,
}

/// Reads `items` one after the other.
pub(super) fn scan(items: &[Item], scanner: &mut Scanner<'_>, found: &mut Found) -> Option<()> {
    let mut rest = items;
    while let [item, behind @ ..] = rest {
        rest = behind;
        match item {
            Item::Literal(literal) => eat_text(scanner, literal)?,
            Item::Number(field, min, max) => {
                // Numbers of a fixed width right behind this one keep their digits.
                let reserved = match min == max {
                    true => 0,
                    false => fixed_widths(behind),
                };
                let value = scan_number(scanner, *field, *min, *max, reserved)?;
                found.set(*field, value)?;
            }
            Item::MonthName { full } => {
                let month = MONTHS.iter().position(|month| {
                    let name = if *full { month } else { &month[..SHORT] };
                    eat_text(scanner, name).is_some()
                });
                found.set(Field::Month, month? as i64 + 1)?;
            }
            Item::DayName { .. }
            | Item::Era { .. }
            | Item::QuarterName { .. }
            | Item::LocalizedOffset { .. } => return None,
            Item::AmPm => {
                let am = eat_text(scanner, "AM").is_some();
                if !am {
                    eat_text(scanner, "PM")?;
                }
                found.pm = Some(!am);
            }
            Item::Fraction(max) => {
                let digits = scanner.run_of_digits(*max);
                if digits.is_empty() {
                    return None;
                }
                found.micros = fraction_micros(digits.as_bytes());
            }
            Item::Offset(form) => found.zone = Some(scan_offset(scanner, *form)?),
            Item::ZoneId | Item::ZoneName => {
                let id = |c: char| !(c.is_ascii_alphanumeric() || "/_+-:".contains(c));
                let end = scanner.rest.find(id).unwrap_or(scanner.rest.len());
                let (id, rest) = scanner.rest.split_at(end);
                scanner.rest = rest;
                found.zone = Some(id.parse().ok()?);
            }
            Item::Optional(items) => {
                let (mut ahead, mut more) = (Scanner::new(scanner.rest), found.clone());
                if scan(items, &mut ahead, &mut more).is_some() {
                    scanner.rest = ahead.rest;
                    *found = more;
                }
            }
        }
    }
    Some(())
}

fn fixed_widths(items: &[Item]) -> usize {
    let widths = items.iter().map_while(|item| match item {
        Item::Number(_, min, max) if min == max => Some(*min),
        _ => None,
    });
    widths.sum()
}

/// A year may have a sign; it must have a plus if it is longer than its letters, and only then.
fn scan_number(
    scanner: &mut Scanner<'_>,
    field: Field,
    min: usize,
    max: usize,
    reserved: usize,
) -> Option<i64> {
    let signed = field == Field::Year;
    let negative = signed && scanner.eat(b'-');
    let plus = signed && !negative && min > 1 && scanner.eat(b'+');
    let there = Scanner::new(scanner.rest).run_of_digits(max + reserved);
    let digits = scanner.run_of_digits(there.len().saturating_sub(reserved).clamp(min, max));
    let exceeds = digits.len() > min;
    if digits.len() < min || signed && min > 1 && !negative && plus != exceeds {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    Some(match field {
        Field::YearOfCentury => BASE_OF_CENTURY + value,
        _ if negative => -value,
        _ => value,
    })
}

fn scan_offset(scanner: &mut Scanner<'_>, form: OffsetForm) -> Option<Zone> {
    if form.z && eat_text(scanner, "Z").is_some() {
        return Some(Zone::UTC);
    }
    let text = scanner.rest;
    if !(scanner.eat(b'+') || scanner.eat(b'-')) {
        return None;
    }
    two_digits(scanner)?;
    let minutes = optional_part(scanner, form.colons);
    if !minutes && !form.short {
        return None;
    }
    if minutes && form.seconds {
        optional_part(scanner, form.colons);
    }
    let text = &text[..text.len() - scanner.rest.len()];
    let digits: String = text[1..].chars().filter(char::is_ascii_digit).collect();
    let parts = [
        &digits[..2],
        digits.get(2..4).unwrap_or("00"),
        digits.get(4..6).unwrap_or("00"),
    ];
    fixed_offset(&format!("{}{}", &text[..1], parts.join(":"))).map(Zone::Fixed)
}

/// Two digits, after a colon if there must be one; or nothing.
fn optional_part(scanner: &mut Scanner<'_>, colon: bool) -> bool {
    let before = scanner.rest;
    let found = (!colon || scanner.eat(b':')) && two_digits(scanner).is_some();
    if !found {
        scanner.rest = before;
    }
    found
}

fn two_digits(scanner: &mut Scanner<'_>) -> Option<()> {
    (scanner.run_of_digits(2).len() == 2).then_some(())
}

fn eat_text(scanner: &mut Scanner<'_>, text: &str) -> Option<()> {
    let start = scanner.rest.get(..text.len())?;
    if !start.eq_ignore_ascii_case(text) {
        return None;
    }
    scanner.rest = &scanner.rest[text.len()..];
    Some(())
}

#[expect(clippy::indexing_slicing, reason = "every field has its place")]
impl Found {
    /// A field may come twice, but must not contradict itself.
    fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let field = match field {
            Field::YearOfCentury => Field::Year,
            other => other,
        };
        let known = self.numbers[field as usize].replace(value);
        known.is_none_or(|known| known == value).then_some(())
    }

    fn get(&self, field: Field) -> Option<i64> {
        self.numbers[field as usize]
    }

    /// The day; what is missing of it is that of the first of January 1970.
    pub(super) fn days(&self) -> Option<i32> {
        // A wrong time makes the whole text wrong.
        self.seconds_of_day()?;
        let year = i32::try_from(self.get(Field::Year).unwrap_or(1970)).ok()?;
        if let Some(day) = self.get(Field::DayOfYear) {
            let date = NaiveDate::from_yo_opt(year, u32::try_from(day).ok()?)?;
            return Some(date.num_days_from_ce() - DAYS_TO_1970);
        }
        let part = |field| u32::try_from(self.get(field).unwrap_or(1)).ok();
        days_since_1970(year, part(Field::Month)?, part(Field::Day)?)
    }

    fn seconds_of_day(&self) -> Option<i64> {
        let within = |field, first: i64, last: i64| match self.get(field) {
            None => Some(None),
            Some(value) => (first..=last).contains(&value).then_some(Some(value)),
        };
        let half = |hour: i64| hour % 12 + 12 * i64::from(self.pm.unwrap_or(false));
        let whole =
            within(Field::Hour, 0, 23)?.or(within(Field::ClockHour, 1, 24)?.map(|k| k % 24));
        let of_half = within(Field::HourOfAmPm, 0, 11)?.or(within(Field::ClockHourOfAmPm, 1, 12)?);
        let contradiction = whole.is_some_and(|hour| self.pm.is_some_and(|pm| pm != (hour >= 12)));
        let hour = whole.or(of_half.map(half)).unwrap_or(0);
        let minute = within(Field::Minute, 0, 59)?.unwrap_or(0);
        let second = within(Field::Second, 0, 59)?.unwrap_or(0);
        (!contradiction).then_some(hour * 3600 + minute * 60 + second)
    }

    pub(super) fn local_micros(&self) -> Option<i64> {
        let seconds = i64::from(self.days()?) * SECONDS_PER_DAY + self.seconds_of_day()?;
        seconds
            .checked_mul(MICROS_PER_SECOND)?
            .checked_add(self.micros)
    }
}
