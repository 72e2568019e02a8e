//! The relay: a process between the compiler and the process that runs user code.
//!
//! evcxr starts it as its child and speaks to it by lines on stdin and stdout. The relay starts the
//! real runtime as *its* child and passes the lines on. What user code prints goes straight to the
//! kernel instead, while it is printed and also between cells, so no thread of user code ever waits
//! for a reader, and a cell's outcome is told in plain words: evcxr answers `Ok` on a panic.

mod splitter;

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Signal, kill_current_process_group};
use tidebook::wire::{self, Hello, Note, Role, SOCKET};

use tidebook_rust_protocol::{Order, Told};

use crate::home;
use splitter::{COMPLETE, ERROR, PANICKED, Piece, Splitter};

/// Set by evcxr for the process that it takes for the runtime.
const IS_RUNTIME: &str = "EVCXR_IS_RUNTIME";
/// Tells the runtime from the relay: both are this program, started with evcxr's variable.
const RUNTIME: &str = "TIDEBOOK_RUNTIME";
/// How long the runtime has to end by itself once its stdin is closed.
const END: Duration = Duration::from_secs(1);
/// How long a barrier may take; the reader of the other stream is never busy for long.
const BARRIER: Duration = Duration::from_secs(5);
/// How much of a stream is read at once.
const BYTES_AT_ONCE: usize = 64 * 1024;

/// Whether this process was started to be the relay.
pub(crate) fn is_asked_for() -> bool {
    env::var_os(IS_RUNTIME).is_some() && env::var_os(RUNTIME).is_none()
}

/// Runs as the relay until the compiler or user code ends.
pub(crate) fn run() -> anyhow::Result<i32> {
    let socket = env::var_os(SOCKET).context("the kernel's socket is not named")?;
    let mut kernel = UnixStream::connect(&socket).context("reach the kernel")?;
    wire::send(&mut kernel, &Hello { role: Role::Relay }, &[])?;
    let (stdout, stdout_end) = io::pipe()?;
    let (stderr, stderr_end) = io::pipe()?;
    let mut child = Command::new(env::current_exe()?)
        .env(RUNTIME, "1")
        // The kernel shows message and place of a panic itself.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::piped())
        .stdout(stdout_end.try_clone()?)
        .stderr(stderr_end.try_clone()?)
        .spawn()
        .context("start the process of the Rust cells")?;
    let stdin = child.stdin.take().context("the runtime has no stdin")?;
    let (went_on, go_on) = mpsc::channel();
    let relay = Arc::new(Relay {
        kernel: Mutex::new(kernel.try_clone()?),
        child: Mutex::new(child),
        stdout_end: Mutex::new(stdout_end),
        stderr_end: Mutex::new(stderr_end),
        barriers: AtomicU64::new(0),
    });
    let (passed, stderr_passed) = mpsc::channel();
    let reading = Arc::clone(&relay);
    std::thread::spawn(move || reading.read_stderr(stderr, &passed));
    let ordered = Arc::clone(&relay);
    std::thread::spawn(move || ordered.obey(kernel, &went_on));
    let typing = Arc::clone(&relay);
    std::thread::spawn(move || typing.pass_orders_of_evcxr(stdin));
    let waiting = Arc::clone(&relay);
    std::thread::spawn(move || waiting.wait_for_the_end());
    let mut cells = Cells {
        relay,
        stderr_passed,
        go_on,
        panicked: false,
        returned_error: false,
    };
    Ok(cells.read_stdout(stdout))
}

/// What the threads of the relay share.
struct Relay {
    kernel: Mutex<UnixStream>,
    child: Mutex<Child>,
    /// Our own ends of the pipes, to write barriers into them.
    stdout_end: Mutex<PipeWriter>,
    stderr_end: Mutex<PipeWriter>,
    barriers: AtomicU64,
}

/// The reader of stdout, which alone knows where a cell ends.
struct Cells {
    relay: Arc<Relay>,
    stderr_passed: Receiver<u64>,
    go_on: Receiver<()>,
    panicked: bool,
    returned_error: bool,
}

/// The number of the barrier that means that the runtime has ended.
const THE_END: u64 = 0;

impl Relay {
    fn tell(&self, told: &Told, body: &[u8]) {
        // Without a kernel nobody is interested, and the end of its connection ends us.
        let _ = wire::send(&mut *lock(&self.kernel), told, body);
    }

    fn tell_text(&self, text: &str, stderr: bool) {
        self.tell(&Told::Text { stderr }, text.as_bytes());
    }

    fn barrier(&self, pipe: &Mutex<PipeWriter>, number: u64) {
        let _ = lock(pipe).write_all(Note::Barrier { number }.line().as_bytes());
    }

    fn next_barrier(&self) -> u64 {
        self.barriers.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn read_stderr(&self, stderr: PipeReader, passed: &Sender<u64>) {
        let mut splitter = Splitter::default();
        let mut stderr = BufReader::with_capacity(BYTES_AT_ONCE, stderr);
        while let Ok(read) = stderr.fill_buf() {
            let count = read.len();
            let pieces = splitter.push(read);
            stderr.consume(count);
            for piece in pieces {
                match piece {
                    Piece::Note(Note::Barrier { number }) => drop(passed.send(number)),
                    Piece::Note(note) => self.tell(&Told::Note(note), &[]),
                    Piece::Text(text) => self.tell_text(&text, true),
                    Piece::Line(line) => self.tell_text(&format!("{line}\n"), true),
                    Piece::Content { content, .. } => self.tell_text(&content, true),
                }
            }
            if count == 0 {
                break;
            }
        }
    }

    /// Does what the kernel orders; without a kernel, user code has to end too.
    fn obey(&self, mut kernel: UnixStream, went_on: &Sender<()>) {
        while let Ok(Some((order, _))) = wire::receive(&mut kernel) {
            match order {
                Order::GoOn => drop(went_on.send(())),
                Order::Synchronise => {
                    let number = self.next_barrier();
                    self.barrier(&self.stderr_end, number);
                    self.barrier(&self.stdout_end, number);
                }
                Order::Kill => self.kill(),
            }
        }
        self.kill_all();
    }

    /// Without compiler or kernel: ends user code, what it has started, and the relay itself.
    fn kill_all(&self) {
        self.kill();
        let _ = kill_current_process_group(Signal::KILL);
        std::process::exit(1);
    }

    fn kill(&self) {
        let _ = lock(&self.child).kill();
    }

    /// Passes evcxr's lines on to the runtime until evcxr closes the pipe.
    fn pass_orders_of_evcxr(&self, mut stdin: ChildStdin) {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if line.starts_with("LOAD_AND_RUN") {
                let program = home::program().unwrap_or_default();
                self.tell(&Told::Started, program.as_bytes());
            }
            if writeln!(stdin, "{line}")
                .and_then(|()| stdin.flush())
                .is_err()
            {
                break;
            }
        }
        drop(stdin);
        std::thread::sleep(END);
        self.kill_all();
    }

    /// A process of the user's may keep the pipes open when the runtime itself is gone.
    fn wait_for_the_end(&self) {
        loop {
            if let Ok(Some(_)) | Err(_) = lock(&self.child).try_wait() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.barrier(&self.stdout_end, THE_END);
    }

    fn how_it_ended(&self) -> (String, i32) {
        match lock(&self.child).wait() {
            Ok(status) => (describe(status), status.code().unwrap_or(1)),
            Err(error) => (error.to_string(), 1),
        }
    }
}

impl Cells {
    fn read_stdout(&mut self, stdout: PipeReader) -> i32 {
        let mut splitter = Splitter::default();
        let mut stdout = BufReader::with_capacity(BYTES_AT_ONCE, stdout);
        let mut content = BTreeMap::new();
        loop {
            let read = stdout.fill_buf().unwrap_or_default();
            let count = read.len();
            let pieces = splitter.push(read);
            stdout.consume(count);
            for piece in pieces {
                if let Piece::Content {
                    mime,
                    content: text,
                } = piece
                {
                    if content.contains_key(&mime) {
                        self.show(&mut content);
                    }
                    content.insert(mime, text);
                    continue;
                }
                self.show(&mut content);
                match piece {
                    Piece::Text(text) => self.relay.tell_text(&text, false),
                    Piece::Note(Note::Barrier { number: THE_END }) => {
                        return self.died(&mut splitter);
                    }
                    Piece::Note(Note::Barrier { number }) => {
                        self.wait_for_stderr(number);
                        self.relay.tell(&Told::Synchronised, &[]);
                    }
                    Piece::Note(note) => self.relay.tell(&Told::Note(note), &[]),
                    Piece::Line(line) => self.report(&line),
                    Piece::Content { .. } => {}
                }
            }
            self.show(&mut content);
            if count == 0 {
                return self.died(&mut splitter);
            }
        }
    }

    /// Several MIME types one after the other are one thing in several forms.
    fn show(&self, content: &mut BTreeMap<String, String>) {
        if !content.is_empty() {
            let content = std::mem::take(content);
            self.relay.tell(&Told::Content(content), &[]);
        }
    }

    /// A line by which the cell reports: to the kernel first, then to evcxr.
    fn report(&mut self, line: &str) {
        match line {
            PANICKED => self.panicked = true,
            ERROR => self.returned_error = true,
            COMPLETE => {
                let number = self.relay.next_barrier();
                self.relay.barrier(&self.relay.stderr_end, number);
                self.wait_for_stderr(number);
                let ended = Told::Ended {
                    panicked: std::mem::take(&mut self.panicked),
                    returned_error: std::mem::take(&mut self.returned_error),
                };
                self.relay.tell(&ended, &[]);
                let _ = self.go_on.recv();
            }
            _ => {}
        }
        let mut evcxr = io::stdout().lock();
        let _ = writeln!(evcxr, "{line}").and_then(|()| evcxr.flush());
    }

    fn wait_for_stderr(&self, number: u64) {
        while let Ok(passed) = self.stderr_passed.recv_timeout(BARRIER) {
            if passed >= number {
                return;
            }
        }
    }

    fn died(&self, splitter: &mut Splitter) -> i32 {
        if let Some(rest) = splitter.finish() {
            self.relay.tell_text(&rest, false);
        }
        let number = self.relay.next_barrier();
        self.relay.barrier(&self.relay.stderr_end, number);
        self.wait_for_stderr(number);
        let (how, code) = self.relay.how_it_ended();
        self.relay.tell(&Told::Died { how }, &[]);
        let _ = self.go_on.recv();
        code
    }
}

fn describe(status: ExitStatus) -> String {
    const NAMES: [(i32, &str); 6] = [
        (4, "illegal instruction"),
        (6, "aborted"),
        (7, "bus error"),
        (9, "killed"),
        (11, "segmentation fault"),
        (15, "terminated"),
    ];
    match (status.signal(), status.code()) {
        (Some(signal), _) => match NAMES.iter().find(|(number, _)| *number == signal) {
            Some((_, name)) => format!("signal {signal} ({name})"),
            None => format!("signal {signal}"),
        },
        (None, Some(code)) => format!("exit status {code}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
