//! The controllers: from an event to the PAM and back to status.
//!
//! ```text
//! run.rs        starts and ends all of it           context.rs   what all controllers share
//! caches.rs     everything that is watched          control.rs   from what is woken to the reconciles
//! watch.rs      watches, as single changes          track.rs     keeps index and lines in step with them
//! store.rs      what is kept of them                packed.rs    an object as it is kept
//! queue.rs      whose reconcile is next             line.rs      a line in which namespaces take turns
//! guarded.rs    objects, readable or not            version.rs   of a Secret or ConfigMap
//! shard.rs      which connections are ours, and so which credentials
//! index.rs      who refers to what                  few.rs       a set that mostly has one member
//! print.rs      what is only compared, as a number
//! effects.rs    everything that leaves the process  events.rs    events on transitions
//! setup.rs      the installation's Secret           backoff.rs   pauses between attempts
//! namespaces.rs their labels, for selectors         survey.rs    the objects as metrics show them
//!
//! credential/   one reconcile of a credential: mod.rs (the loop) observe.rs (the facts) act.rs (the one PAM write)
//!               answer.rs (what its answer means) write.rs (status, claim, finalizer) report.rs (what status says: pure) reaction.rs (what a failed call
//!               means) doubt.rs (what an unanswered one leaves behind) secrets.rs and render.rs (from spec and Secrets
//!               to the body) memory.rs (what is kept between two reconciles) lookout.rs (what listings showed)
//! plan/         the next step, a pure function: facts.rs (plain data) step.rs (what a plan comes to) due.rs (what is due) mod.rs (what is in the way)
//!               approach.rs (what would the POST hit, and may it?) drift.rs (what did others change?) deletion.rs
//! ownership/    whose is it: identity.rs installation.rs (signed claims, generated identifiers) register.rs (what the
//!               PAM holds) mod.rs (what proves that an entry is ours) reservations.rs (one owner in the cluster)
//! connection/   one reconcile of a connection: mod.rs kind.rs (the two kinds) settings.rs (from spec to client) terms.rs
//!               (what it says of its objects) link.rs links.rs (at run time) listings.rs (one loop of listings per connection)
//!               sweep.rs (whom a listing concerns) turnstile/ (rate, limit, breaker, and whose turn it is)
//! ```

mod backoff;
mod caches;
mod connection;
mod context;
mod control;
mod credential;
mod effects;
mod events;
mod few;
mod guarded;
mod index;
mod line;
mod namespaces;
mod ownership;
mod packed;
mod plan;
mod print;
mod queue;
mod run;
mod setup;
mod shard;
mod store;
mod survey;
mod track;
mod version;
mod watch;

use guarded::{Guarded, Labelled};

use crate::api::PamCredential;

pub use context::Rules;
pub use run::{Options, Readiness, RunError, run};
pub use setup::SetupError;

/// A `PamCredential` as it arrives.
type Credential = Guarded<PamCredential>;

impl Labelled for PamCredential {
    const KEPT: bool = false;
}
