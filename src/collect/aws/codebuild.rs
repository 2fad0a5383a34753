//! `CodeBuild`: projects, builds, reserved fleets. Builds carry environment variables; only the
//! fields named in [`build_from_sdk`] and [`fleet_from_sdk`] go any further.

use aws_sdk_codebuild::{
    Client,
    types::{
        Build as SdkBuild, BuildPhaseType, Fleet, FleetOverflowBehavior, ScalingConfigurationOutput,
    },
};

use super::{
    error::Failure,
    listing::{Page, Tokens, newest_first},
    operations::Operation,
    run::{Account, Run},
    time, word,
};
use crate::{
    domain::metering::observed::{Build, FleetSeen, Place},
    ledger::{Fact, Listing, Scope, Source},
};

/// As many as AWS takes in one request.
const BATCH: usize = 100;

/// Lists the projects of a place.
pub(super) async fn projects(
    run: &Run<'_>,
    account: &Account,
    place: &Place,
) -> Result<Vec<String>, Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let mut tokens = Tokens::default();
    let mut token = None;
    let mut projects = Vec::new();
    loop {
        let request = client.list_projects().set_next_token(token);
        let answer = run
            .ask(place, Operation::ListProjects, request.send())
            .await?;
        projects.extend(answer.projects.unwrap_or_default());
        token = tokens.next(Operation::ListProjects, answer.next_token)?;
        if token.is_none() {
            return Ok(projects);
        }
    }
}

/// Collects the builds of the projects.
pub(super) async fn builds(
    run: &Run<'_>,
    account: &Account,
    place: &Place,
    projects: &[String],
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Builds)?;
    let mut whole = true;
    for project in projects {
        let done = builds_of(run, &client, &scope, project).await;
        whole &= run.part(&scope, project, done)?;
    }
    run.end(&scope, whole, run.oldest_kept())
}

async fn builds_of(
    run: &Run<'_>,
    client: &Client,
    scope: &Scope,
    project: &str,
) -> Result<(), Failure> {
    let place = &scope.place;
    let listing = run.ledger().listing(scope, project)?;
    let open = run.ledger().open_builds(&listing)?;
    for ids in open.chunks(BATCH) {
        let (builds, gone) = batch(run, client, place, ids).await?;
        run.read(scope, builds.len());
        run.ledger().keep_again(&listing, &builds)?;
        run.ledger().builds_gone(&listing, &gone)?;
    }
    let fetch = async |listing: &Listing, token: Option<String>| {
        // No order is asked for: AWS answers the newest first, and fails for long lists otherwise.
        let request = client
            .list_builds_for_project()
            .project_name(project)
            .set_next_token(token);
        let answer = run
            .ask(place, Operation::ListBuildsForProject, request.send())
            .await?;
        let (unknown, known) = run.ledger().unknown_builds(listing, answer.ids())?;
        let mut page = Page {
            span: known,
            next: answer.next_token,
            ..Page::default()
        };
        for ids in unknown.chunks(BATCH) {
            let (builds, _) = batch(run, client, place, ids).await?;
            for fact in &builds {
                if let Fact::Build(_, build) = fact {
                    page.saw(build.submitted.timestamp_millis());
                }
            }
            page.facts.extend(builds);
        }
        Ok(page)
    };
    newest_first(run, scope, project, Operation::ListBuildsForProject, fetch).await
}

/// Fetches builds by id. Returns them, and the ids that AWS no longer has.
async fn batch(
    run: &Run<'_>,
    client: &Client,
    place: &Place,
    ids: &[String],
) -> Result<(Vec<Fact>, Vec<String>), Failure> {
    let request = client.batch_get_builds().set_ids(Some(ids.to_vec()));
    let answer = run
        .ask(place, Operation::BatchGetBuilds, request.send())
        .await?;
    let builds = answer.builds().iter().filter_map(build_from_sdk).collect();
    Ok((builds, answer.builds_not_found.unwrap_or_default()))
}

/// Translates a build. Environment, source, logs and artifacts stay behind.
fn build_from_sdk(build: &SdkBuild) -> Option<Fact> {
    let environment = build.environment()?;
    let provisioning = build
        .phases()
        .iter()
        .find(|phase| phase.phase_type() == Some(&BuildPhaseType::Provisioning));
    let fact = Build {
        project: build.project_name()?.to_owned(),
        submitted: time(build.start_time())?,
        provisioned: provisioning.and_then(|phase| time(phase.start_time())),
        ended: time(build.end_time()).filter(|_| build.build_complete()),
        compute: format!(
            "{}/{}",
            word(environment.r#type().as_str()),
            word(environment.compute_type().as_str())
        ),
        fleet: environment
            .fleet()
            .and_then(|fleet| fleet.fleet_arn())
            .map(str::to_owned),
        pipeline: build
            .initiator()
            .and_then(|initiator| initiator.strip_prefix("codepipeline/"))
            .map(str::to_owned),
        status: build.build_status().map(|status| word(status.as_str())),
    };
    Some(Fact::Build(build.id()?.to_owned(), fact))
}

/// Looks at the reserved fleets.
pub(super) async fn fleets(run: &Run<'_>, account: &Account, place: &Place) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Fleets)?;
    let mut tokens = Tokens::default();
    let mut token = None;
    loop {
        let request = client.list_fleets().set_next_token(token);
        let answer = run
            .ask(place, Operation::ListFleets, request.send())
            .await?;
        for arns in answer.fleets().chunks(BATCH) {
            let request = client.batch_get_fleets().set_names(Some(arns.to_vec()));
            let answer = run
                .ask(place, Operation::BatchGetFleets, request.send())
                .await?;
            let seen: Vec<FleetSeen> = answer
                .fleets()
                .iter()
                .filter_map(|fleet| fleet_from_sdk(run, fleet))
                .collect();
            run.read(&scope, seen.len());
            run.ledger().keep_fleets(place, &seen)?;
        }
        token = tokens.next(Operation::ListFleets, answer.next_token)?;
        if token.is_none() {
            break;
        }
    }
    run.end(&scope, true, run.today())
}

/// Translates a fleet.
fn fleet_from_sdk(run: &Run<'_>, fleet: &Fleet) -> Option<FleetSeen> {
    let scaled = fleet
        .scaling_configuration()
        .and_then(ScalingConfigurationOutput::desired_capacity);
    let machines = scaled.or(fleet.base_capacity())?;
    Some(FleetSeen {
        arn: fleet.arn()?.to_owned(),
        seen: run.now(),
        created: time(fleet.created()),
        since: time(fleet.last_modified()).or_else(|| time(fleet.created())),
        machines: u32::try_from(machines).ok()?,
        compute: format!(
            "{}/{}",
            word(fleet.environment_type()?.as_str()),
            word(fleet.compute_type()?.as_str())
        ),
        overflows: fleet.overflow_behavior() == Some(&FleetOverflowBehavior::OnDemand),
    })
}
