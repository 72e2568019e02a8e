//! What a table shows of a text: all of it, unless it is so long that one cell would make the table
//! unreadable and its output huge.

/// Characters.
const LONGEST: usize = 1_000;

/// `text`, or so much of its beginning as a cell holds and an ellipsis.
pub(super) fn bounded(text: String) -> String {
    let end = text.char_indices().nth(LONGEST).map(|(end, _)| end);
    match end {
        Some(end) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut() {
        let longest = "ü".repeat(LONGEST);
        assert_eq!(bounded(longest.clone()), longest);
        assert_eq!(bounded(longest.clone() + "ü"), longest + "…");
    }
}
