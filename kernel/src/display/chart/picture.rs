//! The drawing, as SVG and as PNG.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plotters::backend::SVGBackend;
use serde_json::json;
use tidebook_engine::Error;

use super::canvas::Canvas;
use super::canvas::{SCALE, Surface};
use super::pixels::{self, Pixels};
use super::{HEIGHT, WIDTH};
use crate::display::MimeBundle;

const CANVAS: (u32, u32) = (WIDTH * SCALE, HEIGHT * SCALE);

/// Draws a picture on a canvas.
pub(super) type Draw<'a> = &'a dyn Fn(&mut dyn Canvas);

/// The picture in all its forms; `plain` stands for it in a terminal.
pub(super) fn bundle(draw: Draw<'_>, plain: String) -> Result<MimeBundle, Error> {
    let png = png(draw)?;
    // nbconvert takes the words for those who do not see from there.
    let size = json!({"width": WIDTH, "height": HEIGHT, "alt": plain});
    let alt = json!({"alt": plain});
    Ok(MimeBundle::default()
        .with("image/svg+xml", svg(draw)?)
        .with("image/png", png)
        .with("text/plain", plain)
        .with_metadata("image/svg+xml", alt)
        .with_metadata("image/png", size))
}

/// An SVG document, drawn with the reader's sans-serif typeface.
fn svg(draw: Draw<'_>) -> Result<String, Error> {
    let mut svg = String::new();
    let mut surface = Surface::new(SVGBackend::with_string(&mut svg, CANVAS));
    draw(&mut surface);
    surface.finish()?;
    let size = |(width, height)| format!("width=\"{width}\" height=\"{height}\"");
    // The view box stays as large as the canvas: that scales the drawing back.
    let head = size((WIDTH, HEIGHT)) + " stroke-linejoin=\"round\" stroke-linecap=\"round\"";
    Ok(svg.replacen(&size(CANVAS), &head, 1))
}

/// A PNG in base64, [`SCALE`] times as large as it is meant to be shown.
fn png(draw: Draw<'_>) -> Result<String, Error> {
    let mut pixels = vec![0; (CANVAS.0 * CANVAS.1) as usize * pixels::BYTES];
    let mut surface = Surface::new(Pixels::new(&mut pixels, CANVAS));
    draw(&mut surface);
    surface.finish()?;
    let png = encode(&pixels)
        .map_err(|error| Error::internal(format!("encode a chart: {error}")).with_source(error))?;
    Ok(STANDARD.encode(png))
}

/// With a palette where 256 colours are enough, which they nearly always are.
fn encode(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, CANVAS.0, CANVAS.1);
    let indexed = index_colors(pixels);
    let content = match &indexed {
        Some((palette, indices)) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette.colors.as_slice());
            encoder.set_trns(palette.alphas.as_slice());
            // Rows mostly repeat the row above: long runs of zeros, which the fast way packs well.
            encoder.set_filter(png::FilterType::Up);
            encoder.set_compression(png::Compression::Fast);
            indices.as_slice()
        }
        None => {
            encoder.set_color(png::ColorType::Rgba);
            encoder.set_filter(png::FilterType::NoFilter);
            encoder.set_compression(png::Compression::Default);
            pixels
        }
    };
    let mut writer = encoder.write_header()?;
    writer.write_image_data(content)?;
    writer.finish()?;
    Ok(file)
}

/// The colours that a picture has, each once.
#[derive(Debug, Default, PartialEq)]
struct Palette {
    /// Red, green and blue of each.
    colors: Vec<u8>,
    /// How much of each is seen.
    alphas: Vec<u8>,
}

/// The colours of a picture and the place of every pixel's among them, if there are few enough.
fn index_colors(pixels: &[u8]) -> Option<(Palette, Vec<u8>)> {
    let mut palette = Palette::default();
    let mut known: HashMap<[u8; pixels::BYTES], u8> = HashMap::new();
    let mut indices = Vec::with_capacity(pixels.len() / pixels::BYTES);
    let mut previous: Option<([u8; pixels::BYTES], u8)> = None;
    let (pixels, _) = pixels.as_chunks();
    for color in pixels {
        let index = match previous {
            Some((same, index)) if same == *color => index,
            _ => match known.get(color) {
                Some(index) => *index,
                None => {
                    let index = u8::try_from(known.len()).ok()?;
                    let [red, green, blue, alpha] = *color;
                    palette.colors.extend([red, green, blue]);
                    palette.alphas.push(alpha);
                    known.insert(*color, index);
                    index
                }
            },
        };
        previous = Some((*color, index));
        indices.push(index);
    }
    Some((palette, indices))
}

#[cfg(test)]
mod tests {
    use super::super::reader::tests::read_series;
    use super::super::{ChartKind, draw};
    use super::*;

    #[test]
    fn names_cannot_break_the_xml() {
        let data = read_series(&["a\u{0}b\u{1B}", "<&\u{FFFE}"], &[1, 1], &[2.0, 3.0]);
        let title = "dep\u{8}artures";
        let svg = svg(&|canvas| draw::draw(canvas, &data, ChartKind::Bar, title)).unwrap();
        assert!(
            svg.chars()
                .all(|c| c == '\n' || !(c.is_control() || c == '\u{FFFE}')),
            "{svg}"
        );
        for name in [
            "a\u{FFFD}b\u{FFFD}",
            "&lt;&amp;\u{FFFD}",
            "dep\u{FFFD}artures",
        ] {
            assert!(svg.contains(name), "{name} is not in {svg}");
        }
    }

    #[test]
    fn the_page_shines_through() {
        let data = read_series(&["a", "b"], &[1, 1], &[2.0, 3.0]);
        let draw = |canvas: &mut dyn Canvas| draw::draw(canvas, &data, ChartKind::Bar, "x");
        let png = STANDARD.decode(png(&draw).unwrap()).unwrap();
        let has_alpha = png.windows(4).any(|chunk| chunk == b"tRNS");
        assert!(has_alpha, "the PNG has no transparent colour");
        let svg = svg(&draw).unwrap();
        assert!(!svg.contains("#FFFFFF"), "{svg}");
    }

    #[test]
    fn few_colors_are_indexed_and_many_are_not() {
        let picture = [[1, 2, 3, 255], [1, 2, 3, 255], [9, 9, 9, 0], [1, 2, 3, 255]];
        let (palette, indices) = index_colors(picture.as_flattened()).unwrap();
        assert_eq!(palette.colors, [1, 2, 3, 9, 9, 9]);
        assert_eq!(palette.alphas, [255, 0]);
        assert_eq!(indices, [0, 0, 1, 0]);
        let shades = |count: u16| -> Vec<u8> {
            (0..count)
                .flat_map(|i| [(i >> 8) as u8, i as u8, 0, 255])
                .collect()
        };
        assert!(index_colors(&shades(256)).is_some());
        assert!(index_colors(&shades(257)).is_none());
    }
}
