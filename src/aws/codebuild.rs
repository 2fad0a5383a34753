//! `CodeBuild`: projects, builds, sandboxes, reserved fleets. Builds carry environment variables; only
//! the fields named in the translations here go any further.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashSet},
};

use aws_sdk_codebuild::{
    Client,
    types::{
        Build as SdkBuild, BuildPhaseType, Fleet, FleetOverflowBehavior, MachineType,
        Sandbox as SdkSandbox, ScalingConfigurationOutput,
    },
};

use super::{
    accounts::Account,
    error::Failure,
    listing::{OVERLAP, Page, newest_first},
    operations::Operation,
    pages::Pages,
    run::Run,
    time, word,
};
use crate::{
    domain::{
        collection::{Scope, Source},
        metering::from_events::{AccountRegion, Build, FleetSeen, Sandbox, StartedBy},
    },
    ledger::{Fact, Listing},
};

/// As many as AWS takes in one request.
pub(super) const BATCH: usize = 100;

/// Lists the projects of a place.
pub(super) async fn projects(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
) -> Result<Vec<String>, Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let mut pages = Pages::default();
    let mut projects = Vec::new();
    loop {
        let request = client.list_projects().set_next_token(pages.token());
        let answer = run
            .ask_page(place, Operation::ListProjects, &pages, request.send())
            .await?;
        projects.extend(answer.projects.unwrap_or_default());
        if !pages.turn(Operation::ListProjects, answer.next_token)? {
            return Ok(projects);
        }
    }
}

/// Collects the builds of the projects, and those of projects that are no more.
pub(super) async fn builds(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
    projects: &[String],
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Builds)?;
    let open = run.ledger().open_builds(&scope)?;
    let everything = run.ledger().listing(&scope, "")?;
    for ids in open.chunks(BATCH) {
        let (builds, gone) = batch(run, &client, place, ids).await?;
        run.read(&scope, builds.len());
        run.ledger().keep_again(&everything, &builds)?;
        run.ledger().builds_gone(&scope, &gone)?;
    }
    let mut whole = true;
    for project in projects {
        let done = builds_of(run, &client, &scope, project).await;
        whole &= run.part(&scope, project, done)?;
    }
    let done = builds_of_deleted_projects(run, &client, &scope, projects).await;
    let part = "projects that were deleted";
    whole &= match done {
        // A policy from before they were looked for allows the rest.
        Err(Failure::Denied(denial)) if denial.operation == Operation::ListBuilds => {
            run.miss(&scope, part, &Failure::Denied(denial))?;
            false
        }
        done => run.part(&scope, part, done)?,
    };
    run.end(&scope, whole, run.oldest_kept())
}

async fn builds_of(
    run: &Run<'_>,
    client: &Client,
    scope: &Scope,
    project: &str,
) -> Result<(), Failure> {
    let place = &scope.place;
    let fetch = async |_: &Listing, pages: &Pages| {
        // No order is asked for: AWS answers the newest first, and refuses an order beside a token.
        let request = client
            .list_builds_for_project()
            .project_name(project)
            .set_next_token(pages.token());
        let operation = Operation::ListBuildsForProject;
        let answer = run
            .ask_page(place, operation, pages, request.send())
            .await?;
        let (page, _) = page(run, client, scope, answer.ids(), |_| true).await?;
        Ok(Page {
            next: answer.next_token,
            ..page
        })
    };
    newest_first(run, scope, project, Operation::ListBuildsForProject, fetch).await
}

/// Collects the builds that no project lists any more, from the list of all builds.
///
/// AWS documents that list to be ordered by id, and ids are no times; it may come newest first all
/// the same. So its order is looked at: it is read to its end unless the known times fall. None is
/// asked for: the sister call refuses an order beside a token, and pages of two orders lose builds.
async fn builds_of_deleted_projects(
    run: &Run<'_>,
    client: &Client,
    scope: &Scope,
    projects: &[String],
) -> Result<(), Failure> {
    let place = &scope.place;
    let projects: HashSet<&str> = projects.iter().map(String::as_str).collect();
    let is_deleted = |id: &str| {
        let project = id.split_once(':').map_or(id, |(project, _)| project);
        !projects.contains(project)
    };
    let order = Order::default();
    let fetch = async |_: &Listing, pages: &Pages| {
        let request = client.list_builds().set_next_token(pages.token());
        let operation = Operation::ListBuilds;
        let answer = run
            .ask_page(place, operation, pages, request.send())
            .await?;
        let (page, times) = page(run, client, scope, answer.ids(), is_deleted).await?;
        if pages.number() == 1 {
            order.begin();
        }
        for at in answer.ids().iter().filter_map(|id| times.get(id)) {
            order.next(*at);
        }
        Ok(Page {
            next: answer.next_token,
            unordered: !order.falls(),
            ..page
        })
    };
    newest_first(run, scope, "", Operation::ListBuilds, fetch).await
}

/// Looks whether times come from the newest to the oldest, give or take the overlap.
#[derive(Default)]
struct Order {
    lowest: Cell<Option<i64>>,
    rises: Cell<bool>,
}

impl Order {
    fn begin(&self) {
        self.lowest.set(None);
        self.rises.set(false);
    }

    fn next(&self, at: i64) {
        let lowest = self.lowest.get().map_or(at, |lowest| lowest.min(at));
        self.rises.set(self.rises.get() || at > lowest + OVERLAP);
        self.lowest.set(Some(lowest));
    }

    fn falls(&self) -> bool {
        self.lowest.get().is_some() && !self.rises.get()
    }
}

/// Fetches those builds of a page that are wanted and not known to have ended. Returns with them
/// when the builds of the page were submitted, as far as that is known.
async fn page(
    run: &Run<'_>,
    client: &Client,
    scope: &Scope,
    ids: &[String],
    is_wanted: impl Fn(&str) -> bool,
) -> Result<(Page, BTreeMap<String, i64>), Failure> {
    let known = run.ledger().known_builds(scope, ids)?;
    let has_ended = |id: &String| known.get(id).is_some_and(|(_, ended)| *ended);
    let unknown = ids.iter().filter(|id| is_wanted(id) && !has_ended(id));
    let unknown: Vec<String> = unknown.cloned().collect();
    let mut times: BTreeMap<String, i64> =
        known.into_iter().map(|(id, (at, _))| (id, at)).collect();
    let mut page = Page::default();
    for ids in unknown.chunks(BATCH) {
        let (builds, _) = batch(run, client, &scope.place, ids).await?;
        for fact in &builds {
            if let Fact::Build(id, build) = fact {
                times.insert(id.clone(), build.submitted.timestamp_millis());
            }
        }
        page.facts.extend(builds);
    }
    for at in times.values() {
        page.saw(*at);
    }
    Ok((page, times))
}

/// Fetches builds by id. Returns them, and the ids that AWS no longer has.
async fn batch(
    run: &Run<'_>,
    client: &Client,
    place: &AccountRegion,
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
        docker_server: environment.docker_server().is_some(),
        status: build.build_status().map(|status| word(status.as_str())),
        started_by: build.initiator().map(StartedBy::of_initiator),
        auto_retry: build
            .auto_retry_config()
            .and_then(|retry| retry.auto_retry_number())
            .is_some_and(|number| number > 0),
    };
    Some(Fact::Build(build.id()?.to_owned(), fact))
}

/// Collects the sandboxes.
pub(super) async fn sandboxes(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Sandboxes)?;
    let listing = run.ledger().listing(&scope, "")?;
    let mut pages = Pages::default();
    loop {
        let request = client.list_sandboxes().set_next_token(pages.token());
        let answer = run
            .ask_page(place, Operation::ListSandboxes, &pages, request.send())
            .await?;
        let unknown = run.ledger().unknown_sandboxes(&listing, answer.ids())?;
        for ids in unknown.chunks(BATCH) {
            let request = client.batch_get_sandboxes().set_ids(Some(ids.to_vec()));
            let answer = run
                .ask(place, Operation::BatchGetSandboxes, request.send())
                .await?;
            let found = answer.sandboxes().iter().filter_map(sandbox_from_sdk);
            let found: Vec<Fact> = found.collect();
            run.read(&scope, found.len());
            run.ledger().keep_again(&listing, &found)?;
        }
        if !pages.turn(Operation::ListSandboxes, answer.next_token)? {
            return run.end(&scope, true, run.oldest_kept());
        }
    }
}

/// Translates a sandbox. Environment, source and sessions stay behind.
fn sandbox_from_sdk(sandbox: &SdkSandbox) -> Option<Fact> {
    let fleet = sandbox.environment().and_then(|it| it.fleet());
    let fact = Sandbox {
        project: sandbox.project_name()?.to_owned(),
        began: time(sandbox.start_time()).or_else(|| time(sandbox.request_time()))?,
        ended: time(sandbox.end_time()),
        fleet: fleet.and_then(|fleet| fleet.fleet_arn()).map(str::to_owned),
    };
    Some(Fact::Sandbox(sandbox.id()?.to_owned(), fact))
}

/// Looks at the reserved fleets.
pub(super) async fn fleets(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Fleets)?;
    let mut pages = Pages::default();
    loop {
        let request = client.list_fleets().set_next_token(pages.token());
        let answer = run
            .ask_page(place, Operation::ListFleets, &pages, request.send())
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
        if !pages.turn(Operation::ListFleets, answer.next_token)? {
            break;
        }
    }
    run.end(&scope, true, run.today())
}

/// Describes the machines of a fleet: their kind, their size, and what is stated of those without a
/// named size, as `LINUX_EC2/ATTRIBUTE_BASED_COMPUTE/8cpu.16gib.nvme`.
fn machine(fleet: &Fleet) -> Option<String> {
    let kind = word(fleet.environment_type()?.as_str());
    let size = word(fleet.compute_type()?.as_str());
    let stated = fleet.compute_configuration().map(|stated| {
        if let Some(instance) = stated.instance_type() {
            return word(instance);
        }
        let number = |number: Option<i64>| number.filter(|n| *n > 0).unwrap_or_default();
        let (processors, memory) = (number(stated.v_cpu()), number(stated.memory()));
        let nvme = match stated.machine_type() {
            Some(MachineType::Nvme) => ".nvme",
            _ => "",
        };
        format!("{processors}cpu.{memory}gib{nvme}")
    });
    Some(match stated {
        Some(stated) => format!("{kind}/{size}/{stated}"),
        None => format!("{kind}/{size}"),
    })
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
        compute: machine(fleet)?,
        overflows: fleet.overflow_behavior() == Some(&FleetOverflowBehavior::OnDemand),
    })
}
