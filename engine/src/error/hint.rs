//! Hints: what a user can do about an error, as data that every front end words in its own way.
//!
//! A notebook's magic, a call in Rust and a call in Python do the same thing by other words. So a hint is
//! made of words that read the same everywhere and of [`Act`]s, and who shows it words the acts.

use std::fmt;

/// What a user can do about an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    parts: Vec<Part>,
    /// The hint in Spark's names.
    text: String,
}

/// A part of a [`Hint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words that read the same everywhere.
    Text(String),
    /// Something to do.
    Act(Act),
}

/// Something to do, or to name, that each front end has its own words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The output mode of this name.
    OutputMode(String),
    /// To define a watermark of ten minutes on a column.
    AddWatermark {
        /// The column.
        column: String,
        /// Of which stream.
        on: Streams,
    },
    /// The checkpoint's folder, as the word for the setting.
    Checkpoint,
    /// To give the checkpoint's folder.
    SetCheckpoint,
    /// An option of a source or sink with a value.
    Option {
        /// The option.
        name: String,
        /// Its value.
        value: String,
    },
    /// A trigger by processing time, with its interval.
    ProcessingTime(String),
    /// The trigger of real time, with its batch duration if it matters.
    RealTime(Option<String>),
    /// A sink of a format that writes to a target.
    Sink {
        /// The format.
        format: String,
        /// A word for the target, e.g. `DIR` or `TOPIC`.
        target: String,
    },
    /// An option of a source or sink, by name.
    OptionName(String),
    /// The format of this name.
    Format(String),
    /// The path that a source reads.
    SourcePath,
    /// To give the columns of a source.
    SourceSchema,
    /// To stop a query.
    Stop {
        /// Its name or id.
        query: String,
    },
    /// To define a stream.
    DefineStream {
        /// Its name, if one is meant.
        name: Option<String>,
        /// Its format, if one is meant.
        format: Option<String>,
    },
    /// To start a streaming query.
    StartQuery,
    /// To run a batch query.
    RunBatch,
    /// A setting of the session.
    Conf {
        /// Its key.
        key: String,
        /// Its value.
        value: String,
    },
    /// To create a topic.
    CreateTopic(String),
    /// To start a broker in this process.
    StartBroker,
    /// What finds a query's state without its checkpoint, where there is something that does.
    ShowState,
    /// To start the query with user code of this kind: `foreachBatch` or `foreach`.
    GiveFunction(&'static str),
}

/// Which streams are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Streams {
    /// The only one.
    The,
    /// All of them.
    Each,
    /// The one of this name.
    Named(String),
}

/// How a front end words what there is to do.
pub trait Wording {
    /// The words, in the middle of a sentence.
    fn words(&self, act: &Act) -> String;
}

impl Hint {
    /// The hint in a front end's words.
    pub fn worded(&self, wording: &dyn Wording) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Act(act) => wording.words(act),
            })
            .collect()
    }

    /// The hint in Spark's names.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it is made of.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The same about something that is known by another name.
    pub(super) fn renamed(self, own: &str, shown: &str) -> Self {
        let parts = self.parts.into_iter().map(|part| match part {
            Part::Text(text) => Part::Text(text.replace(own, shown)),
            act @ Part::Act(_) => act,
        });
        Self::of(parts.collect())
    }

    fn of(parts: Vec<Part>) -> Self {
        let text = parts.iter().map(ToString::to_string).collect();
        Self { parts, text }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self::from(text.to_string())
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::of(vec![Part::Text(text)])
    }
}

impl From<&String> for Hint {
    fn from(text: &String) -> Self {
        Self::from(text.clone())
    }
}

impl From<Act> for Hint {
    fn from(act: Act) -> Self {
        Self::of(vec![Part::Act(act)])
    }
}

impl<const N: usize> From<[Part; N]> for Hint {
    fn from(parts: [Part; N]) -> Self {
        Self::of(parts.into())
    }
}

impl From<Vec<Part>> for Hint {
    fn from(parts: Vec<Part>) -> Self {
        Self::of(parts)
    }
}

impl From<Act> for Part {
    fn from(act: Act) -> Self {
        Self::Act(act)
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Words that read the same everywhere.
pub(crate) fn say(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

/// [`Act::OutputMode`].
pub(crate) fn mode(name: impl ToString) -> Part {
    Part::Act(Act::OutputMode(name.to_string()))
}

/// [`Act::Checkpoint`].
pub(crate) fn checkpoint() -> Part {
    Part::Act(Act::Checkpoint)
}

/// [`Act::Option`].
pub(crate) fn option(name: impl ToString, value: impl ToString) -> Part {
    Part::Act(Act::Option {
        name: name.to_string(),
        value: value.to_string(),
    })
}

/// [`Act::Sink`].
pub(crate) fn sink(format: impl ToString, target: impl ToString) -> Part {
    Part::Act(Act::Sink {
        format: format.to_string(),
        target: target.to_string(),
    })
}

/// [`Act::AddWatermark`].
pub(crate) fn watermark(column: impl ToString, on: Streams) -> Part {
    Part::Act(Act::AddWatermark {
        column: column.to_string(),
        on,
    })
}

/// [`Act::OptionName`].
pub(crate) fn option_name(name: impl ToString) -> Part {
    Part::Act(Act::OptionName(name.to_string()))
}

/// [`Act::SetCheckpoint`].
pub(crate) fn set_checkpoint() -> Part {
    Part::Act(Act::SetCheckpoint)
}

/// [`Act::Format`].
pub(crate) fn format(name: impl ToString) -> Part {
    Part::Act(Act::Format(name.to_string()))
}

/// [`Act::SourcePath`].
pub(crate) fn source_path() -> Part {
    Part::Act(Act::SourcePath)
}

/// [`Act::SourceSchema`].
pub(crate) fn source_schema() -> Part {
    Part::Act(Act::SourceSchema)
}

/// [`Act::ProcessingTime`].
pub(crate) fn processing_time(interval: impl ToString) -> Part {
    Part::Act(Act::ProcessingTime(interval.to_string()))
}

/// [`Act::RealTime`].
pub(crate) fn real_time(duration: Option<&str>) -> Part {
    Part::Act(Act::RealTime(duration.map(str::to_string)))
}

/// [`Act::StartQuery`].
pub(crate) fn start_query() -> Part {
    Part::Act(Act::StartQuery)
}

/// [`Act::RunBatch`].
pub(crate) fn run_batch() -> Part {
    Part::Act(Act::RunBatch)
}

/// [`Act::Conf`].
pub(crate) fn conf(key: impl ToString, value: impl ToString) -> Part {
    Part::Act(Act::Conf {
        key: key.to_string(),
        value: value.to_string(),
    })
}

/// [`Act::CreateTopic`].
pub(crate) fn create_topic(topic: impl ToString) -> Part {
    Part::Act(Act::CreateTopic(topic.to_string()))
}

/// [`Act::StartBroker`].
pub(crate) fn start_broker() -> Part {
    Part::Act(Act::StartBroker)
}

/// [`Act::ShowState`].
pub(crate) fn show_state() -> Part {
    Part::Act(Act::ShowState)
}

/// [`Act::GiveFunction`].
pub(crate) fn give_function(method: &'static str) -> Part {
    Part::Act(Act::GiveFunction(method))
}

/// [`Act::Stop`].
pub(crate) fn stop(query: impl ToString) -> Part {
    Part::Act(Act::Stop {
        query: query.to_string(),
    })
}

/// [`Act::DefineStream`].
pub(crate) fn define_stream(name: Option<&str>, format: Option<&str>) -> Part {
    Part::Act(Act::DefineStream {
        name: name.map(str::to_string),
        format: format.map(str::to_string),
    })
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Act(act) => act.fmt(f),
        }
    }
}

/// The act in Spark's names, for whoever has no words of their own.
impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutputMode(mode) => write!(f, "the output mode {mode}"),
            Self::AddWatermark { column, on } => {
                write!(f, "add withWatermark('{column}', '10 minutes') to {on}")
            }
            Self::Checkpoint => f.write_str("checkpointLocation"),
            Self::SetCheckpoint => f.write_str("the option checkpointLocation"),
            Self::Option { name, value } => write!(f, "the option {name}={value}"),
            Self::ProcessingTime(interval) => write!(f, "the trigger processingTime '{interval}'"),
            Self::RealTime(None) => f.write_str("the trigger realTime"),
            Self::RealTime(Some(duration)) => write!(f, "the trigger realTime '{duration}'"),
            Self::Sink { format, target } => write!(f, "the format {format} with {target}"),
            Self::OptionName(name) => f.write_str(name),
            Self::Format(format) => write!(f, "the format {format}"),
            Self::SourcePath => f.write_str("a path"),
            Self::SourceSchema => f.write_str("give the schema, e.g. user STRING, ts TIMESTAMP"),
            Self::Stop { query } => write!(f, "stop the query '{query}'"),
            Self::DefineStream { name, format } => {
                f.write_str("readStream")?;
                if let Some(format) = format {
                    write!(f, " of the format {format}")?;
                }
                match name {
                    Some(name) => write!(f, ", as the view {name}"),
                    None => Ok(()),
                }
            }
            Self::StartQuery => f.write_str("writeStream"),
            Self::RunBatch => f.write_str("a batch query"),
            Self::Conf { key, value } => write!(f, "the setting {key}={value}"),
            Self::CreateTopic(topic) => write!(f, "create {topic} first"),
            Self::StartBroker => f.write_str("start a broker"),
            Self::ShowState => Ok(()),
            Self::GiveFunction(method) => write!(f, "start the query with {method}(…)"),
        }
    }
}

impl fmt::Display for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::The => f.write_str("the stream"),
            Self::Each => f.write_str("each stream"),
            Self::Named(name) => write!(f, "the stream {name}"),
        }
    }
}
