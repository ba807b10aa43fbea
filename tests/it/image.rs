//! The image, built as the Dockerfile's last stage says around a static program, and run: unpacked, as the kubelet would, but
//! in a chroot.

mod names;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use testbed::{Operator, tools};

use crate::world::{Setting, World};
use names::{NAME, NameServer};

/// The number of the user in the image.
const USER: &str = "65532:65532";

/// What the image has, unpacked.
struct Image {
    /// Where its files are.
    root: PathBuf,
    /// Their names.
    files: Vec<String>,
    /// What it says of itself.
    config: Value,
}

impl Image {
    /// Builds the image and unpacks it.
    fn build() -> Self {
        assert!(
            is_root(),
            "building and entering an image takes root: run this test as root, or leave it out with `--skip image::`"
        );
        tools::installed("buildah", "buildah").expect("buildah");
        let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image");
        let _ = fs::remove_dir_all(&work);
        let (archive, root) = (work.join("image.tar"), work.join("root"));
        fs::create_dir_all(&root).expect("a folder");
        // Other tests wait for conditions with a deadline: they go first.
        run(Command::new("nice")
            .args(["-n", "19", "tests/node/image.sh", "localhost/pam-operator:test"])
            .arg(&archive)
            .current_dir(env!("CARGO_MANIFEST_DIR")));
        run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&work));
        let json = |name: &str| -> Value {
            let text = fs::read(work.join(name)).expect("a file of the archive");
            serde_json::from_slice(&text).expect("JSON")
        };
        let manifest = json("manifest.json");
        let mut files = Vec::new();
        for layer in manifest[0]["Layers"].as_array().expect("layers") {
            let layer = work.join(layer.as_str().expect("a path"));
            files.extend(
                run(Command::new("tar").arg("-tf").arg(&layer))
                    .lines()
                    .map(str::to_owned),
            );
            run(Command::new("tar").arg("-xf").arg(&layer).arg("-C").arg(&root));
        }
        let config = json(manifest[0]["Config"].as_str().expect("a path"));
        let size = fs::metadata(&archive).expect("the archive").len();
        println!("the image has {} kB", size / 1000);
        Self { root, files, config }
    }

    /// Runs its program as its user, and returns what it prints.
    fn run(&self, arguments: &[&str]) -> String {
        run(Command::new("/usr/sbin/chroot")
            .args(self.entered())
            .args(arguments)
            .env_clear())
    }

    /// The arguments of `chroot`.
    fn entered(&self) -> [String; 3] {
        let entrypoint = self.config["config"]["Entrypoint"][0].as_str().expect("an entrypoint");
        let user = self.config["config"]["User"].as_str().expect("a user");
        [
            format!("--userspec={user}"),
            self.root.to_str().expect("UTF-8").to_owned(),
            entrypoint.to_owned(),
        ]
    }

    /// Lays a file into it that everybody may read, as the kubelet does.
    fn lay(&self, path: &str, text: &str) {
        let file = self.root.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, text).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a file of ours");
    }
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u")).trim() == "0"
}

fn run(command: &mut Command) -> String {
    let output = tools::run(command).expect("it ends well");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_holds_one_static_program_that_works_alone() {
    let image = tokio::task::spawn_blocking(Image::build).await.expect("it is built");
    says_what_it_is(&image);
    let program = fs::read(image.root.join("pam-operator")).expect("the program");
    println!("the program has {} kB", program.len() / 1000);
    for root in ["ISRG Root X1", "DigiCert Global Root G2"] {
        let carried = program.windows(root.len()).any(|bytes| bytes == root.as_bytes());
        assert!(carried, "the public root {root} is not in the program");
    }
    assert_eq!(
        image.run(&["--version"]),
        concat!("pam-operator ", env!("CARGO_PKG_VERSION"), "\n")
    );
    assert_eq!(image.run(&["crd"]), pam_operator::api::crds_yaml());
    reaches_a_cluster_and_a_pam_by_their_names(&image).await;
}

fn says_what_it_is(image: &Image) {
    let recipe = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile")).expect("the recipe");
    let compiler = concat!(
        "ARG RUST=docker.io/library/rust:",
        env!("CARGO_PKG_RUST_VERSION"),
        "-alpine\n"
    );
    assert!(recipe.contains(compiler), "{compiler}");
    assert_eq!(image.files, ["pam-operator"]);
    let mode = fs::metadata(image.root.join("pam-operator"))
        .expect("the program")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755);
    let config = &image.config["config"];
    assert_eq!(config["User"], USER);
    assert_eq!(config["Entrypoint"], json!(["/pam-operator"]));
    assert_eq!(config["Cmd"], Value::Null);
    let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].clone();
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(label("licenses"), env!("CARGO_PKG_LICENSE"));
    assert_eq!(label("source"), "https://github.com/pam-operator/pam-operator");
    assert_eq!(label("revision"), "unknown", "no revision was given");
}

/// The API server's name is known to a name server alone, the PAM's to the hosts file alone.
async fn reaches_a_cluster_and_a_pam_by_their_names(image: &Image) {
    let setting = Setting {
        started: false,
        ..Setting::default()
    };
    let mut world = World::with(setting).await;
    let names = NameServer::start();
    // A container has devices too. The C library of this static program, unlike musl, offers no other way to random numbers.
    let devices = image.root.join("dev");
    fs::create_dir(&devices).expect("a folder");
    for (name, number) in [("random", "8"), ("urandom", "9")] {
        run(Command::new("mknod")
            .args(["-m", "666"])
            .arg(devices.join(name))
            .args(["c", "1", number]));
    }
    image.lay("etc/resolv.conf", &format!("nameserver {}\n", names.address()));
    image.lay("etc/hosts", "127.0.0.1 localhost\n127.0.0.1 pam.test\n");

    let mut config = world.config(&world.user);
    let mut kubeconfig: Value = serde_json::from_str(&config.kubeconfig).expect("JSON");
    let cluster = &mut kubeconfig["clusters"][0]["cluster"];
    let server = cluster["server"].as_str().expect("a URL").replace("127.0.0.1", NAME);
    assert!(server.contains(NAME), "{server}");
    cluster["server"] = json!(server);
    cluster["tls-server-name"] = json!("127.0.0.1");
    image.lay("kubeconfig", &kubeconfig.to_string());
    config.env.push(("KUBECONFIG".into(), "/kubeconfig".into()));
    config.program = "/usr/sbin/chroot".into();
    config.args = image.entered().into_iter().map(Into::into).chain(config.args).collect();

    let operator = Operator::start(&config).await;
    world.operator = Some(operator.expect("the operator becomes ready"));
    assert!(names.asked() > 0, "the API server was found without the name server");
    let url = world.pam.url().replace("127.0.0.1", "pam.test");
    world
        .connection("vault", json!({"url": url, "tls": {"serverName": "localhost"}}))
        .await;
    world.create("db", json!({})).await;
    world.ready("db").await;
    world.stop().await;
}
