//! Answers to what user code asks of the kernel.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tidebook::wire::{Function, QueryInfo, QueryRequest, QueryView, Reply, Request};
use tidebook_engine::connect::proto::{self, plan::OpType};
use tidebook_engine::connect::{Deep, read_plan};
use tidebook_engine::{Session, ShowForm};

use super::server::{Caller, failure};
use super::{RustCells, Scene, values};
use crate::backend::{Backend, Query, Statement};
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
        if is_shown(&request) {
            // What was printed before must be seen before.
            self.child.synchronise().await;
        }
        let mut interrupts = self.interrupts.subscribe();
        tokio::select! {
            done = self.done(&scene, request, body, caller) => done.map(Reply::Done),
            _ = interrupts.changed(), if can_be_interrupted => Ok(Reply::Interrupted),
        }
    }

    async fn done(
        &self,
        scene: &Scene,
        request: Request,
        body: &[u8],
        caller: Caller,
    ) -> Result<Value> {
        if let Some(needed) = engine_needed(&request, caller) {
            scene.connections.check_here(needed)?;
        }
        let session = &scene.session;
        Ok(match request {
            Request::Query { run_id, about } => {
                let query = scene.connections.run(session, &run_id)?;
                about_query(scene, &query, about).await?
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
                let query = scene.connections.run(session, &run_id)?;
                let shown = display_query(scene, &query, what).await;
                self.shown(shown)
            }
            Request::ClearOutput { wait } => {
                scene.outputs.clear(wait);
                json!({})
            }
            Request::DisplayFrame => {
                let backend = scene.backend(caller).await?;
                let plan = read_plan(body)?;
                self.shown(display_frame(scene, &backend, relation(&plan)?).await)
            }
            asked => {
                let backend = scene.backend(caller).await?;
                asked_of(&backend, session, asked, body).await?
            }
        })
    }
}

impl Scene {
    /// Where the request goes: what a query has called belongs to that query's engine.
    async fn backend(&self, caller: Caller) -> Result<Backend> {
        match caller {
            Caller::Cell => self.connections.backend(&self.session).await,
            Caller::Function => Ok(Backend::Here(self.session.clone())),
        }
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

/// What a session is asked, wherever it is; `session`, the engine's own, reads statements.
async fn asked_of(
    backend: &Backend,
    session: &Session,
    request: Request,
    body: &[u8],
) -> Result<Value> {
    Ok(match request {
        Request::Sql { text } => match backend.statement(session, &text).await? {
            Statement::Query => json!({"query": true}),
            Statement::Done(sentence) => json!({"done": sentence}),
            Statement::Rows(rows) => json!({
                "done": "",
                "schema": values::schema(&rows.schema),
                "rows": values::rows(&rows, u64::MAX),
            }),
        },
        Request::Schema => {
            let plan = read_plan(body)?;
            let relation = relation(&plan)?;
            json!({
                "schema": values::schema(backend.schema(relation).await?.as_ref()),
                "isStreaming": backend.is_streaming(relation).await?,
            })
        }
        Request::Collect { limit } => {
            let rows = backend.rows(relation(&read_plan(body)?)?, limit).await?;
            json!({
                "schema": values::schema(&rows.schema),
                "rows": values::rows(&rows, limit.unwrap_or(u64::MAX)),
            })
        }
        Request::Show {
            rows,
            truncate,
            vertical,
        } => {
            let form = ShowForm {
                rows: usize::try_from(rows).unwrap_or(usize::MAX),
                truncate: usize::try_from(truncate).unwrap_or(usize::MAX),
                vertical,
            };
            json!({"text": backend.show(relation(&read_plan(body)?)?, form).await?})
        }
        Request::Explain => {
            json!({"text": backend.explain(relation(&read_plan(body)?)?).await?})
        }
        Request::Execute => {
            backend.execute(command(&read_plan(body)?)?).await?;
            json!({})
        }
        Request::StartStream => {
            json!(info(&backend.start(command(&read_plan(body)?)?).await?))
        }
        Request::ActiveQueries => {
            let active = backend.active().await?;
            json!(active.iter().map(info).collect::<Vec<_>>())
        }
        Request::FindQuery { name } => json!(info(&backend.find_by_any(&name).await?)),
        Request::AwaitAnyTermination { timeout_ms } => {
            let timeout = timeout_ms.map(Duration::from_millis);
            json!({"ended": backend.await_any_termination(timeout).await?})
        }
        Request::ResetTerminated => {
            backend.reset_terminated().await?;
            json!({})
        }
        Request::GetConf { key } => json!({"value": backend.conf(&key).await?}),
        Request::SetConf { key, value } => {
            backend.set_conf(&key, &value).await?;
            json!({})
        }
        other => return Err(internal(&format!("{other:?} is not asked of a session"))),
    })
}

async fn about_query(scene: &Scene, query: &Query, about: QueryRequest) -> Result<Value> {
    // A failure that user code is told of is not told again by the next cell.
    let told = |error: CellError| match scene.failures.report(query) {
        Err(failure) => failure,
        Ok(()) => error,
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
        QueryRequest::Exception => match scene.failures.report(query) {
            Err(error) => json!(failure(&error.in_rust())),
            Ok(()) => Value::Null,
        },
        QueryRequest::Explain => json!({"text": query.explain().await?}),
        QueryRequest::Why => {
            let query = query.here("why()")?;
            let why = query.why().await?;
            let asked = display::Asked::new(query, query_title(query), why);
            json!({"text": asked.text()})
        }
    })
}

async fn display_frame(scene: &Scene, backend: &Backend, relation: &proto::Relation) -> Result<()> {
    let bundle = match backend.is_streaming(relation).await? {
        true => display::columns(backend.schema(relation).await?.as_ref()),
        false => display::table(&backend.collect(relation).await?, SHOWN_ROWS),
    };
    scene.outputs.result(bundle);
    Ok(())
}

async fn display_query(scene: &Scene, query: &Query, what: QueryView) -> Result<()> {
    match what {
        QueryView::Card => scene.live.show_card(&scene.outputs, query).await?,
        QueryView::Progress => {
            let last = query.last_progress();
            scene.outputs.result(display::progress(last.as_slice()));
        }
        QueryView::Status => scene.outputs.result(display::status(&query.status())),
    }
    Ok(())
}

fn info(query: &Query) -> QueryInfo {
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

/// What of the request only the engine in this process can do, for a cell.
fn engine_needed(request: &Request, caller: Caller) -> Option<&'static str> {
    match (request, caller) {
        (Request::RegisterFunction { function, .. }, Caller::Cell) => Some(match function {
            Function::Udf { .. } => "a function of SQL in Rust",
            Function::ForeachBatch => "foreach_batch in Rust",
            Function::Foreach => "foreach in Rust",
            Function::Listener => "a listener in Rust",
            Function::GroupsWithState { .. } => "flat_map_groups_with_state in Rust",
            Function::StatefulProcessor { .. } => "transform_with_state in Rust",
        }),
        _ => None,
    }
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
