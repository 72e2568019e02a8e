//! A kernel for tests: a unix socket whose answers the test gives.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::{env, fs, process, thread};

use serde_json::{Value, json};
use tidebook::columns::{self, Array};
use tidebook::wire::{self, Call, Function, Hello, Reply, Request, Return, Role, SOCKET};

/// Everything that was asked, in order, over connections of which role.
type Log = Arc<Mutex<Vec<(Role, Request)>>>;

/// How the kernel answers.
type Answer = dyn Fn(&Request, &[u8]) -> Reply + Send + Sync;

/// The kernel's side, as the test sees it.
pub(crate) struct FakeKernel {
    /// What was asked.
    asked: Log,
    /// Connections of functions, with their ids.
    functions: Receiver<(String, UnixStream)>,
    /// Roles of connections that user code has closed.
    pub(crate) closed: Receiver<Role>,
    /// The one that calls go over.
    current: Mutex<Option<(String, UnixStream)>>,
}

/// Runs the test named `test` in a process of its own, because the socket's name comes from the
/// environment. There, this gives the kernel; in the process that runs all tests, what it printed.
pub(crate) fn start(
    test: &str,
    answer: impl Fn(&Request, &[u8]) -> Reply + Send + Sync + 'static,
) -> Result<FakeKernel, Output> {
    match env::var_os(SOCKET) {
        Some(path) => Ok(FakeKernel::bind(path.into(), Arc::new(answer)).unwrap()),
        None => Err(run_alone(test)),
    }
}

/// A kernel that does everything that is asked, with `{}`.
pub(crate) fn obedient(_: &Request, _: &[u8]) -> Reply {
    Reply::Done(json!({}))
}

fn run_alone(test: &str) -> Output {
    let folder = env::temp_dir().join(format!(
        "tidebook-{}-{}",
        process::id(),
        test.replace(":", "-")
    ));
    fs::create_dir_all(&folder).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(SOCKET, folder.join("kernel"))
        .output()
        .unwrap();
    fs::remove_dir_all(folder).unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{errors}");
    assert!(
        printed.contains("1 passed"),
        "there is a test of this name: {printed}"
    );
    output
}

impl FakeKernel {
    fn bind(path: PathBuf, answer: Arc<Answer>) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (served, functions) = channel();
        let (over, closed) = channel();
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log) = (answer.clone(), log.clone());
                let (served, over) = (served.clone(), over.clone());
                thread::spawn(move || {
                    if let Some(role) = accept(stream.unwrap(), &*answer, &log, &served) {
                        // Nobody waits for it once the test is over.
                        let _ = over.send(role);
                    }
                });
            }
        });
        Ok(Self {
            asked,
            functions,
            closed,
            current: Mutex::new(None),
        })
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, request)| request.clone()).collect()
    }

    /// The role of the connection over which something was asked last.
    pub(crate) fn last_role(&self) -> Role {
        let asked = self.asked.lock().unwrap();
        asked.last().expect("something was asked").0.clone()
    }

    /// The function that was registered last.
    pub(crate) fn function(&self) -> Function {
        self.registered().1
    }

    fn registered(&self) -> (String, Function) {
        let registered = self
            .requests()
            .into_iter()
            .rev()
            .find_map(|request| match request {
                Request::RegisterFunction { id, function } => Some((id, function)),
                _ => None,
            });
        registered.expect("a function was registered")
    }

    /// The next connection of the function that was registered last.
    pub(crate) fn connection(&self) -> UnixStream {
        let (wanted, _) = self.registered();
        let mut streams = self.functions.iter();
        let found = streams.find_map(|(id, stream)| (id == wanted).then_some(stream));
        found.expect("the kernel lives")
    }

    /// Calls the function that was registered last.
    pub(crate) fn call(&self, call: &Call, body: &[u8]) -> (Return, Vec<u8>) {
        let (wanted, _) = self.registered();
        let mut current = self.current.lock().unwrap();
        if current.as_ref().is_none_or(|(id, _)| *id != wanted) {
            *current = Some((wanted, self.connection()));
        }
        let (_, stream) = current.as_mut().unwrap();
        exchange(stream, call, body)
    }

    /// Calls a function of SQL with columns, and gives the column of its values.
    pub(crate) fn call_udf(&self, columns: &[Array], rows: u64) -> Result<Array<'static>, Return> {
        match self.call(&Call::Udf { rows }, &columns::encode(columns)) {
            (Return::Done, body) => {
                let mut columns = columns::decode(&body).unwrap();
                assert_eq!(columns.len(), 1);
                let values = columns.remove(0);
                Ok(Array {
                    validity: values.validity.map(|bits| bits.into_owned().into()),
                    offsets: values.offsets.into_owned().into(),
                    values: values.values.into_owned().into(),
                    ..values
                })
            }
            (failed, _) => Err(failed),
        }
    }
}

/// One call and its answer.
pub(crate) fn exchange(stream: &mut UnixStream, call: &Call, body: &[u8]) -> (Return, Vec<u8>) {
    wire::send(stream, call, body).unwrap();
    wire::receive(stream)
        .unwrap()
        .expect("the function answers")
}

/// The failure's kind and message.
pub(crate) fn failure(answer: &Return) -> (&str, &str) {
    match answer {
        Return::Failed(failure) => (&failure.ename, &failure.message),
        Return::Done => panic!("it was done"),
    }
}

/// Serves one connection; gives its role when user code has closed it.
fn accept(
    mut stream: UnixStream,
    answer: &Answer,
    log: &Log,
    served: &Sender<(String, UnixStream)>,
) -> Option<Role> {
    let (hello, _): (Hello, _) = wire::receive(&mut stream).unwrap().unwrap();
    if let Role::Function { id } = hello.role {
        let _ = served.send((id, stream));
        return None;
    }
    while let Ok(Some((request, body))) = wire::receive::<Request>(&mut stream) {
        log.lock()
            .unwrap()
            .push((hello.role.clone(), request.clone()));
        let reply = answer(&request, &body);
        wire::send(&mut stream, &reply, &[]).unwrap();
    }
    Some(hello.role)
}

/// `Reply::Done` of a collect with one column.
pub(crate) fn collected(name: &str, data_type: &str, values: Vec<Value>) -> Reply {
    let field = json!({"name": name, "type": data_type, "nullable": true, "metadata": {}});
    let rows: Vec<_> = values.into_iter().map(|value| json!([value])).collect();
    let schema = json!({"type": "struct", "fields": [field]});
    Reply::Done(json!({"schema": schema, "rows": rows}))
}
