//! What was executed in this session, as `history_request` asks for it.

use glob::Pattern;
use serde::Deserialize;
use serde_json::{Value, json};

/// The number under which this session's entries appear; there are no earlier sessions.
const SESSION: i64 = 1;
/// How much of a result is remembered, so that large results do not stay in memory.
const KEPT_OUTPUT_BYTES: usize = 16 * 1024;

/// All executed cells, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: u32,
    input: String,
    output: Option<String>,
}

/// A request with the defaults that clients rely on.
#[derive(Debug, Deserialize)]
pub(super) struct HistoryRequest {
    hist_access_type: Access,
    #[serde(default)]
    output: bool,
    #[serde(default)]
    session: Option<i64>,
    #[serde(default)]
    start: Option<i64>,
    #[serde(default)]
    stop: Option<i64>,
    #[serde(default)]
    n: Option<usize>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    unique: bool,
}

#[derive(Debug, Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Access {
    Range,
    Tail,
    Search,
}

impl History {
    /// Adds a cell after it ran; `output` is its result as plain text.
    pub(super) fn add(&mut self, line: u32, input: &str, output: Option<String>) {
        self.entries.push(Entry {
            line,
            input: input.to_owned(),
            output: output.map(shortened),
        });
    }

    /// `[session, line, input]` or `[session, line, [input, output]]`, oldest first.
    pub(super) fn answer(&self, request: &HistoryRequest) -> Vec<Value> {
        let mut chosen: Vec<&Entry> = match request.hist_access_type {
            Access::Tail => self.entries.iter().collect(),
            Access::Range => self.range(request),
            Access::Search => self.search(request),
        };
        if !matches!(request.hist_access_type, Access::Range) {
            let surplus = chosen.len().saturating_sub(request.n.unwrap_or(usize::MAX));
            chosen.drain(..surplus);
        }
        chosen
            .iter()
            .map(|entry| entry.json(request.output))
            .collect()
    }

    fn range(&self, request: &HistoryRequest) -> Vec<&Entry> {
        // 0 means the present session, negative numbers those before it.
        if ![0, SESSION].contains(&request.session.unwrap_or(0)) {
            return Vec::new();
        }
        let lines = request.start.unwrap_or(0)..request.stop.unwrap_or(i64::MAX);
        self.entries
            .iter()
            .filter(|entry| lines.contains(&i64::from(entry.line)))
            .collect()
    }

    fn search(&self, request: &HistoryRequest) -> Vec<&Entry> {
        let pattern = glob(request.pattern.as_deref().unwrap_or("*"));
        let mut found: Vec<&Entry> = Vec::new();
        for entry in &self.entries {
            if !pattern.matches(&entry.input) {
                continue;
            }
            if request.unique {
                // Of equal inputs the newest counts.
                found.retain(|earlier| earlier.input != entry.input);
            }
            found.push(entry);
        }
        found
    }
}

fn shortened(output: String) -> String {
    let kept = output.floor_char_boundary(KEPT_OUTPUT_BYTES);
    match kept < output.len() {
        true => format!("{}…", &output[..kept]),
        false => output,
    }
}

impl Entry {
    fn json(&self, with_output: bool) -> Value {
        match with_output {
            true => json!([SESSION, self.line, [self.input, self.output]]),
            false => json!([SESSION, self.line, self.input]),
        }
    }
}

/// A pattern of `*` (any text), `?` (any character) and `[…]` (one of these). One that makes no sense
/// matches itself.
fn glob(pattern: &str) -> Pattern {
    let mut pattern = pattern.to_owned();
    // To the crate, two of them are folders of any depth.
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    let literally = || Pattern::new(&Pattern::escape(&pattern)).unwrap_or_default();
    Pattern::new(&pattern).unwrap_or_else(|_| literally())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let mut history = History::default();
        for (line, input) in [
            (1, "%lsmagic"),
            (2, "%status a"),
            (3, "%lsmagic"),
            (4, "%status b"),
        ] {
            history.add(line, input, None);
        }
        history
    }

    fn check(request: Value, expected: &[u32]) {
        let request: HistoryRequest = serde_json::from_value(request).unwrap();
        let lines: Vec<Value> = history()
            .answer(&request)
            .iter()
            .map(|entry| entry[1].clone())
            .collect();
        assert_eq!(json!(lines), json!(expected), "{request:?}");
    }

    #[test]
    fn the_three_accesses() {
        check(json!({"hist_access_type": "tail", "n": 2}), &[3, 4]);
        check(json!({"hist_access_type": "tail"}), &[1, 2, 3, 4]);
        check(
            json!({"hist_access_type": "range", "session": 1, "start": 2, "stop": 4}),
            &[2, 3],
        );
        check(
            json!({"hist_access_type": "range", "session": 0, "start": 4}),
            &[4],
        );
        check(
            json!({"hist_access_type": "range", "session": -1, "start": 1}),
            &[],
        );
        check(
            json!({"hist_access_type": "search", "pattern": "%status*"}),
            &[2, 4],
        );
        check(
            json!({"hist_access_type": "search", "pattern": "*status ?", "n": 1}),
            &[4],
        );
        check(
            json!({"hist_access_type": "search", "pattern": "%lsmagic", "unique": true}),
            &[3],
        );
        check(
            json!({"hist_access_type": "search", "pattern": "status"}),
            &[],
        );
    }

    #[test]
    fn a_long_result_is_shortened() {
        let mut history = History::default();
        history.add(1, "%%sql", Some("ä".repeat(KEPT_OUTPUT_BYTES)));
        let request = json!({"hist_access_type": "tail", "output": true});
        let answer = history.answer(&serde_json::from_value(request).unwrap());
        let kept = answer[0][2][1].as_str().unwrap();
        assert!(kept.len() <= KEPT_OUTPUT_BYTES + '…'.len_utf8());
        assert!(kept.ends_with("ä…"));
    }

    #[test]
    fn output_comes_with_the_input() {
        let request = json!({"hist_access_type": "tail", "output": true, "n": 1});
        let request = serde_json::from_value(request).unwrap();
        let mut history = history();
        history.add(5, "%%sql\nSELECT 1", Some("1".to_owned()));
        assert_eq!(
            history.answer(&request),
            [json!([1, 5, ["%%sql\nSELECT 1", "1"]])]
        );
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a*b*c", "a1b2b3c", true),
            ("?", "é", true),
            ("**x", "yyx", true),
            ("*a*", "b/\na", true),
            ("[", "[", true),
        ] {
            assert_eq!(glob(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
