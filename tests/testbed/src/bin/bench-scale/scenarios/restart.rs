//! S5: a restart over objects that have not changed.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::{Client, Resource, api::ListParams, core::Request};
use pam_operator::api::PamCredential;
use serde::Deserialize;
use testbed::{Error, Operator};

use crate::{record::Record, settle::settle, stage::Stage};

/// From the start of the process until it is ready, and until it has nothing more to do.
pub async fn measure(stage: &Stage<'_>, operator: Operator) -> Result<(Record, Operator), Error> {
    operator.stop().await?;
    let listing = listing(&stage.admin).await?;
    let mark = stage.pam.mark();
    let started = Instant::now();
    let operator = stage.start().await?;
    let ready = started.elapsed();
    let since = settle(&operator).await?;
    let usage = operator.usage()?;
    let mut record = stage.record("S5", mark);
    record.seconds("the API server's listing", listing);
    record.seconds("until ready", ready);
    record.seconds("until at rest", since.saturating_duration_since(started));
    record.seconds("CPU", usage.cpu);
    record.memory(usage);
    record.count("POSTs", stage.pam.mark() - mark);
    Ok((record, operator))
}

/// Objects in a page, as kube and client-go ask for them.
const PAGE: u32 = 500;

/// How long the API server takes to give all credentials, and what is not secret of all Secrets, both at once, to somebody who
/// does nothing with them.
async fn listing(admin: &Client) -> Result<Duration, Error> {
    let began = Instant::now();
    let params = ListParams::default().limit(PAGE);
    let credentials = pages(admin, params.clone(), |params| {
        Request::new(PamCredential::url_path(&(), None)).list(params)
    });
    let secrets = pages(admin, params, |params| {
        Request::new(Secret::url_path(&(), None)).list_metadata(params)
    });
    let listed = tokio::try_join!(credentials, secrets);
    listed.map_err(Error::kube("cannot list what a restart lists"))?;
    Ok(began.elapsed())
}

/// Reads all pages of a list.
async fn pages<R>(admin: &Client, mut params: ListParams, request: R) -> kube::Result<()>
where
    R: Fn(&ListParams) -> Result<http::Request<Vec<u8>>, kube::core::request::Error>,
{
    #[derive(Deserialize)]
    struct Page {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        r#continue: Option<String>,
    }
    loop {
        let request = request(&params).map_err(kube::Error::BuildRequest)?;
        let text = admin.request_text(request).await?;
        let page: Page = serde_json::from_str(&text).map_err(kube::Error::SerdeError)?;
        params.continue_token = page.metadata.r#continue.filter(|token| !token.is_empty());
        if params.continue_token.is_none() {
            return Ok(());
        }
    }
}
