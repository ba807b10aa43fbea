//! https with an authority of its own, and with certificate files.

use std::{fs, path::PathBuf};

use super::*;

/// A directory of this test, removed in the end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("pam-simulator-{:016x}", rand::random::<u64>())))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap_or(());
    }
}

async fn serving(tls: Tls) -> Handle {
    start(Config {
        listen: anywhere(),
        profile: Profile::V3_32,
        tls,
        data: data(),
    })
    .await
    .expect("it starts")
}

#[tokio::test]
async fn its_own_authority_is_written_to_a_file_and_trusted_for_name_and_address() {
    let dir = Dir::new();
    let pam = serving(Tls::SelfSigned {
        dir: Some(dir.0.clone()),
        names: Vec::new(),
    })
    .await;
    let files: Vec<_> = fs::read_dir(&dir.0)
        .expect("made")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    assert_eq!(files, ["ca.crt"]);
    let ca = fs::read(dir.0.join("ca.crt")).expect("written");
    assert_eq!(pam.ca_pem().map(str::as_bytes), Some(ca.as_slice()));
    let http = client(&[&ca]);
    let talk = Talk::with(pam, http.clone()).await;
    assert_eq!(talk.post(&body("alice", "a", "pw")).await.expect("an answer").0, 201);
    let by_name = format!("https://localhost:{}/iso/pam/credential", talk.pam.addr().port());
    assert_eq!(
        read(http.get(by_name).bearer_auth(&talk.token))
            .await
            .expect("an answer")
            .0,
        200
    );
}

#[tokio::test]
async fn its_certificate_is_valid_for_the_names_of_its_service() {
    let names = vec!["pam-operator-simulator.pam-operator.svc".to_owned()];
    let pam = serving(Tls::SelfSigned { dir: None, names }).await;
    let ca = Certificate::from_pem(pam.ca_pem().expect("made in memory").as_bytes()).expect("a certificate");
    let http = reqwest::Client::builder()
        .tls_certs_only([ca])
        .resolve("pam-operator-simulator.pam-operator.svc", pam.addr())
        .resolve("another.pam-operator.svc", pam.addr())
        .build()
        .expect("a client");
    let (known, unknown) = (
        "https://pam-operator-simulator.pam-operator.svc",
        "https://another.pam-operator.svc",
    );
    assert!(read(http.get(known)).await.is_ok());
    assert!(read(http.get(unknown)).await.is_err_and(|error| error.is_connect()));
}

#[tokio::test]
async fn whoever_trusts_another_authority_does_not_trust_this_one() {
    let pam = serving(Tls::InMemory).await;
    let other = serving(Tls::InMemory).await;
    let http = client(&[other.ca_pem().expect("made in memory").as_bytes()]);
    assert!(read(http.get(pam.url())).await.is_err_and(|error| error.is_connect()));
}

#[tokio::test]
async fn certificate_files_are_served_and_unusable_ones_named() {
    let dir = Dir::new();
    fs::create_dir_all(&dir.0).expect("a new directory");
    let (cert, key) = (dir.0.join("tls.crt"), dir.0.join("tls.key"));
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    fs::write(&cert, signed.cert.pem()).expect("written");
    fs::write(&key, signed.signing_key.serialize_pem()).expect("written");
    let pam = serving(Tls::Files {
        cert: cert.clone(),
        key: key.clone(),
    })
    .await;
    let talk = Talk::with(pam, client(&[signed.cert.pem().as_bytes()])).await;
    assert_eq!(talk.list().await.expect("an answer").0, 200);

    let swapped = Tls::Files {
        cert: key.clone(),
        key: cert.clone(),
    };
    let config = Config {
        listen: anywhere(),
        profile: Profile::V3_32,
        tls: swapped,
        data: data(),
    };
    let error = start(config).await.err().expect("no certificate in there").to_string();
    assert!(error.contains("tls.key: contains no certificate"), "{error}");
    let missing = Tls::Files {
        cert,
        key: dir.0.join("missing"),
    };
    let config = Config {
        listen: anywhere(),
        profile: Profile::V3_32,
        tls: missing,
        data: data(),
    };
    let error = start(config).await.err().expect("no such file").to_string();
    assert!(error.contains("missing") && error.lines().count() == 1, "{error}");
}
