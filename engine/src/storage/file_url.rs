//! Paths as they stand in logs: `file:///data/a%20b.json`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use url::Url;

use crate::error::{Error, Result};

/// The URL of an absolute path, escaped as Java's `URI` escapes it: two engines that read one log
/// must write one path in one way.
pub(crate) fn to_file_url(path: &Path) -> Result<String> {
    if !path.is_absolute() {
        let path = path.display();
        return Err(Error::internal(format!("'{path}' is not an absolute path")));
    }
    let mut url = "file://".to_string();
    escape_path(&mut url, path.as_os_str().as_encoded_bytes());
    Ok(url)
}

/// Appends a path, escaped as in URLs.
pub(super) fn escape_path(url: &mut String, path: &[u8]) {
    for chunk in path.utf8_chunks() {
        for char in chunk.valid().chars() {
            match is_plain(char) {
                true => url.push(char),
                false => {
                    let mut bytes = [0; 4];
                    let bytes = char.encode_utf8(&mut bytes).bytes();
                    bytes.for_each(|byte| escape(url, byte));
                }
            }
        }
        chunk.invalid().iter().for_each(|byte| escape(url, *byte));
    }
}

fn escape(url: &mut String, byte: u8) {
    // Nothing can go wrong with a String.
    let _ = write!(url, "%{byte:02X}");
}

fn is_plain(char: char) -> bool {
    match char.is_ascii() {
        true => char.is_ascii_alphanumeric() || "_-!.~'()*,;:$&+=@/".contains(char),
        false => !char.is_control() && !char.is_whitespace(),
    }
}

/// What a user gave as a path, in full: absolute, without `file:` and without a slash at its end.
pub(crate) fn full_path(given: &str) -> Result<PathBuf> {
    let path = match given.starts_with("file:") || given.contains("://") {
        true => from_file_url(given)?,
        false => PathBuf::from(given),
    };
    let full = std::path::absolute(&path)
        .map_err(|error| Error::io(format!("read path '{given}'"), error))?;
    Ok(full.components().collect())
}

/// The path of a URL, which may also have a single slash (`file:/data`) or be a bare path.
pub(crate) fn from_file_url(text: &str) -> Result<PathBuf> {
    if text.starts_with('/') {
        return Ok(PathBuf::from(text));
    }
    Url::parse(text)
        .ok()
        .and_then(|url| url.to_file_path().ok())
        .ok_or_else(|| Error::illegal_argument(format!("'{text}' is not the path of a local file")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_come_back() {
        for path in [
            "/data/in/f0.json",
            "/data/a b%20c/ü#?.json",
            "/data/k=[1|2]^{3}\\.json",
        ] {
            let url = to_file_url(Path::new(path)).unwrap();
            assert!(
                url.starts_with("file:///data/") && !url.contains(' '),
                "{url}"
            );
            assert_eq!(url.contains('ü'), path.contains('ü'), "{url}");
            assert_eq!(from_file_url(&url).unwrap(), Path::new(path));
        }
        assert_eq!(from_file_url("file:/data/x").unwrap(), Path::new("/data/x"));
        assert!(from_file_url("s3://bucket/x").is_err());
        assert!(full_path("s3://bucket/x").is_err());
        for given in ["/data/x/", "file:/data/x", "file:///data/./x/"] {
            assert_eq!(full_path(given).unwrap().display().to_string(), "/data/x");
        }
    }
}
