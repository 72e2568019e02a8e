//! Where a server of Spark Connect is: `sc://HOST:PORT/;token=…;use_ssl=true`, as PySpark reads it.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;
use uuid::Uuid;

use crate::error::{Error, Result};

/// The port where none is given.
const PORT: u16 = 15002;

/// What the client calls itself.
const USER_AGENT: &str = concat!("tidebook/", env!("CARGO_PKG_VERSION"));

/// A server, and what it is told about the client. Shown, it hides the token.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    pub(crate) is_encrypted: bool,
    pub(crate) token: Option<String>,
    pub(crate) user_id: String,
    pub(crate) user_agent: String,
    pub(crate) session_id: Option<Uuid>,
    /// Headers of every request.
    pub(crate) headers: Vec<(String, String)>,
}

impl Address {
    /// Reads `sc://HOST[:PORT][/][;KEY=VALUE]…`.
    ///
    /// # Errors
    /// If it is none, or if a token would be sent where everybody can read it. No error shows a token.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (server, settings) = text.split_once(';').unwrap_or((text, ""));
        let url = Url::parse(server.trim_end_matches('/')).ok();
        let url = url.filter(|url| url.scheme() == "sc" && matches!(url.path(), "" | "/"));
        let host = url.as_ref().and_then(Url::host_str);
        let (Some(url), Some(host)) = (&url, host.filter(|host| !host.is_empty())) else {
            return Err(wrong(
                "an address of Spark Connect is sc://HOST:PORT, and behind it ;KEY=VALUE",
            ));
        };
        let mut address = Self {
            host: host.to_lowercase(),
            port: url.port().unwrap_or(PORT),
            is_encrypted: false,
            token: std::env::var("SPARK_CONNECT_AUTHENTICATE_TOKEN").ok(),
            user_id: user(),
            user_agent: USER_AGENT.to_string(),
            session_id: None,
            headers: Vec::new(),
        };
        for setting in settings.split(';').filter(|setting| !setting.is_empty()) {
            let (key, value) = setting
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| wrong("what follows ';' in the address has to be KEY=VALUE"))?;
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            address.set(key, value)?;
        }
        if address.token.is_some() && !address.is_encrypted && !address.is_loopback() {
            return Err(wrong(&format!(
                "the token would reach {address} unencrypted: add ;use_ssl=true"
            )));
        }
        Ok(address)
    }

    fn set(&mut self, key: &str, value: String) -> Result<()> {
        match key {
            "use_ssl" => self.is_encrypted = value.eq_ignore_ascii_case("true"),
            "token" => self.token = Some(value).filter(|token| !token.is_empty()),
            "user_id" => self.user_id = value,
            "user_agent" => self.user_agent = format!("{value} {USER_AGENT}"),
            "session_id" => {
                let id = Uuid::parse_str(&value).ok();
                let id = id.ok_or_else(|| wrong("the session_id of the address is no UUID"))?;
                self.session_id = Some(id);
            }
            _ => self.headers.push((key.to_string(), value)),
        }
        Ok(())
    }

    /// Whether both are the same server and user, whatever session they name.
    pub fn is_same_server(&self, other: &Self) -> bool {
        let place = |address: &Self| (address.host.clone(), address.port, address.user_id.clone());
        place(self) == place(other)
    }

    /// The session that the address names.
    pub fn session_id(&self) -> Option<Uuid> {
        self.session_id
    }

    /// Whether it is this machine.
    fn is_loopback(&self) -> bool {
        matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }

    /// The address as HTTP knows it.
    pub(crate) fn uri(&self) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

fn wrong(why: &str) -> Error {
    Error::refused("INVALID_CONNECT_URL", why)
}

/// Whom PySpark says it works for, unless it is told.
fn user() -> String {
    let named = ["SPARK_USER", "USER"].into_iter();
    named
        .filter_map(|name| std::env::var(name).ok())
        .find(|user| !user.is_empty())
        .unwrap_or_default()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sc://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let plain = Address::parse("sc://Host").unwrap();
        assert_eq!(
            (plain.to_string(), plain.uri()),
            ("sc://host:15002".into(), "http://host:15002".into())
        );
        for text in [
            "sc://h:7/;token=a%20b;use_ssl=true;x-y=z",
            "sc://h:7;use_ssl=true;token=a%20b;x-y=z",
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.uri(), "https://h:7");
            assert_eq!(address.token.as_deref(), Some("a b"));
            assert_eq!(address.headers, [("x-y".to_string(), "z".to_string())]);
            let shown = format!("{address} {address:?}");
            assert!(!shown.contains("a b"), "{shown}");
        }
        let ipv6 = Address::parse("sc://[::1]:15003/;token=t").unwrap();
        assert_eq!(ipv6.uri(), "http://[::1]:15003");
    }

    #[test]
    fn what_is_no_address_is_refused_and_no_error_tells_the_token() {
        for text in [
            "host:15002",
            "http://h/;token=secret",
            "sc:///;token=secret",
            "sc://h:port/;token=secret",
            "sc://h/path;token=secret",
            "sc://h/;secret",
            "sc://h/;token=secret",
            "sc://h/;session_id=secret",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.condition.as_deref(), Some("INVALID_CONNECT_URL"));
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn a_token_goes_to_this_machine_without_encryption() {
        assert!(Address::parse("sc://localhost/;token=t").is_ok());
        assert!(Address::parse("sc://h/;token=t;use_ssl=true").is_ok());
    }
}
