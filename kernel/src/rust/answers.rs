//! Answers to what user code asks of the kernel.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tidebook::wire::{QueryInfo, QueryRequest, QueryView, Reply, Request};
use tidebook_engine::connect::proto::{self, plan::OpType};
use tidebook_engine::connect::{Deep, read_plan};
use tidebook_engine::{CommandOutput, ShowForm, SqlKind, SqlOutput, StreamingQuery, show};

use super::server::{Caller, failure};
use super::{RustCells, Scene, values};
use crate::display::{self, MimeBundle};
use crate::error::{CellError, Result};
use crate::magic::query_title;

/// How many rows a frame shows as the value of a cell.
const SHOWN_ROWS: usize = 100;

impl RustCells {
    /// The answer to one request; whatever waits ends with an interrupt of the cell.
    pub(super) async fn answer(
        &self,
        request: Request,
        body: &[u8],
        caller: Caller,
    ) -> Result<Reply> {
        let can_be_interrupted = caller == Caller::Cell;
        if can_be_interrupted && self.interrupted.load(Ordering::Acquire) && self.is_busy() {
            return Ok(Reply::Interrupted);
        }
        let scene = self.scene.lock().clone();
        let scene = scene.ok_or_else(|| internal("no cell was run yet"))?;
        if caller == Caller::Cell && !is_output(&request) {
            scene.connections.check_here("a Rust cell")?;
        }
        if is_shown(&request) {
            // What was printed before must be seen before.
            self.child.synchronise().await;
        }
        let mut interrupts = self.interrupts.subscribe();
        tokio::select! {
            done = self.done(&scene, request, body) => done.map(Reply::Done),
            _ = interrupts.changed(), if can_be_interrupted => Ok(Reply::Interrupted),
        }
    }

    async fn done(&self, scene: &Scene, request: Request, body: &[u8]) -> Result<Value> {
        let session = &scene.session;
        Ok(match request {
            Request::Sql { text } => match session.sql_kind(&text)? {
                SqlKind::Query => json!({"query": true}),
                SqlKind::Command => match session.sql(&text).await? {
                    SqlOutput::Done(sentence) => json!({"done": sentence}),
                    SqlOutput::Rows(rows) => json!({
                        "done": "",
                        "schema": values::schema(&rows.schema),
                        "rows": values::rows(&rows, u64::MAX),
                    }),
                },
            },
            Request::Schema => {
                let plan = read_plan(body)?;
                let relation = relation(&plan)?;
                json!({
                    "schema": values::schema(session.schema(relation).await?.as_ref()),
                    "isStreaming": session.is_streaming(relation).await?,
                })
            }
            Request::Collect { limit } => {
                let rows = session.collect(relation(&read_plan(body)?)?).await?;
                json!({
                    "schema": values::schema(&rows.schema),
                    "rows": values::rows(&rows, limit.unwrap_or(u64::MAX)),
                    "total": rows.num_rows(),
                })
            }
            Request::Show {
                rows,
                truncate,
                vertical,
            } => {
                let all = session.collect(relation(&read_plan(body)?)?).await?;
                let form = ShowForm {
                    rows: usize::try_from(rows).unwrap_or(usize::MAX),
                    truncate: usize::try_from(truncate).unwrap_or(usize::MAX),
                    vertical,
                };
                json!({"text": show(&all.schema, &all.batches, form)})
            }
            Request::DisplayFrame => {
                let shown = display_frame(scene, relation(&read_plan(body)?)?).await;
                self.shown(shown)
            }
            Request::Explain => {
                json!({"text": session.explain(relation(&read_plan(body)?)?).await?})
            }
            Request::Execute => {
                session.execute(command(&read_plan(body)?)?).await?;
                json!({})
            }
            Request::StartStream => match session.execute(command(&read_plan(body)?)?).await? {
                CommandOutput::Query(query) => json!(info(&query)),
                _ => return Err(internal("the command started no query")),
            },
            Request::ActiveQueries => {
                let active = session.streams().active();
                json!(active.iter().map(info).collect::<Vec<_>>())
            }
            Request::FindQuery { name } => json!(info(&session.streams().find(&name)?)),
            Request::Query { run_id, about } => {
                let query = session.streams().find(&run_id)?;
                about_query(scene, &query, about).await?
            }
            Request::AwaitAnyTermination { timeout_ms } => {
                let timeout = timeout_ms.map(Duration::from_millis);
                json!({"ended": session.streams().await_any_termination(timeout).await?})
            }
            Request::ResetTerminated => {
                session.streams().reset_terminated();
                json!({})
            }
            Request::GetConf { key } => json!({"value": session.conf(&key)}),
            Request::SetConf { key, value } => {
                session.set_conf(&key, &value)?;
                json!({})
            }
            Request::RegisterFunction { id, function } => {
                self.register(session, &id, function)?;
                json!({})
            }
            Request::RemoveFunction { id } => {
                self.unregister(session, &id);
                json!({})
            }
            Request::Display {
                data,
                metadata,
                display_id,
                update,
            } => {
                let bundle = MimeBundle { data, metadata };
                match (display_id, update) {
                    (Some(id), true) => scene.live.update_display(&id, bundle),
                    (Some(id), false) if scene.outputs.is_open() => {
                        scene.outputs.display_with_id(bundle, &id);
                    }
                    (Some(id), false) => scene.live.display_with_id(&id, bundle),
                    // What is shown without an id is the value of the cell.
                    (None, _) if scene.outputs.is_open() => scene.outputs.result(bundle),
                    (None, _) => scene.live.display(bundle),
                }
                json!({})
            }
            Request::DisplayQuery { run_id, what } => {
                let query = session.streams().find(&run_id)?;
                let shown = display_query(scene, &query, what).await;
                self.shown(shown)
            }
            Request::ClearOutput { wait } => {
                scene.outputs.clear(wait);
                json!({})
            }
        })
    }
}

impl RustCells {
    /// A value that cannot be shown makes its cell fail: the code that asked has no way to.
    fn shown(&self, result: Result<()>) -> Value {
        if let Err(error) = result {
            self.not_shown.lock().get_or_insert(error);
        }
        json!({})
    }
}

async fn about_query(scene: &Scene, query: &StreamingQuery, about: QueryRequest) -> Result<Value> {
    // A failure that user code is told of is not told again by the next cell.
    let told = |error: tidebook_engine::Error| match scene.failures.report(&query.clone().into()) {
        Err(failure) => failure,
        Ok(()) => error.into(),
    };
    Ok(match about {
        QueryRequest::IsActive => json!({"isActive": query.is_active()}),
        QueryRequest::Status => json!(query.status()),
        QueryRequest::LastProgress => json!(query.last_progress()),
        QueryRequest::RecentProgress => json!(query.recent_progress()),
        QueryRequest::AwaitTermination { timeout_ms } => {
            let timeout = timeout_ms.map(Duration::from_millis);
            json!({"ended": query.await_termination(timeout).await.map_err(told)?})
        }
        QueryRequest::ProcessAllAvailable => {
            query.process_all_available().await.map_err(told)?;
            json!({})
        }
        QueryRequest::Stop => {
            query.stop().await?;
            json!({})
        }
        QueryRequest::Exception => match scene.failures.report(&query.clone().into()) {
            Err(error) => json!(failure(&error)),
            Ok(()) => Value::Null,
        },
        QueryRequest::Explain => json!({"text": query.explain()}),
        QueryRequest::Why => {
            let why = query.why().await?;
            let asked = display::Asked::new(query, query_title(query), why);
            json!({"text": asked.text()})
        }
    })
}

async fn display_frame(scene: &Scene, relation: &proto::Relation) -> Result<()> {
    let session = &scene.session;
    let bundle = match session.is_streaming(relation).await? {
        true => display::columns(session.schema(relation).await?.as_ref()),
        false => display::table(&session.collect(relation).await?, SHOWN_ROWS),
    };
    scene.outputs.result(bundle);
    Ok(())
}

async fn display_query(scene: &Scene, query: &StreamingQuery, what: QueryView) -> Result<()> {
    match what {
        QueryView::Card => {
            let query = query.clone().into();
            scene.live.show_card(&scene.outputs, &query).await?;
        }
        QueryView::Progress => {
            let last = query.last_progress();
            scene.outputs.result(display::progress(last.as_slice()));
        }
        QueryView::Status => scene.outputs.result(display::status(&query.status())),
    }
    Ok(())
}

fn info(query: &StreamingQuery) -> QueryInfo {
    QueryInfo {
        id: query.id().to_string(),
        run_id: query.run_id().to_string(),
        name: query.name().map(str::to_owned),
    }
}

/// Requests whose effect stands between the lines that user code prints.
fn is_shown(request: &Request) -> bool {
    matches!(
        request,
        Request::Display { .. }
            | Request::DisplayFrame
            | Request::DisplayQuery { .. }
            | Request::ClearOutput { .. }
    )
}

/// Requests that only show what user code made, and ask the session for nothing.
fn is_output(request: &Request) -> bool {
    matches!(
        request,
        Request::Display { .. } | Request::ClearOutput { .. }
    )
}

/// The relation of the plan that was sent.
fn relation(plan: &Deep<proto::Plan>) -> Result<&proto::Relation> {
    match op_type(plan) {
        Some(OpType::Root(relation)) => Ok(relation),
        _ => Err(internal("a plan without a relation was sent")),
    }
}

fn command(plan: &Deep<proto::Plan>) -> Result<&proto::Command> {
    match op_type(plan) {
        Some(OpType::Command(command)) => Ok(command),
        _ => Err(internal("a plan without a command was sent")),
    }
}

fn op_type(plan: &Deep<proto::Plan>) -> Option<&OpType> {
    plan.as_ref()?.op_type.as_ref()
}

fn internal(what: &str) -> CellError {
    CellError::internal(what)
}
