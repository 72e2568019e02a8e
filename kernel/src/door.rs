//! The door by which clients of Spark Connect come into this notebook's session.

use std::time::Duration;

use tidebook_connect::{Door, Timeouts};
use tidebook_engine::Session;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

use crate::error::{CellError, Result};
use crate::interpreter;

/// The door of a notebook, if it is open.
#[derive(Default)]
pub(crate) struct NotebookDoor(Mutex<Option<Open>>);

struct Open {
    address: String,
    end: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl std::fmt::Debug for NotebookDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotebookDoor").finish_non_exhaustive()
    }
}

impl NotebookDoor {
    /// Opens it on this machine; gives its address, and whether it was open already.
    pub(crate) async fn open(
        &self,
        session: &Session,
        port: u16,
        token: Option<&str>,
    ) -> Result<(String, bool)> {
        let mut open = self.0.lock().await;
        if let Some(open) = &*open {
            if (port != 0 && !open.address.ends_with(&format!(":{port}"))) || token.is_some() {
                let error = format!("the door is open already, at {}", open.address);
                return Err(CellError::usage(error).hint("%serve down first"));
            }
            return Ok((open.address.clone(), true));
        }
        let bound = TcpListener::bind(("127.0.0.1", port)).await;
        let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = bound.map_err(|error| {
            let error = format!("cannot listen on port {port}: {error}");
            CellError::new("IOException", error).hint("%serve without --port takes a free one")
        })?;
        let session = session.clone();
        // Whoever comes back to his notebook in the evening finds all as it was.
        let timeouts = Timeouts {
            session: Duration::MAX,
            ..Timeouts::default()
        };
        let door = Door::new(move || Ok(session.clone())).with_timeouts(timeouts);
        // PySpark sends a token without TLS to this name only.
        let host = match token {
            Some(_) => "localhost".to_string(),
            None => address.ip().to_string(),
        };
        let mut door = door.with_python(interpreter::for_functions);
        if let Some(token) = token {
            door = door.with_token(token);
        }
        let (end, ended) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let ended = async {
                // It also ends with the kernel, which drops the other side.
                let _ = ended.await;
            };
            if let Err(error) = door.serve(listener, ended).await {
                tracing::warn!(%error, "the door for clients of Spark Connect failed");
            }
        });
        let address = format!("sc://{host}:{}", address.port());
        *open = Some(Open {
            address: address.clone(),
            end,
            served,
        });
        Ok((address, false))
    }

    /// Closes it; gives where it was.
    pub(crate) async fn close(&self) -> Option<String> {
        let open = self.0.lock().await.take()?;
        let _ = open.end.send(());
        // A client that stays connected would keep it open.
        open.served.abort();
        Some(open.address)
    }
}
