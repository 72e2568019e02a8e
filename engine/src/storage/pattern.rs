//! Patterns of names and paths, as Hadoop has them: `*`, `?`, `[abc]`, `[^a-c]`, `{a,b}` and `\`
//! before a character that is meant as it is. Nothing but a slash ends a name.

use globset::GlobBuilder;
use regex::bytes::Regex;

/// One character of UTF-8 that is no slash: a glob's `?` is one byte.
const CHARACTER: &str = r"(?:[\x00-\x2e\x30-\x7f]|[\xc0-\xff][\x80-\xbf]+)";

/// A pattern of names.
#[derive(Debug, Clone)]
pub(crate) struct NamePattern(Regex);

impl NamePattern {
    /// Reads a pattern; an error says what is wrong with it.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .backslash_escape(true)
            .build();
        let glob = glob.map_err(|error| error.kind().to_string())?;
        // What is left of the byte that is no slash belongs to a `*`.
        let regex = glob.regex().replace("[^/]*", "\u{0}");
        let regex = regex.replace("[^/]", CHARACTER).replace('\u{0}', "[^/]*");
        let regex = Regex::new(&regex).map_err(|error| error.to_string())?;
        Ok(Self(regex))
    }

    /// Whether a name has the pattern.
    pub(crate) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name.as_bytes())
    }
}

/// A pattern of paths: a name or a pattern of names for every part of the path.
#[derive(Debug, Clone)]
pub(crate) struct PathPattern(Vec<PartPattern>);

/// One part of a path.
#[derive(Debug, Clone)]
pub(crate) enum PartPattern {
    /// It has this name.
    Name(String),
    /// Its name has this pattern.
    Pattern(NamePattern),
}

impl PartPattern {
    fn new(part: &str) -> Result<Self, String> {
        match is_pattern(part) {
            true => NamePattern::new(part).map(Self::Pattern),
            false => Ok(Self::Name(part.to_string())),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Pattern(pattern) => pattern.matches(name),
        }
    }
}

impl PathPattern {
    /// The patterns that a path stands for: braces around slashes make it several.
    pub(crate) fn all(path: &str) -> Result<Vec<Self>, String> {
        let paths = expand_braces_with_slashes(path);
        paths.iter().map(|path| Self::new(path)).collect()
    }

    fn new(path: &str) -> Result<Self, String> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts
            .map(PartPattern::new)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a text says more than one path.
    pub(crate) fn is_pattern(path: &str) -> bool {
        is_pattern(path)
    }

    /// One for every part of a path.
    pub(crate) fn parts(&self) -> &[PartPattern] {
        &self.0
    }

    /// Whether the first parts of a path and of this one, as many as both have, are the same.
    pub(crate) fn begins_like(&self, path: &[String]) -> bool {
        self.0
            .iter()
            .zip(path)
            .all(|(part, name)| part.matches(name))
    }
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// `a{b/c,d}` → `ab/c`, `ad`. Braces inside of one part of a path stay.
fn expand_braces_with_slashes(path: &str) -> Vec<String> {
    let mut from = 0;
    while let Some((open, close)) = braces(path, from) {
        let inside = &path[open + 1..close];
        if !inside.contains('/') {
            from = open + 1;
            continue;
        }
        let (before, behind) = (&path[..open], &path[close + 1..]);
        return words(inside)
            .into_iter()
            .flat_map(|word| expand_braces_with_slashes(&format!("{before}{word}{behind}")))
            .collect();
    }
    vec![path.to_string()]
}

/// The first pair of braces that belong together, from `from` on.
fn braces(path: &str, from: usize) -> Option<(usize, usize)> {
    let open = from + path[from..].find('{')?;
    let mut depth = 0;
    for (at, char) in path[open..].char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((open, open + at));
        }
    }
    None
}

/// The words between the commas that are in no braces of their own.
fn words(inside: &str) -> Vec<&str> {
    let mut depth = 0;
    inside
        .split(|char| {
            match char {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            char == ',' && depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        NamePattern::new(pattern).unwrap().matches(name)
    }

    #[test]
    fn names_have_patterns() {
        for (pattern, name, expected) in [
            ("{ab,cd}.json", "ab.json", true),
            ("{ab,cd}.json", "cd.json", true),
            ("{ab,cd}.json", "abcd.json", false),
            ("{a,b{c,d}}x", "bdx", true),
            ("[^a]*.json", "ab.json", false),
            ("[^a]*.json", "ba.json", true),
            ("[!a]?", "bc", true),
            ("f[1-2].txt", "f2.txt", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*", "ü.json", true),
            ("?.json", "ü.json", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(NamePattern::new("[a").is_err() && NamePattern::new("{a").is_err());
    }

    #[test]
    fn braces_around_slashes_make_several_paths() {
        let all = |path| expand_braces_with_slashes(path);
        assert_eq!(all("/x/{a/b,c}/{d,e}"), ["/x/a/b/{d,e}", "/x/c/{d,e}"]);
        assert_eq!(all("/{a,b{c/d,e}}"), ["/a", "/bc/d", "/be"]);
        assert_eq!(all("/x/{a"), ["/x/{a"]);
    }

    #[test]
    fn paths_begin_alike() {
        let pattern = &PathPattern::all("/data/in-*").unwrap()[0];
        let path = |text: &str| text.split('/').map(str::to_string).collect::<Vec<_>>();
        assert!(pattern.begins_like(&path("data/in-1/archive")));
        assert!(pattern.begins_like(&path("data")));
        assert!(!pattern.begins_like(&path("data/archive")));
    }
}
