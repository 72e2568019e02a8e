//! Progress and status of a query, under Spark's own field names.

use serde_json::Value;
use tidebook_engine::{StreamingQueryProgress, StreamingQueryStatus};

use super::MimeBundle;
use super::html::{DIM, LINE, escape, panel, table};
use super::number::{rate, thousands};

/// The colour of panels that report and do not judge.
const ACCENT: &str = "#3b8fd6";

/// Pixels: Spark's names are long.
const WIDTH: u32 = 960;

/// The newest of `progress` (oldest first) field by field, above it the others as a table.
/// As text: pretty JSON with Spark's order, an array when there are several.
pub(crate) fn progress(progress: &[StreamingQueryProgress]) -> MimeBundle {
    let json: Vec<Value> = progress
        .iter()
        .filter_map(|progress| serde_json::to_value(progress).ok())
        .collect();
    let Some(newest) = json.last() else {
        let message = "no progress yet";
        return MimeBundle::html(panel(ACCENT, WIDTH, message), message);
    };
    let mut body = String::new();
    if progress.len() > 1 {
        body.push_str(&batches(progress));
    }
    body.push_str(&fields(&without_why(newest)));
    if let (Some(_), Some(name)) = (
        newest.get("why"),
        newest.get("name").and_then(Value::as_str),
    ) {
        body.push_str(&format!(
            "<div style=\"margin-top:5px;{DIM}\">nothing came out of this batch: %why {} says why</div>",
            escape(name)
        ));
    }
    let html = panel(ACCENT, WIDTH, &body);
    let value = match json.len() {
        1 => newest.clone(),
        _ => Value::Array(json),
    };
    MimeBundle::html(html, pretty(&value))
}

/// The same without what `%why` puts into words.
fn without_why(progress: &Value) -> Value {
    let mut progress = progress.clone();
    if let Value::Object(fields) = &mut progress {
        fields.retain(|name, _| name != "why");
    }
    progress
}

/// What a query is doing right now.
pub(crate) fn status(status: &StreamingQueryStatus) -> MimeBundle {
    let json = serde_json::to_value(status).unwrap_or_default();
    MimeBundle::html(panel(ACCENT, WIDTH, &fields(&json)), pretty(&json))
}

/// Several progresses as a table, one batch a line, oldest first.
fn batches(progress: &[StreamingQueryProgress]) -> String {
    let headings = [
        "batchId",
        "watermark",
        "numInputRows",
        "numOutputRows",
        "numRowsTotal",
        "numRowsDroppedByWatermark",
        "batchDuration",
        "inputRowsPerSecond",
        "processedRowsPerSecond",
    ];
    let rows: Vec<Vec<String>> = progress
        .iter()
        .map(|p| {
            let watermark = p.event_time.get("watermark").map_or("–", String::as_str);
            let operators = || p.state_operators.iter();
            let state: i64 = operators().map(|operator| operator.num_rows_total).sum();
            let dropped: i64 = operators()
                .map(|operator| operator.num_rows_dropped_by_watermark)
                .sum();
            vec![
                p.batch_id.to_string(),
                escape(watermark),
                thousands(p.num_input_rows),
                p.num_output_rows().map_or("–".to_owned(), thousands),
                thousands(state),
                thousands(dropped),
                format!("{} ms", thousands(p.batch_duration)),
                rate(p.input_rows_per_second),
                rate(p.processed_rows_per_second),
            ]
        })
        .collect();
    let headings = headings.map(breakable);
    let headings = headings.each_ref().map(String::as_str);
    table(&headings, &[true; 9], &rows) + "<div style=\"margin-top:10px\"></div>"
}

/// A name in camel case that may break before each word.
fn breakable(name: &str) -> String {
    let words = name.chars().flat_map(|c| {
        let may_break = c.is_ascii_uppercase().then_some("<wbr>");
        may_break.into_iter().flat_map(str::chars).chain([c])
    });
    words.collect()
}

/// A JSON object: its scalars first come side by side, every object in it gets a line of its own.
fn fields(json: &Value) -> String {
    let Value::Object(object) = json else {
        return escape(&json.to_string());
    };
    let mut html = String::new();
    let mut pairs = String::new();
    for (name, value) in object {
        match value {
            Value::Object(_) => section(&mut html, &mut pairs, name, value),
            Value::Array(items) if items.iter().any(Value::is_object) => {
                for (i, item) in items.iter().enumerate() {
                    section(&mut html, &mut pairs, &format!("{name}[{i}]"), item);
                }
            }
            _ => pairs.push_str(&pair(name, value)),
        }
    }
    flush(&mut html, &mut pairs);
    html
}

/// A named object inside another one.
fn section(html: &mut String, pairs: &mut String, name: &str, value: &Value) {
    flush(html, pairs);
    let fields = value.as_object().into_iter().flatten();
    let fields: String = fields.map(|(name, value)| pair(name, value)).collect();
    html.push_str(&format!(
        "<div style=\"margin-top:5px;padding-top:4px;border-top:{LINE}\">\
         <b style=\"margin-right:14px\">{}</b>{fields}</div>",
        escape(name)
    ));
}

fn flush(html: &mut String, pairs: &mut String) {
    if !pairs.is_empty() {
        html.push_str(&format!("<div>{pairs}</div>"));
        pairs.clear();
    }
}

/// `name value`; a value that is an object or array is one line of JSON.
fn pair(name: &str, value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| number.to_string(), thousands),
        other => other.to_string(),
    };
    let wrap = if text.len() > 48 {
        "overflow-wrap:break-word"
    } else {
        "white-space:nowrap"
    };
    format!(
        "<span style=\"margin-right:16px;display:inline-block;max-width:100%;{wrap}\">\
         <span style=\"{DIM}\">{}</span> <span style=\"font-weight:600\">{}</span></span> ",
        escape(name),
        escape(&text)
    )
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::gallery;

    #[test]
    fn text_keeps_sparks_order() {
        let one = gallery::progresses(1);
        let bundle = progress(&one);
        let plain = bundle.data["text/plain"].as_str().unwrap();
        assert_eq!(plain, one[0].pretty_json());
        let places: Vec<_> = [
            "\"id\"",
            "\"runId\"",
            "\"name\"",
            "\"timestamp\"",
            "\"batchId\"",
            "\"sink\"",
        ]
        .iter()
        .map(|field| plain.find(field).unwrap())
        .collect();
        assert!(places.is_sorted());
    }

    #[test]
    fn frontends_that_prefer_json_show_the_panel() {
        let waiting = StreamingQueryStatus {
            message: "Waiting for data to arrive".to_owned(),
            is_data_available: false,
            is_trigger_active: false,
        };
        let bundles = [0, 1, 3].map(|batches| progress(&gallery::progresses(batches)));
        for bundle in bundles.into_iter().chain([status(&waiting)]) {
            assert!(bundle.data.keys().eq(["text/html", "text/plain"]));
        }
    }

    #[test]
    fn the_table_adds_up_what_all_operators_dropped() {
        let mut two = gallery::progresses(2);
        two[1].state_operators[0].num_rows_dropped_by_watermark = 4_000;
        let join = two[1].state_operators[0].clone();
        two[1].state_operators.push(join);
        let table = batches(&two);
        let heading = breakable("numRowsDroppedByWatermark");
        assert_eq!(heading, "num<wbr>Rows<wbr>Dropped<wbr>By<wbr>Watermark");
        assert!(table.contains(&format!(">{heading}</th>")), "{table}");
        assert!(table.contains(">8,000</td>"), "{table}");
    }

    #[test]
    fn html_says_every_field() {
        let one = gallery::progresses(1);
        let html = progress(&one).data["text/html"]
            .as_str()
            .unwrap()
            .to_owned();
        for field in [
            "batchId",
            "durationMs",
            "addBatch",
            "stateOperators[0]",
            "numRowsTotal",
            "sources[0]",
            "numOutputRows",
        ] {
            assert!(html.contains(field), "{field} is missing");
        }
    }

    #[test]
    fn several_are_an_array_and_none_is_a_sentence() {
        let bundle = progress(&gallery::progresses(3));
        let plain = bundle.data["text/plain"].as_str().unwrap();
        let array: Vec<Value> = serde_json::from_str(plain).unwrap();
        assert_eq!(array.len(), 3);
        let none = progress(&[]);
        assert_eq!(none.data["text/plain"], "no progress yet");
        assert!(none.data.keys().eq(bundle.data.keys()));
    }

    #[test]
    fn status_is_sparks_object() {
        let bundle = status(&StreamingQueryStatus {
            message: "Waiting for <data>".to_owned(),
            is_data_available: false,
            is_trigger_active: true,
        });
        assert_eq!(
            bundle.data["text/plain"],
            "{\n  \"message\": \"Waiting for <data>\",\n  \"isDataAvailable\": false,\n  \"isTriggerActive\": true\n}"
        );
        assert!(
            bundle.data["text/html"]
                .as_str()
                .unwrap()
                .contains("Waiting for &lt;data&gt;")
        );
    }
}
