//! The engine's functions, whose bodies are in the process of user code.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, TrySendError};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use serde_json::Value;
use tidebook::wire::{Call, Function, Group, GroupResult, QueryEvent};
use tidebook_engine::{
    BatchTimes, Cancellation, Error, ForeachBatch, GroupsFunction, Part, Result, Rows,
    ScalarFunction, Session, StreamingQueryEvent, StreamingQueryListener, UserDefinedFunction,
};
use tidebook_engine::{parse_ddl, parse_type};

use super::RustCells;
use super::columns;
use super::functions::Remote;
use super::processors;
use super::program::Program;
use crate::live::Live;

/// How many events may wait for a listener, as in Spark
/// (`spark.scheduler.listenerbus.eventqueue.capacity`).
const EVENT_QUEUE: usize = 10_000;

impl RustCells {
    /// Makes a function of user code known to the engine.
    pub(super) fn register(&self, session: &Session, id: &str, function: Function) -> Result<()> {
        let remote = self.functions.add(id);
        if let Some(program) = self.running_program() {
            remote.comes_from(program);
        }
        match function {
            Function::Udf {
                name,
                arguments,
                returns,
                deterministic,
            } => {
                let arguments = arguments.iter().map(|name| parse_type(name));
                let returns = parse_type(&returns)?;
                session.register_function(ScalarFunction {
                    name,
                    arguments: arguments.collect::<Result<_>>()?,
                    function: Arc::new(Udf {
                        remote,
                        returns: returns.clone(),
                    }),
                    returns,
                    deterministic,
                })
            }
            Function::ForeachBatch => {
                let batches = Batches {
                    remote,
                    session: session.clone(),
                    call: |part, view| Call::ForeachBatch {
                        batch_id: part.batch_id,
                        view,
                    },
                };
                session.register_foreach_batch(id, Arc::new(batches));
                Ok(())
            }
            Function::Foreach => {
                let rows = Batches {
                    remote,
                    session: session.clone(),
                    call: |part, view| Call::Foreach {
                        partition_id: part.number,
                        epoch_id: part.batch_id,
                        view,
                    },
                };
                session.register_foreach_batch(id, Arc::new(rows));
                Ok(())
            }
            Function::Listener => {
                let live = self.scene.lock().as_ref().map(|scene| scene.live.clone());
                let listener = Arc::new(Listener::start(remote, live));
                let mut listeners = self.listeners.lock();
                // Those of a process that has ended hear nothing any more.
                let gone = listeners.extract_if(|_, listener| listener.is_gone());
                gone.for_each(|(_, gone)| remove_listener(session, gone));
                listeners.insert(id.to_owned(), Arc::clone(&listener));
                session.streams().add_listener(listener);
                Ok(())
            }
            Function::GroupsWithState { output, .. } => {
                let groups = Groups { remote };
                session.register_groups_function(id, parse_ddl(&output)?, Arc::new(groups));
                Ok(())
            }
            Function::StatefulProcessor {
                output,
                variables,
                deleted,
            } => {
                let definition = processors::definition(remote, &output, variables, deleted)?;
                session.register_stateful_processor(id, definition);
                Ok(())
            }
        }
    }

    /// What the running cell was compiled as.
    fn running_program(&self) -> Option<Program> {
        let scene = self.scene.lock().clone()?;
        let program = self.child.program()?;
        let cell = format!("cell [{}]", scene.outputs.execution_count());
        Some(Program::new(cell, &*scene.code, program))
    }

    /// Makes a function unknown to the engine. A query that was started with it keeps it.
    pub(super) fn unregister(&self, session: &Session, id: &str) {
        if let Some(listener) = self.listeners.lock().remove(id) {
            remove_listener(session, listener);
        }
        session.remove_foreach_batch(id);
        session.remove_groups_function(id);
        session.remove_stateful_processor(id);
    }
}

/// A scalar function.
#[derive(Debug)]
struct Udf {
    remote: Arc<Remote>,
    returns: DataType,
}

impl UserDefinedFunction for Udf {
    fn call(
        &self,
        arguments: &[ArrayRef],
        rows: usize,
        cancellation: &Cancellation,
    ) -> Result<ArrayRef> {
        let call = Call::Udf { rows: rows as u64 };
        let body = columns::encode(arguments)?;
        let value = self
            .remote
            .call(&call, &body, &|| cancellation.is_cancelled())?;
        columns::decode_one(&value, &self.returns)
    }
}

/// The function of `foreachBatch`, or the writer of `foreach`.
struct Batches {
    remote: Arc<Remote>,
    session: Session,
    /// What is asked of it, by the part of the batch and the name of the view that holds its rows.
    call: fn(Part, String) -> Call,
}

#[async_trait]
impl ForeachBatch for Batches {
    async fn call(
        &self,
        batch_id: i64,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        let all = Part {
            batch_id,
            number: 0,
        };
        self.call_part(all, schema, batches).await
    }

    async fn call_part(
        &self,
        part: Part,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        // The name is one that no user gives; the view is there while the call lasts.
        let view = format!("foreach_batch_{}", uuid::Uuid::new_v4().simple());
        self.session
            .create_rows_view(&view, Rows { schema, batches })?;
        let _view = DroppedView {
            session: self.session.clone(),
            name: view.clone(),
        };
        let given_up = GiveUp::default();
        let flag = Arc::clone(&given_up.0);
        let remote = Arc::clone(&self.remote);
        let call = (self.call)(part, view);
        let calling = tokio::task::spawn_blocking(move || {
            remote.call(&call, &[], &|| flag.load(Ordering::Acquire))
        });
        let called = calling.await;
        called.map_err(|error| Error::internal(error.to_string()))??;
        Ok(())
    }
}

struct DroppedView {
    session: Session,
    name: String,
}

impl Drop for DroppedView {
    fn drop(&mut self) {
        let _ = self.session.drop_view(&self.name);
    }
}

/// Tells a blocking call that nobody waits for it any more.
#[derive(Default)]
struct GiveUp(Arc<AtomicBool>);

impl Drop for GiveUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A listener; its events wait in a queue, so that it holds up no query.
pub(super) struct Listener {
    remote: Arc<Remote>,
    events: mpsc::SyncSender<QueryEvent>,
    /// Whether events were dropped because it is slow.
    is_behind: AtomicBool,
}

fn remove_listener(session: &Session, listener: Arc<Listener>) {
    let listener: Arc<dyn StreamingQueryListener> = listener;
    session.streams().remove_listener(&listener);
}

impl Listener {
    /// What fails in it is printed; a query does not fail of its listeners.
    fn start(remote: Arc<Remote>, live: Option<Live>) -> Self {
        let (events, queue) = mpsc::sync_channel::<QueryEvent>(EVENT_QUEUE);
        let passing = std::thread::Builder::new().name("listener".to_owned());
        let called = Arc::clone(&remote);
        let spawned = passing.spawn(move || {
            for event in queue {
                if let Err(error) = called.call(&Call::QueryEvent { event }, &[], &|| false) {
                    let told = format!("a StreamingQueryListener failed: {}\n", error.message());
                    match &live {
                        Some(live) => live.print(&told),
                        None => tracing::warn!("{}", told.trim_end()),
                    }
                    if called.is_gone() {
                        return;
                    }
                }
            }
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "a listener has no thread");
        }
        Self {
            remote,
            events,
            is_behind: AtomicBool::new(false),
        }
    }

    /// Whether its process has ended.
    fn is_gone(&self) -> bool {
        self.remote.is_gone()
    }
}

impl StreamingQueryListener for Listener {
    fn on_event(&self, event: &StreamingQueryEvent) {
        let event = match event {
            StreamingQueryEvent::Started {
                id,
                run_id,
                name,
                timestamp,
            } => QueryEvent::Started {
                id: id.to_string(),
                run_id: run_id.to_string(),
                name: name.clone(),
                timestamp: timestamp.clone(),
            },
            StreamingQueryEvent::Progress(progress) => QueryEvent::Progress {
                progress: serde_json::to_value(progress).unwrap_or_default(),
            },
            StreamingQueryEvent::Idle {
                id,
                run_id,
                timestamp,
            } => QueryEvent::Idle {
                id: id.to_string(),
                run_id: run_id.to_string(),
                timestamp: timestamp.clone(),
            },
            StreamingQueryEvent::Terminated {
                id,
                run_id,
                exception,
            } => QueryEvent::Terminated {
                id: id.to_string(),
                run_id: run_id.to_string(),
                exception: exception.as_ref().map(|error| error.message().to_owned()),
            },
        };
        // Without its thread a listener hears nothing any more.
        if let Err(TrySendError::Full(_)) = self.events.try_send(event)
            && !self.is_behind.swap(true, Ordering::Relaxed)
        {
            tracing::warn!("a StreamingQueryListener is too slow, events for it are dropped");
        }
    }
}

/// The function of `flatMapGroupsWithState`.
#[derive(Debug)]
struct Groups {
    remote: Arc<Remote>,
}

impl GroupsFunction for Groups {
    fn call(
        &self,
        groups: Vec<tidebook_engine::Group>,
        times: BatchTimes,
        cancellation: &Cancellation,
    ) -> Result<Vec<tidebook_engine::GroupResult>> {
        let groups: Vec<Group> = groups.into_iter().map(group).collect::<Result<_>>()?;
        let body = serde_json::to_vec(&groups).map_err(unreadable)?;
        let call = Call::Groups {
            batch_timestamp_ms: times.batch_timestamp_ms,
            watermark_ms: times.watermark_ms,
        };
        let answer = self
            .remote
            .call(&call, &body, &|| cancellation.is_cancelled())?;
        let results: Vec<GroupResult> = serde_json::from_slice(&answer).map_err(unreadable)?;
        let results = results
            .into_iter()
            .map(|result| tidebook_engine::GroupResult {
                rows: result.rows,
                state: result.state.map(|state| state.to_string()),
                timeout_ms: result.timeout_ms,
            });
        Ok(results.collect())
    }
}

fn group(group: tidebook_engine::Group) -> Result<Group> {
    let state = group.state.as_deref().map(serde_json::from_str::<Value>);
    Ok(Group {
        key: group.key,
        rows: group.rows,
        state: state.transpose().map_err(unreadable)?,
        has_timed_out: group.has_timed_out,
    })
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::internal(format!("the state of a group cannot be read: {error}"))
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
