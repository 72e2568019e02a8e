//! The stores that a session has opened, by their URLs.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::Session;
use object_store::ObjectStoreScheme;
use object_store::path::Path as Key;
use parking_lot::Mutex;
use url::{Position, Url};

use super::bucket::{Bucket, BucketPath};
use super::{SharedBucket, no_store};
use crate::error::{Error, Result};
use crate::options::OptionMap;

/// The stores of a session. A store is opened when it is first needed, and shared by all who need
/// it with the same options.
#[derive(Debug, Default)]
pub struct Stores(Mutex<HashMap<StoreKey, SharedBucket>>);

/// What stands before the keys in the URLs of a store, and with what it was opened.
type StoreKey = (String, Vec<(String, String)>);

impl Stores {
    /// Those of the session that `state` belongs to.
    pub fn of(state: &dyn Session) -> Arc<Self> {
        state.config().get_extension::<Self>().unwrap_or_default()
    }

    /// The place in a store that a URL stands for.
    pub(super) fn locate(&self, given: &str, options: &OptionMap) -> Result<BucketPath> {
        let url = Url::parse(given)
            .map_err(|error| no_store(given, error).with_hint("s3://BUCKET/FOLDER"))?;
        let (_, key) = ObjectStoreScheme::parse(&url).map_err(|_| unknown_scheme(&url))?;
        // Some URLs name the bucket in their path, before the key. Keys are taken as they are
        // written: patterns are no URLs.
        let (_, path) = given.split_once("://").unwrap_or_default();
        let (_, path) = path.split_once('/').unwrap_or_default();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (bucket, parts) = parts.split_at(parts.len().saturating_sub(key.parts_count()));
        let root = std::iter::once(url[..Position::BeforePath].to_string());
        let bucket = bucket.iter().map(|part| part.to_string());
        let root = root.chain(bucket).collect::<Vec<_>>().join("/");
        let key = Key::parse(parts.join("/")).map_err(|why| no_store(given, why))?;
        let settings = store_settings(options);
        let id = (root.clone(), settings.clone());
        let mut stores = self.0.lock();
        if let Some(bucket) = stores.get(&id) {
            return Ok(BucketPath::new(Arc::clone(bucket), key));
        }
        let environment = std::env::vars().filter(|(name, _)| is_setting(name));
        let settings = environment.chain(settings);
        let (store, _) = object_store::parse_url_opts(&url, settings).map_err(|error| {
            no_store(given, error).with_hint(
                "credentials come from options or the environment, e.g. aws_access_key_id, aws_secret_access_key and aws_region, or google_service_account, or azure_storage_account_name and azure_storage_account_key",
            )
        })?;
        let bucket = Arc::new(Bucket::new(root, Arc::from(store))?);
        stores.insert(id, Arc::clone(&bucket));
        Ok(BucketPath::new(bucket, key))
    }
}

/// Whether an option or a variable is one of stores, not of formats.
pub(crate) fn is_setting(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["aws_", "google_", "azure_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn store_settings(options: &OptionMap) -> Vec<(String, String)> {
    let settings = options.iter().filter(|(name, _)| is_setting(name));
    settings
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

fn unknown_scheme(url: &Url) -> Error {
    Error::illegal_argument(format!(
        "'{url}' is not the URL of a store: there is no scheme '{}'",
        url.scheme()
    ))
    .with_hint("schemes are s3, gs, az, abfss, http, https, file and memory")
}
