//! What is asked of a server and answered: retried while the way to it is broken, and taken up where it
//! was.

use std::future::Future;
use std::slice::Iter;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::analyze_plan_request::Analyze;
use tidebook_engine::connect::proto::analyze_plan_response::Result as Analyzed;
use tidebook_engine::connect::proto::config_request::operation::OpType as ConfigOp;
use tidebook_engine::connect::proto::execute_plan_request::RequestOption;
use tidebook_engine::connect::proto::execute_plan_request::request_option::RequestOption as Asked;
use tidebook_engine::connect::proto::execute_plan_response::ResponseType;
use tidebook_engine::connect::proto::interrupt_request::{Interrupt, InterruptType};
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::release_execute_request::{Release, ReleaseAll};
use tokio::time::Instant;
use tonic::{Response, Status, Streaming};
use uuid::Uuid;

use crate::address::Address;
use crate::channel::{self, Stub};
use crate::error::{Error, Result, error_id, is_transient, is_unknown_operation};

/// How long to wait before each new attempt while the server is away; PySpark's factor.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_millis(3_200),
    Duration::from_millis(3_200),
    Duration::from_millis(3_200),
];

/// What took longer than this was no failed attempt.
const LONG: Duration = Duration::from_secs(10);

/// One session at a server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client(Arc<Shared>);

struct Shared {
    address: Address,
    stub: Stub,
    session_id: String,
    /// The server's own id of the session: it changes if the server forgets the session.
    observed: Mutex<Option<String>>,
}

impl Client {
    /// A client for a session; nothing is sent yet.
    pub(crate) fn new(address: &Address, session_id: Uuid) -> Result<Self> {
        Ok(Self(Arc::new(Shared {
            stub: channel::stub(address)?,
            address: address.clone(),
            session_id: session_id.to_string(),
            observed: Mutex::default(),
        })))
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &Address {
        &self.0.address
    }

    /// The session.
    pub(crate) fn session_id(&self) -> &str {
        &self.0.session_id
    }

    fn observed(&self) -> Option<String> {
        self.0.observed.lock().clone()
    }

    fn observe(&self, id: &str) {
        if !id.is_empty() {
            *self.0.observed.lock() = Some(id.to_string());
        }
    }

    fn user(&self) -> Option<proto::UserContext> {
        Some(proto::UserContext {
            user_id: self.0.address.user_id.clone(),
            user_name: self.0.address.user_id.clone(),
            ..Default::default()
        })
    }

    fn client_type(&self) -> Option<String> {
        Some(self.0.address.user_agent.clone())
    }

    /// The server's version: what shows that it is there and lets this client in. Is not tried again.
    pub(crate) async fn version(&self) -> Result<String> {
        let asked = Analyze::SparkVersion(proto::analyze_plan_request::SparkVersion {});
        let answer = self.0.stub.clone().analyze_plan(self.question(asked)).await;
        let answer = match answer {
            Ok(answer) => answer.into_inner(),
            Err(status) => return Err(self.error(status).await),
        };
        self.observe(&answer.server_side_session_id);
        match answer.result {
            Some(Analyzed::SparkVersion(version)) => Ok(version.version),
            _ => Err(Error::no_answer("it does not say its version")),
        }
    }

    /// Asks about a plan.
    pub(crate) async fn analyze(&self, asked: Analyze) -> Result<Analyzed> {
        let request = self.question(asked);
        let answer = self.retried(|mut stub| {
            let request = request.clone();
            async move { stub.analyze_plan(request).await }
        });
        let result = answer.await?.result;
        result.ok_or_else(|| Error::no_answer("it is empty"))
    }

    fn question(&self, asked: Analyze) -> proto::AnalyzePlanRequest {
        proto::AnalyzePlanRequest {
            session_id: self.0.session_id.clone(),
            client_observed_server_side_session_id: self.observed(),
            user_context: self.user(),
            client_type: self.client_type(),
            analyze: Some(asked),
        }
    }

    /// A setting of the session; none if it has no value.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<String>> {
        let get = proto::config_request::GetOption {
            keys: vec![key.to_string()],
        };
        let answer = self.configure(ConfigOp::GetOption(get)).await?;
        Ok(answer.pairs.into_iter().find_map(|pair| pair.value))
    }

    /// Changes a setting of the session.
    pub(crate) async fn set(&self, key: &str, value: &str) -> Result<()> {
        let set = proto::config_request::Set {
            pairs: vec![proto::KeyValue {
                key: key.to_string(),
                value: Some(value.to_string()),
            }],
            ..Default::default()
        };
        self.configure(ConfigOp::Set(set)).await.map(|_| ())
    }

    async fn configure(&self, asked: ConfigOp) -> Result<proto::ConfigResponse> {
        let request = proto::ConfigRequest {
            session_id: self.0.session_id.clone(),
            client_observed_server_side_session_id: self.observed(),
            user_context: self.user(),
            client_type: self.client_type(),
            operation: Some(proto::config_request::Operation {
                op_type: Some(asked),
            }),
        };
        let answer = self.retried(|mut stub| {
            let request = request.clone();
            async move { stub.config(request).await }
        });
        answer.await
    }

    /// Runs a command or a query; gives all that comes of it. Dropped before that, it is interrupted at
    /// the server.
    pub(crate) async fn execute(&self, plan: OpType) -> Result<Vec<ResponseType>> {
        let operation = Operation {
            client: self.clone(),
            id: Uuid::new_v4().to_string(),
            ended: false,
        };
        operation.run(plan).await
    }

    /// Asks until the server is there, but not for ever.
    async fn retried<T, F>(&self, ask: impl Fn(Stub) -> F) -> Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut pauses = PAUSES.iter();
        loop {
            match ask(self.0.stub.clone()).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => self.pause(status, &mut pauses).await?,
            }
        }
    }

    /// Waits before the next attempt; fails if another one would be of no use.
    async fn pause(&self, status: Status, pauses: &mut Iter<'_, Duration>) -> Result<()> {
        match pauses.next().filter(|_| is_transient(&status)) {
            Some(pause) => {
                tracing::debug!(%status, "the server is asked again");
                tokio::time::sleep(*pause).await;
                Ok(())
            }
            None => Err(self.error(status).await),
        }
    }

    /// The error that a status stands for, with what the server has to say about it.
    async fn error(&self, status: Status) -> Error {
        let error = Error::of_status(&status, &self.0.address);
        let Some(error_id) = error_id(&status) else {
            return error;
        };
        let request = proto::FetchErrorDetailsRequest {
            session_id: self.0.session_id.clone(),
            client_observed_server_side_session_id: self.observed(),
            user_context: self.user(),
            client_type: self.client_type(),
            error_id,
        };
        match self.0.stub.clone().fetch_error_details(request).await {
            Ok(details) => error.with_details(details.into_inner()),
            Err(_) => error,
        }
    }
}

/// One operation at the server: it goes on there when the connection breaks.
struct Operation {
    client: Client,
    id: String,
    ended: bool,
}

impl Operation {
    async fn run(mut self, plan: OpType) -> Result<Vec<ResponseType>> {
        let request = self.request(plan);
        let mut answers = Vec::new();
        let mut last: Option<String> = None;
        let mut is_known = false;
        let mut pauses = PAUSES.iter();
        loop {
            let began = Instant::now();
            let opened = match is_known {
                false => self.stub().execute_plan(request.clone()).await,
                true => {
                    self.stub()
                        .reattach_execute(self.reattach(last.clone()))
                        .await
                }
            };
            let ended = match opened {
                Ok(responses) => {
                    let before = last.clone();
                    let ended = take(responses.into_inner(), &mut answers, &mut last).await;
                    // A server ends a long stream of answers now and then, to be asked for the rest.
                    if last != before || began.elapsed() > LONG {
                        pauses = PAUSES.iter();
                    }
                    ended
                }
                Err(status) => Err(status),
            };
            is_known = true;
            match ended {
                Ok(true) => break,
                // The server has ended the stream of answers, and not the operation.
                Ok(false) => {
                    let status =
                        Status::unavailable("it ends its answers before they are complete");
                    self.client.pause(status, &mut pauses).await?;
                }
                // The plan has never reached it.
                Err(status) if last.is_none() && is_unknown_operation(&status) => {
                    is_known = false;
                    let status = Status::unavailable(status.message());
                    self.client.pause(status, &mut pauses).await?;
                }
                Err(status) => {
                    // An operation that has failed has nothing left to be interrupted.
                    self.ended = !is_transient(&status);
                    self.client.pause(status, &mut pauses).await?;
                }
            }
        }
        self.ended = true;
        self.release();
        Ok(answers)
    }

    fn stub(&self) -> Stub {
        self.client.0.stub.clone()
    }

    fn request(&self, plan: OpType) -> proto::ExecutePlanRequest {
        proto::ExecutePlanRequest {
            session_id: self.client.0.session_id.clone(),
            client_observed_server_side_session_id: self.client.observed(),
            user_context: self.client.user(),
            client_type: self.client.client_type(),
            operation_id: Some(self.id.clone()),
            plan: Some(proto::Plan {
                op_type: Some(plan),
            }),
            request_options: vec![RequestOption {
                request_option: Some(Asked::ReattachOptions(proto::ReattachOptions {
                    reattachable: true,
                })),
            }],
            tags: Vec::new(),
        }
    }

    fn reattach(&self, last_response_id: Option<String>) -> proto::ReattachExecuteRequest {
        proto::ReattachExecuteRequest {
            session_id: self.client.0.session_id.clone(),
            client_observed_server_side_session_id: self.client.observed(),
            user_context: self.client.user(),
            client_type: self.client.client_type(),
            operation_id: self.id.clone(),
            last_response_id,
        }
    }

    /// Lets the server forget its answers; nobody waits for that.
    fn release(&self) {
        let mut stub = self.stub();
        let request = proto::ReleaseExecuteRequest {
            session_id: self.client.0.session_id.clone(),
            client_observed_server_side_session_id: self.client.observed(),
            user_context: self.client.user(),
            client_type: self.client.client_type(),
            operation_id: self.id.clone(),
            release: Some(Release::ReleaseAll(ReleaseAll {})),
        };
        tokio::spawn(async move { stub.release_execute(request).await });
    }
}

/// Whoever waited has left: the server need not go on.
impl Drop for Operation {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if self.ended {
            return;
        }
        let mut stub = self.stub();
        let request = proto::InterruptRequest {
            session_id: self.client.0.session_id.clone(),
            client_observed_server_side_session_id: self.client.observed(),
            user_context: self.client.user(),
            client_type: self.client.client_type(),
            interrupt_type: InterruptType::OperationId.into(),
            interrupt: Some(Interrupt::OperationId(self.id.clone())),
        };
        runtime.spawn(async move { stub.interrupt(request).await });
    }
}

/// Takes what comes; whether that was all.
async fn take(
    mut responses: Streaming<proto::ExecutePlanResponse>,
    answers: &mut Vec<ResponseType>,
    last: &mut Option<String>,
) -> Result<bool, Status> {
    while let Some(response) = responses.message().await? {
        *last = Some(response.response_id);
        match response.response_type {
            Some(ResponseType::ResultComplete(_)) => return Ok(true),
            Some(ResponseType::ExecutionProgress(_)) | None => {}
            Some(answer) => answers.push(answer),
        }
    }
    Ok(false)
}
