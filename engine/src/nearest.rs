//! The name that somebody probably meant to type.

/// The candidate that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    candidates
        .into_iter()
        // Of a word nobody forgets more than half.
        .filter(|name| name.len() * 2 >= word.len())
        .map(|name| (likeness(&word, &name.to_ascii_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

/// From 0 to 1. One slip of the finger is a slip, also in a word so short that little else is left.
fn likeness(word: &str, name: &str) -> f64 {
    let likeness = strsim::jaro_winkler(word, name);
    match strsim::osa_distance(word, name) {
        0 | 1 if word.len() > 2 => likeness.max(0.9),
        _ => likeness,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_in_a_short_word_is_enough() {
        assert_eq!(nearest("itn", ["TINYINT", "INT", "BIGINT"]), Some("INT"));
        assert_eq!(nearest("nosuch", ["category", "n"]), None);
        assert_eq!(nearest("xyz", ["maxFilesPerTrigger", "latestFirst"]), None);
    }
}
