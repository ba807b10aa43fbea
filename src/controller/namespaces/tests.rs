//! What events of a watch mean, and what may be seen.

use kube::core::Status;

use super::*;

fn scope(name: Option<&str>, forbidden: bool) -> (Scope, reflector::store::Writer<Meta>) {
    let (store, writer) = reflector::store();
    let scope = Scope {
        name: name.map(str::to_owned),
        store,
        forbidden: Arc::new(AtomicBool::new(forbidden)),
    };
    (scope, writer)
}

fn namespace(name: &str, label: &str) -> Meta {
    let mut namespace = Meta {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some([("team".to_owned(), label.to_owned())].into()),
            annotations: Some([("large".to_owned(), "text".to_owned())].into()),
            ..ObjectMeta::default()
        },
        types: None,
        ..Meta::default()
    };
    keep_labels(&mut namespace);
    namespace
}

fn refused(code: u16, reason: &str) -> watcher::Error {
    let status = Status::failure("no", reason).with_code(code);
    watcher::Error::InitialListFailed(kube::Error::Api(status.boxed()))
}

#[test]
fn a_namespace_is_known_by_the_labels_of_its_scope() {
    let (cluster, mut writer) = scope(None, false);
    let namespaces = Namespaces(vec![cluster]);
    assert_eq!(namespaces.sight("orders"), Sight::Unseen);
    writer.apply_watcher_event(&Event::Apply(namespace("orders", "a")));
    assert_eq!(
        namespaces.sight("orders"),
        Sight::Labels([("team".to_owned(), "a".to_owned())].into())
    );
    writer.apply_watcher_event(&Event::Delete(namespace("orders", "a")));
    assert_eq!(namespaces.sight("orders"), Sight::Unseen);
    assert_eq!(namespaces.forbidden(), None);
}

#[test]
fn what_may_not_be_seen_is_named() {
    let scopes = [("a", true), ("b", false), ("c", true)].map(|(name, forbidden)| scope(Some(name), forbidden).0);
    let namespaces = Namespaces(scopes.into());
    assert_eq!(namespaces.sight("a"), Sight::Forbidden);
    assert_eq!(namespaces.sight("b"), Sight::Unseen);
    assert_eq!(namespaces.sight("elsewhere"), Sight::Forbidden, "it is not watched");
    assert_eq!(namespaces.forbidden().as_deref(), Some("namespaces a, c"));
    let cluster = Namespaces(vec![scope(None, true).0]);
    assert_eq!(cluster.forbidden().as_deref(), Some("namespaces"));
}

#[test]
fn a_refusal_is_news_once_until_the_watch_works() {
    let forbidden = AtomicBool::new(false);
    assert_eq!(news(Err(refused(403, "Forbidden")), &forbidden), Some(News::Any));
    assert_eq!(news(Err(refused(403, "Forbidden")), &forbidden), None);
    assert!(forbidden.load(Ordering::Relaxed));
    assert_eq!(news(Ok(Event::Init), &forbidden), None);
    assert_eq!(news(Ok(Event::InitApply(namespace("a", "b"))), &forbidden), None);
    assert_eq!(news(Ok(Event::InitDone), &forbidden), Some(News::Any));
    assert!(!forbidden.load(Ordering::Relaxed));
    assert_eq!(news(Err(refused(500, "InternalError")), &forbidden), None);
    assert!(!forbidden.load(Ordering::Relaxed), "an outage forbids nothing");
    for event in [Event::Apply(namespace("a", "b")), Event::Delete(namespace("a", "b"))] {
        assert_eq!(news(Ok(event.clone()), &forbidden), Some(News::One("a".to_owned())));
        forbidden.store(true, Ordering::Relaxed);
        assert_eq!(news(Ok(event), &forbidden), Some(News::Any), "it is permitted again");
    }
}
