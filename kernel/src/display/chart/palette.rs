//! Colours: eight that colour-blind eyes tell apart (after Okabe and Ito), and a scale of blues.
//!
//! A picture has no paper: the page shines through, light or dark. So every colour is one that
//! reads on both, and what steps back is translucent.

use plotters::style::{Color, RGBAColor};

/// More series than this cannot be told apart.
pub(super) const MAX_SERIES: usize = 8;

/// What a series that gathers the small ones is drawn in.
pub(super) const REST: RGBAColor = opaque(0xA9, 0xB1, 0xBA);

/// Words that matter.
pub(super) const INK: RGBAColor = opaque(0x6F, 0x7B, 0x88);
/// Words that explain.
pub(super) const DIM: RGBAColor = opaque(0x6F, 0x7B, 0x88);
/// Axes.
pub(super) const AXIS: RGBAColor = RGBAColor(0x80, 0x88, 0x90, 0.8);
/// Lines behind the marks.
pub(super) const GRID: RGBAColor = RGBAColor(0x80, 0x88, 0x90, 0.25);

/// What came too late.
pub(super) const LATE: RGBAColor = opaque(0xE0, 0x3C, 0x3C);

const SERIES: [RGBAColor; MAX_SERIES] = [
    opaque(0x00, 0x72, 0xB2),
    opaque(0xE6, 0x9F, 0x00),
    opaque(0x00, 0x9E, 0x73),
    opaque(0xD5, 0x5E, 0x00),
    opaque(0x56, 0xB4, 0xE9),
    opaque(0xCC, 0x79, 0xA7),
    opaque(0x6E, 0x6E, 0x6E),
    opaque(0xD9, 0xC7, 0x2E),
];

/// The blue of a heatmap: more of it for a larger value.
const BLUE: RGBAColor = opaque(0x1F, 0x7F, 0xD0);

/// A picture of few colours is a small file.
const SHADES: f64 = 32.0;

/// The colour of the series at `index`.
#[expect(clippy::indexing_slicing, reason = "a remainder is in range")]
pub(super) fn series(index: usize) -> RGBAColor {
    SERIES[index % SERIES.len()]
}

/// The colour of a value between 0 (the page's own) and 1.
pub(super) fn heat(share: f64) -> RGBAColor {
    let share = (share.clamp(0.0, 1.0) * SHADES).round() / SHADES;
    BLUE.mix(0.1 + 0.9 * share)
}

const fn opaque(red: u8, green: u8, blue: u8) -> RGBAColor {
    RGBAColor(red, green, blue, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_rises() {
        assert_eq!(heat(-1.0), heat(0.0));
        assert_eq!(heat(1.0), BLUE);
        let alphas: Vec<f64> = (0..=10).map(|i| heat(f64::from(i) / 10.0).3).collect();
        assert!(alphas.is_sorted_by(|a, b| a < b));
    }

    /// The relative luminance of WCAG.
    fn luminance(color: RGBAColor) -> f64 {
        let part = |value: u8| match f64::from(value) / 255.0 {
            low @ ..=0.040_45 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * part(color.0) + 0.7152 * part(color.1) + 0.0722 * part(color.2)
    }

    fn contrast(a: f64, b: f64) -> f64 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn everything_reads_on_a_light_and_on_a_dark_page() {
        let pages = [
            RGBAColor(0xFF, 0xFF, 0xFF, 1.0),
            RGBAColor(0x11, 0x11, 0x11, 1.0),
        ];
        for page in pages.map(luminance) {
            for words in [INK, DIM, LATE] {
                assert!(contrast(luminance(words), page) > 4.0, "{words:?}");
            }
            for mark in SERIES.into_iter().chain([REST]) {
                assert!(contrast(luminance(mark), page) > 1.4, "{mark:?}");
            }
        }
    }
}
