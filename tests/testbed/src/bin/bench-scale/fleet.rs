//! The objects, how they are meant to be, and their changes.
//!
//! Each change gives an object a password or a remark that it never had, so that a POST tells which change it carries.

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use pam_operator::api::PamCredential;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testbed::Error;

use crate::pam::{Post, Store};

/// The connection of all objects.
pub const CONNECTION: &str = "pam";

const KEY: &str = "password";

/// A credential and its Secret, as they are meant to be.
pub struct Object {
    pub namespace: &'static str,
    pub name: String,
    password: u32,
    remark: u32,
    is_deactivated_with_it: bool,
}

/// A namespace and how many objects it has.
#[derive(Clone, Copy)]
pub struct Tenant {
    pub namespace: &'static str,
    pub objects: u32,
}

/// All objects, those of the first tenant first.
pub struct Fleet {
    pub objects: Vec<Object>,
}

/// Where a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Spec,
    Secret,
}

/// A change that is to be made, and how the PAM will know it.
pub struct Change {
    pub place: Place,
    pub username: String,
    /// The text that no POST had before.
    pub text: String,
    namespace: &'static str,
    name: String,
}

impl Object {
    /// What identifies it in the PAM.
    pub fn username(&self) -> String {
        format!("{}-{}", self.namespace, self.name)
    }

    /// The Secret as it is meant to be.
    pub fn secret(&self) -> Secret {
        typed(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": self.name, "namespace": self.namespace},
            "stringData": {KEY: self.password()},
        }))
    }

    /// The credential as it is meant to be.
    pub fn credential(&self) -> PamCredential {
        let mut credential: PamCredential = typed(json!({
            "apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamCredential",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "connectionRef": {"kind": "ClusterPamConnection", "name": CONNECTION},
                "username": self.username(), "hostname": self.host(), "ip": self.host(),
                "contentSecretRef": {"name": self.name, "key": KEY},
                "additional": self.remark(),
            },
        }));
        if self.is_deactivated_with_it {
            credential.spec.deletion_policy = Some(pam_operator::api::DeletionPolicy::Deactivate);
        }
        credential
    }

    /// What the PAM is to be sent.
    pub fn body(&self) -> Value {
        json!({
            "identifier": format!("{}_{}", self.namespace, self.name), "username": self.username(),
            "hostname": self.host(), "ip": self.host(), "content": self.password(), "additional": self.remark(),
        })
    }

    /// Whether the PAM has exactly this.
    fn is_in(&self, store: &Store) -> bool {
        store.entry(&self.username()).is_some_and(|entry| {
            entry.is_active
                && entry.hostname == self.host()
                && entry.ip == self.host()
                && entry.content == Some(self.password())
                && entry.additional == Some(self.remark())
        })
    }

    fn host(&self) -> String {
        format!("{}.example.com", self.username())
    }

    fn password(&self) -> String {
        format!("password {} of {}", self.password, self.name)
    }

    fn remark(&self) -> String {
        format!("remark {} of {}", self.remark, self.name)
    }
}

impl Fleet {
    /// New objects.
    pub fn new(tenants: &[Tenant], is_deactivated_with_it: bool) -> Self {
        let objects = tenants.iter().flat_map(|tenant| {
            (0..tenant.objects).map(move |number| Object {
                namespace: tenant.namespace,
                name: format!("credential-{number}"),
                password: 0,
                remark: 0,
                is_deactivated_with_it,
            })
        });
        Self {
            objects: objects.collect(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.objects.len()).expect("numbers of objects are 32 bits wide")
    }

    /// Changes of the first `count` objects in their Secrets.
    pub fn rotate(&mut self, count: u32) -> Vec<Change> {
        let chosen = self.objects.iter_mut().take(count as usize);
        chosen.map(|object| object.change(Place::Secret)).collect()
    }

    /// Changes of all objects in their specs.
    pub fn edit_all(&mut self) -> Vec<Change> {
        let all = self.objects.iter_mut();
        all.map(|object| object.change(Place::Spec)).collect()
    }

    /// Changes of the last `count` objects, in specs and Secrets by turns: others than [`Self::rotate`] takes.
    pub fn probe(&mut self, count: u32) -> Vec<Change> {
        let last = self.objects.iter_mut().rev().take(count as usize);
        let places = [Place::Spec, Place::Secret].into_iter().cycle();
        last.zip(places).map(|(object, place)| object.change(place)).collect()
    }

    /// Why figures over a PAM with this content are void, if they are; POSTs before `mark` were looked at before.
    pub fn void(&self, store: &Store, mark: usize) -> Option<String> {
        let wrong = self.objects.iter().filter(|object| !object.is_in(store)).count();
        let surplus = store.entries().len().saturating_sub(self.objects.len());
        let needless = store.posts()[mark..].iter().filter(|post| post.is_needless).count();
        let reasons = [
            (wrong, "entries are not as desired"),
            (surplus, "entries are too many"),
            (needless, "POSTs repeat what was sent"),
        ];
        let found = reasons.into_iter().filter(|(count, _)| *count > 0);
        let found: Vec<_> = found.map(|(count, what)| format!("{count} {what}")).collect();
        (!found.is_empty()).then(|| found.join(", "))
    }
}

impl Object {
    fn change(&mut self, place: Place) -> Change {
        match place {
            Place::Spec => self.remark += 1,
            Place::Secret => self.password += 1,
        }
        Change {
            place,
            username: self.username(),
            text: match place {
                Place::Spec => self.remark(),
                Place::Secret => self.password(),
            },
            namespace: self.namespace,
            name: self.name.clone(),
        }
    }
}

impl Change {
    /// Makes it.
    pub async fn send(&self, client: &Client) -> Result<(), Error> {
        let params = PatchParams::default();
        let doing = || Error::kube(format!("cannot change {}", self.name));
        match self.place {
            Place::Spec => {
                let patch = Patch::Merge(json!({"spec": {"additional": self.text}}));
                let api = Api::<PamCredential>::namespaced(client.clone(), self.namespace);
                api.patch_metadata(&self.name, &params, &patch).await.map_err(doing())?;
            }
            Place::Secret => {
                let patch = Patch::Merge(json!({"stringData": {KEY: self.text}}));
                let api = Api::<Secret>::namespaced(client.clone(), self.namespace);
                api.patch_metadata(&self.name, &params, &patch).await.map_err(doing())?;
            }
        }
        Ok(())
    }

    /// Whether the POST carries it.
    pub fn is_in(&self, post: &Post) -> bool {
        let text = match self.place {
            Place::Spec => &post.additional,
            Place::Secret => &post.content,
        };
        post.username == self.username && text.as_ref() == Some(&self.text)
    }
}

fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the literal has the form of the object")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn post(store: &mut Store, object: &Object) {
        store.upsert(Instant::now(), typed(object.body()));
    }

    #[test]
    fn figures_count_only_over_a_pam_that_has_exactly_what_is_meant() {
        let tenant = Tenant {
            namespace: "a",
            objects: 2,
        };
        let mut fleet = Fleet::new(&[tenant], false);
        let mut store = Store::default();
        post(&mut store, &fleet.objects[0]);
        assert_eq!(fleet.void(&store, 0).as_deref(), Some("1 entries are not as desired"));
        post(&mut store, &fleet.objects[1]);
        assert_eq!(fleet.void(&store, 0), None);

        let change = fleet.rotate(1).pop().expect("one change");
        assert_eq!(fleet.void(&store, 0).as_deref(), Some("1 entries are not as desired"));
        post(&mut store, &fleet.objects[0]);
        assert_eq!(fleet.void(&store, 0), None);
        let carriers: Vec<_> = store.posts().iter().map(|post| change.is_in(post)).collect();
        assert_eq!(carriers, [false, false, true]);

        post(&mut store, &fleet.objects[0]);
        assert_eq!(fleet.void(&store, 0).as_deref(), Some("1 POSTs repeat what was sent"));
        assert_eq!(fleet.void(&store, 4), None, "that one was looked at before");
    }
}
