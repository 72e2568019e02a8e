//! The drawing, as SVG and as PNG.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plotters::backend::{BitMapBackend, SVGBackend};
use tidebook_engine::Error;

use super::canvas::{SCALE, Surface};
use super::data::ChartData;
use super::options::ChartKind;
use super::{HEIGHT, WIDTH, draw};

const CANVAS: (u32, u32) = (WIDTH * SCALE, HEIGHT * SCALE);

/// An SVG document, drawn with the reader's sans-serif typeface.
pub fn svg(data: &ChartData, kind: ChartKind, title: &str) -> Result<String, Error> {
    let mut svg = String::new();
    let mut surface = Surface::new(SVGBackend::with_string(&mut svg, CANVAS));
    draw::draw(&mut surface, data, kind, title);
    surface.finish()?;
    let size = |(width, height)| format!("width=\"{width}\" height=\"{height}\"");
    // The view box stays as large as the canvas: that scales the drawing back.
    let head = size((WIDTH, HEIGHT)) + " stroke-linejoin=\"round\" stroke-linecap=\"round\"";
    Ok(svg.replacen(&size(CANVAS), &head, 1))
}

/// A PNG in base64, [`SCALE`] times as large as it is meant to be shown.
pub fn png(data: &ChartData, kind: ChartKind, title: &str) -> Result<String, Error> {
    let mut pixels = vec![0xFF; (CANVAS.0 * CANVAS.1 * 3) as usize];
    let mut surface = Surface::new(BitMapBackend::with_buffer(&mut pixels, CANVAS));
    draw::draw(&mut surface, data, kind, title);
    surface.finish()?;
    let png = encode(&pixels)
        .map_err(|error| Error::internal(format!("encode a chart: {error}")).with_source(error))?;
    Ok(STANDARD.encode(png))
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, CANVAS.0, CANVAS.1);
    encoder.set_color(png::ColorType::Rgb);
    // Plain areas compress best unfiltered.
    encoder.set_filter(png::FilterType::NoFilter);
    encoder.set_compression(png::Compression::Default);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}
