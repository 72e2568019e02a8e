//! `UPDATE=1`: writes the engine's own answers into scripts, where Spark has no say.

use anyhow::Result;

use crate::outcome::Outcome;
use crate::script::Script;

/// Rewrites the expected blocks of steps that Spark did not answer, or answers otherwise by a mark
/// in the script. Never touches a block that a recording backs.
pub fn rewrite(script: &Script, outcomes: &[Outcome], is_recorded: bool) -> Result<bool> {
    let mut lines = script.lines.clone();
    for (step, outcome) in script.steps.iter().zip(outcomes).rev() {
        let Some(range) = step.expected_at.clone() else {
            continue;
        };
        let ours = !is_recorded || step.spark_differs.is_some();
        if ours && !outcome.is_expected_by(step) {
            lines.splice(range, outcome.lines());
        }
    }
    let changed = lines != script.lines;
    if changed {
        std::fs::write(&script.path, lines.join("\n"))?;
    }
    Ok(changed)
}
