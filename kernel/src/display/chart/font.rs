//! Text in pictures of pixels, from a typeface inside the binary: no machine needs a font.
//!
//! The typeface is Ubuntu Light, under the Ubuntu Font Licence, which allows embedding.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};

/// Absent only if the embedded file could not be read; text is then left out.
static FONT: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(ab_glyph_font::UBUNTU_LIGHT).ok());

/// Half the height of a small letter, in ems: from the middle of a line to its baseline.
const HALF_X_HEIGHT: f32 = 0.26;

/// Light strokes on white look thinner than they are; this exponent on the coverage evens it out.
const WEIGHT: f32 = 0.7;

/// The width of one line of text whose em is `em` pixels.
pub fn width(text: &str, em: f32) -> f32 {
    let Some((font, scale)) = scaled(em) else {
        return em * 0.5 * text.chars().count() as f32;
    };
    place(font, scale, text).1
}

/// Calls `paint` with every pixel the text touches and how much of it is covered. `left` and
/// `middle` are where the line begins and where the middle of its small letters lies.
pub fn draw(text: &str, em: f32, left: f32, middle: f32, paint: &mut dyn FnMut(i32, i32, f32)) {
    let Some((font, scale)) = scaled(em) else {
        return;
    };
    let baseline = middle + em * HALF_X_HEIGHT;
    for (glyph, x) in place(font, scale, text).0 {
        let glyph = glyph.with_scale_and_position(scale, point(left + x, baseline));
        if let Some(outline) = font.outline_glyph(glyph) {
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

fn scaled(em: f32) -> Option<(&'static FontRef<'static>, PxScale)> {
    let font = FONT.as_ref()?;
    let units = font.units_per_em()?;
    Some((font, PxScale::from(em * font.height_unscaled() / units)))
}

/// Every glyph with its place on the line, and the length of the line.
fn place(font: &FontRef<'_>, scale: PxScale, text: &str) -> (Vec<(GlyphId, f32)>, f32) {
    let font = font.as_scaled(scale);
    let mut x = 0.0;
    let mut previous = None;
    let mut glyphs = Vec::with_capacity(text.len());
    for c in text.chars() {
        let glyph = font.glyph_id(c);
        if let Some(previous) = previous {
            x += font.kern(previous, glyph);
        }
        glyphs.push((glyph, x));
        x += font.h_advance(glyph);
        previous = Some(glyph);
    }
    (glyphs, x)
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
}
