//! Hands a cell to whoever understands it.

use std::sync::Arc;

use crate::cell::{self, Cell, Line};
use crate::context::Context;
use crate::display::MimeBundle;
use crate::error::{CellError, Result};
use crate::language::{inspect, other_language, sql_slips};
use crate::magic::{self, Kind};
use crate::rust::RustCells;

/// Runs a cell. A query that has died since the last cell, or an alert that is to fail, turns this
/// one red instead, before it starts; one that comes while it runs turns it red at its end. A silent cell is not meant to be
/// seen, so it reports no failure of others.
pub(super) async fn run(
    code: &str,
    context: &Context,
    rust: &Arc<RustCells>,
    silent: bool,
) -> Result<()> {
    let cell = cell::parse(code)?;
    if silent {
        return run_cell(cell, context, rust).await;
    }
    context
        .failures
        .check(&context.session, &context.connections)?;
    context.live.alerts().check().await?;
    run_cell(cell, context, rust).await?;
    context
        .failures
        .check(&context.session, &context.connections)?;
    context.live.alerts().check().await
}

async fn run_cell(cell: Cell<'_>, context: &Context, rust: &Arc<RustCells>) -> Result<()> {
    match cell {
        Cell::Empty => Ok(()),
        Cell::Magic { name, args, body } => magic::find(name, Kind::Cell)?
            .invoke(args, body, context)
            .await
            .map_err(|error| sql_slips::explained(error, body)),
        Cell::Lines(lines) => {
            for line in lines {
                run_line(line, context, rust).await?;
            }
            Ok(())
        }
        Cell::Rust(code) => {
            let known = context.known.lock().clone();
            let defines = |name: &str| {
                known.variable(name).is_some() || known.items.iter().any(|item| item == name)
            };
            match other_language::recognise(code, defines) {
                Some(error) => Err(error),
                None => rust.execute(code, context).await,
            }
        }
    }
}

async fn run_line(line: Line<'_>, context: &Context, rust: &Arc<RustCells>) -> Result<()> {
    match line {
        Line::Magic { name, args } => {
            magic::find(name, Kind::Line)?
                .invoke(args, "", context)
                .await
        }
        Line::Question(name) => {
            let known = context.known.lock().clone();
            let variable = known.variable(name);
            if variable.is_some_and(|kind| kind.contains("Result<") || kind.contains("Option<")) {
                // To Rust this is a value of a variable.
                return rust.execute(&format!("{name}?"), context).await;
            }
            let answer = inspect::name(name, Some(&context.session)).or_else(|| {
                variable.map(|kind| MimeBundle::text(format!("variable '{name}': {kind}\n")))
            });
            let answer = answer.ok_or_else(|| unknown_name(name))?;
            context.outputs.page(answer);
            Ok(())
        }
    }
}

fn unknown_name(name: &str) -> CellError {
    CellError::usage(format!(
        "there is no magic, variable, view or query named '{name}'"
    ))
    .hint("%lsmagic lists the magics, %who everything else that has a name")
}
