//! The files of `gitops/`, which Argo CD, Flux and the pages of `docs/` take as they are: what is generated is fresh, what
//! refers to something finds it, and what must never be said is not said.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use super::{argo::FOLDER, assert_fresh, documents, path, read, record::HEADER, renew};

/// The patch of Argo CD's own ConfigMap.
const ARGOCD_CM: &str = "gitops/argocd/argocd-cm.yaml";

/// Each kind with its actions.
const ACTIONS: [(&str, &[&str]); 3] = [
    ("PamCredential", &["reconcile", "resume", "suspend"]),
    ("PamConnection", &["resume", "suspend"]),
    ("ClusterPamConnection", &["resume", "suspend"]),
];

/// The pages that show these files.
const PAGES: [&str; 3] = [
    "docs/src/install/argocd.md",
    "docs/src/install/flux.md",
    "docs/src/guides/gitops.md",
];

/// The manifests of objects that are meant to be applied: all of `examples/` and its folders, and what the Applications and Kustomizations
/// apply.
pub fn manifests() -> Vec<String> {
    let mut folders = vec![
        "examples".to_owned(),
        "gitops/connections".to_owned(),
        "gitops/credentials".to_owned(),
    ];
    let entries = fs::read_dir(path("examples")).expect("examples/ is there");
    let inner = entries
        .map(|entry| entry.expect("readable"))
        .filter(|entry| entry.path().is_dir());
    folders.extend(inner.map(|entry| format!("examples/{}", entry.file_name().to_string_lossy())));
    let files = folders.iter().flat_map(|folder| yaml_files(folder));
    files.filter(|file| file != "examples/simulator.yaml").collect()
}

fn yaml_files(folder: &str) -> Vec<String> {
    let files = testbed::manifest::yaml_files(&path(folder)).expect("there are manifests");
    let names = files
        .iter()
        .map(|file| file.file_name().expect("a name").to_string_lossy());
    names.map(|name| format!("{folder}/{name}")).collect()
}

fn all() -> Vec<String> {
    let folders = [
        "argocd",
        "connections",
        "credentials",
        "flux",
        "flux/operator",
        "secrets",
    ];
    folders
        .into_iter()
        .flat_map(|folder| yaml_files(&format!("gitops/{folder}")))
        .collect()
}

/// All objects of a kind, by name.
fn of_kind(kind: &str) -> BTreeMap<String, Value> {
    let objects = all().into_iter().flat_map(|file| documents(&file));
    let matching = objects.filter(|object| object["kind"] == kind && object["spec"].get("decryption").is_none());
    matching
        .map(|object| (text(&object["metadata"]["name"]).to_owned(), object))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[test]
fn the_patch_of_argocd_cm_is_made_of_the_scripts() {
    let indented = |script: &str, by: usize| {
        let lines = script.lines().map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("{:by$}{line}\n", "")
            }
        });
        lines.collect::<String>()
    };
    let script = |file: &str| read(&format!("{FOLDER}/{file}"));
    let start = format!(
        "{HEADER}# kubectl apply --server-side --field-manager=pam-operator -f {ARGOCD_CM}\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\n  namespace: argocd\ndata:\n"
    );
    let definition = |action: &&str| {
        let script = indented(&script(&format!("actions/{action}/action.lua")), 10);
        format!("      - name: {action}\n        action.lua: |\n{script}")
    };
    let settings = ACTIONS.iter().map(|(kind, actions)| {
        format!(
            "  resource.customizations.health.pam-operator.dev_{kind}: |\n{}  \
             resource.customizations.actions.pam-operator.dev_{kind}: |\n    discovery.lua: |\n{}    definitions:\n{}",
            indented(&script("health.lua"), 4),
            indented(&script("actions/discovery.lua"), 6),
            actions.iter().map(definition).collect::<String>(),
        )
    });
    let content = start + &settings.collect::<String>();
    let stale = renew(ARGOCD_CM, &content);

    let [map] = documents(ARGOCD_CM).try_into().expect("one object");
    for (kind, actions) in ACTIONS {
        let setting =
            |what: &str| text(&map["data"][format!("resource.customizations.{what}.pam-operator.dev_{kind}")]);
        assert_eq!(setting("health"), script("health.lua"), "{kind}");
        let parsed: Value = serde_saphyr::from_str(setting("actions")).expect("Argo CD reads it as YAML");
        assert_eq!(parsed["discovery.lua"], script("actions/discovery.lua"), "{kind}");
        let definitions = actions
            .iter()
            .map(|action| json!({"name": action, "action.lua": script(&format!("actions/{action}/action.lua"))}));
        assert_eq!(parsed["definitions"], definitions.collect::<Value>(), "{kind}");
    }
    assert_fresh(stale.as_slice());
}

#[test]
fn every_file_is_of_objects_and_none_orders_to_replace_any() {
    for file in all() {
        let objects = documents(&file);
        assert!(!objects.is_empty(), "{file}");
        for object in objects {
            for field in ["apiVersion", "kind"] {
                text(&object[field]);
            }
            text(&object["metadata"]["name"]);
        }
        // A PamCredential that is deleted and created again is deactivated in the PAM, or another one there.
        let content = read(&file);
        for order in ["Replace=true", "Force=true", "force: true", "force: enabled"] {
            assert!(!content.contains(order), "{file} says {order}");
        }
    }
}

#[test]
fn argo_cd_installs_operator_connections_and_credentials_in_this_order() {
    let applications = of_kind("Application");
    let projects = of_kind("AppProject");
    let mut waves = Vec::new();
    for name in ["pam-operator", "pam-connections", "demo-credentials"] {
        let application = &applications[name];
        let annotations = &application["metadata"]["annotations"];
        waves.push(
            text(&annotations["argocd.argoproj.io/sync-wave"])
                .parse::<i32>()
                .expect("a number"),
        );
        assert_eq!(
            annotations["argocd.argoproj.io/compare-options"], "ServerSideDiff=true",
            "{name}"
        );
        let spec = &application["spec"];
        let project = &projects[text(&spec["project"])]["spec"];
        let contains = |list: &Value, item: &Value| list.as_array().is_some_and(|list| list.contains(item));
        assert!(contains(&project["sourceRepos"], &spec["source"]["repoURL"]), "{name}");
        assert!(contains(&project["destinations"], &spec["destination"]), "{name}");
        let options = &spec["syncPolicy"]["syncOptions"];
        assert!(contains(options, &json!("ServerSideApply=true")), "{name}");
        if let Some(folder) = spec["source"]["path"].as_str() {
            assert!(contains(options, &json!("SkipDryRunOnMissingResource=true")), "{name}");
            admits(project, folder);
        }
        let confirms = ["Prune=confirm", "Delete=confirm"].map(|option| contains(options, &json!(option)));
        assert_eq!(confirms, [name == "demo-credentials"; 2], "{name}");
        // Only the credentials go with their Application; who deletes that waits until they are gone.
        let cascades = application["metadata"].get("finalizers").is_some();
        assert_eq!(cascades, name == "demo-credentials", "{name}");
    }
    assert!(waves.is_sorted_by(|one, next| one < next), "{waves:?}");
    let crds = &applications["pam-operator"]["spec"]["source"]["helm"]["valuesObject"]["crds"];
    assert_eq!(crds["annotations"]["argocd.argoproj.io/sync-options"], "Prune=false");
}

/// Whether a project admits everything in a folder.
fn admits(project: &Value, folder: &str) {
    for object in yaml_files(folder).iter().flat_map(|file| documents(file)) {
        let group = text(&object["apiVersion"]).split('/').next().expect("a group");
        let entry = json!({"group": group, "kind": object["kind"]});
        let list = match object["metadata"].get("namespace") {
            Some(namespace) => {
                let goes_there = |destination: &Value| destination["namespace"] == *namespace;
                let destinations = project["destinations"].as_array().expect("destinations");
                assert!(destinations.iter().any(goes_there), "{entry} in {namespace}");
                &project["namespaceResourceWhitelist"]
            }
            None => &project["clusterResourceWhitelist"],
        };
        // Everything that is namespaced is admitted where the project has no such list.
        assert!(
            list.as_array().is_none_or(|list| list.contains(&entry)),
            "{folder}: {entry}"
        );
    }
}

/// What is waited for in a wave must come in an earlier one, or the sync waits for ever.
#[test]
fn secrets_come_in_an_earlier_wave_than_what_needs_them() {
    let wave = |object: &Value| {
        let annotation = &object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"];
        text(annotation).parse::<i32>().expect("a number")
    };
    let secrets = of_kind("ExternalSecret").into_iter().chain(of_kind("SealedSecret"));
    let secrets: Vec<_> = secrets.map(|(name, object)| (name, wave(&object))).collect();
    for kind in ["PamCredential", "ClusterPamConnection"] {
        let objects = of_kind(kind);
        assert!(!objects.is_empty(), "{kind}");
        for (name, object) in objects {
            let spec = &object["spec"];
            let secret = spec["contentSecretRef"]["name"]
                .as_str()
                .or(spec["credentialsSecretRef"]["name"].as_str());
            let secret = secret.unwrap_or_else(|| panic!("{name} names no Secret"));
            let sources: Vec<_> = secrets.iter().filter(|(name, _)| name == secret).collect();
            assert!(!sources.is_empty(), "nothing makes {secret}");
            assert!(sources.iter().all(|(_, earlier)| *earlier < wave(&object)), "{name}");
        }
    }
}

#[test]
fn flux_installs_operator_connections_and_credentials_in_this_order() {
    let kustomizations = of_kind("Kustomization");
    let chain = ["pam-operator", "pam-connections", "demo-credentials"];
    let deletion = ["Orphan", "Orphan", "WaitForTermination"];
    for (index, (name, deletion)) in chain.into_iter().zip(deletion).enumerate() {
        let spec = &kustomizations[name]["spec"];
        let before = index
            .checked_sub(1)
            .map_or(Value::Null, |before| json!([{"name": chain[before]}]));
        assert_eq!(spec["dependsOn"], before, "{name}");
        assert_eq!(spec["wait"], true, "{name}");
        assert_eq!(spec["deletionPolicy"], deletion, "{name}");
        assert!(
            of_kind("GitRepository").contains_key(text(&spec["sourceRef"]["name"])),
            "{name}"
        );
        let folder = text(&spec["path"]).trim_start_matches("./");
        let judged = spec["healthCheckExprs"].as_array().into_iter().flatten();
        let judged: Vec<_> = judged.map(|expressions| text(&expressions["kind"])).collect();
        for object in yaml_files(folder).iter().flat_map(|file| documents(file)) {
            let ours = text(&object["apiVersion"]).starts_with("pam-operator.dev/");
            assert!(
                !ours || judged.contains(&text(&object["kind"])),
                "{name}: {}",
                object["kind"]
            );
        }
    }
    let release = &of_kind("HelmRelease")["pam-operator"]["spec"];
    let chart = &of_kind("OCIRepository")[text(&release["chartRef"]["name"])];
    assert_eq!(chart["spec"]["url"], "oci://ghcr.io/pam-operator/charts/pam-operator");
    assert_eq!(release["values"]["crds"], json!({"enabled": true, "keep": true}));
    let namespace = &of_kind("Namespace")["pam-operator"]["metadata"];
    assert_eq!(
        namespace["annotations"]["kustomize.toolkit.fluxcd.io/prune"],
        "disabled"
    );
}

/// Pages show files, so that what they show is what is tested.
#[test]
fn pages_show_manifests_only_as_files() {
    for page in PAGES {
        let content = read(page);
        let mut lines = content.lines().enumerate();
        let mut shown = 0;
        while let Some((number, line)) = lines.next() {
            if line.starts_with("```yaml") || line.starts_with("```lua") {
                let (_, include) = lines.next().expect("a block has lines");
                let file = include
                    .strip_prefix("{{#include ")
                    .and_then(|rest| rest.strip_suffix("}}"));
                let file = file.unwrap_or_else(|| panic!("{page}:{}: no file", number + 1));
                let target = path(page).parent().expect("a folder").join(file);
                assert!(target.is_file(), "{page}:{}: {file} does not exist", number + 1);
                shown += 1;
            }
        }
        assert!(shown > 0, "{page} shows nothing");
    }
}
