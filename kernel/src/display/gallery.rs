//! Sample data for the tests of all displays, and a picture book of them.
//!
//! `TIDEBOOK_GALLERY=DIR cargo test --release -p tidebook-kernel gallery` writes every display
//! into DIR, to be looked at.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::record_batch::RecordBatch;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tidebook_engine::{
    Error, OutputMode, Rows, StreamingQueryProgress, StreamingQueryStatus, Trigger,
};
use uuid::Uuid;

use super::chart::columns_of;
use super::query_card::QueryState;
use super::*;

const HOUR: i64 = 3_600_000_000;

/// 2013-01-01 00:00:00 UTC.
const NEW_YEAR: i64 = 1_356_998_400_000_000;

/// Departures per hour and airport: 05:00 to 23:00 of so many days.
pub(super) fn hourly_departures(days: i64) -> Rows {
    let (mut starts, mut origins, mut ns) = (Vec::new(), Vec::new(), Vec::new());
    for day in 0..days {
        for hour in 5..24 {
            for (i, origin) in ["EWR", "JFK", "LGA"].into_iter().enumerate() {
                let wave = ((hour as f64 - 5.0) * 0.7 + i as f64).sin() * 6.0;
                let n = (16.0 + wave + (day * 7 + hour * 3 + i as i64) as f64 % 5.0) as i64;
                starts.push(NEW_YEAR + (day * 24 + hour) * HOUR);
                origins.push(origin);
                ns.push(n);
            }
        }
    }
    rows(vec![
        ("window", windows(&starts, HOUR)),
        ("origin", Arc::new(StringArray::from(origins))),
        ("n", Arc::new(Int64Array::from(ns))),
    ])
}

/// The points a chart without options would draw.
pub(super) fn chart_data(rows: &Rows) -> super::chart::ChartData {
    super::chart::ChartData::read(rows, &columns_of(rows), None).unwrap()
}

/// Progress of so many batches, the oldest first.
pub(super) fn progresses(batches: i64) -> Vec<StreamingQueryProgress> {
    let progress = |batch: i64| {
        let rows = 40 + (batch * 37) % 60;
        json!({
            "id": Uuid::from_u128(7),
            "runId": Uuid::from_u128(8),
            "name": "departures",
            "timestamp": "2013-01-01T17:00:00.000Z",
            "batchId": batch,
            "batchDuration": 14,
            "numInputRows": rows,
            "inputRowsPerSecond": 812.5,
            "processedRowsPerSecond": 2_954.54,
            "durationMs": {
                "addBatch": 8, "commitOffsets": 1, "getBatch": 0, "latestOffset": 2,
                "queryPlanning": 0, "triggerExecution": 14, "walCommit": 1
            },
            "eventTime": {
                "avg": "2013-01-01T15:31:12.000Z", "max": "2013-01-01T15:59:00.000Z",
                "min": "2013-01-01T14:05:00.000Z", "watermark": "2013-01-01T15:50:00.000Z"
            },
            "stateOperators": [{
                "operatorName": "stateStoreSave", "numRowsTotal": 36, "numRowsUpdated": 6,
                "allUpdatesTimeMs": 1, "numRowsRemoved": 3, "allRemovalsTimeMs": 0,
                "commitTimeMs": 1, "memoryUsedBytes": 18_432, "numRowsDroppedByWatermark": 1,
                "numShufflePartitions": 2, "numStateStoreInstances": 2,
                "customMetrics": {"stateOnCurrentVersionSizeBytes": 9_216}
            }],
            "sources": [{
                "description": "FileStreamSource[file:/data/departures]",
                "startOffset": {"logOffset": batch - 1}, "endOffset": {"logOffset": batch},
                "latestOffset": null, "numInputRows": rows, "inputRowsPerSecond": 812.5,
                "processedRowsPerSecond": 2_954.54, "metrics": {"numCorruptRecords": "1"}
            }],
            "sink": {"description": "MemorySink", "numOutputRows": 6}
        })
    };
    (0..batches)
        .map(|batch| serde_json::from_value(progress(batch)).unwrap())
        .collect()
}

fn raised() -> AlertCard {
    AlertCard {
        query: "departures".to_owned(),
        condition: "numInputRows > 90".to_owned(),
        is_true: true,
        computed: 12,
        crossings: vec![(
            9,
            "2013-01-01T17:00:00.000Z".to_owned(),
            vec!["numInputRows = 93".to_owned()],
        )],
        error: None,
    }
}

/// A card after twelve batches.
pub(super) fn card(state: QueryState) -> QueryCard {
    let error = Error::internal("read 'hour-07.json' line 3: <not json> is not a JSON object")
        .with_condition("MALFORMED_RECORD_IN_PARSING")
        .with_hint("add --option mode=PERMISSIVE to %%source flights")
        .into_streaming_query();
    QueryCard {
        name: Some("departures".to_owned()),
        id: Uuid::from_u128(7),
        state,
        message: match state {
            QueryState::Running => "Processing new data".to_owned(),
            QueryState::Waiting => "Waiting for data to arrive".to_owned(),
            _ => "Stopped".to_owned(),
        },
        output_mode: Some(OutputMode::Update),
        trigger: Some(Trigger::ProcessingTime(Duration::from_secs(1))),
        sink: Some("MemorySink".to_owned()),
        place: None,
        batches: 0,
        input_rows: 0,
        rows_per_batch: Vec::new(),
        whole_run: true,
        last_batch: None,
        watermark: None,
        state_size: None,
        dropped_by_watermark: 0,
        corrupt_records: 0,
        alerts: match state {
            QueryState::Running => vec![raised()],
            _ => Vec::new(),
        },
        manual_clock: false,
        as_of: (state == QueryState::Running).then(|| "12:00:05".to_owned()),
        why: (state == QueryState::Waiting).then(|| "The folder 'in' is empty.".to_owned()),
        error: (state == QueryState::Failed).then_some(error),
    }
    .with_progress(&progresses(12))
}

fn rows(columns: Vec<(&str, ArrayRef)>) -> Rows {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    Rows {
        schema: batch.schema(),
        batches: vec![batch],
    }
}

fn windows(starts: &[i64], length: i64) -> ArrayRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
    let bound = |shift: i64| -> ArrayRef {
        let times = starts.iter().map(|start| start + shift);
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("+00:00"))
    };
    let fields = ["start", "end"].map(|name| Field::new(name, time.clone(), true));
    Arc::new(StructArray::new(
        fields.to_vec().into(),
        vec![bound(0), bound(length)],
        None,
    ))
}

fn by_name(column: &str, names: &[&str], ns: &[i64]) -> Rows {
    rows(vec![
        (column, Arc::new(StringArray::from(names.to_vec())) as _),
        ("n", Arc::new(Int64Array::from(ns.to_vec())) as _),
    ])
}

fn many_carriers() -> Rows {
    let (mut starts, mut names, mut ns) = (Vec::new(), Vec::new(), Vec::new());
    for hour in 0..18 {
        for (i, carrier) in (0..14).map(|i| (i, format!("carrier {i}"))) {
            starts.push(NEW_YEAR + (hour + 5) * HOUR);
            names.push(carrier);
            ns.push(((hour * (i + 3)) % 11 + 14 - i) * 1_000);
        }
    }
    rows(vec![
        ("window", windows(&starts, HOUR)),
        ("carrier", Arc::new(StringArray::from(names))),
        ("n", Arc::new(Int64Array::from(ns))),
    ])
}

fn wave() -> Rows {
    let xs: Vec<f64> = (0..400).map(|i| f64::from(i) / 40.0).collect();
    let ys: Vec<f64> = xs.iter().map(|x| x.sin() * (-x / 6.0).exp()).collect();
    rows(vec![
        ("x", Arc::new(Float64Array::from(xs)) as _),
        ("height", Arc::new(Float64Array::from(ys)) as _),
    ])
}

/// Every kind of picture, by name.
fn charts() -> Vec<(&'static str, Rows, ChartOptions)> {
    let kind = |kind| ChartOptions {
        kind: Some(kind),
        ..Default::default()
    };
    let mut empty = hourly_departures(1);
    empty.batches.clear();
    let one = rows(vec![
        ("window", windows(&[NEW_YEAR + 6 * HOUR], HOUR)),
        ("n", Arc::new(Int64Array::from(vec![17])) as _),
    ]);
    let airports = [
        "Newark Liberty International Airport",
        "John F. Kennedy International Airport",
        "LaGuardia Airport",
        "Teterboro, which has hardly any scheduled departures at all but a very long name",
    ];
    let minutes: Vec<i64> = (0..5_000).map(|i| NEW_YEAR + i * HOUR / 60).collect();
    let counts: Vec<i64> = (0..5_000)
        .map(|i| 400 + (i * 7_919) % 173 + i / 20)
        .collect();
    let long = rows(vec![
        ("window", windows(&minutes, HOUR / 60)),
        ("n", Arc::new(Int64Array::from(counts)) as _),
    ]);
    vec![
        ("bar", hourly_departures(4), kind(ChartKind::Bar)),
        ("bar-one-day", hourly_departures(1), ChartOptions::default()),
        ("watermark", hourly_departures(1), ChartOptions::default()),
        (
            "watermark-beyond",
            hourly_departures(1),
            ChartOptions::default(),
        ),
        (
            "watermark-line",
            hourly_departures(1),
            kind(ChartKind::Line),
        ),
        (
            "watermark-area",
            hourly_departures(1),
            kind(ChartKind::Area),
        ),
        ("line", hourly_departures(4), kind(ChartKind::Line)),
        ("line-one-day", hourly_departures(1), kind(ChartKind::Line)),
        ("area", hourly_departures(4), kind(ChartKind::Area)),
        ("heatmap", hourly_departures(4), kind(ChartKind::Heatmap)),
        ("empty", empty, ChartOptions::default()),
        ("one", one.clone(), ChartOptions::default()),
        ("one-line", one, kind(ChartKind::Line)),
        (
            "names",
            by_name("origin", &["EWR", "JFK", "LGA"], &[1_203, 988, 1_101]),
            ChartOptions::default(),
        ),
        (
            "long-names",
            by_name("airport", &airports, &[1_203, 988, 1_101, 4]),
            ChartOptions::default(),
        ),
        (
            "below-zero",
            by_name("account", &["a", "b", "c"], &[12, -7, 3]),
            ChartOptions::default(),
        ),
        ("many", many_carriers(), ChartOptions::default()),
        ("many-heatmap", many_carriers(), kind(ChartKind::Heatmap)),
        ("numbers", wave(), ChartOptions::default()),
        ("minutes", long.clone(), ChartOptions::default()),
        ("minutes-bar", long, kind(ChartKind::Bar)),
        (
            "last",
            hourly_departures(4),
            ChartOptions {
                last: Some(12),
                ..Default::default()
            },
        ),
    ]
}

/// Half of a day's windows are closed in the pictures that are about it.
fn event_time(name: &str) -> EventTime {
    if !name.starts_with("watermark") {
        return EventTime::default();
    }
    let late = |hour: i64, dropped| super::chart::Late {
        earliest: Some((NEW_YEAR + hour * HOUR + HOUR / 3) as f64),
        watermark: (NEW_YEAR + (hour + 3) * HOUR) as f64,
        dropped,
    };
    let watermark = if name.ends_with("beyond") {
        25 * HOUR
    } else {
        14 * HOUR + HOUR / 2
    };
    EventTime {
        watermark: Some((NEW_YEAR + watermark) as f64),
        late: vec![late(6, 3), late(6, 1), late(9, 8)],
    }
}

fn history() -> MimeBundle {
    let mut progress = progresses(40);
    for (i, progress) in progress.iter_mut().enumerate() {
        progress.input_rows_per_second = 800.0 + (i as f64 / 4.0).sin() * 300.0;
        progress.processed_rows_per_second = 2_900.0 - 30.0 * i as f64;
        progress.state_operators[0].num_rows_total = 36 + (i * i) as i64;
    }
    let fields = ["inputRowsPerSecond", "processedRowsPerSecond", "stateRows"];
    progress_chart(&progress, &fields.map(str::to_owned), None, "departures").unwrap()
}

fn panels() -> Vec<(&'static str, MimeBundle)> {
    let mut panels: Vec<(&str, MimeBundle)> = [
        QueryState::Running,
        QueryState::Waiting,
        QueryState::Finished,
        QueryState::Stopped,
        QueryState::Failed,
    ]
    .map(|state| (state.word(), query_card(&card(state))))
    .to_vec();
    let waiting = StreamingQueryStatus {
        message: "Waiting for data to arrive".to_owned(),
        is_data_available: false,
        is_trigger_active: false,
    };
    let mut mixed = hourly_departures(1);
    let batch = &mixed.batches[0];
    let delay = Float64Array::from_iter(
        (0..batch.num_rows()).map(|row| (row % 4 != 1).then_some(row as f64 / 7.0)),
    );
    let note = StringArray::from_iter_values(
        (0..batch.num_rows()).map(|row| format!("<b>{row}</b> & more")),
    );
    mixed = rows(vec![
        ("window", Arc::clone(batch.column(0))),
        ("origin", Arc::clone(batch.column(1))),
        ("n", Arc::clone(batch.column(2))),
        ("delay", Arc::new(delay)),
        ("note", Arc::new(note)),
    ]);
    panels.extend([
        ("table", table(&mixed, 8)),
        ("progress", progress(&progresses(1))),
        ("progresses", progress(&progresses(4))),
        ("status", status(&waiting)),
        ("alert", alert(&raised())),
    ]);
    panels
}

fn page(panels: &[(&str, MimeBundle)], background: &str, text: &str) -> String {
    let panels: String = panels
        .iter()
        .map(|(_, bundle)| format!("<p>{}</p>", bundle.data["text/html"].as_str().unwrap()))
        .collect();
    format!(
        "<!doctype html><meta charset=\"utf-8\"><body style=\"background:{background};color:{text};\
         font-family:sans-serif;font-size:14px\">{panels}</body>"
    )
}

fn write(folder: Option<&Path>, name: &str, content: &[u8]) {
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(name), content).unwrap();
    }
}

#[test]
fn gallery() {
    let folder = std::env::var_os("TIDEBOOK_GALLERY");
    let folder = folder.as_deref().map(Path::new);
    let drawn = charts().into_iter().map(|(name, rows, options)| {
        let bundle = chart(&rows, &options, &event_time(name), None, "Departures").unwrap();
        (name, bundle)
    });
    for (name, bundle) in drawn.chain([("history", history())]) {
        let forms: Vec<_> = bundle.data.keys().map(String::as_str).collect();
        assert_eq!(
            forms,
            ["image/svg+xml", "image/png", "text/plain"],
            "{name}"
        );
        let text = |mime: &str| bundle.data[mime].as_str().unwrap();
        let svg = text("image/svg+xml");
        assert!(
            svg.starts_with("<svg width=\"760\" height=\"360\" ")
                && svg.contains("viewBox=\"0 0 1520 720\""),
            "{svg:.120}"
        );
        assert!(
            svg.trim_end().ends_with("</svg>") && svg.to_lowercase().contains("departures"),
            "{name}"
        );
        assert!(
            svg.len() < 300_000,
            "the SVG '{name}' has {} bytes",
            svg.len()
        );
        assert!(!svg.contains("NaN"), "{name}");
        let png = STANDARD.decode(text("image/png")).unwrap();
        assert!(
            png.len() < 200_000,
            "the PNG '{name}' has {} bytes",
            png.len()
        );
        let reader = png::Decoder::new(png.as_slice()).read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (1520, 720));
        assert_eq!(
            bundle.metadata["image/png"],
            json!({"width": 760, "height": 360, "alt": text("text/plain")})
        );
        write(folder, &format!("{name}.svg"), svg.as_bytes());
        write(folder, &format!("{name}.png"), &png);
        write(
            folder,
            &format!("{name}.txt"),
            text("text/plain").as_bytes(),
        );
    }
    let panels = panels();
    for (name, bundle) in &panels {
        let html = bundle.data["text/html"].as_str().unwrap();
        for dropped in ["rgba(", "var(", "flex", "<style", "<script", "<svg"] {
            assert!(
                !html.contains(dropped),
                "'{name}' has {dropped}, which a sanitiser drops"
            );
        }
        if let Value::String(plain) = &bundle.data["text/plain"] {
            write(folder, &format!("{name}.txt"), plain.as_bytes());
        }
    }
    write(
        folder,
        "light.html",
        page(&panels, "#ffffff", "#000000").as_bytes(),
    );
    write(
        folder,
        "dark.html",
        page(&panels, "#111111", "#e0e0e0").as_bytes(),
    );
}
