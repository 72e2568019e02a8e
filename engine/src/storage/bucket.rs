//! A store of objects behind a URL. What it is asked runs on a thread of its own, so that whoever
//! asks may wait for the answer wherever he is.

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload,
    UpdateVersion,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::file_url::escape_path;
use super::{Child, Metadata, SharedBucket, from_file_url, no_store};
use crate::error::{Error, Result};

/// One store.
#[derive(Debug)]
pub(super) struct Bucket {
    /// What stands before the keys in URLs: `s3://bucket`.
    root: String,
    store: Arc<dyn ObjectStore>,
    runtime: tokio::runtime::Handle,
    /// The thread ends when this goes.
    _running: oneshot::Sender<()>,
}

impl Bucket {
    /// A store whose URLs begin with `root`.
    pub(super) fn new(root: String, store: Arc<dyn ObjectStore>) -> Result<Self> {
        let failed = |error| Error::io(format!("start a thread for '{root}'"), error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name(format!("store {root}"))
            .spawn(move || {
                // An error says that the store is not needed any more, too.
                let _ = runtime.block_on(ended);
            })
            .map_err(failed)?;
        Ok(Self {
            root,
            store,
            runtime: handle,
            _running: running,
        })
    }

    /// Waits for the answer of the store.
    fn ask<T, F>(&self, question: impl FnOnce(Arc<dyn ObjectStore>) -> F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        match self.asked(question).recv() {
            Ok(answer) => answer.map_err(io_error),
            Err(_) => Err(io::Error::other("the store's thread has ended")),
        }
    }

    /// Where the answer of the store arrives.
    fn asked<T, F>(
        &self,
        question: impl FnOnce(Arc<dyn ObjectStore>) -> F,
    ) -> mpsc::Receiver<object_store::Result<T>>
    where
        T: Send + 'static,
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        let (answer, answered) = mpsc::sync_channel(1);
        let asked = question(Arc::clone(&self.store));
        self.runtime.spawn(async move {
            // Nobody waits any more if this fails.
            let _ = answer.send(asked.await);
        });
        answered
    }
}

/// A file as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) content: Bytes,
    pub(super) version: UpdateVersion,
    meta: ObjectMeta,
}

/// A key in a store.
#[derive(Debug, Clone)]
pub struct BucketPath {
    bucket: SharedBucket,
    key: Key,
}

impl BucketPath {
    pub(super) fn new(bucket: SharedBucket, key: Key) -> Self {
        Self { bucket, key }
    }

    fn with_key(&self, key: Key) -> Self {
        Self::new(Arc::clone(&self.bucket), key)
    }

    pub(super) fn at(&self, url: &str) -> Result<Self> {
        let path = url.strip_prefix(&self.bucket.root).ok_or_else(|| {
            Error::illegal_argument(format!("'{url}' is not in '{}'", self.bucket.root))
        })?;
        let path = from_file_url(&format!("file://{path}"))?;
        let key = Key::parse(path.to_string_lossy());
        key.map(|key| self.with_key(key))
            .map_err(|why| no_store(url, why))
    }

    pub(super) fn root(&self) -> Self {
        self.with_key(Key::default())
    }

    pub(super) fn join(&self, name: &str) -> Self {
        // Names are parts of keys as they are: the library would escape some of their characters.
        let parts = self.key.as_ref().split('/').chain(name.split('/'));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        match Key::parse(parts.join("/")) {
            Ok(key) => self.with_key(key),
            Err(_) => self.with_key(self.key.clone().join(name)),
        }
    }

    pub(super) fn parent(&self) -> Option<Self> {
        let (parent, _) = self.key.as_ref().rsplit_once('/')?;
        Key::parse(parent).ok().map(|key| self.with_key(key))
    }

    pub(super) fn name(&self) -> &str {
        self.key.filename().unwrap_or_default()
    }

    pub(super) fn segments(&self) -> Vec<String> {
        let parts = self.key.parts();
        parts.map(|part| part.as_ref().to_string()).collect()
    }

    pub(super) fn url(&self) -> String {
        let mut url = format!("{}/", self.bucket.root);
        escape_path(&mut url, self.key.as_ref().as_bytes());
        url
    }

    pub(super) fn shares_store(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bucket, &other.bucket)
    }

    /// A prefix of keys is a folder.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        let key = self.key.clone();
        let head = self
            .bucket
            .ask(|store| async move { store.head(&key).await });
        match head {
            Ok(object) => Ok(metadata(&object)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = self.key.clone();
                let first = self
                    .bucket
                    .ask(|store| async move { store.list(Some(&key)).next().await.transpose() })?;
                match first {
                    None => Err(error),
                    Some(_) => Ok(Metadata {
                        is_dir: true,
                        size: 0,
                        modified_ms: 0,
                        identity: 0,
                    }),
                }
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn children(&self) -> io::Result<Vec<Child>> {
        let key = self.key.clone();
        let found = self
            .bucket
            .ask(|store| async move { store.list_with_delimiter(Some(&key)).await })?;
        let name = |key: &Key| key.filename().unwrap_or_default().to_string();
        let folders = found.common_prefixes.iter().map(|key| Child {
            name: name(key),
            is_dir: true,
            metadata: None,
        });
        let files = found.objects.iter().map(|object| Child {
            name: name(&object.location),
            is_dir: false,
            metadata: Some(metadata(object)),
        });
        Ok(folders.chain(files).collect())
    }

    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let key = self.key.clone();
        self.bucket
            .ask(|store| async move { store.get_range(&key, range).await })
    }

    pub(super) fn put(&self, content: Vec<u8>, is_new: bool) -> io::Result<()> {
        let key = self.key.clone();
        let mode = if is_new {
            PutMode::Create
        } else {
            PutMode::Overwrite
        };
        let payload = PutPayload::from(content);
        self.bucket
            .ask(|store| async move { store.put_opts(&key, payload, mode.into()).await.map(drop) })
    }

    /// Writes a file that must be as `version` says, `None`: must not exist; otherwise an error of the
    /// kind `AlreadyExists`. Gives its new version.
    pub(super) fn put_as(
        &self,
        content: String,
        version: Option<UpdateVersion>,
    ) -> io::Result<UpdateVersion> {
        let key = self.key.clone();
        let mode = version.map_or(PutMode::Create, PutMode::Update);
        self.bucket
            .ask(|store| async move { store.put_opts(&key, content.into(), mode.into()).await })
            .map(UpdateVersion::from)
    }

    /// As [`Self::put_as`] of a file that exists, on the store's own thread.
    pub(super) async fn renew(
        &self,
        content: String,
        version: UpdateVersion,
    ) -> io::Result<UpdateVersion> {
        let mode = PutMode::Update(version).into();
        let put = self.bucket.store.put_opts(&self.key, content.into(), mode);
        put.await.map(UpdateVersion::from).map_err(io_error)
    }

    /// The file, if it exists.
    pub(super) fn find(&self) -> io::Result<Option<Found>> {
        let key = self.key.clone();
        let found = self.bucket.ask(|store| async move {
            let found = store.get(&key).await?;
            let meta = found.meta.clone();
            Ok((found.bytes().await?, meta))
        });
        match found {
            Ok((content, meta)) => Ok(Some(Found {
                content,
                version: UpdateVersion {
                    e_tag: meta.e_tag.clone(),
                    version: meta.version.clone(),
                },
                meta,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How long ago a file was written, by the clock of the store.
    pub(super) fn age(&self, found: &Found) -> io::Result<Duration> {
        let probe = self.key.as_ref().to_string() + "." + &Uuid::new_v4().to_string();
        let probe = Key::parse(probe).map_err(io::Error::other)?;
        let written = found.meta.last_modified;
        self.bucket.ask(|store| async move {
            store.put(&probe, PutPayload::new()).await?;
            let now = store.head(&probe).await;
            store.delete(&probe).await?;
            Ok((now?.last_modified - written).to_std().unwrap_or_default())
        })
    }

    /// Runs beside the questions of others.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.bucket.runtime.spawn(work)
    }

    pub(super) fn start_upload(&self) -> io::Result<Box<dyn MultipartUpload>> {
        let key = self.key.clone();
        self.bucket
            .ask(|store| async move { store.put_multipart(&key).await })
    }

    pub(super) fn upload(
        &self,
        upload: &mut Box<dyn MultipartUpload>,
        part: Vec<u8>,
    ) -> io::Result<()> {
        let part = upload.put_part(PutPayload::from(part));
        self.bucket.ask(|_| part)
    }

    pub(super) fn end_upload(
        &self,
        mut upload: Box<dyn MultipartUpload>,
        complete: bool,
    ) -> io::Result<()> {
        self.bucket.ask(|_| async move {
            match complete {
                true => upload.complete().await.map(drop),
                false => upload.abort().await,
            }
        })
    }

    pub(super) fn delete(&self) -> io::Result<()> {
        let key = self.key.clone();
        self.bucket
            .ask(|store| async move { store.delete(&key).await })
    }

    /// Deletes the file; waits for the answer no longer than `limit`.
    pub(super) fn delete_within(&self, limit: Duration) -> io::Result<()> {
        let key = self.key.clone();
        let answered = self
            .bucket
            .asked(|store| async move { store.delete(&key).await });
        match answered.recv_timeout(limit) {
            Ok(answer) => answer.map_err(io_error),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }

    pub(super) fn delete_dir(&self) -> io::Result<()> {
        let key = self.key.clone();
        self.bucket.ask(|store| async move {
            let keys: Vec<Key> = store
                .list(Some(&key))
                .map_ok(|object| object.location)
                .try_collect()
                .await?;
            for key in keys {
                store.delete(&key).await?;
            }
            Ok(())
        })
    }

    pub(super) fn rename(&self, to: &Self) -> io::Result<()> {
        let (from, to) = (self.key.clone(), to.key.clone());
        self.bucket
            .ask(|store| async move { store.rename(&from, &to).await })
    }
}

fn metadata(object: &ObjectMeta) -> Metadata {
    let mut identity = DefaultHasher::new();
    object.e_tag.hash(&mut identity);
    object.version.hash(&mut identity);
    Metadata {
        is_dir: false,
        size: object.size,
        modified_ms: object.last_modified.timestamp_millis(),
        identity: identity.finish(),
    }
}

fn io_error(error: object_store::Error) -> io::Error {
    use object_store::Error;
    let kind = match &error {
        Error::NotFound { .. } => io::ErrorKind::NotFound,
        Error::AlreadyExists { .. } | Error::Precondition { .. } => io::ErrorKind::AlreadyExists,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            io::ErrorKind::PermissionDenied
        }
        Error::NotImplemented { .. } | Error::NotSupported { .. } => io::ErrorKind::Unsupported,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
