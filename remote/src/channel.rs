//! The connection: HTTP/2, encrypted if the address says so, kept alive, made again when it was lost.

use std::str::FromStr as _;
use std::time::Duration;

use hyper_rustls::HttpsConnectorBuilder;
use tidebook_engine::connect::proto::spark_connect_service_client::SparkConnectServiceClient;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::address::Address;
use crate::error::{Error, Result};

/// A message may be as large as Spark's: 128 MiB.
const MOST_BYTES: usize = 128 * 1024 * 1024;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an idle connection is tried, and how long the answer may take: PySpark's values.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(20));

/// What requests are made with.
pub(crate) type Stub = SparkConnectServiceClient<InterceptedService<Channel, Headers>>;

/// A stub; it connects with its first request.
pub(crate) fn stub(address: &Address) -> Result<Stub> {
    let internal = |error: &dyn std::fmt::Display| {
        Error::refused(
            "INVALID_CONNECT_URL",
            &format!("{address} cannot be reached: {error}"),
        )
    };
    let (interval, timeout) = KEEP_ALIVE;
    let endpoint = Endpoint::from_shared(address.uri())
        .and_then(|endpoint| endpoint.user_agent(address.user_agent.clone()))
        .map_err(|error| internal(&error))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(interval)
        .keep_alive_timeout(timeout)
        .keep_alive_while_idle(true);
    let channel = match address.is_encrypted {
        true => {
            let connector = HttpsConnectorBuilder::new()
                .with_native_roots()
                .map_err(|error| internal(&error))?
                .https_only()
                .enable_http2()
                .build();
            endpoint.connect_with_connector_lazy(connector)
        }
        false => endpoint.connect_lazy(),
    };
    let channel = InterceptedService::new(channel, Headers::of(address)?);
    Ok(SparkConnectServiceClient::new(channel)
        .max_decoding_message_size(MOST_BYTES)
        .max_encoding_message_size(MOST_BYTES))
}

/// The headers of every request: the token, and what else the address says.
#[derive(Clone)]
pub(crate) struct Headers(MetadataMap);

impl Headers {
    fn of(address: &Address) -> Result<Self> {
        let mut headers = MetadataMap::new();
        let token = address.token.as_ref().map(|token| {
            let bearer = format!("Bearer {token}");
            ("authorization".to_string(), bearer)
        });
        for (key, value) in token.iter().chain(&address.headers) {
            let header = AsciiMetadataKey::from_str(key).ok();
            let header = header.zip(AsciiMetadataValue::from_str(value).ok());
            let (key, mut value) = header.ok_or_else(|| {
                let why = format!("'{key}' of the address cannot be sent as a header");
                Error::refused("INVALID_CONNECT_URL", &why)
            })?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        Ok(Self(headers))
    }
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        let headers = request.metadata_mut();
        for header in self.0.iter() {
            if let tonic::metadata::KeyAndValueRef::Ascii(key, value) = header {
                headers.insert(key.clone(), value.clone());
            }
        }
        Ok(request)
    }
}
