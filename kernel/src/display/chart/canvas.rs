//! The few strokes a chart is made of, on either of plotters' canvases.
//!
//! Coordinates are CSS pixels. Both canvases are drawn [`SCALE`] times larger, in whole pixels:
//! the bitmap is then sharp on dense screens and the SVG, scaled back, precise to half a pixel.

use std::collections::HashMap;

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBAColor, ShapeStyle};
use tidebook_engine::Error;

use super::font;
use super::pixels::Pixels;

/// Pixels of the canvas per CSS pixel.
pub(super) const SCALE: u32 = 2;

/// plotters divides a font's size by this before it becomes the em of an SVG text.
const SVG_FONT_FACTOR: f64 = 1.24;

/// A text that was fitted is never longer: so many of the narrowest letters are wider than the
/// picture.
const MOST_CHARS: usize = 400;

/// A small circle of so many corners is round.
const RING_CORNERS: u32 = 16;

/// A place on a backend, in its pixels.
type BackendCoord = (i32, i32);

/// A place, in CSS pixels from the upper left corner.
pub(super) type Point = (f64, f64);

/// Where a text lies relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// The text begins there.
    Left,
    /// Its middle is there.
    Center,
    /// It ends there.
    Right,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextStyle {
    /// Its em, in CSS pixels.
    pub size: f64,
    /// Its colour.
    pub color: RGBAColor,
    /// Whether it is heavy.
    pub bold: bool,
    /// Where it lies relative to its point; vertically its middle is always there.
    pub align: Align,
}

/// Something to draw on.
pub(super) trait Canvas {
    /// A filled rectangle between two opposite corners.
    fn rect(&mut self, from: Point, to: Point, color: RGBAColor);
    /// A connected line.
    fn path(&mut self, points: &[Point], color: RGBAColor, width: f64);
    /// A filled polygon.
    fn polygon(&mut self, points: &[Point], color: RGBAColor);
    /// A filled circle.
    fn dot(&mut self, center: Point, radius: f64, color: RGBAColor);
    /// A circle's edge.
    fn ring(&mut self, center: Point, radius: f64, color: RGBAColor);
    /// One line of text.
    fn text(&mut self, text: &str, at: Point, style: TextStyle);
}

/// The width of a text in CSS pixels, with some room for typefaces wider than ours: an SVG is
/// drawn with whatever typeface the reader has.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    f64::from(font::width(text, size as f32)) * 1.1
}

/// `text`, or as much of its beginning as fits into `room` and an ellipsis. Never more than
/// [`MOST_CHARS`] of it.
pub(super) fn fit_text(text: &str, size: f64, room: f64) -> String {
    let chars: Vec<char> = text.chars().take(MOST_CHARS + 1).collect();
    let whole = chars.len() <= MOST_CHARS;
    if whole && text_width(text, size) <= room {
        return text.to_owned();
    }
    let start = |count: usize| chars.iter().take(count).collect::<String>();
    let counts: Vec<usize> = (1..=chars.len().min(MOST_CHARS)).collect();
    let fitting = counts.partition_point(|count| text_width(&start(*count), size) <= room);
    // The ellipsis takes the place of a few of them.
    (0..=fitting)
        .rev()
        .map(|count| start(count).trim_end().to_owned() + "…")
        .find(|shorter| text_width(shorter, size) <= room)
        .unwrap_or_default()
}

/// `text` on one line and without the characters that XML forbids: a replacement character stands
/// in their place.
fn printable(text: &str) -> String {
    let forbidden = |c: char| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    text.replace(forbidden, "\u{FFFD}")
}

/// One of plotters' backends as a canvas. The first error is kept and the rest is not drawn.
pub(super) struct Surface<B: DrawingBackend> {
    backend: B,
    error: Option<String>,
}

impl<B: DrawingBackend> Surface<B> {
    /// A canvas on `backend`, whose size is [`SCALE`] times that of the picture.
    pub(super) fn new(backend: B) -> Self {
        Self {
            backend,
            error: None,
        }
    }

    /// Completes the picture.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.attempt(|backend| backend.present().map_err(|error| error.to_string()));
        match self.error {
            Some(error) => Err(Error::internal(format!("draw a chart: {error}"))),
            None => Ok(()),
        }
    }

    fn attempt(&mut self, draw: impl FnOnce(&mut B) -> Result<(), String>) {
        if self.error.is_none() {
            self.error = draw(&mut self.backend).err();
        }
    }
}

/// What the two backends do differently.
pub(super) trait Backend: DrawingBackend {
    /// Draws a connected line, `width` pixels of the canvas wide.
    fn stroke(
        &mut self,
        points: &[BackendCoord],
        color: RGBAColor,
        width: u32,
    ) -> Result<(), String>;

    /// Draws a filled circle; its radius is in pixels of the canvas.
    fn disc(&mut self, center: BackendCoord, radius: u32, color: RGBAColor) -> Result<(), String>;

    /// Draws one line of text.
    fn line_of_text(&mut self, text: &str, at: Point, style: TextStyle) -> Result<(), String>;
}

impl Backend for SVGBackend<'_> {
    fn stroke(
        &mut self,
        points: &[BackendCoord],
        color: RGBAColor,
        width: u32,
    ) -> Result<(), String> {
        let style = ShapeStyle {
            color,
            filled: false,
            stroke_width: width,
        };
        self.draw_path(points.iter().copied(), &style)
            .map_err(|error| error.to_string())
    }

    fn disc(&mut self, center: BackendCoord, radius: u32, color: RGBAColor) -> Result<(), String> {
        self.draw_circle(center, radius, &color, true)
            .map_err(|error| error.to_string())
    }

    fn line_of_text(&mut self, text: &str, at: Point, style: TextStyle) -> Result<(), String> {
        let weight = if style.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let size = style.size * f64::from(SCALE) * SVG_FONT_FACTOR;
        let side = match style.align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        let font = FontDesc::new(FontFamily::SansSerif, size, weight)
            .color(&style.color)
            .pos(Pos::new(side, VPos::Center));
        self.draw_text(text, &font, device(at))
            .map_err(|error| error.to_string())
    }
}

impl Backend for Pixels<'_> {
    /// plotters makes a wide line a polygon of whole pixels, whose width varies with its
    /// direction; here every pixel is covered by how near it lies to the line, and painted once.
    fn stroke(
        &mut self,
        points: &[BackendCoord],
        color: RGBAColor,
        width: u32,
    ) -> Result<(), String> {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Ok(());
        };
        let reach = f64::from(width) / 2.0 + 0.5;
        let margin = reach.ceil() as i32;
        let size = self.get_size();
        let limit = |low: i32, high: i32, size: u32| {
            (low.min(high) - margin).max(0)..(low.max(high) + margin + 1).min(size as i32)
        };
        let mut covered: HashMap<BackendCoord, f64> = HashMap::new();
        let segments = points.array_windows().map(|[from, to]| (*from, *to));
        for (from, to) in segments.chain((first == last).then_some((*first, *last))) {
            for y in limit(from.1, to.1, size.1) {
                for x in limit(from.0, to.0, size.0) {
                    let coverage = reach - distance((x, y), from, to);
                    if coverage > 0.0 {
                        let most = covered.entry((x, y)).or_default();
                        *most = most.max(coverage);
                    }
                }
            }
        }
        for (place, coverage) in covered {
            let color = color.to_backend_color().mix(shade(coverage));
            self.draw_pixel(place, color)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// A line of no length with round ends.
    fn disc(&mut self, center: BackendCoord, radius: u32, color: RGBAColor) -> Result<(), String> {
        self.stroke(&[center], color, radius * 2)
    }

    /// plotters sets bitmap text in whole pixels, which spaces letters unevenly, and has no heavy
    /// style without a second typeface; so letters are painted here, heavy ones twice.
    fn line_of_text(&mut self, text: &str, at: Point, style: TextStyle) -> Result<(), String> {
        let scale = SCALE as f32;
        let em = style.size as f32 * scale;
        let width = font::width(text, em);
        let left = at.0 as f32 * scale
            - match style.align {
                Align::Left => 0.0,
                Align::Center => width / 2.0,
                Align::Right => width,
            };
        let (columns, rows) = self.get_size();
        let mut result = Ok(());
        let strokes: &[f32] = if style.bold { &[-0.3, 0.5] } else { &[0.0] };
        for shift in strokes {
            font::draw(
                text,
                em,
                left + shift,
                at.1 as f32 * scale,
                &mut |x, y, coverage| {
                    let inside = (0..columns as i32).contains(&x) && (0..rows as i32).contains(&y);
                    if inside && result.is_ok() {
                        let color = style
                            .color
                            .to_backend_color()
                            .mix(shade(f64::from(coverage)));
                        result = self
                            .draw_pixel((x, y), color)
                            .map_err(|error| error.to_string());
                    }
                },
            );
        }
        result
    }
}

impl<B: Backend> Canvas for Surface<B> {
    fn rect(&mut self, from: Point, to: Point, color: RGBAColor) {
        let (a, b) = (device(from), device(to));
        let (low, high) = ((a.0.min(b.0), a.1.min(b.1)), (a.0.max(b.0), a.1.max(b.1)));
        if low.0 == high.0 || low.1 == high.1 {
            return;
        }
        self.attempt(|backend| {
            backend
                .draw_rect(low, high, &color, true)
                .map_err(|error| error.to_string())
        });
    }

    fn path(&mut self, points: &[Point], color: RGBAColor, width: f64) {
        let width = (width * f64::from(SCALE)).round().max(1.0) as u32;
        let mut points: Vec<_> = points.iter().map(|point| device(*point)).collect();
        points.dedup();
        self.attempt(|backend| backend.stroke(&points, color, width));
    }

    fn polygon(&mut self, points: &[Point], color: RGBAColor) {
        let mut points: Vec<_> = points.iter().map(|point| device(*point)).collect();
        points.dedup();
        self.attempt(|backend| {
            backend
                .fill_polygon(points, &color)
                .map_err(|error| error.to_string())
        });
    }

    fn dot(&mut self, center: Point, radius: f64, color: RGBAColor) {
        let radius = (radius * f64::from(SCALE)).round().max(1.0) as u32;
        self.attempt(|backend| backend.disc(device(center), radius, color));
    }

    fn ring(&mut self, (x, y): Point, radius: f64, color: RGBAColor) {
        let around = (0..=RING_CORNERS).map(|i| {
            let angle = f64::from(i) / f64::from(RING_CORNERS) * std::f64::consts::TAU;
            (x + radius * angle.cos(), y + radius * angle.sin())
        });
        self.path(&around.collect::<Vec<_>>(), color, 1.5);
    }

    fn text(&mut self, text: &str, at: Point, style: TextStyle) {
        let text = printable(text);
        self.attempt(|backend| backend.line_of_text(&text, at, style));
    }
}

/// One of few shades: a picture of few colours is a small file.
fn shade(coverage: f64) -> f64 {
    (coverage.clamp(0.0, 1.0) * 6.0).round() / 6.0
}

/// How far a pixel lies from the line between two others.
fn distance(pixel: BackendCoord, from: BackendCoord, to: BackendCoord) -> f64 {
    let between = |a: BackendCoord, b: BackendCoord| (f64::from(b.0 - a.0), f64::from(b.1 - a.1));
    let (line, way) = (between(from, to), between(from, pixel));
    let length = line.0 * line.0 + line.1 * line.1;
    let share = match length {
        0.0 => 0.0,
        _ => ((way.0 * line.0 + way.1 * line.1) / length).clamp(0.0, 1.0),
    };
    let off = (way.0 - share * line.0, way.1 - share * line.1);
    (off.0 * off.0 + off.1 * off.1).sqrt()
}

fn device((x, y): Point) -> BackendCoord {
    let scale = f64::from(SCALE);
    ((x * scale).round() as i32, (y * scale).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_its_room() {
        assert_eq!(fit_text("LaGuardia", 12.0, 200.0), "LaGuardia");
        assert_eq!(fit_text("LaGuardia", 12.0, 1.0), "");
        let text = "John F. Kennedy International Airport";
        for room in [20.0, 45.0, 80.0, 133.0] {
            // Letter by letter from the end, as a reader would try.
            let longest = (0..text.len())
                .rev()
                .map(|count| text[..count].trim_end().to_owned() + "…")
                .find(|shorter| text_width(shorter, 12.0) <= room);
            assert_eq!(Some(fit_text(text, 12.0, room)), longest, "{room}");
        }
    }

    #[test]
    fn a_huge_text_takes_no_longer_than_a_long_one() {
        let huge = "i".repeat(1_000_000);
        assert_eq!(
            fit_text(&huge, 12.0, 200.0),
            fit_text(&huge[..300], 12.0, 200.0)
        );
        assert_eq!(
            fit_text(&huge, 12.0, f64::MAX).chars().count(),
            MOST_CHARS + 1
        );
    }

    #[test]
    fn what_xml_forbids_is_replaced() {
        assert_eq!(
            printable("a\u{1}\n\u{7F}b\u{FFFF}ü…"),
            "a\u{FFFD}\u{FFFD}\u{FFFD}b\u{FFFD}ü…"
        );
    }
}
