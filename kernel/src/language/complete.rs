//! Completion: names of magics, flags and their values, queries, views and columns.

use serde_json::{Map, Value, json};
use tidebook_engine::{Session, ViewInfo};

use super::place::{self, Place};
use crate::magic::{MAGICS, Magic, QUERY, command, values};

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
pub struct Completion {
    /// Whole texts that replace what stands from `start` to `end`.
    matches: Vec<String>,
    start: usize,
    end: usize,
}

/// Completes at a cursor given in code points.
pub fn complete(code: &str, cursor: usize, session: Option<&Session>) -> Completion {
    let names = Names::of(session);
    complete_with(code, cursor, &names)
}

/// Completes in a string of Rust code: names of columns, views and queries.
pub fn in_string(code: &str, cursor: usize, session: Option<&Session>) -> Completion {
    let names = Names::of(session);
    let offset = place::offset(code, cursor);
    let typed = identifier(&code[..offset]);
    let (mut candidates, typed) = in_query("", typed, &names);
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
pub fn is_rust(code: &str, cursor: usize) -> bool {
    let offset = place::offset(code, cursor);
    matches!(place::place(code, offset), Place::Elsewhere) && !code.trim_start().starts_with('%')
}

/// The content of a reply without matches.
pub fn nothing(cursor: usize) -> Value {
    let completion = Completion {
        matches: Vec::new(),
        start: cursor,
        end: cursor,
    };
    completion.into_content()
}

impl Completion {
    /// Texts that replace what stands from `start` to `end`, in code points.
    pub fn new(matches: Vec<String>, start: usize, end: usize) -> Self {
        Self {
            matches,
            start,
            end,
        }
    }

    /// The content of the reply.
    pub fn into_content(self) -> Value {
        json!({
            "status": "ok",
            "matches": self.matches,
            "cursor_start": self.start,
            "cursor_end": self.end,
            "metadata": Map::new(),
        })
    }
}

/// The names of a session.
#[derive(Default)]
struct Names {
    queries: Vec<String>,
    views: Vec<View>,
}

struct View {
    name: String,
    columns: Vec<String>,
}

impl Names {
    fn of(session: Option<&Session>) -> Self {
        let Some(session) = session else {
            return Self::default();
        };
        let queries = session.streams().all();
        let mut names: Vec<_> = queries
            .iter()
            .filter_map(|query| query.name().map(str::to_owned))
            .collect();
        names.sort_unstable();
        names.dedup();
        Self {
            queries: names,
            views: session.views().iter().map(View::of).collect(),
        }
    }
}

impl View {
    fn of(info: &ViewInfo) -> Self {
        Self {
            name: info.name.clone(),
            columns: info
                .schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
        }
    }
}

fn complete_with(code: &str, cursor: usize, names: &Names) -> Completion {
    let offset = place::offset(code, cursor);
    let (candidates, typed) = match place::place(code, offset) {
        Place::Name(typed) => (titles(), typed),
        Place::Arguments { magic, words, word } => arguments(magic, &words, word, names),
        Place::Body { magic, body } => {
            let typed = identifier(&code[..offset]);
            match magic.spec().name {
                "sql" | "stream" => in_query(body, typed, names),
                "source" => (TYPES.map(str::to_owned).to_vec(), typed),
                _ => (Vec::new(), typed),
            }
        }
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
    names: &Names,
) -> (Vec<String>, &'a str) {
    if let Some((flag, value)) = word.split_once('=')
        && flag.starts_with("--")
    {
        return (
            values(magic, flag.trim_start_matches('-'), value, names),
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
        return (values(magic, flag, word, names), word);
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
    let candidates = positional.map(|id| values(magic, &id, word, names));
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

fn values(magic: &dyn Magic, arg: &str, typed: &str, names: &Names) -> Vec<String> {
    match arg {
        QUERY => return names.queries.clone(),
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
    let offers = magic.offers(arg).into_iter();
    values.extend(offers.map(|value| match value.contains(' ') {
        true => format!("\"{value}\""),
        false => value,
    }));
    values
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

/// Views and the columns of those the query mentions; behind a dot, the columns of that view.
fn in_query<'a>(body: &str, typed: &'a str, names: &Names) -> (Vec<String>, &'a str) {
    if let Some((view, column)) = typed.rsplit_once('.') {
        let view = names
            .views
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(view));
        let columns = view.map(|view| view.columns.clone()).unwrap_or_default();
        return (columns, column);
    }
    let mentions = |view: &&View| {
        let mut words = body.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word.eq_ignore_ascii_case(&view.name))
    };
    let mentioned: Vec<_> = names.views.iter().filter(mentions).collect();
    let views = match mentioned.is_empty() {
        true => names.views.iter().collect(),
        false => mentioned,
    };
    let columns = views.iter().flat_map(|view| view.columns.iter().cloned());
    let mut candidates: Vec<_> = names.views.iter().map(|view| view.name.clone()).collect();
    candidates.extend(columns);
    candidates.sort_unstable();
    candidates.dedup();
    (candidates, typed)
}

/// The identifier, with dots, that ends the text.
fn identifier(text: &str) -> &str {
    let rest = text.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'));
    &text[rest.len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let view = |name: &str, columns: &[&str]| View {
            name: name.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        };
        Names {
            queries: vec!["counts".to_owned(), "delays".to_owned()],
            views: vec![
                view("flights", &["origin", "ts"]),
                view("counts", &["window", "n"]),
            ],
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
        check("%sta|", &["%status"]);
        check("%%s|", &["%%source", "%%stream", "%%sql"]);
        check("%queries\n%prog|", &["%progress"]);
        check("  %lsm|", &["%lsmagic"]);
        assert_eq!(check("é\n%sta|", &["%status"]).start, 2);
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
        check("%%stream c --option trun|", &["truncate="]);
        check("%%source x --wat|", &["--watermark"]);
        check("%chart counts --kind h|", &["heatmap"]);
        check("%stop --|", &["--all"]);
        check("%help st|", &["stream", "status", "stop"]);
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
        check("%%sql\nSELECT or| FROM flights", &["origin"]);
        check("%%sql\nSELECT flights.|", &["origin", "ts"]);
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
