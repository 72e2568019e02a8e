//! A worker: a Python that runs one function, over and over.
//!
//! Both sides send frames: the length of a JSON header, the header, the length of a body, the body. A
//! worker answers each frame with one.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tidebook_engine::{Error, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use uuid::Uuid;

/// The program of a worker.
const PROGRAM: &str = include_str!("worker.py");

/// How long a Python may take to connect: it imports nothing before.
const CONNECT: Duration = Duration::from_secs(30);

/// Receives the lines that a function prints.
pub(crate) type Print = Box<dyn Fn(String) + Send + Sync>;

/// A worker that runs. It ends with this.
pub(crate) struct Worker {
    stream: BufReader<TcpStream>,
    child: Child,
}

impl Worker {
    /// Starts one; `print` receives what its function prints.
    pub(crate) async fn start(python: &Path, print: Print) -> Result<Self> {
        let failed =
            |error: std::io::Error| Error::io("start a worker for a function of Python", error);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let secret = Uuid::new_v4().simple().to_string();
        let mut child = Command::new(python)
            .args(["-c", PROGRAM])
            .env("TIDEBOOK_WORKER", format!("{port} {secret}"))
            .env("SPARK_CONNECT_MODE_ENABLED", "1")
            // Where its session is, it is told.
            .env_remove("SPARK_REMOTE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(printed) = child.stdout.take() {
            tokio::spawn(pass_on(printed, print));
        }
        let connected = async {
            loop {
                let (mut stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let mut said = vec![0; secret.len()];
                // Whoever does not know the secret is none of ours.
                if stream.read_exact(&mut said).await.is_ok() && said == secret.as_bytes() {
                    return Ok::<_, std::io::Error>(BufReader::new(stream));
                }
            }
        };
        let connected = tokio::select! {
            connected = tokio::time::timeout(CONNECT, connected) => connected,
            ended = child.wait() => {
                let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                return Err(has_ended(&how));
            }
        };
        match connected {
            Ok(stream) => Ok(Self {
                stream: stream.map_err(failed)?,
                child,
            }),
            Err(_) => Err(has_ended("it did not connect")),
        }
    }

    /// Sends a frame and gives the body of the answer; a worker that fails says why.
    pub(crate) async fn ask(&mut self, header: &Value, body: &[u8]) -> Result<Vec<u8>> {
        let exchanged = tokio::select! {
            biased;
            exchanged = exchange(&mut self.stream, header, body) => exchanged,
            // What it has started may hold the connection open.
            status = self.child.wait() => match status {
                Ok(status) => return Err(has_ended(&status.to_string())),
                Err(error) => Err(error),
            },
        };
        match exchanged {
            Ok((answer, body)) => match answer.get("error").and_then(Value::as_str) {
                Some(traceback) => Err(Error::runtime(traceback.trim_end())),
                None => Ok(body),
            },
            Err(error) => match tokio::time::timeout(CONNECT, self.child.wait()).await {
                Ok(Ok(status)) => Err(has_ended(&status.to_string())),
                _ => Err(has_ended(&error.to_string())),
            },
        }
    }
}

impl Drop for Worker {
    /// Ends what the function has started, too: the worker leads a process group.
    fn drop(&mut self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Sends a frame and reads the answer: header and body.
async fn exchange(
    stream: &mut BufReader<TcpStream>,
    header: &Value,
    body: &[u8],
) -> std::io::Result<(Value, Vec<u8>)> {
    for part in [header.to_string().as_bytes(), body] {
        stream.write_u64(part.len() as u64).await?;
        stream.write_all(part).await?;
    }
    stream.flush().await?;
    let header = part(stream).await?;
    let body = part(stream).await?;
    let header = serde_json::from_slice(&header).unwrap_or_else(
        |error| json!({"error": format!("the worker's answer cannot be read: {error}")}),
    );
    Ok((header, body))
}

async fn part(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let length = stream.read_u64().await?;
    // Read as it comes: a length is no reason to take so much memory.
    let mut part = Vec::new();
    stream.take(length).read_to_end(&mut part).await?;
    match part.len() as u64 == length {
        true => Ok(part),
        false => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Passes on what a function prints, line by line.
async fn pass_on(printed: ChildStdout, print: Print) {
    let mut lines = BufReader::new(printed);
    let mut line = Vec::new();
    while let Ok(1..) = lines.read_until(b'\n', &mut line).await {
        print(String::from_utf8_lossy(&line).into_owned());
        line.clear();
    }
}

fn has_ended(how: &str) -> Error {
    Error::runtime(format!(
        "the worker that runs the function of Python has ended: {how}"
    ))
}
