//! Which backend the notebook uses now, and the clusters that it has been connected to.

use parking_lot::Mutex;
use tidebook_engine::Session;
use tidebook_remote::{Address, Cluster, Kind};
use uuid::Uuid;

use super::{Backend, Query};
use crate::error::{CellError, Result};

/// The setting by which times are shown.
const TIME_ZONE: &str = "spark.sql.session.timeZone";

/// Where the notebook's statements go.
#[derive(Default)]
pub(crate) struct Connections(Mutex<State>);

#[derive(Default)]
struct State {
    place: Place,
    /// All that there were: a session at a server is found again when it is connected to again.
    clusters: Vec<Cluster>,
}

/// A connection that was made.
pub(crate) struct Connected {
    /// The cluster.
    pub cluster: Cluster,
    /// Queries that ran when they were seen last, and went with a session that is gone.
    pub gone: Vec<Query>,
}

#[derive(Default, Clone)]
enum Place {
    #[default]
    Here,
    /// What the kernel was started with; it is connected to by the first cell that needs it.
    Asked(String),
    There(Cluster),
}

impl Connections {
    /// Statements go to this address from the first one on; without one, they stay here.
    pub(crate) fn new(address: Option<String>) -> Self {
        let address = address.filter(|address| !address.is_empty() && !is_local(address));
        Self(Mutex::new(State {
            place: address.map_or(Place::Here, Place::Asked),
            clusters: Vec::new(),
        }))
    }

    /// The backend that is used now.
    pub(crate) async fn backend(&self, session: &Session) -> Result<Backend> {
        let place = self.0.lock().place.clone();
        match place {
            Place::Here => Ok(Backend::Here(session.clone())),
            Place::There(cluster) => Ok(Backend::There(cluster)),
            Place::Asked(address) => {
                let connected = self.connect(session, &address).await?;
                Ok(Backend::There(connected.cluster))
            }
        }
    }

    /// Where statements go, if not to the engine in this process; without secrets.
    pub(crate) fn away(&self) -> Option<String> {
        match &self.0.lock().place {
            Place::Here => None,
            Place::Asked(address) => Some(match Address::parse(address) {
                Ok(address) => address.to_string(),
                Err(_) => "a cluster".to_owned(),
            }),
            Place::There(cluster) => Some(cluster.address().to_string()),
        }
    }

    /// Statements go to this cluster from now on.
    pub(crate) async fn connect(&self, session: &Session, address: &str) -> Result<Connected> {
        let address = Address::parse(address)?;
        let mut gone = Vec::new();
        let cluster = match self.known(&address) {
            Some(known) if *known.address() == address => match known.check().await {
                Ok(()) => known,
                Err(error) if error.kind == Kind::SessionGone => {
                    gone = self.forget(&known);
                    self.opened(session, &address, None).await?
                }
                Err(error) => return Err(error.into()),
            },
            known => {
                let session_id = known.and_then(|known| Uuid::parse_str(known.session_id()).ok());
                self.opened(session, &address, session_id).await?
            }
        };
        self.0.lock().place = Place::There(cluster.clone());
        Ok(Connected { cluster, gone })
    }

    /// The newest session at this server; of an address that names one, that one.
    fn known(&self, address: &Address) -> Option<Cluster> {
        let state = self.0.lock();
        let named = address.session_id().map(|id| id.to_string());
        let is_same = |cluster: &&Cluster| {
            cluster.address().is_same_server(address)
                && named.as_ref().is_none_or(|id| id == cluster.session_id())
        };
        state.clusters.iter().rev().find(is_same).cloned()
    }

    /// Forgets a session that is gone; gives the queries that went with it.
    fn forget(&self, gone: &Cluster) -> Vec<Query> {
        let mut state = self.0.lock();
        state
            .clusters
            .retain(|known| known.session_id() != gone.session_id());
        let queries = gone.known_queries().into_iter().map(Query::There);
        queries.filter(Query::is_active).collect()
    }

    async fn opened(
        &self,
        session: &Session,
        address: &Address,
        session_id: Option<Uuid>,
    ) -> Result<Cluster> {
        let cluster = Cluster::connect(address, session_id).await?;
        if let Some(zone) = session.conf(TIME_ZONE) {
            // The same notebook shows the same times, wherever it runs.
            cluster.set_conf(TIME_ZONE, &zone).await?;
        }
        let mut state = self.0.lock();
        let is_replaced = |known: &Cluster| known.session_id() == cluster.session_id();
        state.clusters.retain(|known| !is_replaced(known));
        state.clusters.push(cluster.clone());
        Ok(cluster)
    }

    /// Statements stay here from now on; gives where they went before. Queries there go on.
    pub(crate) fn leave(&self) -> Option<String> {
        let left = self.away();
        self.0.lock().place = Place::Here;
        left
    }

    /// The queries that are known to run, or to have run, on clusters.
    pub(crate) fn known_queries(&self) -> Vec<Query> {
        let state = self.0.lock();
        let queries = state.clusters.iter().flat_map(Cluster::known_queries);
        queries.map(Query::There).collect()
    }

    /// The query of a run, wherever it was started.
    pub(crate) fn run(&self, session: &Session, run_id: &str) -> Result<Query> {
        let is_it = |query: &Query| query.run_id().to_string() == run_id;
        match self.known_queries().into_iter().find(is_it) {
            Some(there) => Ok(there),
            None => Ok(session.streams().find(run_id)?.into()),
        }
    }

    /// Fails if statements go elsewhere: `what` needs the engine in this process.
    pub(crate) fn check_here(&self, what: &str) -> Result<()> {
        let Some(place) = self.away() else {
            return Ok(());
        };
        Err(CellError::new(
            "UnsupportedOperationException",
            format!(
                "{what} works on the engine in this process only, and the notebook is connected to {place}"
            ),
        )
        .hint("%connect local; queries on the cluster go on"))
    }
}

/// Whether the text means the engine in this process.
pub(crate) fn is_local(address: &str) -> bool {
    address.trim().eq_ignore_ascii_case("local")
}
