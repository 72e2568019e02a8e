//! Colours: eight that colour-blind eyes tell apart (Okabe and Ito's), and a scale of blues.

use plotters::style::RGBColor;

/// More series than this cannot be told apart.
pub const MAX_SERIES: usize = 8;

/// What a series that gathers the small ones is drawn in.
pub const REST: RGBColor = RGBColor(0xA9, 0xB1, 0xBA);

/// Paper.
pub const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
/// Words that matter.
pub const INK: RGBColor = RGBColor(0x1F, 0x29, 0x33);
/// Words that explain.
pub const DIM: RGBColor = RGBColor(0x52, 0x60, 0x6D);
/// Axes.
pub const AXIS: RGBColor = RGBColor(0x9A, 0xA5, 0xB1);
/// Lines behind the marks.
pub const GRID: RGBColor = RGBColor(0xE6, 0xE9, 0xED);

/// What came too late.
pub const LATE: RGBColor = RGBColor(0xC6, 0x28, 0x28);

const SERIES: [RGBColor; MAX_SERIES] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0x4A, 0x4A, 0x4A),
    RGBColor(0xD9, 0xC7, 0x2E),
];

const BLUES: [RGBColor; 5] = [
    RGBColor(0xE8, 0xF1, 0xFA),
    RGBColor(0xA6, 0xCE, 0xE8),
    RGBColor(0x4F, 0x9B, 0xCB),
    RGBColor(0x1B, 0x62, 0xA5),
    RGBColor(0x08, 0x2F, 0x6B),
];

/// The colour of the series at `index`.
pub fn series(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()]
}

/// The colour of a value between 0 (light) and 1 (dark).
pub fn heat(share: f64) -> RGBColor {
    let place = share.clamp(0.0, 1.0) * (BLUES.len() - 1) as f64;
    let from = (place as usize).min(BLUES.len() - 2);
    let part = place - from as f64;
    let (a, b) = (BLUES[from], BLUES[from + 1]);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// The colour thinned with paper; `share` is how much of it stays.
pub fn tint(color: RGBColor, share: f64) -> RGBColor {
    let mix = |ink: u8, paper: u8| {
        (f64::from(ink) * share + f64::from(paper) * (1.0 - share)).round() as u8
    };
    RGBColor(
        mix(color.0, PAPER.0),
        mix(color.1, PAPER.1),
        mix(color.2, PAPER.2),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_runs_from_light_to_dark() {
        assert_eq!(heat(-1.0), BLUES[0]);
        assert_eq!(heat(1.0), BLUES[4]);
        assert_eq!(heat(0.5), BLUES[2]);
        let greens: Vec<u8> = (0..=10).map(|i| heat(f64::from(i) / 10.0).1).collect();
        assert!(greens.is_sorted_by(|a, b| a >= b));
    }
}
