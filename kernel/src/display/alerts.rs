//! An alert at a glance: is its condition true, and when did it become so.

use super::MimeBundle;
use super::html::{DIM, escape, panel};
use super::number::count;

/// Pixels.
const WIDTH: u32 = 760;

/// How many crossings are shown.
const SHOWN: usize = 10;

/// Everything that is shown of an alert.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlertCard {
    /// The query's name.
    pub query: String,
    /// As it was typed.
    pub condition: String,
    /// Whether it is true now.
    pub is_true: bool,
    /// How often it was computed.
    pub computed: u64,
    /// When it became true, oldest first: batch, time, what it saw.
    pub crossings: Vec<(i64, String, Vec<String>)>,
    /// Why it cannot be computed.
    pub error: Option<String>,
}

impl AlertCard {
    /// The sign, the colour, and the word for how it stands.
    pub(crate) fn state(&self) -> (&'static str, &'static str, String) {
        match (&self.error, self.is_true, self.crossings.len()) {
            (Some(error), ..) => ("✖", "#e0483e", format!("cannot be computed: {error}")),
            (None, true, _) => ("▲", "#d55e00", "raised".to_owned()),
            (None, false, 0) => ("●", "#009e73", "quiet".to_owned()),
            (None, false, n) => ("●", "#8a8f98", format!("over, was raised {}", times(n))),
        }
    }

    /// The newest crossing in one line, if there was one.
    pub(crate) fn newest(&self) -> Option<String> {
        let (batch, _, seen) = self.crossings.last()?;
        Some(format!("since batch {batch}: {}", seen.join("; ")))
    }
}

/// The alert as HTML and as text.
pub(crate) fn alert(card: &AlertCard) -> MimeBundle {
    let (sign, color, word) = card.state();
    let computed = format!(
        "computed for {}",
        count(card.computed as i64, "progress report")
    );
    let mut body = format!(
        "<div><span style=\"color:{color}\">{sign}</span> <b>{}</b>&ensp;<code>{}</code></div>\
         <div style=\"font-size:11px;{DIM}\">alert on {} · {computed}</div>",
        escape(&word),
        escape(&card.condition),
        escape(&card.query)
    );
    let mut plain = format!(
        "{sign} {word}: {} (alert on {}, {computed})",
        card.condition, card.query
    );
    let hidden = card.crossings.len().saturating_sub(SHOWN);
    if hidden > 0 {
        body.push_str(&format!(
            "<div style=\"{DIM}\">{} earlier</div>",
            times(hidden)
        ));
        plain.push_str(&format!("\n  {} earlier", times(hidden)));
    }
    for (batch, time, seen) in card.crossings.iter().skip(hidden) {
        let seen = seen.join("; ");
        let time = time.trim_end_matches('Z').replace('T', " ");
        body.push_str(&format!(
            "<div>batch {batch} <span style=\"{DIM}\">{}</span> {}</div>",
            escape(&time),
            escape(&seen)
        ));
        plain.push_str(&format!("\n  batch {batch}  {time}  {seen}"));
    }
    MimeBundle::html(panel(color, WIDTH, &body), plain)
}

fn times(number: usize) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        number => format!("{number} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(card: &AlertCard) -> String {
        alert(card).data["text/plain"].as_str().unwrap().to_owned()
    }

    #[test]
    fn an_alert_says_how_it_stands_and_how_it_came() {
        let mut card = AlertCard {
            query: "counts".to_owned(),
            condition: "n < 5".to_owned(),
            computed: 3,
            ..Default::default()
        };
        assert!(
            plain(&card).starts_with("● quiet: n < 5"),
            "{}",
            plain(&card)
        );
        card.is_true = true;
        card.crossings = (0..12)
            .map(|batch| {
                (
                    batch,
                    "2024-01-01T12:00:00.000Z".to_owned(),
                    vec!["n = 3".to_owned()],
                )
            })
            .collect();
        let text = plain(&card);
        assert!(text.starts_with("▲ raised: n < 5"), "{text}");
        assert!(text.contains("twice earlier"), "{text}");
        assert!(
            text.ends_with("batch 11  2024-01-01 12:00:00.000  n = 3"),
            "{text}"
        );
        card.is_true = false;
        assert!(plain(&card).contains("over, was raised 12 times"));
        card.condition = "a < 'b'".to_owned();
        let html = alert(&card).data["text/html"].as_str().unwrap().to_owned();
        assert!(html.contains("a &lt; &#39;b&#39;"), "{html}");
    }
}
