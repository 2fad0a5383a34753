//! `CodeDeploy`: deployments, and of those to servers the on-premises targets.

use aws_sdk_codedeploy::{
    Client,
    types::{
        ComputePlatform, DeploymentInfo, DeploymentStatus, DeploymentTarget, InstanceTarget,
        TimeRange,
    },
};
use aws_smithy_types::DateTime as SdkTime;
use chrono::{DateTime, Utc};

use super::{
    accounts::Account,
    error::Failure,
    listing::{Page, by_windows},
    operations::Operation,
    pages::Pages,
    run::Run,
    time, word,
};
use crate::{
    domain::{
        collection::Source,
        metering::from_events::{AccountRegion, Target},
    },
    ledger::{Fact, Listing},
};

/// As many as AWS takes in one request.
const BATCH: usize = 25;

/// Collects deployments.
pub(super) async fn deployments(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
) -> Result<(), Failure> {
    let client = &Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Deployments)?;
    let fetch =
        async |listing: &Listing, (from, until): (DateTime<Utc>, DateTime<Utc>), pages: &Pages| {
            let range = TimeRange::builder()
                .start(SdkTime::from_millis(from.timestamp_millis()))
                .end(SdkTime::from_millis(until.timestamp_millis()))
                .build();
            let request = client
                .list_deployments()
                .create_time_range(range)
                .set_next_token(pages.token());
            let answer = run
                .ask_page(place, Operation::ListDeployments, pages, request.send())
                .await?;
            let mut page = Page {
                next: answer.next_token.clone(),
                ..Page::default()
            };
            let unknown = run
                .ledger()
                .unknown_deployments(listing, answer.deployments())?;
            for ids in unknown.chunks(BATCH) {
                let request = client
                    .batch_get_deployments()
                    .set_deployment_ids(Some(ids.to_vec()));
                let answer = run
                    .ask(place, Operation::BatchGetDeployments, request.send())
                    .await?;
                for info in answer.deployments_info() {
                    if let Some(fact) = deployment(run, client, place, info).await? {
                        page.facts.push(fact);
                    }
                }
            }
            Ok(page)
        };
    let wanted = run.first_millisecond();
    by_windows(run, &scope, Operation::ListDeployments, wanted, fetch).await?;
    let (from, _) = run.days();
    run.end(&scope, true, from)
}

async fn deployment(
    run: &Run<'_>,
    client: &Client,
    place: &AccountRegion,
    info: &DeploymentInfo,
) -> Result<Option<Fact>, Failure> {
    let (Some(id), Some(created)) = (info.deployment_id(), time(info.create_time())) else {
        return Ok(None);
    };
    let open = !matches!(
        info.status(),
        Some(DeploymentStatus::Succeeded | DeploymentStatus::Failed | DeploymentStatus::Stopped)
    );
    let mut targets = Vec::new();
    if info.compute_platform() == Some(&ComputePlatform::Server) {
        for ids in target_ids(run, client, place, id).await?.chunks(BATCH) {
            let request = client
                .batch_get_deployment_targets()
                .deployment_id(id)
                .set_target_ids(Some(ids.to_vec()));
            let operation = Operation::BatchGetDeploymentTargets;
            let answer = run.ask(place, operation, request.send()).await?;
            let application = info.application_name().unwrap_or_default();
            for target in answer.deployment_targets() {
                if let DeploymentTarget {
                    instance_target: Some(target),
                    ..
                } = target
                {
                    targets.extend(target_from_sdk(target, application, created));
                }
            }
        }
    }
    Ok(Some(Fact::Deployment {
        id: id.to_owned(),
        created: created.timestamp_millis(),
        open,
        targets,
    }))
}

async fn target_ids(
    run: &Run<'_>,
    client: &Client,
    place: &AccountRegion,
    deployment: &str,
) -> Result<Vec<String>, Failure> {
    let mut pages = Pages::default();
    let mut ids = Vec::new();
    loop {
        let request = client
            .list_deployment_targets()
            .deployment_id(deployment)
            .set_next_token(pages.token());
        let answer = run
            .ask_page(
                place,
                Operation::ListDeploymentTargets,
                &pages,
                request.send(),
            )
            .await?;
        ids.extend(answer.target_ids.unwrap_or_default());
        if !pages.turn(Operation::ListDeploymentTargets, answer.next_token)? {
            return Ok(ids);
        }
    }
}

/// Translates the target of a deployment if it is on premises: machines of EC2 cost nothing.
fn target_from_sdk(
    target: &InstanceTarget,
    application: &str,
    created: DateTime<Utc>,
) -> Option<(String, Target)> {
    let id = target.target_id()?;
    let on_premises = match target.target_arn() {
        Some(arn) => arn.contains(":codedeploy:") && arn.contains(":instance/"),
        None => !id.starts_with("i-"),
    };
    if !on_premises {
        return None;
    }
    let day = time(target.last_updated_at())
        .unwrap_or(created)
        .date_naive();
    let status = target
        .status()
        .map_or_else(|| "(not stated)".to_owned(), |status| word(status.as_str()));
    let name = id.rsplit('/').next().unwrap_or(id).to_owned();
    Some((
        name,
        Target {
            application: application.to_owned(),
            day,
            status,
        },
    ))
}
