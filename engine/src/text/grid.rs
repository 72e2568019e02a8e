//! Cells of text in a frame.

/// No column is narrower.
pub(super) const MIN_WIDTH: usize = 3;

/// Where the text of a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the beginning of its cell.
    Left,
    /// At its end.
    Right,
}

/// Lines of cells in a frame, the first line being the heading. All lines have the same number of
/// cells; line breaks in them are shown as `\n`.
pub fn grid(lines: &[Vec<String>], align: Align) -> String {
    let lines: Vec<Vec<String>> = lines
        .iter()
        .map(|line| line.iter().map(|cell| one_line(cell)).collect())
        .collect();
    let columns = lines.first().map_or(0, Vec::len);
    let mut widths = vec![MIN_WIDTH; columns];
    for line in &lines {
        for (widest, cell) in widths.iter_mut().zip(line) {
            *widest = width(cell).max(*widest);
        }
    }
    let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let rule = format!("+{}+\n", dashes.join("+"));
    let mut text = rule.clone();
    for (index, line) in lines.iter().enumerate() {
        for (cell, column_width) in line.iter().zip(&widths) {
            let space = " ".repeat(column_width - width(cell));
            match align {
                Align::Left => text.extend(["|", cell, &space]),
                Align::Right => text.extend(["|", &space, cell]),
            }
        }
        text.push_str("|\n");
        if index == 0 {
            text.push_str(&rule);
        }
    }
    text + &rule
}

/// A text without line breaks and tabs.
pub(super) fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t")
}

/// Columns of a terminal: East Asian characters take two.
pub(super) fn width(text: &str) -> usize {
    let wide = |character: char| {
        matches!(character,
            '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}'
            | '\u{F900}'..='\u{FAFF}' | '\u{FE10}'..='\u{FE19}' | '\u{FE30}'..='\u{FE6F}'
            | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}')
    };
    text.chars()
        .map(|character| if wide(character) { 2 } else { 1 })
        .sum()
}
