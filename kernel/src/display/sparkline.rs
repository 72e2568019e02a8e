//! A row of numbers as a row of blocks: survives every sanitiser and every terminal.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One block per value, from zero to the largest. More than `width` values share blocks, each
/// block showing the largest of its share; a value that is not finite leaves a gap.
pub(super) fn sparkline(values: &[f64], width: usize) -> String {
    let columns = shrink(values, width.max(1));
    let top = columns
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(0.0, f64::max);
    columns.into_iter().map(|value| block(value, top)).collect()
}

fn block(value: f64, top: f64) -> char {
    if !value.is_finite() {
        return ' ';
    }
    let [lowest, .., highest] = BLOCKS;
    if value <= 0.0 || top <= 0.0 {
        return lowest;
    }
    let step = (value / top * (BLOCKS.len() - 1) as f64).ceil() as usize;
    BLOCKS.get(step).copied().unwrap_or(highest)
}

fn shrink(values: &[f64], width: usize) -> Vec<f64> {
    if values.len() <= width {
        return values.to_vec();
    }
    (0..width)
        .map(|column| {
            let from = column * values.len() / width;
            let to = (column + 1) * values.len() / width;
            let share = values.iter().take(to).skip(from);
            share.copied().fold(f64::NAN, f64::max)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_grow_with_the_values() {
        assert_eq!(sparkline(&[0.0, 1.0, 4.0, 7.0], 20), "▁▂▅█");
        assert_eq!(sparkline(&[0.0, 0.0], 20), "▁▁");
        assert_eq!(sparkline(&[1.0, f64::NAN, 1.0], 20), "█ █");
        assert_eq!(sparkline(&[], 20), "");
    }

    #[test]
    fn long_rows_keep_their_peaks() {
        let mut values = vec![1.0; 100];
        values[57] = 100.0;
        let line = sparkline(&values, 10);
        assert_eq!(line.chars().count(), 10);
        assert_eq!(line.chars().filter(|c| *c == '█').count(), 1);
    }
}
