//! `tidebook serve`: Spark Connect's door, without a notebook.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tidebook_connect::{Door, Timeouts};
use tidebook_engine::{Session, parse_any_duration};
use tokio::net::TcpListener;

use crate::interpreter;

/// Where the door is and who may come in.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 15002)]
    port: u16,
    /// The address to listen on; any but a loopback address needs a token.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// What clients must bring: sc://HOST:PORT/;token=TOKEN.
    #[arg(long, env = "TIDEBOOK_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// How long a session without a request and without a running query is kept.
    #[arg(long, value_name = "TIME", value_parser = parse_any_duration, default_value = "60 minutes")]
    session_timeout: Duration,
    /// How long an operation is kept whose client has gone.
    #[arg(long, value_name = "TIME", value_parser = parse_any_duration, default_value = "5 minutes")]
    detached_timeout: Duration,
}

/// Serves until it is interrupted.
pub(crate) fn run(serve: &Serve) -> anyhow::Result<()> {
    let token = serve.token.as_deref().filter(|token| !token.is_empty());
    if token.is_none() && !serve.host.is_loopback() {
        bail!(
            "everybody could run queries through {}: give a token with --token, or stay on 127.0.0.1",
            serve.host
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Planning recurses once per nesting level of a query.
        .thread_stack_size(8 * 1024 * 1024)
        .enable_all()
        .build()
        .context("start the threads of the engine")?;
    runtime.block_on(async {
        let listener = TcpListener::bind((serve.host, serve.port)).await;
        let listener =
            listener.with_context(|| format!("listen on {}:{}", serve.host, serve.port))?;
        let address = listener.local_addr().context("find the port")?;
        let mut door = Door::new(|| {
            let session = Session::new()?;
            // Where Spark's server prints it.
            session.set_console(Arc::new(|_, text| print!("{text}")));
            Ok(session)
        });
        door = door.with_python(interpreter::for_functions);
        door = door.with_timeouts(Timeouts {
            session: serve.session_timeout,
            operation: serve.detached_timeout,
        });
        if let Some(token) = token {
            door = door.with_token(token);
        }
        // Whoever started this reads the address from the first line.
        let with_token = if token.is_some() { "/;token=…" } else { "" };
        // PySpark sends a token without TLS to this name only.
        let address = match token.is_some() && address.ip().is_loopback() {
            true => format!("localhost:{}", address.port()),
            false => address.to_string(),
        };
        println!("Spark Connect on sc://{address}{with_token}");
        let interrupted = async {
            // Without a signal to wait for, it serves until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        door.serve(listener, interrupted).await.context("serve")
    })
}
