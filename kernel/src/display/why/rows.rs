//! What became of the rows of the newest batch that read any: which node let none of them through.

use tidebook_engine::why::{BatchWhy, NodeKind, NodeRows};
use tidebook_engine::{OutputMode, StreamingQueryProgress};

use super::windows::{closes, is_aggregation, still_open};
use super::words::waits;
use super::{Asked, Reason};
use crate::display::number::{count, thousands};

pub(super) fn reasons(asked: &Asked) -> Vec<Reason> {
    let Some(last) = asked.batches().last().copied() else {
        return Vec::new();
    };
    if let Some(batch) = asked.batch()
        && batch.num_output_rows > 0
    {
        return vec![Reason::new(format!(
            "Batch {} wrote {}: the query is not silent.",
            last.batch_id,
            count(batch.num_output_rows, "row")
        ))];
    }
    let Some(read) = asked.last_with_rows() else {
        return nothing_read(asked, last);
    };
    match &read.why {
        Some(why) if why.num_output_rows == 0 => lost(asked, read, why),
        _ => vec![Reason::new(format!(
            "Batch {} was the last that read rows, and it wrote what came of them; since then there was nothing new.",
            read.batch_id
        ))],
    }
}

/// Batches ran, and none read a row.
fn nothing_read(asked: &Asked, last: &StreamingQueryProgress) -> Vec<Reason> {
    let moved = |batch: &&StreamingQueryProgress| {
        let mut sources = batch.sources.iter();
        sources.any(|source| source.start_offset != source.end_offset)
    };
    match asked.batches().into_iter().find(moved) {
        Some(batch) => vec![Reason::new(format!(
            "Batch {} took what was new in its sources, and there was not one row in it.",
            batch.batch_id
        ))],
        None => vec![Reason::new(format!(
            "Batch {} had no new rows to work on.",
            last.batch_id
        ))],
    }
}

fn lost(asked: &Asked, read: &StreamingQueryProgress, why: &BatchWhy) -> Vec<Reason> {
    let nodes = why.nodes.iter();
    let took_all = nodes.filter(|node| arrived(node) > 0 && node.num_output_rows == 0);
    let mut reasons: Vec<Reason> = took_all
        .filter_map(|node| took(asked, read, why, node))
        .collect();
    let corrupt = read.sources.iter().filter_map(|source| {
        let corrupt: i64 = source.metrics.get("numCorruptRecords")?.parse().ok()?;
        (corrupt > 0).then_some(corrupt)
    });
    let corrupt: i64 = corrupt.sum();
    if corrupt > 0 {
        let reason = Reason::new(format!(
            "{} of batch {} could not be parsed: the columns of such a record are NULL.",
            count(corrupt, "record"),
            read.batch_id
        ));
        reasons.push(reason.figure("a column _corrupt_record STRING in the schema shows its text"));
    }
    reasons
}

/// Rows of streams that went into a node.
fn arrived(node: &NodeRows) -> i64 {
    let streams = node.inputs.iter().filter(|input| input.is_stream);
    streams.filter_map(|input| input.num_rows).sum()
}

/// The nodes that let some rows of a silent batch pass: what became of these is said elsewhere.
pub(super) fn took_some(asked: &Asked) -> Vec<Reason> {
    let read = asked.last_with_rows();
    let silent = read.filter(|_| !asked.is_not_silent());
    let why = silent.and_then(|read| read.why.as_ref());
    let (Some(read), Some(why)) = (silent, why) else {
        return Vec::new();
    };
    let nodes = why.nodes.iter();
    nodes.filter_map(|node| some_passed(read, node)).collect()
}

fn some_passed(read: &StreamingQueryProgress, node: &NodeRows) -> Option<Reason> {
    let (rows_in, rows_out) = (arrived(node), node.num_output_rows);
    let what = match node.node {
        NodeKind::Filter => "The filter",
        NodeKind::Limit => "The LIMIT",
        NodeKind::Join | NodeKind::Explode | NodeKind::Stateful => return None,
    };
    let is_some = rows_out > 0 && rows_out < rows_in;
    is_some.then(|| {
        let detail = match node.detail.is_empty() {
            true => String::new(),
            false => format!(": {}", node.detail),
        };
        Reason::new(format!(
            "{what} let {} of the {} of batch {} pass{detail}",
            thousands(rows_out),
            count(rows_in, "row"),
            read.batch_id,
        ))
    })
}

fn took(
    asked: &Asked,
    read: &StreamingQueryProgress,
    why: &BatchWhy,
    node: &NodeRows,
) -> Option<Reason> {
    let rows = count(arrived(node), "row");
    let batch = read.batch_id;
    let in_and_out = format!("rows in: {}, rows out: 0", thousands(arrived(node)));
    let reason = match node.node {
        NodeKind::Filter => null_times(asked, why, node).unwrap_or_else(|| {
            Reason::new(match arrived(node) {
                1 => format!(
                    "The filter did not let the one row of batch {batch} pass: {}",
                    node.detail
                ),
                _ => format!(
                    "The filter let none of the {rows} of batch {batch} pass: {}",
                    node.detail
                ),
            })
        }),
        NodeKind::Join => return Some(join(node, &rows, batch)),
        NodeKind::Explode => Reason::new(format!(
            "The arrays or maps in the {rows} of batch {batch} had no elements, so no rows were made of them."
        )),
        NodeKind::Limit => Reason::new(format!(
            "The LIMIT let none of the {rows} of batch {batch} pass."
        )),
        NodeKind::Stateful => return stateful(asked, read, why, node),
    };
    Some(reason.figure(in_and_out))
}

/// A row without an event time belongs to no window; the engine filters such rows.
fn null_times(asked: &Asked, why: &BatchWhy, node: &NodeRows) -> Option<Reason> {
    let mut parts = why.watermark.as_ref()?.parts.iter();
    let part = parts.find(|part| part.num_rows > 0 && part.num_nulls == part.num_rows)?;
    node.detail.contains("IS NOT NULL").then(|| {
        Reason::new(format!(
            "The event time '{}' is NULL in all {} of {}: such a row belongs to no window and moves no watermark.",
            part.column,
            count(part.num_rows, "row"),
            asked.sources(&part.sources)
        ))
        .figure("a text that is no TIMESTAMP becomes NULL: look at its form and the column's type")
    })
}

/// A join of a stream with a table.
fn join(node: &NodeRows, rows: &str, batch: i64) -> Reason {
    let table = node.inputs.iter().find(|input| !input.is_stream);
    let table_rows = table.and_then(|table| table.num_rows);
    let reason = match table_rows {
        Some(0) => Reason::new(format!(
            "The join found no partner for the {rows} of batch {batch}: the table it joins with is empty."
        )),
        _ => Reason::new(format!(
            "The join found no partner for {} of batch {batch}.",
            match arrived(node) {
                1 => "the one row".to_owned(),
                _ => format!("any of the {rows}"),
            }
        )),
    };
    let table_rows = table_rows.map_or("not counted".to_owned(), thousands);
    reason
        .figure(format!("join: {}", node.detail))
        .figure(format!(
            "rows of the stream: {}, rows of the table: {table_rows}, rows out: 0",
            thousands(arrived(node))
        ))
}

fn stateful(
    asked: &Asked,
    read: &StreamingQueryProgress,
    why: &BatchWhy,
    node: &NodeRows,
) -> Option<Reason> {
    let number = node.operator?;
    let operator = why.operators.get(number)?;
    let progress = read.state_operators.get(number)?;
    let (rows, batch) = (count(arrived(node), "row"), read.batch_id);
    let late = operator.late.as_ref().map_or(0, |late| late.num_dropped);
    if late > 0 && progress.num_rows_updated == 0 && operator.operator_name != "globalLimit" {
        return Some(Reason::new(match arrived(node) {
            1 => format!("The one row of batch {batch} came too late, so it was dropped."),
            _ => format!("All {rows} of batch {batch} came too late, so they were dropped."),
        }));
    }
    let name = operator.operator_name.as_str();
    if is_aggregation(name) {
        return match asked.output_mode {
            // What is open holds none of the rows that came too late, which are told by themselves.
            OutputMode::Append => {
                still_open(asked, Some((arrived(node), batch)).filter(|_| late == 0))
            }
            OutputMode::Update | OutputMode::Complete => None,
        };
    }
    let in_and_out = format!("rows in: {}, rows out: 0", thousands(arrived(node)));
    match name {
        "dedupe" | "dedupeWithinWatermark" => {
            let duplicates = arrived(node) - late;
            let held: i64 = operator.stores.iter().map(|store| store.num_rows).sum();
            Some(
                Reason::new(match duplicates {
                    1 => format!("The one row of batch {batch} is a duplicate: its key has been seen before."),
                    rows => format!("All {} rows of batch {batch} are duplicates: their keys have been seen before.", thousands(rows)),
                })
                .figure(in_and_out)
                .figure(format!("keys remembered: {}", thousands(held))),
            )
        }
        "symmetricHashJoin" => Some(join_of_streams(asked, read, node)),
        "globalLimit" => Some(
            Reason::new(format!(
                "The LIMIT is reached: earlier batches gave all the rows it lets pass, so the {rows} of batch {batch} do not come out."
            ))
            .figure(format!("limit: {}", node.detail)),
        ),
        _ => Some(
            Reason::new(format!(
                "The function that was called for the groups gave no row for the {rows} of batch {batch}."
            ))
            .figure(in_and_out),
        ),
    }
}

/// A join of two streams: what it holds now, and what that waits for.
fn join_of_streams(asked: &Asked, read: &StreamingQueryProgress, node: &NodeRows) -> Reason {
    let now = asked.batch().and_then(|batch| {
        let operator = node.operator?;
        batch.operators.get(operator)
    });
    let stores = now.map_or(&[][..], |now| now.stores.as_slice());
    let held = |side: &str| {
        let store = stores.iter().find(|store| store.name.starts_with(side));
        store.map_or(0, |store| store.num_rows)
    };
    let (left, right) = (held("left"), held("right"));
    let [left_name, right_name] = sides(asked, node);
    let says = match (left, right) {
        (0, 0) => format!(
            "The join found no partner for the {} of batch {}.",
            count(arrived(node), "row"),
            read.batch_id
        ),
        (left, 0) => format!(
            "{} of {left_name} {} for a partner: the join holds no row of {right_name}.",
            count(left, "row"),
            waits(left)
        ),
        (0, right) => format!(
            "{} of {right_name} {} for a partner: the join holds no row of {left_name}.",
            count(right, "row"),
            waits(right)
        ),
        (left, right) => format!(
            "{} of {left_name} and {} of {right_name} wait for a partner: so far none of them match.",
            count(left, "row"),
            thousands(right)
        ),
    };
    let inputs = node.inputs.iter().zip([&left_name, &right_name]);
    let inputs = inputs.map(|(input, name)| {
        let rows = input.num_rows.map_or("not counted".to_owned(), thousands);
        format!("{rows} of {name}")
    });
    let inputs: Vec<String> = inputs.collect();
    let mut reason = Reason::new(says)
        .figure(format!("join: {}", node.detail))
        .figure(format!("rows in: {}; rows out: 0", inputs.join(" and ")));
    let join_type = now.and_then(|now| now.join_type.as_deref());
    let is_outer = matches!(join_type, Some("LEFT" | "RIGHT" | "FULL"));
    let opens = stores.iter().filter_map(|store| store.open.as_ref());
    let next = opens.min_by_key(|open| open.closes_at_event_time.as_slice());
    if let Some(next) = next {
        let what = match is_outer {
            true => "come out alone, with NULLs,",
            false => "are forgotten",
        };
        let watermark = asked.batch().and_then(|batch| batch.watermark.as_ref());
        reason = reason.figure(format!(
            "the first rows without a partner {what} when {}",
            closes(asked, watermark, next)
        ));
    }
    reason
}

/// What the sides of a join of streams are called.
fn sides(asked: &Asked, node: &NodeRows) -> [String; 2] {
    let name = |side: usize| {
        let input = node.inputs.get(side);
        input.map_or_else(String::new, |input| asked.sources(&input.sources))
    };
    let (left, right) = (name(0), name(1));
    match left == right || left.is_empty() || right.is_empty() {
        true => ["left", "right"].map(|side| format!("the {side} stream")),
        false => [left, right],
    }
}

/// Whether a LIMIT has let all the rows pass that it ever will.
pub(super) fn limit_is_reached(asked: &Asked) -> bool {
    let last = asked.last_with_rows();
    let why = last.and_then(|last| last.why.as_ref());
    why.is_some_and(|why| {
        why.nodes.iter().any(|node| {
            let operator = node.operator.and_then(|at| why.operators.get(at));
            let is_limit = operator.is_some_and(|limit| limit.operator_name == "globalLimit");
            is_limit && arrived(node) > 0 && node.num_output_rows == 0
        })
    })
}
