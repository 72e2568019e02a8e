//! JSON with a field a line, as Jackson prints it.

/// The same text, with line ends and blanks.
pub(super) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut chars = json.chars().peekable();
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let (mut in_text, mut escaped) = (false, false);
    // Whether each opened bracket is that of an object.
    let mut objects = Vec::new();
    while let Some(char) = chars.next() {
        if in_text {
            in_text = escaped || char != '"';
            escaped = char == '\\' && !escaped;
            out.push(char);
            continue;
        }
        let closes = chars.peek().is_some_and(|next| matches!(next, '}' | ']'));
        match char {
            '{' => {
                objects.push(true);
                depth += 1;
                out.push('{');
                match closes {
                    true => out.push(' '),
                    false => new_line(&mut out, depth),
                }
            }
            '}' => {
                objects.pop();
                depth -= 1;
                if !out.ends_with("{ ") {
                    new_line(&mut out, depth);
                }
                out.push('}');
            }
            '[' => {
                objects.push(false);
                out.push_str("[ ");
            }
            ']' => {
                objects.pop();
                out.push_str(if out.ends_with("[ ") { "]" } else { " ]" });
            }
            ',' if objects.last() == Some(&true) => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ',' => out.push_str(", "),
            ':' => out.push_str(" : "),
            '"' => {
                in_text = true;
                out.push('"');
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_a_line() {
        assert_eq!(
            pretty(r#"{"a":[1,{"b":"x:\",{"}],"c":{},"d":[]}"#),
            "{\n  \"a\" : [ 1, {\n    \"b\" : \"x:\\\",{\"\n  } ],\n  \"c\" : { },\n  \"d\" : [ ]\n}"
        );
    }
}
