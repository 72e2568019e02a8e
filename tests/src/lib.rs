//! Acceptance tests: stream scripts, the recorded answers of Spark, and what drives the engine.
//!
//! A stream script (`tests/streaming/**/*.stream`) says step by step what comes in and what must
//! come out. [`script`] reads it, [`action`] gives each step its meaning, [`run`] plays it on the
//! engine in several variations, [`report`] shows where it went wrong. [`recording`] holds what
//! Spark 4.3.0 answered to the same script (`tests/spark/record.py` asks it). [`real_broker`] is Apache
//! Kafka's own broker, [`embedded_broker`] the one for lessons.
//!
//! # The format
//!
//! Blocks are separated by empty lines. A block is a line with a verb, more lines that belong to
//! it, and after `----` what is expected. `#` begins a comment line at the head of a block; there,
//! too, stand directives: `open: why` (the engine does not answer like that yet; fails once it
//! does), `no-restart: why`, `no-kill: why`, `one-partition: why`, `not-recorded: why` for the whole
//! script and `spark-differs: why` for the one block.
//!
//! | verb | does |
//! |---|---|
//! | `source NAME(schema) [watermark COL 'delay'] [option k=v]… [path P] [format F]` | a stream of NDJSON files, one file a batch; with an empty schema, of a format with columns of its own |
//! | `static NAME(schema)` | a table; its rows follow |
//! | `view NAME` | names the query on the following lines |
//! | `set KEY VALUE` | a setting of the session |
//! | `query MODE [once\|available-now] [sink=S] [name=N] [checkpoint=C] [path=P] [k=v]…` | starts the query on the following lines: SQL, or `from NAME \| stage \| …` |
//! | `start-beside MODE …` | starts another query beside the running one, and stops it |
//! | `add-data NAME` | a new file; a row a line, values in the order of the columns, or JSON objects |
//! | `add-text NAME` | a new file; its text as JSON strings |
//! | `run` | works until everything is processed; expects the batches' figures |
//! | `check-new-answer` | `run`, and the rows of the batches since the last look |
//! | `check-answer [complete]` | `run`, and all rows so far (`complete`: of the last batch) |
//! | `expect [batch=N] k=v…` | figures of the progress of a batch, the last one if none is named |
//! | `check-schema` | column names and types of the query on the following lines, or of the running one |
//! | `sql` | a batch statement and its rows |
//! | `check-modes` | whether the query is accepted, and runs, in each output mode |
//! | `restart` | stops the query and starts it again |
//!
//! Where a step must fail, `error [CONDITION] words of the message` is what is expected.
//! Times on 2024-01-01 are written `12:05` or `12:05:30.5`, others `2024-01-02T00:00`;
//! a window is `[12:00,12:10)`.

pub mod action;
pub mod cell;
pub mod compare;
pub mod embedded_broker;
pub mod engine_driver;
pub mod feeder;
pub mod figures;
pub mod frame;
pub mod kafka;
pub mod outcome;
pub mod real_broker;
pub mod recording;
pub mod report;
pub mod rows;
pub mod run;
pub mod script;
pub mod seeded;
pub mod spark;
pub mod update;
