//! What must be registered before a credential may name it, and what the PAM creates by itself when it is named first.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::{Map, Value};

use crate::simulator::{
    data::{Data, Device},
    switches::Matching,
};

/// Devices, domains, plugins, templates and owners; and the types, vendors, models and sites seen so far.
#[derive(Debug)]
pub struct Registry {
    /// Accept any device.
    pub any_device: bool,
    /// Registered domains.
    pub domains: BTreeSet<String>,
    /// Registered plugins.
    pub plugins: BTreeSet<String>,
    /// Registered templates.
    pub templates: BTreeSet<String>,
    /// Users that may own a credential.
    pub owners: BTreeSet<String>,
    /// Types of credentials, created when unseen.
    pub credential_types: BTreeSet<String>,
    /// Types of devices, created when unseen.
    pub types: BTreeSet<String>,
    /// Vendors, created when unseen.
    pub vendors: BTreeSet<String>,
    /// Models, created when unseen.
    pub models: BTreeSet<String>,
    /// Sites, created when unseen.
    pub sites: BTreeSet<String>,
    devices: HashMap<[String; 2], Arc<Device>>,
    matching: Matching,
}

impl Registry {
    pub(crate) fn new(data: &Data, matching: Matching) -> Self {
        let mut registry = Self {
            any_device: data.any_device,
            domains: data.domains.iter().cloned().collect(),
            plugins: data.plugins.iter().cloned().collect(),
            templates: data.templates.iter().cloned().collect(),
            owners: data.owners.iter().cloned().collect(),
            credential_types: BTreeSet::new(),
            types: BTreeSet::new(),
            vendors: BTreeSet::new(),
            models: BTreeSet::new(),
            sites: BTreeSet::new(),
            devices: HashMap::new(),
            matching,
        };
        for device in &data.devices {
            registry.add_device(device.clone());
        }
        registry
    }

    /// Registers a device, or replaces the one of the same name and address.
    pub fn add_device(&mut self, device: Device) {
        let kinds = [
            (&mut self.types, &device.type_),
            (&mut self.vendors, &device.vendor),
            (&mut self.models, &device.model),
            (&mut self.sites, &device.site),
        ];
        for (seen, name) in kinds {
            seen.extend(name.clone());
        }
        self.devices
            .insert(self.matching.keys([&device.hostname, &device.ip]), Arc::new(device));
    }

    /// Removes a device; its credentials stay.
    pub fn remove_device(&mut self, hostname: &str, ip: &str) {
        self.devices.remove(&self.matching.keys([hostname, ip]));
    }

    /// The device of this name and address.
    #[must_use]
    pub fn device(&self, hostname: &str, ip: &str) -> Option<&Arc<Device>> {
        self.devices.get(&self.matching.keys([hostname, ip]))
    }

    pub(crate) fn has_device(&self, hostname: &str, ip: &str) -> bool {
        self.any_device || self.device(hostname, ip).is_some()
    }

    /// Takes over what a credential's body says of its device, and creates what was unseen.
    pub(crate) fn learn(&mut self, hostname: &str, ip: &str, body: &Map<String, Value>) {
        let text = |key| {
            body.get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        self.credential_types.extend(text("credential_type"));
        let sent = Device {
            type_: text("type"),
            vendor: text("vendor"),
            model: text("model"),
            site: text("site"),
            connectivities: text("connectivities"),
            ..Device::new(hostname, ip)
        };
        let known = self.device(hostname, ip).cloned();
        if known.is_some() && !sent.has_attributes() {
            return;
        }
        self.add_device(match known {
            Some(known) => sent.over(&known),
            None => sent,
        });
    }
}

impl Device {
    fn has_attributes(&self) -> bool {
        [&self.type_, &self.vendor, &self.model, &self.site, &self.connectivities]
            .into_iter()
            .any(Option::is_some)
    }

    /// This device's attributes, and those of `known` where it has none.
    fn over(self, known: &Self) -> Self {
        Self {
            hostname: known.hostname.clone(),
            ip: known.ip.clone(),
            type_: self.type_.or_else(|| known.type_.clone()),
            vendor: self.vendor.or_else(|| known.vendor.clone()),
            model: self.model.or_else(|| known.model.clone()),
            site: self.site.or_else(|| known.site.clone()),
            connectivities: self.connectivities.or_else(|| known.connectivities.clone()),
        }
    }
}

impl Matching {
    /// The form in which a name is compared.
    pub(crate) fn key(self, name: &str) -> String {
        match self {
            Self::Exact => name.to_owned(),
            Self::Loose => name.trim().to_lowercase(),
        }
    }

    pub(crate) fn keys<const N: usize>(self, names: [&str; N]) -> [String; N] {
        names.map(|name| self.key(name))
    }
}
