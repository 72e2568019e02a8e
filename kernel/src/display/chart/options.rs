//! What a user may choose about a chart.

use std::fmt;
use std::str::FromStr;

use tidebook_engine::Error;

/// What to draw; everything left out follows from the schema and the data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChartOptions {
    /// The column along the bottom.
    pub x: Option<String>,
    /// The numeric column that gives the heights.
    pub y: Option<String>,
    /// The column that splits the data into series.
    pub by: Option<String>,
    /// The form of the marks.
    pub kind: Option<ChartKind>,
    /// Only this many of the last distinct x values.
    pub last: Option<usize>,
}

/// The form of a chart's marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ChartKind {
    /// Bars, stacked when there are several series.
    Bar,
    /// One line per series.
    Line,
    /// Stacked areas.
    Area,
    /// A row of coloured cells per series.
    Heatmap,
}

impl ChartKind {
    /// All kinds, the usual ones first.
    pub(crate) const ALL: [ChartKind; 4] = [Self::Bar, Self::Line, Self::Area, Self::Heatmap];

    /// The word a user types.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bar => "bar",
            Self::Line => "line",
            Self::Area => "area",
            Self::Heatmap => "heatmap",
        }
    }

    /// How an open window is told from a closed one, if it is.
    pub(super) fn open_look(self) -> &'static str {
        match self {
            Self::Bar => "hatched",
            Self::Line => "hollow",
            Self::Area | Self::Heatmap => "",
        }
    }

    /// Whether the values of one x lie on top of each other.
    pub(super) fn stacks(self) -> bool {
        matches!(self, Self::Bar | Self::Area)
    }
}

impl fmt::Display for ChartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChartKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| {
                Error::illegal_argument(format!("unknown chart kind '{text}'"))
                    .with_hint("use --kind bar, line, area or heatmap")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back() {
        for kind in ChartKind::ALL {
            assert_eq!(
                kind.to_string()
                    .to_uppercase()
                    .parse::<ChartKind>()
                    .unwrap(),
                kind
            );
        }
        let error = "pie".parse::<ChartKind>().unwrap_err();
        assert_eq!(error.message(), "unknown chart kind 'pie'");
        assert!(error.hint().unwrap().contains("heatmap"));
    }
}
