//! Completion: names of magics, flags and their values, queries, views and columns.

use serde_json::{Map, Value, json};
use tidebook_engine::Session;

use super::in_query;
use super::known_names::KnownNames;
use super::place::{self, Place};
use crate::magic::{MAGICS, Magic, QUERY, STREAM, TOPIC, command, values};

/// Types of a schema, for the body of `%%source`.
const TYPES: [&str; 12] = [
    "BIGINT",
    "BINARY",
    "BOOLEAN",
    "DATE",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "INT",
    "SMALLINT",
    "STRING",
    "TIMESTAMP",
    "TINYINT",
];

/// What can stand at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    /// Whole texts that replace what stands from `start` to `end`.
    matches: Vec<String>,
    start: usize,
    end: usize,
}

/// Completes at a cursor given in code points.
pub(crate) fn complete(
    code: &str,
    cursor: usize,
    session: Option<&Session>,
    topics: Vec<String>,
    on_clusters: Vec<String>,
) -> Completion {
    let mut names = KnownNames {
        topics,
        ..KnownNames::of(session)
    };
    names.queries.extend(on_clusters);
    complete_with(code, cursor, &names)
}

/// Completes in a string of Rust code: names of columns, views and queries.
pub(crate) fn in_string(code: &str, cursor: usize, session: Option<&Session>) -> Completion {
    let names = KnownNames::of(session);
    let offset = place::offset(code, cursor);
    let (mut candidates, typed) = in_query::candidates("", &code[..offset], &names);
    candidates.retain(|candidate| !candidate.ends_with('('));
    candidates.extend(names.queries.iter().cloned());
    candidates.sort_unstable();
    candidates.dedup();
    let lower = typed.to_lowercase();
    candidates.retain(|candidate| candidate.to_lowercase().starts_with(&lower));
    Completion::new(
        candidates,
        place::cursor(code, offset - typed.len()),
        cursor,
    )
}

/// Whether a cursor stands in Rust code rather than in a magic.
pub(crate) fn is_rust(code: &str, cursor: usize) -> bool {
    let offset = place::offset(code, cursor);
    matches!(place::place(code, offset), Place::Elsewhere) && !code.trim_start().starts_with('%')
}

/// The content of a reply without matches.
pub(crate) fn nothing(cursor: usize) -> Value {
    let completion = Completion {
        matches: Vec::new(),
        start: cursor,
        end: cursor,
    };
    completion.into_content()
}

impl Completion {
    /// Texts that replace what stands from `start` to `end`, in code points.
    pub(crate) fn new(matches: Vec<String>, start: usize, end: usize) -> Self {
        Self {
            matches,
            start,
            end,
        }
    }

    /// The content of the reply.
    pub(crate) fn into_content(self) -> Value {
        json!({
            "status": "ok",
            "matches": self.matches,
            "cursor_start": self.start,
            "cursor_end": self.end,
            "metadata": Map::new(),
        })
    }
}

fn complete_with(code: &str, cursor: usize, names: &KnownNames) -> Completion {
    let offset = place::offset(code, cursor);
    let (candidates, typed) = match place::place(code, offset) {
        Place::Name(typed) => (titles(), typed),
        Place::Arguments { magic, words, word } => arguments(magic, &words, word, names),
        Place::Body { magic, body } => match magic.spec().name {
            "sql" | "stream" | "check" => in_query::candidates(body, &code[..offset], names),
            "source" => (
                TYPES.map(str::to_owned).to_vec(),
                in_query::identifier(&code[..offset]),
            ),
            _ => (Vec::new(), ""),
        },
        Place::Elsewhere => (Vec::new(), ""),
    };
    let lower = typed.to_lowercase();
    let matches = candidates
        .into_iter()
        .filter(|candidate| candidate.to_lowercase().starts_with(&lower))
        .collect();
    Completion {
        matches,
        start: place::cursor(code, offset - typed.len()),
        end: place::cursor(code, offset),
    }
}

/// All magics; `%` alone offers the cell magics too.
fn titles() -> Vec<String> {
    MAGICS.iter().map(|magic| magic.spec().title()).collect()
}

/// Flags, values of a flag, or positional arguments, and the part of the word they replace.
fn arguments<'a>(
    magic: &dyn Magic,
    words: &[&str],
    word: &'a str,
    names: &KnownNames,
) -> (Vec<String>, &'a str) {
    if let Some((flag, value)) = word.split_once('=')
        && flag.starts_with("--")
    {
        return (
            values(magic, flag.trim_start_matches('-'), value, words, names),
            value,
        );
    }
    let command = command(magic);
    let takes_value = |flag: &str| {
        command
            .get_opts()
            .any(|arg| arg.get_long() == Some(flag) && arg.get_action().takes_values())
    };
    if let Some(flag) = words.last().and_then(|word| word.strip_prefix("--"))
        && takes_value(flag)
    {
        return (values(magic, flag, word, words, names), word);
    }
    if word.starts_with('-') {
        let flags = command.get_arguments().filter_map(|arg| arg.get_long());
        return (flags.map(|flag| format!("--{flag}")).collect(), word);
    }
    let index = positionals_before(words, takes_value);
    let positional = command
        .get_positionals()
        .nth(index)
        .map(|arg| arg.get_id().to_string());
    let candidates = positional.map(|id| values(magic, &id, word, words, names));
    (candidates.unwrap_or_default(), word)
}

fn positionals_before(words: &[&str], takes_value: impl Fn(&str) -> bool) -> usize {
    let mut count = 0;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(flag) if takes_value(flag) => drop(words.next()),
            Some(_) => {}
            None => count += 1,
        }
    }
    count
}

fn values(
    magic: &dyn Magic,
    arg: &str,
    typed: &str,
    words: &[&str],
    names: &KnownNames,
) -> Vec<String> {
    match arg {
        QUERY => return names.queries.clone(),
        STREAM => return names.streams(),
        TOPIC => return names.topics.clone(),
        "x" | "y" | "by" => return columns(words, names),
        "path" | "checkpoint" => return files(typed),
        "magic" => {
            return MAGICS
                .iter()
                .map(|magic| magic.spec().name.to_owned())
                .collect();
        }
        _ => {}
    }
    let command = command(magic);
    let definition = command.get_arguments().find(|known| known.get_id() == arg);
    let mut values: Vec<_> = definition
        .map(clap::Arg::get_possible_values)
        .unwrap_or_default()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let offers = magic.offers(arg, words).into_iter();
    values.extend(topics_of(arg, typed, names));
    values.extend(offers.map(|value| match value.contains(' ') {
        true => format!("\"{value}\""),
        false => value,
    }));
    values
}

/// Topics where a value names one in its second half: `subscribe=clicks`, `kafka:clicks`.
fn topics_of(arg: &str, typed: &str, names: &KnownNames) -> Vec<String> {
    let starts: &[&str] = match arg {
        "option" => &["subscribe=", "topic="],
        "sink" => &["kafka:"],
        _ => &[],
    };
    let start = starts.iter().find(|start| typed.starts_with(**start));
    let topics = start.map(|start| {
        names
            .topics
            .iter()
            .map(move |topic| format!("{start}{topic}"))
    });
    topics.into_iter().flatten().collect()
}

/// Columns of the table of the query that the words name first, or else of all queries.
fn columns(words: &[&str], names: &KnownNames) -> Vec<String> {
    let named = words.first().and_then(|word| names.view(word));
    if let Some(view) = named {
        return view.columns();
    }
    let views = names.queries.iter().filter_map(|query| names.view(query));
    let mut columns: Vec<String> = views.flat_map(|view| view.columns()).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Folders and files that begin as typed; folders end with a slash, so that one can go on.
fn files(typed: &str) -> Vec<String> {
    let folder = typed.rfind('/').map_or("", |slash| &typed[..=slash]);
    let listed = match folder {
        "" => ".".to_owned(),
        folder => values::path(folder),
    };
    let entries = std::fs::read_dir(listed).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_folder = entry.path().is_dir();
            let hidden = name.starts_with('.');
            let slash = if is_folder { "/" } else { "" };
            (!hidden).then(|| format!("{folder}{name}{slash}"))
        })
        .collect();
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    use super::super::known_names::View;
    use super::*;

    fn names() -> KnownNames {
        let view = |name: &str, is_streaming: bool, columns: &str| View {
            name: name.to_owned(),
            is_streaming,
            schema: tidebook_engine::parse_ddl(columns).unwrap(),
        };
        KnownNames {
            queries: vec!["counts".to_owned(), "delays".to_owned()],
            views: vec![
                view("flights", true, "origin STRING, ts TIMESTAMP"),
                view(
                    "counts",
                    false,
                    "window STRUCT<start: TIMESTAMP, end: TIMESTAMP>, n BIGINT",
                ),
            ],
            functions: vec!["count".to_owned(), "from_json".to_owned()],
            topics: vec!["clicks".to_owned(), "orders".to_owned()],
        }
    }

    /// The cursor stands where the `|` is.
    fn check(code: &str, expected: &[&str]) -> Completion {
        let offset = code.find('|').unwrap();
        let cursor = code[..offset].chars().count();
        let completion = complete_with(&code.replacen('|', "", 1), cursor, &names());
        assert_eq!(completion.matches, expected, "{code}");
        assert_eq!(completion.end, cursor, "{code}");
        completion
    }

    #[test]
    fn magic_names() {
        check("%sta|", &["%status", "%state"]);
        check("%%s|", &["%%source", "%%stream", "%%sql"]);
        check("%%fe|", &["%%feed"]);
        check("%queries\n%prog|", &["%progress"]);
        check("  %lsm|", &["%lsmagic"]);
        assert_eq!(check("é\n%stat|", &["%status", "%state"]).start, 2);
    }

    #[test]
    fn flags_and_values() {
        check("%%stream counts --mo|", &["--mode"]);
        check(
            "%%stream counts --mode |",
            &["append", "update", "complete"],
        );
        check("%%stream counts --mode=u|", &["update"]);
        check("%%stream counts --until r|", &["rows="]);
        check("%%stream counts --sink p|", &["parquet:DIR"]);
        check(
            "%%source x --option maxF|",
            &["maxFileAge=", "maxFilesPerTrigger="],
        );
        check("%%stream c --sink console --option trun|", &["truncate="]);
        check("%%feed |", &["flights"]);
        check("%%produce c|", &["clicks"]);
        check("%kafka delete o|", &["orders"]);
        check(
            "%%source c --format kafka --option subscribe=cl|",
            &["subscribe=clicks"],
        );
        check("%%stream c --sink kafka:o|", &["kafka:orders"]);
        check("%%source x --wat|", &["--watermark"]);
        check("%%source x --format memory --option |", &[]);
        check("%%source x --format csv --option hea|", &["header="]);
        check("%%stream c --sink=parquet:out --option trun|", &[]);
        check("%chart counts --kind h|", &["heatmap"]);
        check("%chart counts --x |", &["window", "n"]);
        check("%chart --y |", &["n", "window"]);
        check("%stop --|", &["--all"]);
        check("%help st|", &["stream", "status", "state", "stop"]);
    }

    #[test]
    fn query_names() {
        check("%status |", &["counts", "delays"]);
        check("%await d|", &["delays"]);
        check("%progress --recent 3 c|", &["counts"]);
        check("%status counts |", &[]);
        check("%%stream |", &[]);
    }

    #[test]
    fn views_and_columns() {
        check("%%sql\nSELECT * FROM fl|", &["flights"]);
        check("%%sql\nSELECT * FROM |", &["flights", "counts"]);
        check(
            "%%sql\nSELECT | FROM flights",
            &["counts", "flights", "origin", "ts"],
        );
        check(
            "%%sql\nSELECT or| FROM flights",
            &["origin", "or", "order by"],
        );
        check("%%sql\nSELECT co|", &["counts", "count("]);
        check("%%sql\nSELECT 1 FRO|", &["from_json(", "FROM"]);
        check("%%sql\nSELECT flights.|", &["origin", "ts"]);
        check("%%sql\nSELECT f.o| FROM flights AS f", &["origin"]);
        check("%%sql\nSELECT window.| FROM counts", &["start", "end"]);
        check("%%sql\nSELECT c.window.e| FROM counts c", &["end"]);
        let completion = check("%%stream c\nSELECT é, Flights.o| FROM flights", &["origin"]);
        assert_eq!(completion.end - completion.start, 1);
        check("%%source a --path b\nx TIM|", &["TIMESTAMP"]);
    }

    #[test]
    fn folders_and_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("events")).unwrap();
        std::fs::write(folder.path().join("event.json"), "").unwrap();
        let path = folder.path().display();
        let expected = [format!("{path}/event.json"), format!("{path}/events/")];
        let expected = expected.each_ref().map(String::as_str);
        check(&format!("%%source a --path {path}/ev|"), &expected);
    }

    #[test]
    fn nothing_elsewhere() {
        check("let x = fl|", &[]);
        check("|", &[]);
        check("%nonsense |", &[]);
    }
}
