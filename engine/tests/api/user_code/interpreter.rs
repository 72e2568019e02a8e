//! A stateful processor that does what its rows say, as the recorder's does on Spark.

use tidebook_engine::{
    BatchTimes, Cancellation, Error, ProcessorGroup, ProcessorResult, StateChange, StateEntry,
    StateVariable, StateVariableKind, StatefulProcessor, WrittenEntry,
};

use serde_json::{Value, json};

/// A TTL of the variables that have one.
const TTL_MS: i64 = 20_000;

pub(super) fn variable(
    name: &str,
    kind: StateVariableKind,
    holds: &str,
    ttl_ms: Option<i64>,
) -> StateVariable {
    StateVariable {
        name: name.into(),
        kind,
        value_type: holds.into(),
        ttl_ms,
    }
}

#[derive(Debug)]
pub(super) struct Interpreter {
    time_mode: String,
    variables: Vec<StateVariable>,
}

/// An entry, and its number if it was held.
type Entry = (Option<usize>, StateEntry);

/// One group while it is worked on.
struct Working<'a> {
    interpreter: &'a Interpreter,
    times: BatchTimes,
    entries: Vec<Vec<Entry>>,
    held: Vec<usize>,
    timers: Vec<i64>,
    said: Vec<String>,
}

impl Interpreter {
    pub(super) fn new(time_mode: &str) -> Self {
        use StateVariableKind::{List, Map, Value};
        let mut variables = vec![
            variable("v", Value, "STRING", None),
            variable("then", Value, "STRING", None),
            variable("l", List, "STRING", None),
            variable("m", Map, "STRING", None),
        ];
        if time_mode == "ProcessingTime" {
            let expiring = [("tv", Value), ("tl", List), ("tm", Map)];
            let expiring =
                expiring.map(|(name, kind)| variable(name, kind, "STRING", Some(TTL_MS)));
            variables.extend(expiring);
        }
        Self::with(time_mode, variables)
    }

    pub(super) fn with(time_mode: &str, variables: Vec<StateVariable>) -> Self {
        Self {
            time_mode: time_mode.into(),
            variables,
        }
    }

    pub(super) fn variables(&self) -> Vec<StateVariable> {
        self.variables.clone()
    }

    fn group(&self, group: ProcessorGroup, times: BatchTimes) -> ProcessorResult {
        let numbered = |held: &Vec<StateEntry>| {
            let held = held.iter().cloned().enumerate();
            held.map(|(number, entry)| (Some(number), entry)).collect()
        };
        let mut working = Working {
            interpreter: self,
            times,
            entries: group.state.iter().map(numbered).collect(),
            held: group.state.iter().map(Vec::len).collect(),
            timers: group.timers.clone(),
            said: Vec::new(),
        };
        for row in &group.initial {
            working.run(row["todo"].as_str().unwrap());
        }
        working.said.clear();
        for row in &group.rows {
            working.run(row["todo"].as_str().unwrap());
        }
        let shown = |said: Vec<String>| -> Vec<Value> {
            let rows = said.into_iter();
            rows.map(|said| json!({"user": group.key[0], "said": said}))
                .collect()
        };
        let rows = shown(std::mem::take(&mut working.said));
        let mut timer_rows = Vec::new();
        for time in &group.expired_timers {
            working.said.push(match self.time_mode.as_str() {
                "ProcessingTime" => "timer".into(),
                _ => format!("timer {time}"),
            });
            let then = working.entries[1]
                .first()
                .map(|(_, entry)| entry.value.clone());
            if let Some(then) = then {
                working.run(&then);
            }
            // What has fired is gone once its handler has returned.
            working.timers.retain(|timer| timer != time);
            timer_rows.push(shown(std::mem::take(&mut working.said)));
        }
        let left = |timer: &&i64| !working.timers.contains(timer);
        let new = |timer: &&i64| !group.timers.contains(timer);
        ProcessorResult {
            rows,
            timer_rows,
            deleted_timers: group.timers.iter().filter(left).copied().collect(),
            registered_timers: working.timers.iter().filter(new).copied().collect(),
            changes: working.changes(),
        }
    }
}

impl Working<'_> {
    fn run(&mut self, todo: &str) {
        for command in todo.split("; ") {
            if let Some(said) = self.command(command) {
                self.said.push(format!("{command} -> {said}"));
            }
        }
    }

    fn command(&mut self, command: &str) -> Option<String> {
        let mut words = command.split(' ');
        let what = words.next().unwrap();
        let rest: Vec<&str> = words.collect();
        let (name, action) = what.split_at(what.len() - 1);
        match (name, action) {
            ("w", _) => return Some(self.times.watermark_ms.to_string()),
            ("t", "?") => return Some(self.list_timers()),
            ("t", action) => {
                let time = self.time(rest[0]);
                self.timers.retain(|timer| *timer != time);
                if action == "+" {
                    self.timers.push(time);
                    self.timers.sort();
                }
                return None;
            }
            _ => {}
        }
        let mut variables = self.interpreter.variables.iter();
        let number = variables.position(|variable| variable.name == name)?;
        let kind = self.interpreter.variables[number].kind;
        let entries = &mut self.entries[number];
        match kind {
            StateVariableKind::Value => match action {
                "=" => {
                    let value = match name {
                        "then" => rest.join(" ").replace('|', "; "),
                        _ => rest[0].to_string(),
                    };
                    let place = entries.pop().and_then(|(place, _)| place);
                    entries.push((place, entry(None, &value)));
                    self.touch(number, 0);
                    None
                }
                "-" => {
                    entries.clear();
                    None
                }
                _ => Some(
                    entries
                        .first()
                        .map_or("none".into(), |(_, entry)| entry.value.clone()),
                ),
            },
            StateVariableKind::List => match action {
                "=" | "+" => {
                    if action == "=" {
                        entries.clear();
                    }
                    entries.extend(rest.iter().map(|value| (None, entry(None, value))));
                    None
                }
                "-" => {
                    entries.clear();
                    None
                }
                _ => {
                    let values = entries.iter().map(|(_, entry)| entry.value.as_str());
                    Some(values.collect::<Vec<_>>().join(",") + none(entries))
                }
            },
            StateVariableKind::Map => {
                let key = rest.first();
                let is = |entry: &Entry| entry.1.key.as_deref() == key.copied();
                let at = entries.iter().position(is);
                match (action, key) {
                    ("=", Some(key)) => {
                        let new = entry(Some(key), rest[1]);
                        let at = at.unwrap_or_else(|| {
                            entries.push((None, new.clone()));
                            entries.len() - 1
                        });
                        entries[at].1 = new;
                        self.touch(number, at);
                        None
                    }
                    ("-", None) => {
                        entries.clear();
                        None
                    }
                    ("-", _) => {
                        entries.retain(|entry| !is(entry));
                        None
                    }
                    (_, Some(_)) => Some(match at {
                        Some(at) => format!("{} True", entries[at].1.value),
                        None => "none False".into(),
                    }),
                    (_, None) => {
                        let pair = |entry: &Entry| {
                            format!("{}:{}", entry.1.key.as_deref().unwrap(), entry.1.value)
                        };
                        let mut pairs: Vec<String> = entries.iter().map(pair).collect();
                        pairs.sort();
                        Some(pairs.join(",") + none(entries))
                    }
                }
            }
        }
    }

    /// Marks an entry as written: a held one has a number from beyond those that were held.
    fn touch(&mut self, variable: usize, at: usize) {
        let held = self.held[variable];
        let number = &mut self.entries[variable][at].0;
        *number = number.map(|number| if number < held { number + held } else { number });
    }

    fn time(&self, text: &str) -> i64 {
        let time: i64 = text.parse().unwrap();
        match self.interpreter.time_mode.as_str() {
            "ProcessingTime" => time + self.times.batch_timestamp_ms,
            _ => time,
        }
    }

    fn list_timers(&self) -> String {
        let times = self.timers.iter().map(i64::to_string);
        match self.interpreter.time_mode.as_str() {
            "ProcessingTime" => self.timers.len().to_string(),
            _ => times.collect::<Vec<_>>().join(","),
        }
    }

    fn changes(self) -> Vec<StateChange> {
        let variables = self.entries.into_iter().zip(self.held).enumerate();
        let changes = variables.map(|(variable, (entries, held))| {
            let mut change = StateChange {
                variable,
                ..Default::default()
            };
            let is_there = |number: &usize| {
                let same = |entry: &Entry| entry.0.is_some_and(|other| other % held == *number);
                entries.iter().any(same)
            };
            change.removed = (0..held).filter(|number| !is_there(number)).collect();
            for (number, entry) in &entries {
                let replaces = match number {
                    Some(number) if *number < held => continue,
                    Some(number) => Some(number - held),
                    None => None,
                };
                change.written.push(WrittenEntry {
                    replaces,
                    entry: entry.clone(),
                });
            }
            change
        });
        changes.collect()
    }
}

impl StatefulProcessor for Interpreter {
    fn call(
        &self,
        groups: Vec<ProcessorGroup>,
        times: BatchTimes,
        _: &Cancellation,
    ) -> Result<Vec<ProcessorResult>, Error> {
        let groups = groups.into_iter();
        Ok(groups.map(|group| self.group(group, times)).collect())
    }
}

fn entry(key: Option<&str>, value: &str) -> StateEntry {
    StateEntry {
        key: key.map(str::to_string),
        value: value.into(),
    }
}

fn none(entries: &[Entry]) -> &'static str {
    match entries.is_empty() {
        true => " (none)",
        false => "",
    }
}
