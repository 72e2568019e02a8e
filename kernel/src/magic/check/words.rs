//! What the learner is told: what is right, what differs, and what to try.

use super::compare::{Difference, DifferenceKind, Verdict};
use super::definition::{Answer, Definition};
use super::trial::Attempt;
use crate::display::CheckAnswer;
use crate::error::CellError;

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It gave rows.
    Compared(Verdict),
    /// It could not be run, or died.
    Failed {
        /// Of what.
        error: CellError,
        /// Whether it was given the output mode and the watermark that are asked for.
        is_as_asked: bool,
    },
    /// It did not end in time.
    Endless {
        /// How many seconds it was given.
        seconds: u64,
    },
}

impl Outcome {
    /// Whether the exercise is done.
    pub(super) fn is_right(&self) -> bool {
        matches!(self, Self::Compared(Verdict::Right { .. }))
    }
}

/// The answer to an attempt, whose text was `typed`; `known` is what is said to a mistake that is known.
pub(super) fn answer(
    definition: &Definition,
    outcome: &Outcome,
    known: Option<&str>,
    typed: &str,
) -> CheckAnswer {
    let unit = definition
        .answer
        .as_ref()
        .map_or("row", |answer| answer.unit.as_str());
    let hint = |kind: &str| known.or_else(|| definition.hint(kind)).map(str::to_owned);
    match outcome {
        Outcome::Compared(Verdict::Right { rows }) => CheckAnswer {
            is_right: true,
            headline: match rows {
                1 => "Right! The one row is as it should be.".to_owned(),
                rows => format!("Right! All {rows} rows are as they should be."),
            },
            hint: Some(definition.well_done.clone()).filter(|text| !text.is_empty()),
            ..Default::default()
        },
        Outcome::Compared(Verdict::Columns { missing, extra }) => CheckAnswer {
            headline: "Not yet: the columns are not those that are asked for.".to_owned(),
            remarks: column_remarks(missing, extra),
            hint: hint("columns"),
            ..Default::default()
        },
        Outcome::Compared(Verdict::Empty { expected }) => CheckAnswer {
            headline: format!(
                "Not yet: your query runs, but no row came out of it; {} should.",
                counted(*expected, "row")
            ),
            hint: hint("empty").or_else(|| empty_hint(definition, typed)),
            ..Default::default()
        },
        Outcome::Compared(Verdict::Order) => CheckAnswer {
            headline: "Nearly: the rows are right, but not in the order that is asked for."
                .to_owned(),
            hint: hint("order").or_else(|| Some(ORDER.to_owned())),
            ..Default::default()
        },
        Outcome::Compared(Verdict::Rows(difference)) => CheckAnswer {
            headline: headline(difference, unit),
            remarks: remarks(difference, unit),
            columns: difference.columns.clone(),
            theirs: difference.theirs.clone(),
            reference: difference.reference.clone(),
            hint: hint(difference.kind.as_str()),
            ..Default::default()
        },
        Outcome::Failed { error, is_as_asked } => CheckAnswer {
            headline: "Not yet: this query does not run.".to_owned(),
            remarks: vec![error.evalue.clone()],
            hint: error_hint(definition, error, *is_as_asked),
            ..Default::default()
        },
        Outcome::Endless { seconds } => CheckAnswer {
            headline: format!(
                "Not yet: your query was still busy after {seconds} seconds, so it was stopped. \
                 The hidden data is small: a right answer takes less than one."
            ),
            hint: hint("endless").or_else(|| Some(ENDLESS.to_owned())),
            ..Default::default()
        },
    }
}

/// How the conditions of queries begin that do not go with their output mode.
const OUTPUT_MODE: &str = "STREAMING_OUTPUT_MODE";
const AS_ASKED: &str = "The mode is right, and is for queries that aggregate: what is to be counted or \
    added up, for which groups?";
const AS_ASKED_APPEND: &str = "Mode and watermark are right. A group is final only if the event time is part of \
    its key: a window of it, or the column itself.";
const EMPTY: &str = "Does the WHERE clause let rows through?";
const EMPTY_JOIN: &str = "Does the condition behind ON hold for any pair?";
const ORDER: &str = "What does ORDER BY sort by, and in which direction?";
const EMPTY_APPEND: &str =
    "In append mode a window comes out only after the watermark has passed its end.";
const ENDLESS: &str = "A join without a condition that ties its sides together, or a generated \
    range, makes more rows than anybody can read. Look at JOIN … ON first.";

fn empty_hint(definition: &Definition, typed: &str) -> Option<String> {
    let typed = typed.to_lowercase();
    let answer = definition.answer.as_ref();
    let is_append = answer.is_some_and(|answer| answer.mode == "append");
    let hints = [
        (typed.contains("where"), EMPTY),
        (typed.contains("join"), EMPTY_JOIN),
        (is_append && typed.contains("window("), EMPTY_APPEND),
    ];
    let said = hints
        .iter()
        .filter(|(fits, _)| *fits)
        .map(|(_, hint)| *hint);
    let said = said.collect::<Vec<_>>().join(" ");
    (!said.is_empty()).then_some(said)
}

/// What is said of an output mode or a watermark that is not the one asked for.
pub(super) fn other_settings(right: &Answer, theirs: &Attempt) -> Option<String> {
    if theirs.mode != right.mode {
        let leave_out = match right.mode.as_str() {
            "append" => "leave out --mode".to_owned(),
            mode => format!("use --mode {mode}"),
        };
        return Some(match theirs.mode.as_str() {
            "append" => format!("Append mode holds back what is not final yet: {leave_out}."),
            "update" => format!("Update mode hands on a row each time it changes: {leave_out}."),
            _ => format!("Complete mode hands on what is not final, too: {leave_out}."),
        });
    }
    let (asked, given) = (right.watermark.as_ref()?, theirs.watermark.as_ref()?);
    (asked != given)
        .then(|| format!("The watermark that is asked for is '{asked}', and yours is '{given}'."))
}

fn column_remarks(missing: &[String], extra: &[String]) -> Vec<String> {
    if let ([missing], [extra]) = (missing, extra) {
        return vec![format!(
            "Your column '{extra}' should probably be called '{missing}': write … AS {missing}."
        )];
    }
    let mut remarks = Vec::new();
    if !missing.is_empty() {
        remarks.push(format!("Missing: {}.", missing.join(", ")));
    }
    if !extra.is_empty() {
        remarks.push(format!("Not asked for: {}.", extra.join(", ")));
    }
    remarks
}

fn headline(difference: &Difference, unit: &str) -> String {
    let Difference {
        right, expected, ..
    } = difference;
    match (right, difference.kind) {
        (0, _) => format!(
            "Not yet: none of the {} is right.",
            counted(*expected, unit)
        ),
        (right, DifferenceKind::Extra) if right == expected => format!(
            "Nearly: {} right, but there is more than that.",
            all(*expected, unit)
        ),
        (right, _) => format!(
            "Not yet: {right} of {} {} right.",
            counted(*expected, unit),
            if *right == 1 { "is" } else { "are" }
        ),
    }
}

fn remarks(difference: &Difference, unit: &str) -> Vec<String> {
    let types = difference
        .types
        .iter()
        .map(|(name, own, asked)| format!("Your column {name} is {own}; {asked} is asked for."));
    let instead = difference.instead.as_ref().map(|row| {
        format!(
            "Yours has another one, which should not be there: {}.",
            row.join(" · ")
        )
    });
    let first = remark(difference, unit);
    types.chain(instead).chain([first]).collect()
}

fn remark(difference: &Difference, unit: &str) -> String {
    match difference.kind {
        DifferenceKind::Missing => format!("This {unit} is the first that is missing from yours:"),
        DifferenceKind::Extra => format!("This {unit} is the first that should not be there:"),
        DifferenceKind::Values => format!("This {unit} is the first that differs:"),
    }
}

fn error_hint(definition: &Definition, error: &CellError, is_as_asked: bool) -> Option<String> {
    let condition = error.condition();
    if is_as_asked && condition.is_some_and(|condition| condition.starts_with(OUTPUT_MODE)) {
        let answer = definition.answer.as_ref();
        let is_append = answer.is_some_and(|answer| answer.mode == "append");
        return Some(if is_append { AS_ASKED_APPEND } else { AS_ASKED }.to_owned());
    }
    let said = condition
        .and_then(|condition| definition.hint(condition))
        .or_else(|| definition.hint(&error.ename));
    let said = said.map(str::to_owned).or_else(|| error.hint.clone());
    said.or_else(|| definition.hint("error").map(str::to_owned))
}

fn counted(number: usize, unit: &str) -> String {
    match number {
        1 => format!("1 {unit}"),
        number => format!("{number} {}", plural(unit)),
    }
}

fn all(number: usize, unit: &str) -> String {
    match number {
        1 => format!("the one {unit} is"),
        number => format!("all {number} {} are", plural(unit)),
    }
}

fn plural(unit: &str) -> String {
    match unit.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{unit}s"),
    }
}

#[cfg(test)]
mod tests {
    use tidebook_engine::{Error, ErrorKind};

    use super::*;

    fn definition() -> Definition {
        Definition::read(
            "task = 'x'\nwell_done = 'So it is.'\n[[source]]\nname = 'c'\ncolumns = 'a INT'\n\
             [answer]\nquery = 'SELECT 1'\nunit = 'window'\n\
             [hints]\nmissing = 'look for it'\nAnalysisException = 'read the columns'\n\
             'A.B' = 'that one'",
        )
        .unwrap()
    }

    fn difference(kind: DifferenceKind, right: usize) -> Outcome {
        Outcome::Compared(Verdict::Rows(Difference {
            kind,
            right,
            expected: 3,
            columns: vec!["n".to_owned()],
            theirs: Vec::new(),
            reference: vec![vec!["1".to_owned()]],
            instead: None,
            types: Vec::new(),
        }))
    }

    #[test]
    fn every_outcome_has_a_word() {
        let definition = definition();
        let said = |outcome: &Outcome| answer(&definition, outcome, None, "a WHERE clause");
        let right = said(&Outcome::Compared(Verdict::Right { rows: 3 }));
        assert!(right.is_right && right.hint.as_deref() == Some("So it is."));
        assert_eq!(
            (plural("city"), plural("half hour")),
            ("cities".into(), "half hours".into())
        );
        let missing = said(&difference(DifferenceKind::Missing, 2));
        assert_eq!(missing.headline, "Not yet: 2 of 3 windows are right.");
        assert_eq!(missing.hint.as_deref(), Some("look for it"));
        let known = answer(
            &definition,
            &difference(DifferenceKind::Values, 0),
            Some("known"),
            "",
        );
        assert_eq!(known.headline, "Not yet: none of the 3 windows is right.");
        assert_eq!(known.hint.as_deref(), Some("known"));
        let extra = said(&difference(DifferenceKind::Extra, 3));
        assert!(
            extra
                .headline
                .starts_with("Nearly: all 3 windows are right"),
            "{extra:?}"
        );
        let columns = said(&Outcome::Compared(Verdict::Columns {
            missing: vec!["n".to_owned()],
            extra: vec!["count(1)".to_owned()],
        }));
        assert!(columns.remarks[0].ends_with("write … AS n."), "{columns:?}");
        assert!(
            said(&Outcome::Compared(Verdict::Empty { expected: 2 }))
                .hint
                .is_some()
        );
        assert!(
            said(&Outcome::Endless { seconds: 7 })
                .headline
                .contains("7 seconds")
        );
    }

    #[test]
    fn errors_get_the_nearest_hint() {
        let definition = definition();
        let said = |error: Error| {
            answer(
                &definition,
                &Outcome::Failed {
                    error: error.with_hint("own").into(),
                    is_as_asked: false,
                },
                None,
                "",
            )
            .hint
            .unwrap()
        };
        assert_eq!(
            said(Error::analysis("no").with_condition("A.B")),
            "that one"
        );
        assert_eq!(said(Error::analysis("no")), "read the columns");
        assert_eq!(said(Error::new(ErrorKind::Parse, "no")), "own");
    }

    #[test]
    fn another_mode_and_another_watermark_are_told() {
        let right = Answer {
            query: String::new(),
            mode: "append".to_owned(),
            watermark: Some("ts 5 minutes".to_owned()),
            key: Vec::new(),
            ordered: false,
            unit: String::new(),
        };
        let told = |mode: &str, watermark: Option<&str>| {
            let theirs = Attempt {
                query: String::new(),
                mode: mode.to_owned(),
                watermark: watermark.map(str::to_owned),
            };
            other_settings(&right, &theirs).unwrap_or_default()
        };
        assert!(told("update", None).ends_with("leave out --mode."));
        assert!(told("append", Some("ts 1 hour")).contains("yours is 'ts 1 hour'"));
        assert_eq!(told("append", Some("ts 5 minutes")), "");
    }

    #[test]
    fn nothing_is_said_of_what_is_not_in_the_query() {
        let definition = definition();
        let hint = |typed: &str| empty_hint(&definition, typed);
        assert_eq!(hint("SELECT a FROM c WHERE a > 9").as_deref(), Some(EMPTY));
        assert_eq!(hint("SELECT a FROM c"), None);
        let windows = hint("SELECT window(ts, '1 hour') FROM c GROUP BY 1");
        assert_eq!(windows.as_deref(), Some(EMPTY_APPEND));
    }
}
