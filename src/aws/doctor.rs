//! Trying each permission with its cheapest call: what a collection would miss, before it does.

use aws_sdk_costexplorer::types::{DateInterval, Granularity};
use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::Decimal;

use super::{
    CollectError, Request, Watch, accounts::Account, cloudwatch, cost_explorer, denial::named,
    error::Failure, expected, operations::Operation, price_query, run::Run,
};
use crate::{
    domain::{
        catalog::Catalog, collection::Check, ids::Region, metering::from_events::AccountRegion,
        number::parse_decimal, services::CODEBUILD,
    },
    ledger::Ledger,
};

/// A name that no project and no pipeline has.
const NOBODY: &str = "pipebill-doctor";

/// A deployment that nobody made.
const NO_DEPLOYMENT: &str = "d-000000000";

fn well(what: impl Into<String>, found: impl Into<String>) -> Check {
    Check {
        what: what.into(),
        found: Ok(found.into()),
        remedy: None,
    }
}

/// Tries everything that a collection would call, in the first region. Costs one request to Cost
/// Explorer if that is among it.
pub fn doctor(
    request: &Request,
    catalog: &Catalog,
    watch: &dyn Watch,
) -> Result<Vec<Check>, CollectError> {
    let mut ledger = Ledger::in_memory()?;
    Run::with(request, catalog, &mut ledger, watch, async |run| {
        examine(run, request).await
    })
}

async fn examine(run: &Run<'_>, request: &Request) -> Result<Vec<Check>, CollectError> {
    let mut checks = Vec::new();
    let accounts = run.accounts().await?;
    for account in &accounts {
        let region = run.regions(account)?.into_iter().next();
        let region = region.unwrap_or_else(|| Region::new("us-east-1"));
        checks.push(well("credentials", format!("account {}", account.id)));
        checks.push(well("region", region.as_str()));
        checks.push(clock(run.seconds_ahead()));
        let place = AccountRegion {
            account: account.id.clone(),
            region,
        };
        for operation in request.choice.operations() {
            if operation == Operation::AssumeRole {
                // The accounts behind the roles are open, or are named as missing.
                continue;
            }
            let tried = try_out(run, account, &place, operation).await;
            checks.push(check(operation, tried)?);
        }
    }
    for missing in run.take_missing() {
        checks.push(Check {
            what: format!("account {}", missing.scope.place.account),
            found: Err(missing.reason),
            remedy: missing.remedy,
        });
    }
    Ok(checks)
}

/// AWS refuses signatures that are five minutes off.
fn clock(ahead: Option<i64>) -> Check {
    let found = match ahead {
        None => "AWS accepts the signature: right to five minutes".to_owned(),
        Some(-5..=5) => "right to five seconds".to_owned(),
        Some(seconds) if seconds > 0 => {
            format!("{seconds} s ahead; AWS accepts up to five minutes")
        }
        Some(seconds) => format!("{} s behind; AWS accepts up to five minutes", -seconds),
    };
    well("clock", found)
}

/// Says how far back AWS keeps what an operation lists.
fn kept(operation: Operation) -> &'static str {
    match operation {
        Operation::ListBuilds | Operation::ListBuildsForProject => "allowed; kept for a year",
        Operation::ListPipelineExecutions | Operation::ListActionExecutions => {
            "allowed; kept for twelve months"
        }
        Operation::LookupEvents => "allowed; kept for 90 days",
        _ => "allowed",
    }
}

fn check(
    operation: Operation,
    tried: Result<Option<String>, Failure>,
) -> Result<Check, CollectError> {
    let what = operation.action().to_owned();
    let allowed = || Ok(kept(operation).to_owned());
    let (found, remedy) = match tried {
        Ok(found) => (found.map_or_else(allowed, Ok), None),
        // There is no such thing: but it was allowed to look.
        Err(Failure::Gone(_)) => (allowed(), None),
        Err(Failure::Fatal(error)) => return Err(error),
        Err(Failure::Denied(denial)) if denial.operation == operation => {
            let denied = format!("denied{}", named(denial.cause.as_ref()));
            (Err(denied), Some(denial.remedy()))
        }
        Err(failure) => (Err(failure.to_string()), failure.remedy()),
    };
    Ok(Check {
        what,
        found,
        remedy,
    })
}

async fn try_out(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
    operation: Operation,
) -> Result<Option<String>, Failure> {
    let config = account.in_region(&place.region);
    let builds = || aws_sdk_codebuild::Client::new(&config);
    let pipelines = || aws_sdk_codepipeline::Client::new(&config);
    let deployments = || aws_sdk_codedeploy::Client::new(&config);
    let nobody = format!("{NOBODY}:00000000-0000-0000-0000-000000000000");
    macro_rules! ask {
        ($request:expr) => {
            run.ask(place, operation, $request.send())
                .await
                .map(|_| None)
        };
    }
    match operation {
        Operation::GetCostAndUsage => oldest_cost(run, account).await.map(Some),
        Operation::ListProjects => ask!(builds().list_projects()),
        Operation::BatchGetProjects => ask!(builds().batch_get_projects().names(NOBODY)),
        Operation::ListBuildsForProject => {
            ask!(builds().list_builds_for_project().project_name(NOBODY))
        }
        Operation::ListBuilds => ask!(builds().list_builds()),
        Operation::ListSandboxes => ask!(builds().list_sandboxes().max_results(1)),
        Operation::BatchGetSandboxes => ask!(builds().batch_get_sandboxes().ids(nobody)),
        Operation::BatchGetBuilds => ask!(builds().batch_get_builds().ids(nobody)),
        Operation::ListFleets => ask!(builds().list_fleets().max_results(1)),
        Operation::BatchGetFleets => ask!(builds().batch_get_fleets().names(NOBODY)),
        Operation::ListPipelines => ask!(pipelines().list_pipelines().max_results(1)),
        Operation::ListPipelineExecutions => {
            ask!(pipelines().list_pipeline_executions().pipeline_name(NOBODY))
        }
        Operation::ListActionExecutions => {
            ask!(pipelines().list_action_executions().pipeline_name(NOBODY))
        }
        Operation::ListDeployments => ask!(deployments().list_deployments()),
        Operation::BatchGetDeployments => {
            ask!(
                deployments()
                    .batch_get_deployments()
                    .deployment_ids(NO_DEPLOYMENT)
            )
        }
        Operation::ListDeploymentTargets => {
            ask!(
                deployments()
                    .list_deployment_targets()
                    .deployment_id(NO_DEPLOYMENT)
            )
        }
        Operation::BatchGetDeploymentTargets => ask!(
            deployments()
                .batch_get_deployment_targets()
                .deployment_id(NO_DEPLOYMENT)
                .target_ids(NOBODY)
        ),
        Operation::LookupEvents => {
            let client = aws_sdk_cloudtrail::Client::new(&config);
            ask!(client.lookup_events().max_results(1))
        }
        Operation::ListRepositories => {
            let client = aws_sdk_codecommit::Client::new(&config);
            ask!(client.list_repositories())
        }
        Operation::ListAccounts => {
            let client = aws_sdk_organizations::Client::new(&config);
            ask!(client.list_accounts().max_results(1))
        }
        Operation::GetCostForecast => match expected::try_out(run, account).await {
            Ok(()) => Ok(None),
            Err(young @ Failure::TooYoung) => Ok(Some(format!("allowed; {young}"))),
            Err(other) => Err(other),
        },
        Operation::GetMetricData => cloudwatch::try_out(run, account, place, NOBODY)
            .await
            .map(|()| None),
        Operation::GetProducts => {
            let region = price_query::endpoint(&account.partition);
            let client = aws_sdk_pricing::Client::new(&account.in_region(&region));
            ask!(client.get_products().service_code(CODEBUILD).max_results(1))
        }
        // Granted to everyone, tried by its use, or no part of a collection.
        _ => Ok(None),
    }
}

/// Asks for a year of monthly sums: one request, and the first month with costs is how far back
/// there is anything.
async fn oldest_cost(run: &Run<'_>, account: &Account) -> Result<String, Failure> {
    let place = AccountRegion {
        account: account.id.clone(),
        region: cost_explorer::region(&account.partition),
    };
    let client = aws_sdk_costexplorer::Client::new(&account.in_region(&place.region));
    let this_month = run.today().with_day(1).unwrap_or(run.today());
    let first: NaiveDate = this_month - Months::new(12);
    let days = DateInterval::builder()
        .start(first.to_string())
        .end(
            run.today()
                .max(this_month.succ_opt().unwrap_or(this_month))
                .to_string(),
        )
        .build()
        .expect("both days are set");
    run.spend()?;
    let request = client
        .get_cost_and_usage()
        .time_period(days)
        .granularity(Granularity::Monthly)
        .metrics("UnblendedCost");
    let answer = run
        .ask(&place, Operation::GetCostAndUsage, request.send())
        .await?;
    let has_cost = |amount: &str| parse_decimal(amount).is_ok_and(|cost| cost != Decimal::ZERO);
    let oldest = answer.results_by_time().iter().find(|month| {
        let cost = month.total().and_then(|total| total.get("UnblendedCost"));
        cost.and_then(|cost| cost.amount()).is_some_and(has_cost)
    });
    Ok(match oldest.and_then(|month| month.time_period()) {
        Some(period) => format!("allowed; costs from {} on", period.start()),
        None => "allowed; no costs in the last twelve months".to_owned(),
    })
}
