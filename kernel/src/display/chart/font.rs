//! Text in pictures of pixels, from a typeface inside the binary: no machine needs a font.
//!
//! The typeface is Ubuntu Light, under the Ubuntu Font Licence, which allows embedding. A character
//! that it has not comes from a typeface of the machine.

use std::sync::LazyLock;

use ab_glyph::{Font, FontArc, FontRef, GlyphId, PxScale, ScaleFont, point};

use super::system_fonts;

/// Absent only if the embedded file could not be read; text is then left out.
static FONT: LazyLock<Option<FontArc>> = LazyLock::new(|| {
    let font = FontRef::try_from_slice(ab_glyph_font::UBUNTU_LIGHT).ok()?;
    Some(FontArc::new(font))
});

/// Half the height of a small letter, in ems: from the middle of a line to its baseline.
const HALF_X_HEIGHT: f32 = 0.26;

/// Light strokes look thinner than they are; this exponent on the coverage evens it out.
const WEIGHT: f32 = 0.7;

/// The width of one line of text whose em is `em` pixels.
pub(super) fn width(text: &str, em: f32) -> f32 {
    place(text, em).1
}

/// Calls `paint` with every pixel the text touches and how much of it is covered. `left` and
/// `middle` are where the line begins and where the middle of its small letters lies.
pub(super) fn draw(
    text: &str,
    em: f32,
    left: f32,
    middle: f32,
    paint: &mut dyn FnMut(i32, i32, f32),
) {
    let baseline = middle + em * HALF_X_HEIGHT;
    for placed in place(text, em).0 {
        let glyph = placed
            .glyph
            .with_scale_and_position(placed.scale, point(left + placed.x, baseline));
        if let Some(outline) = placed.font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, coverage| {
                let coverage = coverage.clamp(0.0, 1.0).powf(WEIGHT);
                paint(
                    corner.x as i32 + x as i32,
                    corner.y as i32 + y as i32,
                    coverage,
                );
            });
        }
    }
}

/// A glyph with its place on the line.
struct Placed {
    font: FontArc,
    scale: PxScale,
    glyph: GlyphId,
    x: f32,
}

/// Every glyph, and the length of the line.
fn place(text: &str, em: f32) -> (Vec<Placed>, f32) {
    let Some(own) = FONT.as_ref() else {
        return (Vec::new(), em * 0.5 * text.chars().count() as f32);
    };
    let mut x = 0.0;
    let mut previous = None;
    let mut placed = Vec::with_capacity(text.len());
    for c in text.chars() {
        let other = match own.glyph_id(c).0 {
            0 => system_fonts::with(c),
            _ => None,
        };
        let is_own = other.is_none();
        let font = other.unwrap_or_else(|| own.clone());
        let (scale, glyph) = (scale(&font, em), font.glyph_id(c));
        let scaled = font.as_scaled(scale);
        if let Some(previous) = previous.filter(|_| is_own) {
            x += scaled.kern(previous, glyph);
        }
        let advance = scaled.h_advance(glyph);
        previous = is_own.then_some(glyph);
        placed.push(Placed {
            font,
            scale,
            glyph,
            x,
        });
        x += advance;
    }
    (placed, x)
}

fn scale(font: &FontArc, em: f32) -> PxScale {
    let units = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(em * font.height_unscaled() / units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_width_that_grows_with_its_size() {
        let small = width("06:00", 10.0);
        assert!((20.0..35.0).contains(&small), "{small}");
        assert!((width("06:00", 20.0) - 2.0 * small).abs() < 0.5);
        assert_eq!(width("", 10.0), 0.0);
    }

    #[test]
    fn ink_stays_within_the_line() {
        let (mut left, mut right, mut pixels) = (i32::MAX, i32::MIN, 0);
        draw("Hamburg", 20.0, 100.0, 50.0, &mut |x, y, coverage| {
            assert!((30..70).contains(&y) && (0.0..=1.0).contains(&coverage));
            (left, right, pixels) = (left.min(x), right.max(x), pixels + 1);
        });
        assert!(pixels > 100 && left >= 99);
        assert!(right <= 101 + width("Hamburg", 20.0) as i32);
    }

    #[test]
    fn chinese_is_no_box_where_the_machine_has_a_font() {
        let pixels = |text: &str| {
            let mut pixels = Vec::new();
            draw(text, 20.0, 10.0, 20.0, &mut |x, y, coverage| {
                pixels.push((x, y, (coverage * 255.0) as u8));
            });
            pixels
        };
        if system_fonts::with('視').is_some() {
            assert_ne!(pixels("視"), pixels("窗"));
        }
    }

    #[test]
    fn chinese_takes_its_room() {
        // Without a typeface that has them, boxes stand for the characters.
        let one = width("視", 20.0);
        assert!((8.0..=22.0).contains(&one), "{one}");
        assert!((width("視窗", 20.0) - 2.0 * one).abs() < 0.5);
    }
}
