//! What the sources have: nothing, or nothing that is read.

use tidebook_engine::StreamingQueryProgress;
use tidebook_engine::why::{FilesWhy, InputWhy, SourceWhy};

use super::rows::limit_is_reached;
use super::words::{self, are, names, span, time};
use super::{Asked, Reason};
use crate::display::number::{count, thousands};

pub(super) fn reasons(asked: &Asked) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (index, source) in asked.why.sources.iter().enumerate() {
        let Some(input) = &source.input else { continue };
        match input {
            InputWhy::Files(files) => reasons.extend(of_files(files)),
            InputWhy::Memory {
                num_rows,
                num_rows_waiting,
            } => reasons.extend(not_read(source, *num_rows, *num_rows_waiting)),
            InputWhy::Kafka {
                topics,
                starting_offsets,
            } => reasons.extend(of_kafka(asked, index, topics, starting_offsets)),
            InputWhy::Rate {
                rows_per_second,
                ramp_up_seconds,
            } => reasons.extend(of_rate(asked, *rows_per_second, *ramp_up_seconds)),
            InputWhy::Socket { server } => reasons.extend(of_socket(asked, index, server)),
        }
    }
    reasons.extend(all_read(asked));
    reasons
}

/// Rows that this run has read from a source, in its newest batches.
fn read(asked: &Asked, index: usize) -> i64 {
    let rows = |progress: &StreamingQueryProgress| {
        let source = progress.sources.get(index);
        source.map_or(0, |source| source.num_input_rows)
    };
    asked.progress.iter().map(rows).sum()
}

/// Rows of one memory source that no batch has read yet.
fn not_read(source: &SourceWhy, rows: i64, waiting: i64) -> Option<Reason> {
    (waiting > 0).then(|| {
        Reason::new(format!(
            "{} of {} {} not read yet.",
            count(waiting, "row"),
            words::source(source),
            are(waiting)
        ))
        .figure(format!("rows added: {}", thousands(rows)))
    })
}

/// What was added to the memory sources of which everything was read, each said once.
fn all_read(asked: &Asked) -> Option<Reason> {
    let mut added: Vec<(String, i64)> = Vec::new();
    for source in &asked.why.sources {
        if let Some(InputWhy::Memory {
            num_rows,
            num_rows_waiting: 0,
        }) = &source.input
        {
            let name = words::source(source);
            if !added.iter().any(|(known, _)| *known == name) {
                added.push((name, *num_rows));
            }
        }
    }
    let (empty, fed): (Vec<_>, Vec<_>) = added.into_iter().partition(|(_, rows)| *rows == 0);
    let empty: Vec<String> = empty.into_iter().map(|(name, _)| name).collect();
    let total: i64 = fed.iter().map(|(_, rows)| rows).sum();
    let fed_names: Vec<&str> = fed.iter().map(|(name, _)| name.as_str()).collect();
    let mut says = match total {
        0 => String::new(),
        1 => format!(
            "The one row that was added to {} was read",
            fed_names.join(" and ")
        ),
        rows => format!(
            "All {} that were added to {} were read",
            count(rows, "row"),
            fed_names.join(" and ")
        ),
    };
    if !empty.is_empty() {
        let names = empty.join(" or ");
        says = match says.is_empty() {
            true => format!("No row was added to {names} yet"),
            false => format!("{says}, and none was added to {names} yet"),
        };
    }
    // A query that runs no more reads nothing more, a LIMIT lets no more through, and nobody misses rows of a
    // query that gives some.
    let helps = asked.state.is_active() && !asked.is_not_silent() && !limit_is_reached(asked);
    let hint = match (helps, total) {
        (false, _) => "",
        (true, 0) => "; %%feed adds some",
        (true, _) => "; %%feed adds more",
    };
    (!says.is_empty()).then(|| Reason::new(format!("{says}{hint}.")))
}

fn of_kafka(asked: &Asked, index: usize, topics: &str, starting: &str) -> Option<Reason> {
    let newest = asked.progress.last()?.sources.get(index)?;
    let latest = &newest.latest_offset;
    let figure = |reason: Reason| {
        reason
            .figure(format!("startingOffsets: {starting}"))
            .figure(format!("read to: {}", newest.end_offset))
            .figure(format!("ends of the partitions: {latest}"))
    };
    if latest.is_null() {
        return Some(figure(Reason::new(format!(
            "There is nothing to read in {topics}: no topic of that name has partitions."
        ))));
    }
    if latest != &newest.end_offset && !newest.end_offset.is_null() {
        return None;
    }
    let says = match (read(asked, index), starting) {
        (0, "latest") => format!(
            "Nothing was produced to {topics} since the query started: with startingOffsets latest it reads only what comes after its start; earliest reads what is there."
        ),
        _ => format!("The query is at the end of {topics}: no new record was produced."),
    };
    Some(figure(Reason::new(says)))
}

fn of_rate(asked: &Asked, rows: i64, ramp_up: i64) -> Option<Reason> {
    let nothing = asked.progress.iter().all(|batch| batch.num_input_rows == 0);
    nothing.then(|| {
        Reason::new("The rate source counts whole seconds: its first rows come one second after the query's start.")
            .figure(format!("rows per second: {}", thousands(rows)))
            .figure(format!("ramp-up: {}", span(ramp_up * 1000)))
    })
}

fn of_socket(asked: &Asked, index: usize, server: &str) -> Option<Reason> {
    (read(asked, index) == 0)
        .then(|| Reason::new(format!("The server {server} has sent no line yet.")))
}

/// One reason for each way in which files are left out; what is missing or empty is said alone.
fn of_files(files: &FilesWhy) -> Vec<Reason> {
    let path = &files.path;
    if !files.exists {
        return vec![Reason::new(format!(
            "The folder '{path}' is not there any more."
        ))];
    }
    let mut reasons = left_out(files);
    if files.waiting.num > 0 {
        let reason = Reason::new(format!(
            "{} in '{path}' {} not read yet.",
            count(files.waiting.num, "file"),
            are(files.waiting.num)
        ));
        reasons.push(reason.figure(names(&files.waiting)));
    } else if files.read.num > 0 {
        let reason = Reason::new(match files.read.num {
            1 => format!("The one file to read in '{path}' has been read: each is read once."),
            num => format!(
                "All {} files to read in '{path}' have been read: each is read once.",
                thousands(num)
            ),
        });
        reasons.push(reason.figure(names(&files.read)));
    } else if reasons.is_empty() {
        reasons.push(Reason::new(match files.is_pattern {
            true => format!("No file has a path like '{path}'."),
            false => format!("The folder '{path}' is empty: a file is read when it appears there."),
        }));
    }
    reasons
}

fn left_out(files: &FilesWhy) -> Vec<Reason> {
    let path = &files.path;
    let mut reasons = Vec::new();
    let file = |num: i64| count(num, "file");
    if files.rewritten.num > 0 {
        let num = files.rewritten.num;
        let reason = Reason::new(format!(
            "{} in '{path}' {} written again after {} been read, and a name is read once: write new rows to a file with a new name.",
            file(num),
            if num == 1 { "was" } else { "were" },
            if num == 1 { "it had" } else { "they had" }
        ));
        reasons.push(reason.figure(names(&files.rewritten)));
    }
    if files.too_old.num > 0 {
        let before = files
            .too_old_before
            .as_deref()
            .map_or_else(String::new, time);
        let reason = Reason::new(format!(
            "{} in '{path}' {} too old: a file may be at most {} older than the newest that was read (maxFileAge).",
            file(files.too_old.num),
            are(files.too_old.num),
            span(files.max_file_age_ms)
        ));
        reasons.push(
            reason
                .figure(names(&files.too_old))
                .figure(format!("too old is what was modified before {before}")),
        );
    }
    if files.hidden.num > 0 {
        let reason = Reason::new(format!(
            "{} in '{path}' {} hidden: names that begin with _ or . are not read.",
            count(files.hidden.num, "name"),
            are(files.hidden.num)
        ));
        reasons.push(reason.figure(names(&files.hidden)));
    }
    if files.other_names.num > 0 {
        let pattern = files.path_glob_filter.as_ref();
        let pattern = pattern.map_or_else(
            || format!("the path '{path}'"),
            |filter| format!("pathGlobFilter '{filter}'"),
        );
        let reason = Reason::new(format!(
            "{} {} not read: the name does not match {pattern}.",
            file(files.other_names.num),
            are(files.other_names.num)
        ));
        reasons.push(reason.figure(names(&files.other_names)));
    }
    if files.folders.num > 0 && files.read.num + files.waiting.num == 0 {
        let reason = Reason::new(format!(
            "'{path}' has {} that nobody looks into: --option recursiveFileLookup=true does.",
            count(files.folders.num, "folder")
        ));
        reasons.push(reason.figure(names(&files.folders)));
    }
    if files.is_output_of_a_query && files.read.num + files.waiting.num == 0 {
        reasons.push(Reason::new(format!(
            "'{path}' is the output of a query: only files that its _spark_metadata lists are read."
        )));
    }
    reasons
}
