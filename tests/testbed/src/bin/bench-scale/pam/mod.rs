//! A PAM that costs next to nothing: it keeps entries and the moment of each POST in memory, and answers at once, after a
//! given latency, or at a given pace. It checks neither tokens nor devices; the simulator is there for that.
//!
//! ```text
//! server.rs   HTTP: token, POST, listing, DELETE      store.rs   entries, and the log of POSTs
//! pace.rs     so many requests a second
//! ```

mod pace;
mod server;
mod store;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use testbed::Error;
use tokio::{sync::watch, task::JoinHandle};

use pace::Pace;

pub use store::{Body, Post, Store};

/// How a PAM answers.
#[derive(Clone, Copy)]
pub struct Manner {
    /// Between the arrival of a POST and its answer.
    pub latency: Duration,
    /// How many requests a second it serves; the others wait for their turn. None: any.
    pub per_second: Option<u32>,
}

/// A running PAM. Dropping it ends it.
pub struct Pam {
    state: Arc<State>,
    url: String,
    server: JoinHandle<()>,
}

/// What server and owner share.
struct State {
    store: Mutex<Store>,
    manner: Manner,
    pace: Option<Mutex<Pace>>,
    is_down: AtomicBool,
    /// Requests while it was down.
    refused: AtomicUsize,
    /// Listings that were answered.
    listings: AtomicUsize,
    /// Bumped after each change of the store.
    news: watch::Sender<u64>,
}

impl State {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().expect("nothing panics with the store")
    }
}

impl Pam {
    /// Starts one on a free port of the loopback address.
    pub async fn start(manner: Manner) -> Result<Self, Error> {
        let state = Arc::new(State {
            store: Mutex::default(),
            manner,
            pace: manner.per_second.map(|per_second| Mutex::new(Pace::new(per_second))),
            is_down: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
            listings: AtomicUsize::new(0),
            news: watch::Sender::new(0),
        });
        let (url, server) = server::start(state.clone()).await?;
        Ok(Self { state, url, server })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Looks at what it holds; nothing is answered meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        look(&self.state.store())
    }

    /// How many POSTs there were so far: a place to count from.
    pub fn mark(&self) -> usize {
        self.look(|store| store.posts().len())
    }

    /// How many listings there were so far.
    pub fn listings(&self) -> usize {
        self.state.listings.load(Ordering::Relaxed)
    }

    /// Drops each connection that asks for something, or answers again. Returns how often that happened so far.
    pub fn set_down(&self, is_down: bool) -> usize {
        self.state.is_down.store(is_down, Ordering::Relaxed);
        self.state.refused.load(Ordering::Relaxed)
    }

    /// Waits until the store is as described; it is looked at after each change.
    pub async fn wait_for(
        &self,
        described: &str,
        deadline: Duration,
        mut is_so: impl FnMut(&Store) -> bool,
    ) -> Result<(), Error> {
        let mut news = self.state.news.subscribe();
        let waiting = async {
            while !self.look(&mut is_so) {
                if news.changed().await.is_err() {
                    unreachable!("the sender is as old as this PAM");
                }
            }
        };
        let outcome = tokio::time::timeout(deadline, waiting).await;
        outcome.map_err(|_| Error::Timeout(format!("the PAM has not seen {described} after {deadline:?}")))
    }
}

impl Drop for Pam {
    fn drop(&mut self) {
        self.server.abort();
    }
}
