//! The events that the operator publishes.

use pam_operator::api::Reason;

use super::{
    markdown::{code, prose, table},
    reasons::meaning,
};

const INTRODUCTION: &str = "\
# Events

One event for each transition, in `events.k8s.io/v1`, beside the object (for a `ClusterPamConnection` in the namespace
`default`, where kubectl looks for them):

```console
$ kubectl -n demo events --for pamcredential/orders-db
```

An event is published when the condition `Ready` gets another status or reason, and when `Drifted` gets a reason of its own. A
POST that is under way (`Progressing`) is no event, and neither is its success, unless an event told of trouble before: a
thousand new objects would be a thousand requests more, to say what their status says. The note is the condition's message.
Events are a convenience: in a storm some are left out, while the conditions stay complete.

";

const MORE: &str = "
Two more belong to something that the operator does or gives up:

* `Normal` `Drifted` or `NotFoundInPam`: with `driftPolicy: Correct` the object's values were sent again.
* `Warning` `DeactivationFailed`, when an object with `deletionPolicy: Deactivate` goes although its credential may still be
  active in the PAM: the note says why. The metric `pam_operator_orphaned_total` counts these.
";

pub(super) fn page() -> String {
    let rows = Reason::ALL
        .into_iter()
        .filter(|reason| *reason != Reason::Progressing)
        .map(|reason| [code(reason.as_str()), kind(reason).to_owned(), prose(&meaning(reason))]);
    format!("{INTRODUCTION}{}{MORE}", table(["reason", "type", "meaning"], rows))
}

/// What is published with Ready True is normal news.
fn kind(reason: Reason) -> &'static str {
    match reason {
        Reason::Synced => "Normal",
        Reason::Suspended => "Normal; Warning while something waits to be sent",
        _ => "Warning",
    }
}
