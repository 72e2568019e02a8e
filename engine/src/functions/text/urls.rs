//! Parts of URLs, and texts as they stand in them.

use std::borrow::Cow;

use url::form_urlencoded::byte_serialize;

use arrow::array::ArrayRef;

use crate::error::{Error, Result};
use crate::functions::scalar::{Call, SCALAR, Scalar};
use crate::functions::takes::Takes;

const TEXT: &[&[Takes]] = &[&[Takes::Text]];
const PARTS: &[&[Takes]] = &[
    &[Takes::Text, Takes::Text],
    &[Takes::Text, Takes::Text, Takes::Text],
];

pub(super) const URLS: &[Scalar] = &[
    Scalar {
        name: "parse_url",
        forms: PARTS,
        call: |call| parts(call, false),
        doc: "A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO; or the \
              value of one key of its query.",
        example: "SELECT parse_url('https://sea.example/tides?port=7', 'QUERY', 'port')",
        ..SCALAR
    },
    Scalar {
        name: "try_parse_url",
        forms: PARTS,
        call: |call| parts(call, true),
        doc: "A part of a URL as parse_url gives it; NULL if it is no URL.",
        example: "SELECT try_parse_url('no url', 'HOST')",
        ..SCALAR
    },
    Scalar {
        name: "url_encode",
        forms: TEXT,
        call: |call| {
            call.strings(|row| {
                Ok(Some(
                    byte_serialize(call.bytes(0, row)?).collect::<String>(),
                ))
            })
        },
        doc: "A text as it stands in the query of a URL.",
        example: "SELECT url_encode('high tide?')",
        ..SCALAR
    },
    Scalar {
        name: "url_decode",
        forms: TEXT,
        call: |call| {
            call.strings(|row| {
                let text = call.str(0, row)?;
                decoded(text).map(Some).ok_or_else(|| {
                    Error::runtime(format!("'{text}' is not encoded as in a URL"))
                        .with_condition("CANNOT_DECODE_URL")
                        .with_hint("use try_url_decode to get NULL instead")
                })
            })
        },
        doc: "The text that stands in the query of a URL.",
        example: "SELECT url_decode('high+tide%3F')",
        ..SCALAR
    },
    Scalar {
        name: "try_url_decode",
        forms: TEXT,
        call: |call| call.strings(|row| Ok(decoded(call.str(0, row)?))),
        doc: "The text that stands in the query of a URL; NULL if it is not encoded so.",
        example: "SELECT try_url_decode('100%')",
        ..SCALAR
    },
];

fn parts(call: &Call<'_>, lenient: bool) -> Result<ArrayRef> {
    call.strings(|row| {
        let text = call.str(0, row)?;
        let Some(url) = Uri::parse(text) else {
            return match lenient {
                true => Ok(None),
                false => Err(Error::runtime(format!("'{text}' is no URL"))
                    .with_condition("INVALID_URL")
                    .with_hint("use try_parse_url to get NULL instead")),
            };
        };
        let part = call.str(1, row)?;
        Ok(match call.len() {
            3 if part == "QUERY" => url.parameter(call.str(2, row)?).map(Cow::Borrowed),
            3 => None,
            _ => url.part(part),
        })
    })
}

/// The pieces of a URI, just as they were written.
#[derive(Default)]
struct Uri<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: Option<&'a str>,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Uri<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if !is_legal(text) {
            return None;
        }
        let cut = |text: &'a str, by| match text.split_once(by) {
            Some((text, rest)) => (text, Some(rest)),
            None => (text, None),
        };
        let (rest, fragment) = cut(text, '#');
        let scheme_end = rest
            .find(':')
            .filter(|end| !rest[..*end].contains(['/', '?']));
        let (scheme, rest) = match scheme_end {
            Some(end) => (Some(&rest[..end]), &rest[end + 1..]),
            None => (None, rest),
        };
        if scheme.is_some_and(|scheme| !is_scheme(scheme) || rest.is_empty()) {
            return None;
        }
        if scheme.is_some() && !rest.starts_with('/') {
            // It has no parts, as in mailto:a@b.
            return Some(Self {
                scheme,
                fragment,
                ..Self::default()
            });
        }
        let (rest, query) = cut(rest, '?');
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                if authority.is_empty() && path.is_empty() {
                    return None;
                }
                (
                    Some(authority).filter(|authority| !authority.is_empty()),
                    path,
                )
            }
            None => (None, rest),
        };
        Some(Self {
            scheme,
            authority,
            path: Some(path),
            query,
            fragment,
        })
    }

    fn part(&self, part: &str) -> Option<Cow<'a, str>> {
        let (user, host) = self.server().unzip();
        let whole = match part {
            "HOST" => host,
            "PATH" => self.path,
            "QUERY" => self.query,
            "REF" => self.fragment,
            "PROTOCOL" => self.scheme,
            "AUTHORITY" => self.authority,
            "USERINFO" => user.flatten(),
            "FILE" => {
                return match (self.path?, self.query) {
                    (path, Some(query)) => Some(Cow::Owned(format!("{path}?{query}"))),
                    (path, None) => Some(Cow::Borrowed(path)),
                };
            }
            _ => None,
        };
        whole.map(Cow::Borrowed)
    }

    /// Who and where, if the authority is that of a server: `user@host:port`.
    fn server(&self) -> Option<(Option<&'a str>, &'a str)> {
        let authority = self.authority?;
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, authority),
        };
        let (host, port) = match server.rfind(']') {
            Some(end) => server.split_at(end + 1),
            None => server.split_at(server.find(':').unwrap_or(server.len())),
        };
        let is_port = port.is_empty()
            || port
                .strip_prefix(':')
                .is_some_and(|port| port.bytes().all(|c| c.is_ascii_digit()));
        (is_port && is_host(host)).then_some((user, host))
    }

    fn parameter(&self, key: &str) -> Option<&'a str> {
        let mut pairs = self
            .query?
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

/// Whether a URI may consist of these characters.
fn is_legal(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    text.char_indices().all(|(at, c)| match c {
        '%' => is_hex(at + 1) && is_hex(at + 2),
        c if c.is_ascii() => c.is_ascii_alphanumeric() || "-_.!~*'();/?:@&=+$,[]#".contains(c),
        c => !c.is_control() && !c.is_whitespace(),
    })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// A name of a server, whose last label begins with a letter, or an address of either kind.
fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[') {
        return address
            .strip_suffix(']')
            .is_some_and(|address| address.contains(':'));
    }
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let mut labels = name.split('.');
    let last = labels.clone().next_back().unwrap_or("");
    labels.all(is_label) && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The text behind `+` and `%20`, if every percent sign stands before two digits.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, behind) = more.split_first_chunk::<2>()?;
                let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
                rest = behind;
                (high? << 4 | low?) as u8
            }
            other => *other,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
