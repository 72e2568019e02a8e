//! A picture of pixels that lets its page shine through: those of plotters are opaque.

use std::convert::Infallible;

use plotters_backend::{BackendColor, BackendCoord, DrawingBackend, DrawingErrorKind};

/// Red, green, blue and alpha of a pixel.
pub(super) const BYTES: usize = 4;

/// A buffer of pixels to draw on; one of zeros is clear.
pub(super) struct Pixels<'a> {
    rgba: &'a mut [[u8; BYTES]],
    size: (u32, u32),
}

impl<'a> Pixels<'a> {
    /// Pixels row by row, [`BYTES`] each.
    pub(super) fn new(rgba: &'a mut [u8], size: (u32, u32)) -> Self {
        let (rgba, _) = rgba.as_chunks_mut();
        Self { rgba, size }
    }
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Pixels<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        let (columns, rows) = self.size;
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && x < columns
            && y < rows
            && let Some(pixel) = self.rgba.get_mut((y * columns + x) as usize)
        {
            *pixel = over(*pixel, color);
        }
        Ok(())
    }
}

/// A pixel with a colour laid over it.
fn over(pixel: [u8; BYTES], color: BackendColor) -> [u8; BYTES] {
    let (red, green, blue) = color.rgb;
    let [under_red, under_green, under_blue, under_alpha] = pixel;
    let below = f64::from(under_alpha) / 255.0 * (1.0 - color.alpha);
    let alpha = color.alpha + below;
    if alpha <= 0.0 {
        return pixel;
    }
    let mix = |over: u8, under: u8| {
        ((f64::from(over) * color.alpha + f64::from(under) * below) / alpha).round() as u8
    };
    [
        mix(red, under_red),
        mix(green, under_green),
        mix(blue, under_blue),
        (alpha * 255.0).round() as u8,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(alpha: f64, rgb: (u8, u8, u8)) -> BackendColor {
        BackendColor { alpha, rgb }
    }

    #[test]
    fn colors_are_laid_over_each_other() {
        let clear = [0; BYTES];
        assert_eq!(over(clear, color(0.0, (9, 9, 9))), clear);
        let half = over(clear, color(0.5, (200, 100, 0)));
        assert_eq!(half, [200, 100, 0, 128]);
        assert_eq!(over(half, color(1.0, (1, 2, 3))), [1, 2, 3, 255]);
        assert_eq!(
            over([0, 0, 0, 255], color(0.5, (200, 100, 0))),
            [100, 50, 0, 255]
        );
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut buffer = [0; 4 * BYTES];
        let mut pixels = Pixels::new(&mut buffer, (2, 2));
        for place in [(-1, 0), (2, 0), (0, 2), (1, 1)] {
            pixels.draw_pixel(place, color(1.0, (7, 7, 7))).unwrap();
        }
        assert_eq!(buffer[..12], [0; 12]);
        assert_eq!(buffer[12..], [7, 7, 7, 255]);
    }
}
