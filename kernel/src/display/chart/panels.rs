//! The history of a query's progress: a panel per field, all over the same batches.

use serde_json::Value;
use tidebook_engine::{Error, StreamingQueryProgress, nearest};

use super::axis::{Plot, draw_bottom, draw_heights, labels_width};
use super::canvas::{Align, Canvas, TextStyle};
use super::data::{Axis, ChartData, Series};
use super::draw::{MARGIN, draw_empty, draw_frame, draw_words};
use super::options::ChartKind;
use super::palette::{DIM, INK};
use super::{HEIGHT, WIDTH, marks, picture, summary, ticks};
use crate::display::MimeBundle;
use crate::display::number::short;
use crate::display::progress_fields::{lookup, number_paths, with_sums};

/// More panels than this are too low to be read.
const MAX_FIELDS: usize = 4;

/// A chart of the fields over the batches of `progress`, oldest first, and a note on it. Before the
/// first batch, it says so.
pub(crate) fn progress_chart(
    progress: &[StreamingQueryProgress],
    fields: &[String],
    note: Option<String>,
    title: &str,
) -> Result<MimeBundle, Error> {
    if let Some((first, [_, ..])) = fields.split_first_chunk::<MAX_FIELDS>() {
        let first = first.join(",");
        return Err(Error::illegal_argument(format!(
            "a chart of progress has room for {MAX_FIELDS} fields, not {}",
            fields.len()
        ))
        .with_hint(format!("--progress {first}")));
    }
    let worked = progress.iter();
    let worked = worked.filter(|progress| progress.duration_ms.contains_key("addBatch"));
    let batches: Vec<Value> = worked.map(with_sums).collect();
    let panels: Result<Vec<ChartData>, Error> =
        fields.iter().map(|field| panel(&batches, field)).collect();
    let panels = panels?;
    let mut subtitle = match batches.len() {
        0 => "no batch yet".to_owned(),
        1 => "the first batch".to_owned(),
        count => format!("over the last {count} batches"),
    };
    if let Some(note) = note {
        subtitle.push_str(&format!("  ·  {note}"));
    }
    let draw = |canvas: &mut dyn Canvas| draw(canvas, &panels, title, &subtitle);
    let drawn = panels.iter().filter(|panel| !panel.xs.is_empty());
    let texts = drawn.map(summary::series_lines);
    let mut plain = vec![title.to_owned(), subtitle.clone()];
    plain.extend(texts.flatten());
    picture::bundle(&draw, plain.join("\n"))
}

/// One field over the batches; one that no batch has is an error once there is a batch.
fn panel(batches: &[Value], field: &str) -> Result<ChartData, Error> {
    let values = batches.iter();
    let values: Vec<Option<f64>> = values
        .map(|batch| lookup(batch, field).and_then(Value::as_f64))
        .collect();
    if let (Some(newest), false) = (batches.last(), values.iter().any(Option::is_some)) {
        let may_come = ["inputRowsPerSecond", "processedRowsPerSecond"];
        if !may_come.iter().any(|name| field.ends_with(name)) {
            return Err(unknown_field(field, newest));
        }
    }
    let numbers = batches.iter();
    let numbers = numbers.map(|batch| batch["batchId"].as_f64().unwrap_or_default());
    Ok(ChartData {
        x_name: "batch".to_owned(),
        y_name: field.to_owned(),
        by_name: None,
        axis: Axis::Number,
        xs: numbers.collect(),
        window: None,
        series: vec![Series {
            name: String::new(),
            values,
            is_rest: false,
        }],
        notes: Vec::new(),
        event_time: Default::default(),
        open_look: "",
    })
}

fn unknown_field(field: &str, progress: &Value) -> Error {
    let paths = number_paths(progress);
    let error = Error::illegal_argument(format!("'{field}' is no number of the progress"));
    match nearest(field, paths.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
        None => error.with_hint(format!("there are {}", paths.join(", "))),
    }
}

fn draw(canvas: &mut dyn Canvas, panels: &[ChartData], title: &str, subtitle: &str) {
    let (width, height) = (f64::from(WIDTH), f64::from(HEIGHT));
    draw_frame(canvas);
    let top = draw_words(canvas, title, subtitle) - 10.0;
    let frame = Plot {
        left: MARGIN,
        right: width - MARGIN - 10.0,
        top,
        bottom: height - 34.0,
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    };
    let Some(first) = panels.iter().find(|panel| !panel.xs.is_empty()) else {
        draw_empty(canvas, &frame, "no batch yet");
        return;
    };
    let slot = (frame.bottom - frame.top) / panels.len() as f64;
    let wanted = if slot > 120.0 { 5 } else { 2 };
    let heights: Vec<_> = panels
        .iter()
        .map(|panel| {
            let (low, high) = marks::extent(panel, ChartKind::Line);
            ticks::numbers(low, high, wanted, panel.is_whole())
        })
        .collect();
    let labels = heights.iter().flatten().map(|tick| tick.label.as_str());
    let left = frame.left + labels_width(labels);
    let mut last = frame;
    for (i, (panel, heights)) in panels.iter().zip(&heights).enumerate() {
        let edge = |tick: Option<&ticks::Tick>| tick.map_or(0.0, |tick| tick.at);
        let plot = Plot {
            left,
            top: frame.top + slot * i as f64 + 20.0,
            bottom: frame.top + slot * (i + 1) as f64 - 6.0,
            x: marks::reach(first, ChartKind::Line),
            y: (edge(heights.first()), edge(heights.last())),
            ..frame
        };
        draw_heights(canvas, &plot, heights);
        marks::lines(canvas, &plot, panel);
        draw_name(canvas, &plot, panel);
        last = plot;
    }
    draw_bottom(canvas, &last, first);
}

/// The field's name above its panel, and the newest value at its right.
fn draw_name(canvas: &mut dyn Canvas, plot: &Plot, panel: &ChartData) {
    let style = |bold, color, align| TextStyle {
        size: 12.0,
        color,
        bold,
        align,
    };
    let y = plot.top - 10.0;
    canvas.text(&panel.y_name, (plot.left, y), style(true, INK, Align::Left));
    let series = panel.series.first();
    let newest = series.and_then(|series| series.values.iter().rev().find_map(|value| *value));
    if let Some(newest) = newest {
        let text = format!("last {}", short(newest));
        canvas.text(&text, (plot.right, y), style(false, DIM, Align::Right));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::gallery;

    fn fields(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_field_has_a_panel() {
        let names = fields(&["numInputRows", "stateRows", "durationMs.addBatch"]);
        let bundle = progress_chart(&gallery::progresses(30), &names, None, "departures").unwrap();
        let text = bundle.data["text/plain"].as_str().unwrap();
        assert!(
            text.starts_with("departures\nover the last 30 batches"),
            "{text}"
        );
        let svg = bundle.data["image/svg+xml"].as_str().unwrap();
        for name in names {
            assert!(
                text.contains(&name) && svg.contains(&name),
                "{name}: {text}"
            );
        }
        let empty = progress_chart(&[], &fields(&["nonsense"]), None, "departures").unwrap();
        assert!(
            empty.data["text/plain"]
                .as_str()
                .unwrap()
                .contains("no batch yet")
        );
    }

    #[test]
    fn a_field_that_is_not_there_gets_the_nearest() {
        let error = |names: &[&str]| {
            let progress = gallery::progresses(2);
            progress_chart(&progress, &fields(names), None, "x").unwrap_err()
        };
        assert_eq!(
            error(&["numInputRow"]).hint(),
            Some("did you mean 'numInputRows'?")
        );
        let many = error(&["a", "b", "c", "d", "e"]);
        assert_eq!(many.hint(), Some("--progress a,b,c,d"));
    }
}
