//! A tap on the wires of the operator: it stands between the process and the API server, and between the process and the
//! PAM, so that the real program is tested as a black box.
//!
//! ```text
//!   operator ---- http ----> tap ---- https, as the operator's user ----> kube-apiserver
//!            ---- http ----> tap ---- http ----------------------------> the simulated PAM
//! ```
//!
//! Every effect (a write to the API server, anything that is asked of the PAM) gets a number in one order and is kept by
//! kind and path; any one of them can be held, cut or refused, before or after it took effect ([`Blow`]). Reads of the
//! API server pass as they come, watches as streams; they can be cut, held, declared too old, or begin with an older
//! state ([`Tap::blind`], [`Tap::expire`], [`Tap::show`]).
//!
//! Bodies and headers pass through and are neither kept nor printed: they have tokens and passwords in them. The one
//! exception is a [`Photograph`], which has no `Debug`.

mod blow;
mod effect;
mod ledger;
mod leg;
mod reads;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Uri, header::ACCEPT};
use kube::Client;
use serde_json::json;

pub use blow::{Blow, Refusal, Then};
pub use effect::{Effect, Fate, LIST, TOKEN};
pub use ledger::Strike;
pub use reads::Expiry;

use crate::{ControlPlane, Error};
use ledger::Ledger;
use leg::{Leg, Upstream};
use reads::Reads;

/// A running tap. It belongs to the runtime that started it, outlives the operators that are started on it, and ends when
/// it is dropped.
pub struct Tap {
    ledger: Arc<Ledger>,
    reads: Arc<Reads>,
    client: Client,
    api: Leg,
    pam: Leg,
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").finish_non_exhaustive()
    }
}

/// A list as the API server answered it once.
pub struct Photograph {
    path: String,
    list: Bytes,
}

/// The operator sees no news of some resources. Dropping it lets the news through.
pub struct Blindfold<'a>(&'a Reads);

impl Drop for Blindfold<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Tap {
    /// Starts a tap through which an operator is `user` to the API server, and reaches the PAM at the plain http URL `pam`.
    pub async fn start(plane: &ControlPlane, user: &str, pam: &str) -> Result<Self, Error> {
        let mut config = plane.config_for(user).await?;
        // What the API server answers is the operator's business.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(Error::kube("the tap has no client"))?;
        let pam: Uri = pam
            .parse()
            .map_err(|error| Error::Manifest(format!("the PAM's URL is not one: {error}")))?;
        let (ledger, reads) = (Arc::<Ledger>::default(), Arc::<Reads>::default());
        Ok(Self {
            api: Leg::start(Upstream::Api(client.clone()), ledger.clone(), reads.clone()).await?,
            pam: Leg::start(Upstream::pam(pam), ledger.clone(), reads.clone()).await?,
            ledger,
            reads,
            client,
        })
    }

    /// A kubeconfig that leads to the tap.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "tap",
            "clusters": [{"name": "tap", "cluster": {"server": format!("http://{}", self.api.address)}}],
            "users": [{"name": "tap", "user": {}}],
            "contexts": [{"name": "tap", "context": {"cluster": "tap", "user": "tap"}}],
        });
        kubeconfig.to_string()
    }

    /// The URL of the PAM behind the tap.
    #[must_use]
    pub fn pam_url(&self) -> String {
        format!("http://{}", self.pam.address)
    }

    /// All effects so far, in their order.
    #[must_use]
    pub fn effects(&self) -> Vec<Effect> {
        self.ledger.effects()
    }

    /// Waits until the effects are as described; the error lists the last ones.
    pub async fn wait_for(
        &self,
        described: &str,
        deadline: Duration,
        is_so: impl Fn(&[Effect]) -> bool,
    ) -> Result<(), Error> {
        self.ledger.wait_for(described, deadline, is_so).await
    }

    /// Strikes the `nth` effect of this kind from now on, counted from 1. Kind and place among its kind name an effect
    /// better than its number, because effects that are independent of each other change places from run to run.
    #[must_use]
    pub fn strike(&self, kind: &str, nth: usize, blow: Blow) -> Strike {
        self.ledger.arm(kind, nth, blow)
    }

    /// Breaks every watch; the operator may begin new ones.
    pub fn cut_watches(&self) {
        self.reads.cut();
    }

    /// Breaks every watch, and lets new ones of these resources wait for their answer.
    #[must_use]
    pub fn blind(&self, resources: &[&str]) -> Blindfold<'_> {
        self.reads.hold(resources);
        Blindfold(&self.reads)
    }

    /// The next watch of this resource asks for a past that is forgotten (410).
    pub fn expire(&self, resource: &str, expiry: Expiry) {
        self.reads.expire(resource, expiry);
    }

    /// Whether [`Self::expire`] still waits for its watch.
    #[must_use]
    pub fn is_expiring(&self, resource: &str) -> bool {
        self.reads.is_expiring(resource)
    }

    /// Keeps a list as the API server has it now.
    pub async fn photograph(&self, path: &str) -> Result<Photograph, Error> {
        let request = Request::get(path)
            .header(ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| Error::Manifest(format!("{path} is no path: {error}")))?;
        let list = self.client.request_text(request).await;
        Ok(Photograph {
            path: path.to_owned(),
            list: list.map_err(Error::kube("a list cannot be kept as it is now"))?.into(),
        })
    }

    /// Answers the next list of this path with the old one, as a replica would that lags behind.
    pub fn show(&self, old: Photograph) {
        self.reads.show(&old.path, old.list);
    }

    /// Whether what [`Self::show`] was given at this path was asked for.
    #[must_use]
    pub fn is_shown(&self, path: &str) -> bool {
        self.reads.is_shown(path)
    }
}
