//! Folders that are named after the value of a column, as Hive has them: `day=2024-05-01`. Characters
//! that paths cannot have are escaped: `%2F`.

use std::fmt::Write;

/// The value of a folder whose value is NULL.
const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Characters that are escaped, beside control characters.
const ESCAPED: &str = "\"#%'*/:=?\\{[]^\u{7f}";

/// The name of the folder of a value.
pub(crate) fn folder_name(column: &str, value: Option<&str>) -> String {
    let mut name = String::new();
    escape(&mut name, column);
    name.push('=');
    match value {
        None | Some("") => name.push_str(NULL_VALUE),
        Some(value) => escape(&mut name, value),
    }
    name
}

/// Column and value of a folder, if it is named after one.
pub(crate) fn column_and_value(folder: &str) -> Option<(String, Option<String>)> {
    let (column, value) = folder.split_once('=')?;
    if column.is_empty() || value.is_empty() {
        return None;
    }
    let value = (value != NULL_VALUE).then(|| unescape(value));
    Some((unescape(column), value))
}

fn escape(out: &mut String, text: &str) {
    for char in text.chars() {
        match char < ' ' || ESCAPED.contains(char) {
            // Nothing can go wrong with a String.
            true => drop(write!(out, "%{:02X}", u32::from(char))),
            false => out.push(char),
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3);
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for (value, folder) in [
            (Some("a/b=0 %"), "e=a%2Fb%3D0 %25"),
            (Some("ü {x}\n"), "e=ü %7Bx}%0A"),
            (None, "e=__HIVE_DEFAULT_PARTITION__"),
        ] {
            assert_eq!(folder_name("e", value), folder);
            let found = column_and_value(folder).unwrap();
            assert_eq!(found, ("e".to_string(), value.map(str::to_string)));
        }
        assert_eq!(
            folder_name("a b", Some("")),
            "a b=__HIVE_DEFAULT_PARTITION__"
        );
        assert_eq!(column_and_value("e=5%").unwrap().1.unwrap(), "5%");
        assert_eq!(column_and_value("plain"), None);
        assert_eq!(column_and_value("=1"), None);
    }
}
