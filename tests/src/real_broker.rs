//! Apache Kafka's own broker for tests, on free ports of loopback: started by `tests/kafka-broker/run`,
//! which gets its jars and needs Java and Maven, and which ends it when the test has ended, however
//! that came about.
//!
//! ```no_run
//! use acceptance::real_broker::RealBroker;
//!
//! // The one of all tests of this program, each with topics of its own …
//! let address = RealBroker::shared().address();
//! // … or one that may be stopped, started again with what it had, and frozen.
//! let mut broker = RealBroker::start()?;
//! broker.stop()?;
//! broker.start_again()?;
//! # anyhow::Ok(())
//! ```

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A broker. It has ended when this is dropped.
pub struct RealBroker {
    port: u16,
    controller_port: u16,
    /// Where it asks who one is: without TLS, and with it.
    login_ports: Option<[u16; 2]>,
    folder: TempDir,
    running: Option<Running>,
}

struct Running {
    script: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pid: Pid,
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kafka-broker/run");
/// A port that was free is another's now and then.
const ATTEMPTS: usize = 3;
const TAKEN: &str = "Address already in use";

impl RealBroker {
    /// The broker that all tests of this program share: name your topics and groups so that they are
    /// nobody else's.
    ///
    /// # Panics
    /// If it does not start; the message says why.
    #[expect(clippy::panic, reason = "a test without its broker has failed")]
    pub fn shared() -> &'static RealBroker {
        static SHARED: OnceLock<RealBroker> = OnceLock::new();
        SHARED.get_or_init(|| RealBroker::start().unwrap_or_else(|error| panic!("{error:#}")))
    }

    /// Starts a broker without topics and waits until it serves: 5 to 10 seconds.
    pub fn start() -> Result<RealBroker> {
        Self::start_with(|| Ok(None))
    }

    /// The same with two more addresses where it asks for a name and a password, which are `reader` and
    /// `reader-secret`.
    pub fn start_with_login() -> Result<RealBroker> {
        Self::start_with(|| Ok(Some([free_port()?, free_port()?])))
    }

    fn start_with(login_ports: impl Fn() -> Result<Option<[u16; 2]>>) -> Result<RealBroker> {
        let mut attempts = ATTEMPTS;
        loop {
            let mut broker = RealBroker {
                port: free_port()?,
                controller_port: free_port()?,
                login_ports: login_ports()?,
                folder: TempDir::with_prefix("kafka-")?,
                running: None,
            };
            attempts -= 1;
            match broker.start_again() {
                Ok(()) => return Ok(broker),
                Err(error) if attempts == 0 || !broker.log().contains(TAKEN) => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Where it listens, as `kafka.bootstrap.servers` wants it; the same after a restart.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where one has to log in.
    pub fn login_address(&self) -> Result<String> {
        let [port, _] = self.login_ports.context("it asks for no login")?;
        Ok(format!("127.0.0.1:{port}"))
    }

    /// Where one has to log in, by TLS.
    pub fn tls_address(&self) -> Result<String> {
        let [_, port] = self.login_ports.context("it asks for no login")?;
        Ok(format!("127.0.0.1:{port}"))
    }

    /// The certificate that a client by TLS has to believe, as a PEM file.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("broker.pem")
    }

    /// Starts it again with the topics and records that it had.
    pub fn start_again(&mut self) -> Result<()> {
        if self.running.is_some() {
            bail!("the broker runs already");
        }
        let ports = [self.port, self.controller_port];
        let running = Running::start(ports, self.login_ports, self.folder.path());
        let said = || format!("Kafka's broker did not start; it said:\n{}", self.log());
        self.running = Some(running.with_context(said)?);
        Ok(())
    }

    /// Ends it in order, as an administrator does.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::TERM)
    }

    /// Ends it at once, as a power cut does.
    pub fn kill(&mut self) -> Result<()> {
        self.end(Signal::KILL)
    }

    /// From now on it accepts connections and answers nothing.
    pub fn freeze(&mut self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// It goes on after [`RealBroker::freeze`].
    pub fn thaw(&mut self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let running = self.running.as_ref().context("the broker does not run")?;
        Ok(kill_process(running.pid, signal)?)
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        self.signal(signal)?;
        if let Some(mut running) = self.running.take() {
            // Whatever it says until then: the pipe ends with it.
            running.lines.by_ref().for_each(drop);
            running.script.wait()?;
        }
        Ok(())
    }

    /// What it has said since it was started last.
    fn log(&self) -> String {
        fs::read_to_string(log_of(self.folder.path())).unwrap_or_default()
    }
}

impl Drop for RealBroker {
    fn drop(&mut self) {
        if self.running.is_some()
            && let Err(error) = self.kill()
        {
            eprintln!("Kafka's broker cannot be ended: {error}");
        }
    }
}

impl Running {
    fn start(ports: [u16; 2], login_ports: Option<[u16; 2]>, folder: &Path) -> Result<Running> {
        let mut script = Command::new(SCRIPT)
            .args(ports.map(|port| port.to_string()))
            .arg(folder)
            .args(
                login_ports
                    .into_iter()
                    .flatten()
                    .map(|port| port.to_string()),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log_of(folder))?)
            .spawn()?;
        let stdout = script.stdout.take().context("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let pid = read_pid(&mut lines).and_then(|pid| match lines.next().transpose()? {
            Some(line) if line == "ready" => Ok(pid),
            _ => bail!("it ended before it served"),
        });
        match pid {
            Ok(pid) => Ok(Running { script, lines, pid }),
            Err(error) => {
                drop(script.stdin.take());
                script.wait()?;
                Err(error)
            }
        }
    }
}

fn read_pid(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Pid> {
    let line = lines.next().transpose()?.context("it did not run at all")?;
    Pid::from_raw(line.parse()?).ok_or_else(|| anyhow!("no process id: {line}"))
}

/// Kafka's jars as a class path of Java's, fetched if they are not there.
pub fn jars() -> Result<String> {
    let output = Command::new(SCRIPT).arg("--fetch").output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(format!(
        "{}/*",
        String::from_utf8(output.stdout)?.trim_end()
    ))
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("log.txt")
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
