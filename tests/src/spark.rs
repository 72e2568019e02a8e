//! Spark beside us in a benchmark: a program in Python that is asked by lines of JSON and answers each
//! with a line. It ends with its standard input.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

/// A program of `tests/spark` that runs.
pub struct Spark {
    running: Child,
    questions: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Spark {
    /// Starts `program`, a file of `tests/spark`, with a Python that has PySpark, and waits until it is
    /// ready: what is measured meanwhile would be the start of a JVM too.
    pub fn start(python: &str, program: &str, argument: &str) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("spark");
        let mut running = Command::new(python)
            .arg(folder.join(program))
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("'{python}' does not run"))?;
        let answers = running.stdout.take().context("no output")?;
        let mut started = Self {
            questions: running.stdin.take(),
            answers: BufReader::new(answers).lines(),
            running,
        };
        started.answer()?;
        Ok(started)
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        let questions = self.questions.as_mut().context("it has ended")?;
        writeln!(questions, "{question}")?;
        questions.flush()?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Value> {
        // What the JVM says while it starts is no answer.
        let answers = self.answers.by_ref();
        let mut said = answers.map_while(Result::ok);
        let answer = said.find(|line| line.starts_with('{'));
        let answer = answer.context("Spark has ended; what it said is above")?;
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Spark {
    fn drop(&mut self) {
        drop(self.questions.take());
        if let Err(error) = self.running.wait() {
            eprintln!("Spark cannot be waited for: {error}");
        }
    }
}
