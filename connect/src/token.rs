//! Who may come in: those who know the token, if there is one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Lets a request pass if it brings the token.
#[derive(Clone)]
pub(crate) struct Token(Option<Arc<str>>);

/// What may not stand in a parameter of an address as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl Token {
    /// Lets everybody in.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Lets those in who bring this token.
    pub(crate) fn new(token: &str) -> Self {
        Self(Some(token.into()))
    }

    /// The server's address for a client on this machine.
    pub(crate) fn remote(&self, address: SocketAddr) -> String {
        let ip = address.ip();
        // PySpark sends a token without TLS to this name only.
        let host = match ip {
            _ if ip.is_loopback() || ip.is_unspecified() => "localhost".to_string(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let token = self.0.as_ref();
        let token = token.map_or_else(String::new, |token| {
            format!(";token={}", utf8_percent_encode(token, RESERVED))
        });
        format!("sc://{host}:{}/{token}", address.port())
    }
}

impl Interceptor for Token {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(token) = &self.0 else {
            return Ok(request);
        };
        let given = request.metadata().get("authorization");
        let given = given.and_then(|given| given.as_bytes().strip_prefix(b"Bearer "));
        match given {
            Some(given) if equal(given, token.as_bytes()) => Ok(request),
            Some(_) => Err(Status::unauthenticated("the token is not the right one")),
            None => Err(Status::unauthenticated(
                "a token is needed: sc://HOST:PORT/;token=…",
            )),
        }
    }
}

/// Compares in a time that says nothing about where two texts differ, nor how long they are.
fn equal(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (Sha256::digest(one), Sha256::digest(other));
    one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_is_equal() {
        assert!(equal(b"secret", b"secret"));
        assert!(!equal(b"secret", b"secreT"));
        assert!(!equal(b"secret", b"secrets"));
        assert!(!equal(b"", b"secret"));
    }

    #[test]
    fn a_token_stands_in_an_address() {
        let address = SocketAddr::from(([127, 0, 0, 1], 15002));
        let remote = Token::new("a;b=c d").remote(address);
        assert_eq!(remote, "sc://localhost:15002/;token=a%3Bb%3Dc%20d");
    }
}
