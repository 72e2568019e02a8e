//! The grammar, and what may be allowed beyond it.

use serde_json::Value;

use super::*;

const STRICT: Leniency = Leniency {
    single_quotes: false,
    unquoted_names: false,
    comments: false,
    leading_zeros: false,
    non_numeric_numbers: false,
    any_escape: false,
    control_characters: false,
};

fn parser(text: &str) -> Parser<'_> {
    Parser::new(text, Leniency::default())
}

fn is_json(text: &str) -> bool {
    let mut parser = Parser::new(text, STRICT);
    parser.skip().is_ok() && parser.is_at_end()
}

#[test]
fn strings() {
    for (text, expected) in [
        (r#""""#, ""),
        (
            r#""plain text of some length""#,
            "plain text of some length",
        ),
        (r#""a\"b\\\/\b\f\n\r\t""#, "a\"b\\/\u{8}\u{c}\n\r\t"),
        (r#""ü\u00fc\ud83d\ude00\ud800x""#, "üü😀?x"),
        (r#"'it\'s "so" and longer'"#, "it's \"so\" and longer"),
        (r#""it\'s""#, "it's"),
    ] {
        assert_eq!(parser(text).string(), Ok(expected), "{text}");
    }
    for text in [
        "\"",
        "\"a",
        "\"a\nb\"",
        r#""\x""#,
        r#""\u12g4""#,
        "\"long enough for a word\u{1}\"",
    ] {
        assert!(parser(text).string().is_err(), "{text}");
        assert!(parser(text).skip().is_err(), "{text}");
    }
}

#[test]
fn numbers() {
    for (text, whole) in [
        ("0", true),
        ("-12", true),
        ("1.50", false),
        ("1e3", false),
        ("NaN", false),
        ("-Infinity", false),
        ("+INF", false),
    ] {
        let number = parser(text).number();
        assert_eq!(number, Ok(Number { text, whole }));
    }
    for text in ["-", "01", "1.", ".5", "1e", "-NaN", "+1", "INF"] {
        assert!(parser(text).number().is_err(), "{text}");
    }
}

#[test]
fn what_is_allowed_is_no_mistake() {
    type Allow = fn(&mut Leniency);
    let cases: [(&str, Allow); 8] = [
        ("{'a':1}", |all| all.single_quotes = true),
        (r#""it\'s""#, |all| all.single_quotes = true),
        ("{a-b: 1}", |all| all.unquoted_names = true),
        ("/**/{/* x */} ", |all| all.comments = true),
        ("[// x\n007]", |all| {
            all.comments = true;
            all.leading_zeros = true;
        }),
        ("-Infinity", |all| all.non_numeric_numbers = true),
        (r#""\ü""#, |all| all.any_escape = true),
        ("\"a\tb\"", |all| all.control_characters = true),
    ];
    for (text, allow) in cases {
        assert!(Parser::new(text, STRICT).skip().is_err(), "{text}");
        let mut leniency = STRICT;
        allow(&mut leniency);
        let mut parser = Parser::new(text, leniency);
        assert_eq!(parser.skip(), Ok(()), "{text}");
        assert!(parser.is_at_end(), "{text}");
    }
}

/// Every text one mistake away from JSON is judged as serde_json judges it.
#[test]
fn the_grammar_is_that_of_serde_json() {
    let text = r#"{"a\n":[1,-2.5e+3,true,null],"b":{"c":"x\u00e9","d":[]},"e":{}, "f" : false}"#;
    assert!(is_json(text));
    let insertions = [
        "", ",", ":", "\"", "\\", "{", "]", "0", "-", "e", ".", "n", " ", "\u{1}", "é",
    ];
    let mut accepted = 0;
    for at in 0..text.len() {
        for removed in 0..2 {
            for inserted in insertions {
                let changed = format!("{}{inserted}{}", &text[..at], &text[at + removed..]);
                let expected = serde_json::from_str::<Value>(&changed).is_ok();
                // serde_json refuses numbers that are too large for it.
                assert_eq!(is_json(&changed), expected, "{changed}");
                accepted += usize::from(expected);
            }
        }
        assert!(!is_json(&text[..at]), "cut at {at}");
    }
    assert!(accepted > 100);
    assert!(!is_json(&"[".repeat(100_000)));
}
