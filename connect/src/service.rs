//! The service: each request to the file that answers it, and the door that listens.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use tidebook_engine::connect::Deep;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::execute_plan_request::request_option::RequestOption;
use tidebook_engine::connect::proto::interrupt_request::{Interrupt, InterruptType};
use tidebook_engine::connect::proto::release_execute_request::Release;
use tidebook_engine::{Result as EngineResult, Session};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::analyze;
use crate::artifacts;
use crate::config;
use crate::execute;
use crate::generated::spark_connect_service_server::{
    SparkConnectService, SparkConnectServiceServer,
};
use crate::operation::Operation;
use crate::python::{FindPython, Host};
use crate::sessions::{Client, Sessions, Timeouts};
use crate::token::Token;

/// A message may be as large as Spark's: 128 MiB.
const MOST_BYTES: usize = 128 * 1024 * 1024;

type Responses =
    Pin<Box<dyn Stream<Item = Result<proto::ExecutePlanResponse, Status>> + Send + 'static>>;

/// A door that clients of Spark Connect come in by.
pub struct Door {
    sessions: Sessions,
    python: Option<FindPython>,
    token: Token,
    timeouts: Timeouts,
}

impl Door {
    /// A door behind which each client has a session that `make` makes. To let all have the same one,
    /// give it out each time.
    pub fn new(make: impl Fn() -> EngineResult<Session> + Send + Sync + 'static) -> Self {
        Self {
            sessions: Sessions::new(Box::new(make)),
            python: None,
            token: Token::none(),
            timeouts: Timeouts::default(),
        }
    }

    /// Runs functions that clients wrote in Python, by the Python that `find` finds. It may block.
    pub fn with_python(
        mut self,
        find: impl Fn() -> EngineResult<PathBuf> + Send + Sync + 'static,
    ) -> Self {
        self.python = Some(Box::new(find));
        self
    }

    /// Lets only those in who bring this token.
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Token::new(token);
        self
    }

    /// Keeps what clients do not come back for so long.
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Serves until `end`; streaming queries go on after it.
    ///
    /// # Errors
    /// If the connection itself fails, not if one of a client does.
    pub async fn serve(
        self,
        listener: TcpListener,
        end: impl Future<Output = ()>,
    ) -> Result<(), tonic::transport::Error> {
        let address = listener.local_addr().ok();
        let host = Host {
            python: self.python,
            remote: address.map(|address| self.token.remote(address)),
        };
        let sessions = Arc::new(self.sessions.at(host));
        let forgetting = Arc::clone(&sessions);
        let service = SparkConnectServiceServer::new(Service { sessions })
            .max_decoding_message_size(MOST_BYTES)
            .max_encoding_message_size(usize::MAX);
        let service = InterceptedService::new(service, self.token);
        let (ended, has_ended) = tokio::sync::oneshot::channel::<()>();
        let end = async {
            end.await;
            let _ = ended.send(());
        };
        let serving = Server::builder()
            .add_service(service)
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), end);
        // A client that waits for a query, or listens to all of them, keeps its connection open for ever.
        let given_up = async {
            let _ = has_ended.await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        tokio::select! {
            biased;
            served = serving => served,
            () = given_up => Ok(()),
            () = forgetting.forget_in_time(self.timeouts) => Ok(()),
        }
    }
}

/// How long answers that are under way may take when the server ends.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

struct Service {
    sessions: Arc<Sessions>,
}

/// The client a request speaks for.
macro_rules! client {
    ($service:expr, $request:expr) => {
        $service.sessions.client(
            $request.user_context.as_ref(),
            &$request.session_id,
            $request.client_observed_server_side_session_id.as_deref(),
        )?
    };
}

fn whole<T>(request: &Deep<T>) -> Result<&T, Status> {
    request
        .as_ref()
        .ok_or_else(|| Status::invalid_argument("the request is empty"))
}

#[tonic::async_trait]
impl SparkConnectService for Service {
    type ExecutePlanStream = Responses;
    type ReattachExecuteStream = Responses;

    async fn execute_plan(
        &self,
        request: Request<Deep<proto::ExecutePlanRequest>>,
    ) -> Result<Response<Responses>, Status> {
        let deep = request.into_inner();
        let request = whole(&deep)?;
        let client = client!(self, request);
        let is_reattachable = request.request_options.iter().any(|option| {
            matches!(&option.request_option,
                Some(RequestOption::ReattachOptions(options)) if options.reattachable)
        });
        let id = request.operation_id.as_deref();
        let operation = client.operation(id, request.tags.clone(), is_reattachable)?;
        let responses = Arc::clone(&operation).responses(None)?;
        let task = tokio::spawn(run(client, deep, Arc::clone(&operation), is_reattachable));
        operation.runs_as(task.abort_handle());
        match is_reattachable {
            true => Ok(Response::new(Box::pin(responses))),
            // Nobody can come back for it: it ends with its client.
            false => Ok(Response::new(Box::pin(WithGuard {
                responses: Box::pin(responses),
                _guard: Guard(operation),
            }))),
        }
    }

    async fn analyze_plan(
        &self,
        request: Request<Deep<proto::AnalyzePlanRequest>>,
    ) -> Result<Response<proto::AnalyzePlanResponse>, Status> {
        let deep = request.into_inner();
        let request = whole(&deep)?;
        let client = client!(self, request);
        let question = request.analyze.as_ref();
        let question =
            question.ok_or_else(|| Status::invalid_argument("the request asks for nothing"))?;
        let answer = analyze::answer(&client, question).await;
        Ok(Response::new(proto::AnalyzePlanResponse {
            session_id: client.id.clone(),
            server_side_session_id: client.server_side_id.clone(),
            result: Some(answer.map_err(|error| client.errors.status(&error))?),
        }))
    }

    async fn config(
        &self,
        request: Request<proto::ConfigRequest>,
    ) -> Result<Response<proto::ConfigResponse>, Status> {
        let request = request.into_inner();
        let client = client!(self, request);
        let answer = config::answer(&client, request.operation);
        answer
            .map(Response::new)
            .map_err(|error| client.errors.status(&error))
    }

    async fn add_artifacts(
        &self,
        request: Request<Streaming<proto::AddArtifactsRequest>>,
    ) -> Result<Response<proto::AddArtifactsResponse>, Status> {
        let added = artifacts::add(&self.sessions, request.into_inner()).await;
        added.map(Response::new)
    }

    async fn artifact_status(
        &self,
        request: Request<proto::ArtifactStatusesRequest>,
    ) -> Result<Response<proto::ArtifactStatusesResponse>, Status> {
        let request = request.into_inner();
        let client = client!(self, request);
        Ok(Response::new(artifacts::statuses(&client, request.names)))
    }

    async fn interrupt(
        &self,
        request: Request<proto::InterruptRequest>,
    ) -> Result<Response<proto::InterruptResponse>, Status> {
        let request = request.into_inner();
        let client = client!(self, request);
        let interrupted_ids = match (request.interrupt_type(), &request.interrupt) {
            (InterruptType::All, _) => client.interrupt(|_| true),
            (InterruptType::Tag, Some(Interrupt::OperationTag(tag))) => {
                client.interrupt(|operation| operation.tags.contains(tag))
            }
            (InterruptType::OperationId, Some(Interrupt::OperationId(id))) => {
                client.interrupt(|operation| operation.id == *id)
            }
            _ => {
                return Err(Status::invalid_argument(
                    "the request names nothing to interrupt",
                ));
            }
        };
        Ok(Response::new(proto::InterruptResponse {
            session_id: client.id.clone(),
            server_side_session_id: client.server_side_id.clone(),
            interrupted_ids,
        }))
    }

    async fn reattach_execute(
        &self,
        request: Request<proto::ReattachExecuteRequest>,
    ) -> Result<Response<Responses>, Status> {
        let request = request.into_inner();
        let client = client!(self, request);
        let operation = client.found(&request.operation_id)?;
        let responses = operation.responses(request.last_response_id.as_deref())?;
        Ok(Response::new(Box::pin(responses)))
    }

    async fn release_execute(
        &self,
        request: Request<proto::ReleaseExecuteRequest>,
    ) -> Result<Response<proto::ReleaseExecuteResponse>, Status> {
        let request = request.into_inner();
        let client = client!(self, request);
        let operation = match &request.release {
            Some(Release::ReleaseUntil(until)) => {
                let found = client.found(&request.operation_id).ok();
                found.inspect(|operation| operation.release_until(&until.response_id))
            }
            Some(Release::ReleaseAll(_)) | None => {
                let released = client.release(&request.operation_id);
                released.inspect(|operation| {
                    let cancelled = tidebook_engine::Error::cancelled();
                    operation.interrupt(client.errors.status(&cancelled));
                })
            }
        };
        Ok(Response::new(proto::ReleaseExecuteResponse {
            session_id: client.id.clone(),
            server_side_session_id: client.server_side_id.clone(),
            operation_id: operation.map(|operation| operation.id.clone()),
        }))
    }

    async fn release_session(
        &self,
        request: Request<proto::ReleaseSessionRequest>,
    ) -> Result<Response<proto::ReleaseSessionResponse>, Status> {
        let request = request.into_inner();
        let server_side_session_id = self.sessions.release(
            request.user_context.as_ref(),
            &request.session_id,
            request.allow_reconnect,
        );
        Ok(Response::new(proto::ReleaseSessionResponse {
            session_id: request.session_id,
            server_side_session_id,
        }))
    }

    async fn fetch_error_details(
        &self,
        request: Request<proto::FetchErrorDetailsRequest>,
    ) -> Result<Response<proto::FetchErrorDetailsResponse>, Status> {
        let request = request.into_inner();
        let client = client!(self, request);
        let errors = client.errors.details(&request.error_id);
        Ok(Response::new(proto::FetchErrorDetailsResponse {
            session_id: client.id.clone(),
            server_side_session_id: client.server_side_id.clone(),
            root_error_idx: (!errors.is_empty()).then_some(0),
            errors,
        }))
    }

    async fn clone_session(
        &self,
        request: Request<proto::CloneSessionRequest>,
    ) -> Result<Response<proto::CloneSessionResponse>, Status> {
        let request = request.into_inner();
        let client = client!(self, request);
        let cloned = self.sessions.clone_client(
            request.user_context.as_ref(),
            &client,
            request.new_session_id.as_deref(),
        )?;
        Ok(Response::new(proto::CloneSessionResponse {
            session_id: client.id.clone(),
            server_side_session_id: client.server_side_id.clone(),
            new_session_id: cloned.id.clone(),
            new_server_side_session_id: cloned.server_side_id.clone(),
        }))
    }
}

/// Runs a plan to its end.
async fn run(
    client: Arc<Client>,
    request: Deep<proto::ExecutePlanRequest>,
    operation: Arc<Operation>,
    is_reattachable: bool,
) {
    let plan = request.as_ref().and_then(|request| request.plan.as_ref());
    let result = match plan {
        Some(plan) => execute::run(&client, plan, &operation).await,
        None => Err(tidebook_engine::Error::illegal_argument(
            "the request has no plan",
        )),
    };
    operation.end(result.map_err(|error| client.errors.status(&error)));
    if !is_reattachable {
        client.release(&operation.id);
    }
}

/// Stops an operation whose client has gone.
struct Guard(Arc<Operation>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.interrupt(Status::cancelled("the client has gone"));
    }
}

/// Responses that hold what ends with them.
struct WithGuard {
    responses: Responses,
    _guard: Guard,
}

impl Stream for WithGuard {
    type Item = Result<proto::ExecutePlanResponse, Status>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.responses.as_mut().poll_next(context)
    }
}
