//! Plays the stream scripts that come in, one JSON text a line, in every variation that they allow, and
//! answers each with a line of JSON: `null`, or the first thing that went wrong; plainly with the state in 1, 2
//! and 5 parts:
//! `{"kind": …, "variation": …, "line": …, "got": […]}`.

use std::io::{BufRead, Write};
use std::path::Path;

use acceptance::outcome::Outcome;
use acceptance::run::{Variation, Wrong, check};
use acceptance::script::Script;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut output = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let script = Script::parse("generated", Path::new("generated.stream"), &text);
        let mut answer = Value::Null;
        for (variation, parts) in variations(&script) {
            let own = script.clone();
            let how = format!("{variation:?}, {parts} state partitions");
            let played = tokio::spawn(async move { check(&own, variation, parts).await }).await;
            answer = match played {
                Ok(Ok(())) => continue,
                Ok(Err(wrong)) if is_refused_earlier(&script, &wrong) => continue,
                Ok(Err(wrong)) => told(&script, &how, &wrong),
                Err(panic) => {
                    json!({"kind": "panic", "variation": how, "got": [panic.to_string()]})
                }
            };
            break;
        }
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn variations(script: &Script) -> Vec<(Variation, usize)> {
    let parts = |number| match script.one_partition {
        Some(_) => 1,
        None => number,
    };
    let mut all = [1, 2, 5]
        .map(|number| (Variation::Plain, parts(number)))
        .to_vec();
    all.dedup();
    if script.no_restart.is_none() {
        all.push((Variation::Restarted, parts(2)));
    }
    if script.no_kill.is_none() {
        all.push((Variation::Killed, parts(5)));
    }
    all
}

/// Spark finds some wrongs only when the query runs: what it says at the script's end may be said before.
fn is_refused_earlier(script: &Script, wrong: &Wrong) -> bool {
    let last = script
        .steps
        .last()
        .and_then(|step| step.expected.as_deref());
    match (&wrong.got, last) {
        (Ok(Outcome::Failed(failure)), Some([line])) => failure.fits(line),
        _ => false,
    }
}

fn told(script: &Script, how: &str, wrong: &Wrong) -> Value {
    let step = script.steps.get(wrong.step);
    let refused = |lines: &[String]| lines.first().is_some_and(|line| line.starts_with("error"));
    let by_spark = step.and_then(|step| step.expected.as_deref());
    let by_spark = by_spark.is_some_and(refused);
    let (kind, got) = match &wrong.got {
        Err(error) => ("broken", vec![format!("{error:#}")]),
        Ok(outcome @ Outcome::Failed(_)) if by_spark => ("other condition", outcome.lines()),
        Ok(outcome @ Outcome::Failed(_)) => ("refused", outcome.lines()),
        Ok(outcome) if by_spark => ("accepted", outcome.lines()),
        Ok(outcome) => ("rows", outcome.lines()),
    };
    let line = step.map(|step| step.line + 1);
    json!({"kind": kind, "variation": how, "line": line, "got": got})
}
