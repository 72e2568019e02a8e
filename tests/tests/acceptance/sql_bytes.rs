//! SQL that nobody means: statements with bytes cut out, doubled, moved and put in. Each is planned or
//! refused with an error; none panics, hangs or overflows the stack.
//!
//! `CASES=1000000 SEED=… cargo test --release --test acceptance sql_bytes`.

use std::time::Duration;

use acceptance::frame::relation;
use acceptance::seeded::Seeded;
use tidebook_engine::Session;

/// What is made worse: a line, a statement; lines that begin with `--` are themes.
const STATEMENTS: &str = include_str!("../../spark/statements.sql");
/// What is put in: what means something to a parser, and what should not.
const PIECES: &[&str] = &[
    "(",
    ")",
    "'",
    "\"",
    "`",
    "\\",
    "--",
    "/*",
    "*/",
    ";",
    ",",
    ".",
    "::",
    "->",
    "=>",
    "|>",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "@",
    "?",
    ":a",
    "$",
    "\0",
    "é",
    "🌊",
    "0x",
    "1e999",
    "-",
    "X'",
    "r'",
    "INTERVAL ",
    "CAST(",
    "CASE WHEN ",
    " OVER (",
    "SELECT ",
    " FROM ",
    "WITH a AS (",
    " LATERAL VIEW explode(",
    " UNION ",
    " PIVOT (",
    "ARRAY<",
    "99999999999999999999999999999999999999999",
];
/// Nothing here is long: whoever takes so long will never end.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn spoiled_statements_are_planned_or_refused() {
    let cases = std::env::var("CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let seed = Seeded::seed_from_env();
    let mut seeded = Seeded::new(seed);
    let lines = STATEMENTS.lines().filter(|line| !line.trim().is_empty());
    let statements: Vec<&str> = lines.filter(|line| !line.starts_with("--")).collect();
    let session = Session::new().unwrap();
    for _ in 0..cases.unwrap_or(2_000) {
        let spoiled = spoiled(&statements, &mut seeded);
        let own = session.clone();
        let relation = relation(std::slice::from_ref(&spoiled)).unwrap();
        let planning = tokio::spawn(async move { own.schema(&relation).await.is_ok() });
        let planned = tokio::time::timeout(PATIENCE, planning).await;
        let what = || format!("SEED={seed}: {spoiled:?}");
        planned
            .unwrap_or_else(|_| panic!("no end: {}", what()))
            .unwrap_or_else(|panic| panic!("{panic}: {}", what()));
    }
}

/// One of the statements with a few changes.
fn spoiled(statements: &[&str], seeded: &mut Seeded) -> String {
    let mut bytes = pick(statements, seeded).as_bytes().to_vec();
    for _ in 0..=seeded.below(4) {
        let at = seeded.below(bytes.len() as u64 + 1) as usize;
        let end = (at + seeded.below(12) as usize).min(bytes.len());
        match seeded.below(7) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.truncate(at),
            2 => {
                let doubled = bytes[at..end].repeat(1 + seeded.below(3) as usize);
                bytes.splice(at..at, doubled);
            }
            3 => {
                let other = pick(statements, seeded).as_bytes();
                let from = seeded.below(other.len() as u64) as usize;
                bytes.splice(at..end, other[from..].iter().copied());
            }
            4 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = seeded.below(256) as u8;
                }
            }
            5 => {
                // Far deeper than anybody writes.
                let deep = pick(PIECES, seeded).repeat(1 << seeded.below(12));
                bytes.splice(at..at, deep.into_bytes());
            }
            _ => {
                let piece = pick(PIECES, seeded).bytes();
                bytes.splice(at..at, piece);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn pick<'s>(all: &[&'s str], seeded: &mut Seeded) -> &'s str {
    all[seeded.below(all.len() as u64) as usize]
}
