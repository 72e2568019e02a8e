//! `%process`: waits until a query has caught up with its sources.

use async_trait::async_trait;
use clap::Arg;

use tidebook_engine::Trigger;

use super::{Call, Kind, Magic, Spec, clock, query_arg, query_title};
use crate::backend::Query;
use crate::context::Context;
use crate::error::{CellError, Result};

/// See the module.
pub(super) struct Process;

#[async_trait]
impl Magic for Process {
    fn spec(&self) -> Spec {
        Spec {
            name: "process",
            kind: Kind::Line,
            about: "waits until a query has processed all data there is now: processAllAvailable",
            body: "",
            example: "%process counts",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![query_arg()]
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.running_query().await?;
        let title = query_title(&query);
        let outputs = &call.context.outputs;
        if !query.is_active() && query.exception().is_none() {
            let name = query.name().unwrap_or("NAME");
            outputs.stdout(format!(
                "{title} has ended: what came since waits until it is started again, \
                 %%stream {name}\n"
            ));
            return Ok(());
        }
        match caught_up(call.context, &query).await? {
            None => outputs.stdout(format!("{title} has processed all available data\n")),
            Some(until) => {
                let until = clock::shown(&call.context.session, until).await?;
                outputs.stdout(format!(
                    "{title} has done what was due; its next batch is due at {until} by the \
                     manual clock: %clock set \"{until}\"\n"
                ));
            }
        }
        Ok(())
    }
}

/// Whether it takes rows all the time, and its batches only say when that is committed.
pub(super) fn rows_leave_as_they_come(query: &Query) -> bool {
    matches!(
        query.trigger(),
        Some(Trigger::Continuous(_) | Trigger::RealTime(_))
    )
}

/// Waits until a query has processed what there is, or, by the manual clock, has done what is due;
/// then gives the time at which it goes on. Fails if the query has.
pub(super) async fn caught_up(context: &Context, query: &Query) -> Result<Option<i64>> {
    // It sleeps until its batch is over, but takes what comes meanwhile.
    let is_awake = rows_leave_as_they_come(query);
    let (until, processed) = match query {
        Query::Here(here) => tokio::select! {
            biased;
            until = here.asleep(), if !is_awake => (until, Ok(())),
            processed = here.process_all_available() => (None, processed.map_err(CellError::from)),
        },
        Query::There(there) => {
            let processed = there.process_all_available().await;
            (None, processed.map_err(CellError::from))
        }
    };
    if let Err(error) = processed {
        context.failures.report(query)?;
        return Err(error);
    }
    context.failures.report(query)?;
    Ok(until)
}
