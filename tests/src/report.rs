//! What a failed script looks like.

use crate::run::Wrong;
use crate::script::Script;

/// The whole script with `=>` at the step that failed, what was expected, what came, the last
/// progress and all rows.
pub fn report(script: &Script, variation: &str, wrong: &Wrong) -> String {
    let Some(step) = script.steps.get(wrong.step) else {
        return format!(
            "\n{} ({variation}) has no step {}\n",
            script.name, wrong.step
        );
    };
    let mut text = format!(
        "\n{} ({variation}), {}:{}\n",
        script.name,
        script.path.display(),
        step.line + 1
    );
    for (at, line) in script.lines.iter().enumerate() {
        let mark = if at == step.line { "=>" } else { "  " };
        text.push_str(&format!("{mark} {line}\n"));
    }
    text.push_str("expected:\n");
    match &step.expected {
        Some(lines) => push_lines(&mut text, lines),
        None => text.push_str("    no failure\n"),
    }
    text.push_str("got:\n");
    match &wrong.got {
        Ok(outcome) => push_lines(&mut text, &outcome.lines()),
        Err(error) => text.push_str(&format!("    {error:#}\n")),
    }
    if !wrong.rows.is_empty() {
        text.push_str("batches so far:\n");
        push_lines(&mut text, &wrong.rows);
    }
    if let Some(progress) = &wrong.progress {
        text.push_str(&format!("last progress:\n{progress}\n"));
    }
    text
}

fn push_lines(text: &mut String, lines: &[String]) {
    for line in lines {
        text.push_str(&format!("    {line}\n"));
    }
}
