//! The sessions of all clients, found by user and session id.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prost::bytes::Bytes;
use tidebook_engine::connect::proto::UserContext;
use tidebook_engine::{Result, Session};
use tonic::Status;
use uuid::Uuid;

use crate::errors::{Errors, refused};
use crate::operation::Operation;
use crate::python::{Host, PythonFunctions};

/// So many ids of released sessions are remembered.
const RELEASED: usize = 1_000;

/// How long what a client does not come back for is kept.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// A session without a request and without a running query, as in Spark's
    /// `spark.connect.session.manager.defaultSessionTimeout`.
    pub session: Duration,
    /// An operation that nobody reads, as in Spark's `spark.connect.execute.manager.detachedTimeout`.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            session: Duration::from_secs(60 * 60),
            operation: Duration::from_secs(5 * 60),
        }
    }
}

/// One session of a client.
pub(crate) struct Client {
    /// The session behind it.
    pub session: Session,
    /// What workers need of the server.
    pub host: Arc<Host>,
    /// Who the client says it is.
    pub user: String,
    /// The client's id of it.
    pub id: String,
    /// Ours; another one tells a client that the server has forgotten what it knew.
    pub server_side_id: String,
    /// What went wrong in it.
    pub errors: Errors,
    /// Files that the client has sent, by name.
    pub artifacts: Mutex<HashMap<String, Bytes>>,
    /// Settings that only the client has a use for.
    pub settings: Mutex<HashMap<String, String>>,
    operations: Mutex<HashMap<String, Arc<Operation>>>,
    last_used: Mutex<Instant>,
}

impl Client {
    fn new(session: Session, host: &Arc<Host>, user: &str, id: &str) -> Self {
        session.set_inline_functions(Arc::new(PythonFunctions(Arc::clone(host))));
        Self {
            session,
            host: Arc::clone(host),
            user: user.to_string(),
            id: id.to_string(),
            server_side_id: Uuid::new_v4().to_string(),
            errors: Errors::default(),
            artifacts: Mutex::default(),
            settings: Mutex::default(),
            operations: Mutex::default(),
            last_used: Mutex::new(Instant::now()),
        }
    }

    /// Whether it may be forgotten: no request for so long, and nothing that runs.
    fn has_expired(&self, after: Duration) -> bool {
        self.last_used.lock().elapsed() >= after
            && self.operations.lock().is_empty()
            && self.session.streams().active().is_empty()
    }

    /// Ends and forgets the operations that nobody has read for so long.
    fn drop_abandoned(&self, after: Duration) {
        let operations: Vec<_> = self.operations.lock().values().cloned().collect();
        for operation in operations {
            if operation.is_abandoned(after) {
                tracing::info!(
                    operation = operation.id,
                    "nobody came back for an operation"
                );
                self.release(&operation.id);
                operation.interrupt(refused(
                    "INVALID_HANDLE.OPERATION_ABANDONED",
                    &format!("nobody came back for operation '{}'", operation.id),
                ));
            }
        }
    }

    /// Begins an operation under the client's id for it, or a new one.
    pub(crate) fn operation(
        &self,
        id: Option<&str>,
        tags: Vec<String>,
        is_reattachable: bool,
    ) -> Result<Arc<Operation>, Status> {
        let id = match id {
            Some(id) if Uuid::parse_str(id).is_err() => return Err(not_an_id("operation", id)),
            Some(id) => id.to_string(),
            None => Uuid::new_v4().to_string(),
        };
        let ids = (self.id.as_str(), self.server_side_id.as_str());
        let operation = Operation::new(id.clone(), tags, ids, is_reattachable);
        let mut operations = self.operations.lock();
        if operations.contains_key(&id) {
            return Err(refused(
                "INVALID_HANDLE.OPERATION_ALREADY_EXISTS",
                &format!("there is an operation '{id}' already"),
            ));
        }
        operations.insert(id, Arc::clone(&operation));
        Ok(operation)
    }

    /// The operation of this id.
    pub(crate) fn found(&self, id: &str) -> Result<Arc<Operation>, Status> {
        let operations = self.operations.lock();
        operations.get(id).cloned().ok_or_else(|| {
            refused(
                "INVALID_HANDLE.OPERATION_NOT_FOUND",
                &format!("there is no operation '{id}', or it was released"),
            )
        })
    }

    /// Ends the operations that only listen.
    pub(crate) fn end_listening(&self) {
        let operations: Vec<_> = self.operations.lock().values().cloned().collect();
        for operation in operations {
            operation.end_listening();
        }
    }

    /// Forgets an operation.
    pub(crate) fn release(&self, id: &str) -> Option<Arc<Operation>> {
        *self.last_used.lock() = Instant::now();
        self.operations.lock().remove(id)
    }

    /// Interrupts the running operations that `is_meant`, and gives their ids.
    pub(crate) fn interrupt(&self, is_meant: impl Fn(&Operation) -> bool) -> Vec<String> {
        let operations: Vec<_> = self.operations.lock().values().cloned().collect();
        let meant = operations
            .into_iter()
            .filter(|operation| operation.is_running() && is_meant(operation));
        meant
            .map(|operation| {
                let cancelled = tidebook_engine::Error::cancelled();
                operation.interrupt(self.errors.status(&cancelled));
                operation.id.clone()
            })
            .collect()
    }
}

/// Makes the session of a new client.
pub(crate) type MakeSession = Box<dyn Fn() -> Result<Session> + Send + Sync>;

/// Who a client is: the user and the session's id.
type Key = (String, String);

/// All sessions.
pub(crate) struct Sessions {
    /// What workers need of the server.
    host: Arc<Host>,
    make: MakeSession,
    clients: Mutex<HashMap<Key, Arc<Client>>>,
    released: Mutex<VecDeque<Key>>,
}

impl Sessions {
    /// None yet.
    pub(crate) fn new(make: MakeSession) -> Self {
        Self {
            host: Arc::default(),
            make,
            clients: Mutex::default(),
            released: Mutex::default(),
        }
    }

    /// The same, on a server that runs functions of Python.
    pub(crate) fn at(self, host: Host) -> Self {
        let host = Arc::new(host);
        Self { host, ..self }
    }

    /// The session a request speaks of; a new one, if there is none.
    pub(crate) fn client(
        &self,
        user: Option<&UserContext>,
        id: &str,
        observed: Option<&str>,
    ) -> Result<Arc<Client>, Status> {
        if Uuid::parse_str(id).is_err() {
            return Err(not_an_id("session", id));
        }
        let key = key(user, id);
        if self.released.lock().contains(&key) {
            return Err(refused(
                "INVALID_HANDLE.SESSION_CLOSED",
                &format!("the session '{id}' was closed; begin a new one"),
            ));
        }
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(&key) {
            if observed.is_some_and(|observed| observed != client.server_side_id) {
                return Err(changed(id));
            }
            *client.last_used.lock() = Instant::now();
            return Ok(Arc::clone(client));
        }
        if observed.is_some_and(|observed| !observed.is_empty()) {
            return Err(changed(id));
        }
        let session = (self.make)();
        let session = session.map_err(|error| Errors::default().status(&error))?;
        let client = Arc::new(Client::new(session, &self.host, &key.0, id));
        clients.insert(key, Arc::clone(&client));
        Ok(client)
    }

    /// Gives a client a second session that begins as the first one is now.
    pub(crate) fn clone_client(
        &self,
        user: Option<&UserContext>,
        client: &Client,
        id: Option<&str>,
    ) -> Result<Arc<Client>, Status> {
        let id = id.map_or_else(|| Uuid::new_v4().to_string(), str::to_string);
        if Uuid::parse_str(&id).is_err() {
            return Err(not_an_id("session", &id));
        }
        let mut clients = self.clients.lock();
        let key = key(user, &id);
        if clients.contains_key(&key) {
            return Err(refused(
                "INVALID_HANDLE.SESSION_ALREADY_EXISTS",
                &format!("there is a session '{id}' already"),
            ));
        }
        let session = client.session.fork();
        let session = session.map_err(|error| client.errors.status(&error))?;
        let cloned = Arc::new(Client::new(session, &self.host, &key.0, &id));
        *cloned.settings.lock() = client.settings.lock().clone();
        *cloned.artifacts.lock() = client.artifacts.lock().clone();
        clients.insert(key, Arc::clone(&cloned));
        Ok(cloned)
    }

    /// Forgets what clients did not come back for; never returns.
    pub(crate) async fn forget_in_time(&self, timeouts: Timeouts) {
        let shortest = timeouts.session.min(timeouts.operation);
        let every = (shortest / 5).clamp(Duration::from_millis(50), Duration::from_secs(30));
        loop {
            tokio::time::sleep(every).await;
            let clients: Vec<_> = self.clients.lock().values().cloned().collect();
            for client in clients {
                client.drop_abandoned(timeouts.operation);
            }
            self.clients.lock().retain(|(_, id), client| {
                let keep = !client.has_expired(timeouts.session);
                if !keep {
                    tracing::info!(session = id, "nobody came back to a session");
                }
                keep
            });
        }
    }

    /// Ends a session: its operations are interrupted, its queries go on.
    pub(crate) fn release(&self, user: Option<&UserContext>, id: &str, may_return: bool) -> String {
        let key = key(user, id);
        let client = self.clients.lock().remove(&key);
        if !may_return {
            let mut released = self.released.lock();
            released.push_back(key);
            while released.len() > RELEASED {
                released.pop_front();
            }
        }
        client.map_or_else(String::new, |client| {
            client.interrupt(|_| true);
            client.server_side_id.clone()
        })
    }
}

fn key(user: Option<&UserContext>, id: &str) -> Key {
    let user = user.map_or("", |user| user.user_id.as_str());
    (user.to_string(), id.to_lowercase())
}

fn not_an_id(what: &str, id: &str) -> Status {
    refused(
        "INVALID_HANDLE.FORMAT",
        &format!(
            "'{id}' is no id of a {what}: it must be a UUID like 00112233-4455-6677-8899-aabbccddeeff"
        ),
    )
}

fn changed(id: &str) -> Status {
    refused(
        "INVALID_HANDLE.SESSION_CHANGED",
        &format!("the session '{id}' is another one now, because the server was started again"),
    )
}
