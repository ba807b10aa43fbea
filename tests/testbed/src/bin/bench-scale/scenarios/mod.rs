//! The scenarios, and which of them share a stage.
//!
//! ```text
//! converge.rs   S1        idle.rs      S2     latency.rs    S3, S4     restart.rs   S5
//! fairness.rs   S6        rotation.rs  S7     outage.rs     S8         deletion.rs  S9
//! leader.rs     S10       requests.rs  each request, by the audit log
//! ```

mod converge;
mod deletion;
mod fairness;
mod idle;
mod latency;
mod leader;
mod outage;
mod requests;
mod restart;
mod rotation;

use testbed::{Error, Operator};

use crate::{
    arguments::Scenario,
    contestant::Contestant,
    fleet::Tenant,
    record::Record,
    settle::settle,
    stage::{Plot, Run, Stage},
};

/// The namespace of all objects, where there is only one.
const NAMESPACE: &str = "tenant-a";

/// Everything that is asked of one contestant, once.
pub async fn measure(run: Run<'_>, records: &mut Vec<Record>) -> Result<(), Error> {
    if run.contestant == Contestant::Ceiling {
        if run.arguments.has(Scenario::S1) {
            records.push(converge::ceiling(run).await?);
        }
        return Ok(());
    }
    if run.arguments.has(Scenario::Requests) {
        records.push(requests::measure(run).await?);
    }
    let has_main_stage = ON_MAIN_STAGE.iter().any(|scenario| run.arguments.has(*scenario));
    if has_main_stage {
        on_main_stage(run, records).await?;
    }
    if run.arguments.has(Scenario::S6) {
        records.push(fairness::measure(run).await?);
    }
    if run.arguments.has(Scenario::S9) && !(has_main_stage && run.arguments.deactivate) {
        records.push(deletion::on_own_stage(run).await?);
    }
    Ok(())
}

/// What needs only objects that are there and Ready.
const ON_MAIN_STAGE: [Scenario; 8] = [
    Scenario::S1,
    Scenario::S2,
    Scenario::S3,
    Scenario::S4,
    Scenario::S5,
    Scenario::S7,
    Scenario::S8,
    Scenario::S10,
];

async fn on_main_stage(run: Run<'_>, records: &mut Vec<Record>) -> Result<(), Error> {
    let mut stage = set(run, run.arguments.deactivate).await?;
    let (record, mut operator) = converge::measure(&stage).await?;
    records.push(record);
    if run.arguments.has(Scenario::S2) {
        records.push(idle::measure(&stage, &operator).await?);
    }
    if run.arguments.has(Scenario::S3) {
        records.push(latency::when_idle(&mut stage).await?);
        settle(&operator).await?;
    }
    if run.arguments.has(Scenario::S4) {
        records.push(latency::while_secrets_change(&mut stage).await?);
        settle(&operator).await?;
        let record;
        (record, operator) = latency::after_restart(&mut stage, operator).await?;
        records.push(record);
        settle(&operator).await?;
    }
    if run.arguments.has(Scenario::S5) {
        let record;
        (record, operator) = restart::measure(&stage, operator).await?;
        records.push(record);
    }
    if run.arguments.has(Scenario::S7) {
        records.push(rotation::measure(&mut stage, &operator).await?);
    }
    if run.arguments.has(Scenario::S8) {
        records.push(outage::measure(&mut stage).await?);
        settle(&operator).await?;
    }
    if run.arguments.has(Scenario::S10) {
        let ended;
        (ended, operator) = leader::measure(&mut stage, operator).await?;
        records.extend(ended);
        settle(&operator).await?;
    }
    if run.arguments.has(Scenario::S9) && run.arguments.deactivate {
        records.push(deletion::measure(&stage, &operator).await?);
    }
    Ok(())
}

/// A stage with all objects in one namespace.
async fn set(run: Run<'_>, deactivates: bool) -> Result<Stage<'_>, Error> {
    let tenants = [tenant(run.arguments.objects)];
    let plot = Plot {
        deactivates,
        ..plot(&tenants)
    };
    Stage::set(run, plot).await
}

fn tenant(objects: u32) -> Tenant {
    Tenant {
        namespace: NAMESPACE,
        objects,
    }
}

fn plot(tenants: &[Tenant]) -> Plot<'_> {
    Plot {
        tenants,
        deactivates: false,
        audited: false,
    }
}

/// Starts the contestant on a new stage, and waits until all objects are Ready and it has nothing more to do.
async fn converged(stage: &Stage<'_>) -> Result<Operator, Error> {
    let (_, operator) = converge::measure(stage).await?;
    Ok(operator)
}
