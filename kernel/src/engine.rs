//! The engine's home: its own threads and the one session, made in the background.
//!
//! The sockets live on the main thread, so the kernel answers however busy the engine is.

use std::future::Future;
use std::sync::Arc;

use tidebook_engine::Session;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::error::Result;
use crate::live::{Live, Tally};

/// Planning recurses once per nesting level of a query.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// The threads of the engine and its session.
pub(crate) struct Engine {
    runtime: Runtime,
    ready: OnceCell<Ready>,
}

/// The session and what listens to it.
#[derive(Clone)]
pub(crate) struct Ready {
    /// The session that all cells share.
    pub session: Session,
    /// Rows and batches per run.
    pub tally: Arc<Tally>,
}

impl Engine {
    /// Starts the threads; the session comes with the first call of [`Engine::ready`].
    pub(crate) fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("engine")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()?;
        Ok(Self {
            runtime,
            ready: OnceCell::new(),
        })
    }

    /// Runs something on the engine's threads.
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.spawn(future)
    }

    /// A handle on the engine's threads.
    pub(crate) fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// The session, made when first asked for; what its console sinks print goes to `live`.
    /// Must be called on the engine's threads.
    pub(crate) async fn ready(&self, live: &Live) -> Result<&Ready> {
        let ready = self.ready.get_or_try_init(|| async {
            let session = Session::new()?;
            let tally = Arc::new(Tally::default());
            session.streams().add_listener(Arc::clone(&tally) as _);
            let live = live.clone();
            session.set_console(Arc::new(move |query, text| live.print_batch(query, text)));
            Ok(Ready { session, tally })
        });
        ready.await
    }

    /// The session, if it was made already.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.ready.get().map(|ready| &ready.session)
    }
}
