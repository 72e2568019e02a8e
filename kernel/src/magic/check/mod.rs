//! `%%check`: tries an answer on hidden rows and says what is right and what differs.

mod compare;
mod definition;
mod trial;
mod words;

use std::time::Duration;

use async_trait::async_trait;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};
use futures::future::{join, join_all};
use tidebook_engine::{OutputMode, Rows};
use tokio::time::Instant;

use super::{Call, Kind, Magic, Spec};
use crate::cell::is_comment;
use crate::display::{self, CheckAnswer};
use crate::error::{CellError, Result};
use definition::{Answer, Definition};
use trial::{Attempt, Trial};
use words::Outcome;

/// An answer comes within ten seconds: what is not known by then is not told.
const ANSWER: Duration = Duration::from_secs(9);

/// How long an attempt may take.
const PATIENCE: Duration = Duration::from_secs(6);

/// See the module.
pub(super) struct Check;

#[async_trait]
impl Magic for Check {
    fn spec(&self) -> Spec {
        Spec {
            name: "check",
            kind: Kind::Cell,
            about: "tries your answer to an exercise on hidden data, and says what is right and what differs",
            body: "the answer: a SELECT over the streams of the exercise, or the answer to a question",
            example: "%%check clicks-per-five-minutes\n\
                      SELECT window(ts, '5 minutes') AS window, count(*) AS n\n\
                      FROM clicks GROUP BY window(ts, '5 minutes')",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("check")
                .required(true)
                .value_name("NAME")
                .help("the exercise: a file in the folder checks/ beside the notebook"),
            Arg::new("mode")
                .long("mode")
                .value_name("MODE")
                .default_value(OutputMode::default().as_str())
                .ignore_case(true)
                .value_parser(PossibleValuesParser::new(
                    OutputMode::ALL.map(OutputMode::as_str),
                ))
                .help("the output mode, as for %%stream"),
            Arg::new("watermark")
                .long("watermark")
                .value_name("\"COLUMN DELAY\"")
                .help("the watermark of the stream, as for %%source; without it, that of the exercise"),
            Arg::new("fail")
                .long("fail")
                .action(ArgAction::SetTrue)
                .help("turn the cell red unless the answer is right"),
        ]
    }

    fn offers(&self, arg: &str, _given: &[&str]) -> Vec<String> {
        match arg {
            "check" => definition::names(),
            _ => Vec::new(),
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let name = call.text("check").unwrap_or_default();
        let definition = Definition::find(name)?;
        let answer = match has_answer(&definition, call.body) {
            false => CheckAnswer {
                headline: "There is no answer below %%check yet.".to_owned(),
                remarks: vec![definition.task.clone()],
                ..Default::default()
            },
            true => match &definition.answer {
                None => text_answer(&definition, call.body),
                Some(right) => query_answer(&definition, right, &call).await?,
            },
        };
        let is_right = answer.is_right;
        let headline = answer.headline.clone();
        call.context.outputs.display(display::check_answer(&answer));
        if call.args.get_flag("fail") && !is_right {
            return Err(CellError::new(
                "CheckFailed",
                format!("check '{name}': {headline}"),
            ));
        }
        Ok(())
    }
}

/// Whether something was written: to a question, a flag is an answer too.
fn has_answer(definition: &Definition, body: &str) -> bool {
    body.lines()
        .any(|line| !is_comment(line.trim()) || definition.answer.is_none() && flag(line).is_some())
}

/// `checkpoint` of `--checkpoint`; a comment has a space there.
fn flag(line: &str) -> Option<&str> {
    let flag = line.trim().strip_prefix("--")?;
    flag.starts_with(char::is_alphabetic).then_some(flag)
}

/// The answer to a question.
fn text_answer(definition: &Definition, body: &str) -> CheckAnswer {
    let lines = body.lines().map(str::trim).filter(|line| !is_comment(line));
    let mut typed = lines.collect::<Vec<_>>().join(" ");
    if typed.trim().is_empty() {
        typed = body.lines().find_map(flag).unwrap_or_default().to_owned();
    }
    let plain = |text: &str| {
        let text = text.to_lowercase();
        let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '\'' | '"'));
        let article = ["the ", "a ", "an "].into_iter();
        let mut bare = article.filter_map(|article| text.strip_prefix(article));
        let bare = bare.next().unwrap_or(text);
        bare.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    let is_typed = |text: &&String| plain(text) == plain(&typed);
    if definition.accept.iter().any(|text| is_typed(&text)) {
        return CheckAnswer {
            is_right: true,
            headline: "Right!".to_owned(),
            hint: Some(definition.well_done.clone()).filter(|text| !text.is_empty()),
            ..Default::default()
        };
    }
    let known = definition.wrong.iter().find(|(text, _)| is_typed(text));
    CheckAnswer {
        headline: format!("Not yet: it is not '{typed}'."),
        hint: known
            .map(|(_, say)| say.clone())
            .or_else(|| definition.hint("values").map(str::to_owned)),
        ..Default::default()
    }
}

async fn query_answer(
    definition: &Definition,
    right: &Answer,
    call: &Call<'_>,
) -> Result<CheckAnswer> {
    let theirs = Attempt {
        query: call.body.to_owned(),
        mode: call.text("mode").unwrap_or_default().to_owned(),
        watermark: call.text("watermark").map(str::to_owned),
    };
    let has_watermark = theirs.watermark.is_some() || right.watermark.is_none();
    let is_as_asked = theirs.mode == right.mode && has_watermark;
    let settings = words::other_settings(right, &theirs);
    let reference = attempt_of(right, None, None, None);
    let deadline = Instant::now() + ANSWER;
    let (reference, theirs) = join(
        tried(definition, &reference, PATIENCE),
        tried(definition, &theirs, PATIENCE),
    )
    .await;
    let expected = match reference {
        Tried::Rows(rows) => rows,
        Tried::Failed(error) => return Err(damaged(&error.evalue)),
        Tried::Endless => return Err(damaged("its own answer does not end")),
    };
    let rows = match theirs {
        Tried::Rows(rows) => rows,
        Tried::Failed(error) => {
            let outcome = Outcome::Failed { error, is_as_asked };
            return Ok(words::answer(definition, &outcome, None, call.body));
        }
        Tried::Endless => {
            let seconds = PATIENCE.as_secs();
            return Ok(words::answer(
                definition,
                &Outcome::Endless { seconds },
                None,
                call.body,
            ));
        }
    };
    let verdict = compare::compare(&rows, &expected, &right.key, right.ordered);
    let outcome = Outcome::Compared(verdict);
    let known = match outcome.is_right() {
        true => None,
        false => {
            let search = known_mistake(definition, right, &rows);
            let found = tokio::time::timeout_at(deadline, search).await;
            found.ok().flatten()
        }
    };
    let known = known.map(str::to_owned).or(settings);
    Ok(words::answer(
        definition,
        &outcome,
        known.as_deref(),
        call.body,
    ))
}

/// How an attempt went.
enum Tried {
    Rows(Rows),
    Failed(CellError),
    Endless,
}

async fn tried(definition: &Definition, attempt: &Attempt, patience: Duration) -> Tried {
    let trial = match Trial::new(definition, attempt).await {
        Ok(trial) => trial,
        Err(error) => return Tried::Failed(error),
    };
    let ended = tokio::time::timeout(patience, trial.run(attempt)).await;
    let tried = match ended {
        Ok(Ok(rows)) => Tried::Rows(rows),
        Ok(Err(error)) => Tried::Failed(error),
        Err(_) => Tried::Endless,
    };
    trial.give_up();
    tried
}

/// What is said to a known mistake that gives the same rows.
async fn known_mistake<'a>(
    definition: &'a Definition,
    right: &Answer,
    theirs: &Rows,
) -> Option<&'a str> {
    let same = definition.mistakes.iter().map(async |mistake| {
        let attempt = attempt_of(
            right,
            mistake.query.as_deref(),
            mistake.mode.as_deref(),
            mistake.watermark.as_deref(),
        );
        let Tried::Rows(rows) = tried(definition, &attempt, PATIENCE).await else {
            return None;
        };
        let verdict = compare::compare(theirs, &rows, &right.key, right.ordered);
        matches!(verdict, compare::Verdict::Right { .. }).then_some(mistake.say.as_str())
    });
    join_all(same).await.into_iter().flatten().next()
}

fn attempt_of(
    right: &Answer,
    query: Option<&str>,
    mode: Option<&str>,
    watermark: Option<&str>,
) -> Attempt {
    Attempt {
        query: query.unwrap_or(&right.query).to_owned(),
        mode: mode.unwrap_or(&right.mode).to_owned(),
        watermark: watermark
            .map(str::to_owned)
            .or_else(|| right.watermark.clone()),
    }
}

fn damaged(why: &str) -> CellError {
    CellError::internal(format!("this check cannot be used: {why}"))
        .hint("this is no mistake of yours: the file of the exercise is damaged")
}
