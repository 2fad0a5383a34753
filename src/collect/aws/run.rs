//! A collection from beginning to end: who is asked, what it will take, then source by source. What
//! is out of reach becomes a gap with a name, and the others go on.

use std::{
    cell::{Cell, RefCell, RefMut},
    collections::BTreeMap,
    error::Error as StdError,
    rc::Rc,
};

use aws_config::SdkConfig;
use aws_sdk_sts::Client as Sts;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use chrono::{DateTime, Days, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::{
    Announcement, CollectError, Outcome, Request, Role, Watch, clients, cloudtrail, codebuild,
    codecommit, codedeploy, codepipeline, cost_explorer,
    error::Failure,
    limits::Bucket,
    operations::{Operation, Service},
    organizations,
};
use crate::{
    domain::{
        catalog::{Catalog, Lookup},
        ids::{AccountId, Meter, Region},
        metering::observed::{Pipeline, Place},
        money::Money,
        tariff::Rate,
    },
    ledger::{Covered, Ledger, NotCollected, Scope, Source},
};

/// CloudTrail answers two lookups a second, to everyone in an account and region together.
const LOOKUPS_A_SECOND: u32 = 2;

/// An account that is asked.
pub(super) struct Account {
    pub(super) id: AccountId,
    pub(super) partition: String,
    /// Others are asked too, so that it speaks for itself only.
    pub(super) is_one_of_several: bool,
    config: SdkConfig,
}

impl Account {
    pub(super) fn in_region(&self, region: &Region) -> SdkConfig {
        clients::in_region(&self.config, region)
    }
}

/// Buckets by account, region and service.
type Buckets = BTreeMap<(Place, &'static str), Rc<Bucket>>;

/// A collection that is going on.
pub(super) struct Run<'r> {
    request: &'r Request,
    catalog: &'r Catalog,
    ledger: RefCell<&'r mut Ledger>,
    watch: &'r dyn Watch,
    buckets: RefCell<Buckets>,
    calls: RefCell<BTreeMap<Operation, u64>>,
    paid_calls: Cell<u64>,
    /// Of one paid call.
    price: Decimal,
    read: RefCell<BTreeMap<Scope, u64>>,
    missing: RefCell<Vec<NotCollected>>,
    notes: RefCell<Vec<String>>,
    has_faults: Cell<bool>,
}

/// What a place has, before its usage is read.
struct Inventory {
    place: Place,
    projects: Option<Vec<String>>,
    pipelines: Option<Vec<Pipeline>>,
}

/// Collects usage into the ledger.
pub fn collect(
    request: &Request,
    catalog: &Catalog,
    ledger: &mut Ledger,
    watch: &dyn Watch,
) -> Result<Outcome, CollectError> {
    let mut outcome = Outcome::default();
    Run::with(request, catalog, ledger, watch, async |run| {
        outcome.announcement = Box::pin(run.everything()).await?;
        outcome.read = run.read.borrow().clone().into_iter().collect();
        outcome.calls = run.calls.borrow().clone().into_iter().collect();
        outcome.cost = Money::of(Decimal::from(run.paid_calls.get()), run.price);
        outcome.missing = run.take_missing();
        outcome.notes = run.notes.take();
        outcome.has_faults = run.has_faults.get();
        Ok(())
    })?;
    Ok(outcome)
}

/// Cost Explorer's requests have a price of their own.
fn price_of_a_request(catalog: &Catalog, today: NaiveDate) -> Decimal {
    let listed = catalog.service("AWSCostExplorer").and_then(|service| {
        let meter = Meter::new(service.code.as_str(), "APIRequest");
        match catalog.lookup(&meter, &Region::new("us-east-1"), today) {
            Lookup::Found(tariff) => match tariff.rate {
                Rate::PerUnit(price) => Some(price),
                _ => None,
            },
            _ => None,
        }
    });
    listed.unwrap_or_else(|| Decimal::new(1, 2))
}

impl<'r> Run<'r> {
    /// Does something in a runtime of its own, which ends with it.
    pub(super) fn with<T>(
        request: &'r Request,
        catalog: &'r Catalog,
        ledger: &'r mut Ledger,
        watch: &'r dyn Watch,
        work: impl AsyncFnOnce(&Self) -> Result<T, CollectError>,
    ) -> Result<T, CollectError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CollectError::Runtime)?;
        let run = Self {
            request,
            catalog,
            ledger: RefCell::new(ledger),
            watch,
            buckets: RefCell::default(),
            calls: RefCell::default(),
            paid_calls: Cell::new(0),
            price: price_of_a_request(catalog, request.now.date_naive()),
            read: RefCell::default(),
            missing: RefCell::default(),
            notes: RefCell::default(),
            has_faults: Cell::new(false),
        };
        runtime.block_on(work(&run))
    }
}

impl Run<'_> {
    pub(super) fn ledger(&self) -> RefMut<'_, Ledger> {
        // It is never held over an await.
        RefMut::map(self.ledger.borrow_mut(), |ledger| &mut **ledger)
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.catalog
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.request.now
    }

    pub(super) fn today(&self) -> NaiveDate {
        self.request.now.date_naive()
    }

    pub(super) fn days(&self) -> (NaiveDate, NaiveDate) {
        (self.request.from, self.request.to)
    }

    pub(super) fn first_millisecond(&self) -> i64 {
        self.request
            .from
            .and_hms_opt(0, 0, 0)
            .expect("midnight exists")
            .and_utc()
            .timestamp_millis()
    }

    /// Returns the first day that AWS still has builds and runs of: both are kept for a year.
    pub(super) fn oldest_kept(&self) -> NaiveDate {
        self.request.from.max(self.today() - Days::new(365))
    }

    /// Sends a request when it is its turn, and says what an error means.
    pub(super) async fn ask<T, E>(
        &self,
        place: &Place,
        operation: Operation,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        if self.watch.stopped() {
            return Err(CollectError::Stopped.into());
        }
        self.bucket(place, operation).take().await;
        *self.calls.borrow_mut().entry(operation).or_default() += 1;
        send.await.map_err(|error| Failure::of(operation, &error))
    }

    fn bucket(&self, place: &Place, operation: Operation) -> Rc<Bucket> {
        let service = operation.action().split(':').next().unwrap_or_default();
        let rate = match operation {
            Operation::LookupEvents => self.request.rate.min(LOOKUPS_A_SECOND),
            _ => self.request.rate,
        };
        let mut buckets = self.buckets.borrow_mut();
        buckets
            .entry((place.clone(), service))
            .or_insert_with(|| Rc::new(Bucket::new(rate, rate)))
            .clone()
    }

    /// Takes the price of a request out of what may be spent.
    pub(super) fn spend(&self) -> Result<(), Failure> {
        let calls = self.paid_calls.get() + 1;
        if let Some(most) = self.request.max_api_cost
            && Decimal::from(calls) * self.price > most
        {
            return Err(Failure::TooDear);
        }
        self.paid_calls.set(calls);
        Ok(())
    }

    /// Counts what was read.
    pub(super) fn read(&self, scope: &Scope, things: usize) {
        let mut read = self.read.borrow_mut();
        let count = read.entry(scope.clone()).or_default();
        *count += things as u64;
        let calls = self.calls.borrow().values().sum();
        self.watch.progress(scope, *count, calls);
    }

    /// Begins to collect a source: what was missing of it may no longer be.
    pub(super) fn begin(&self, place: &Place, source: Source) -> Result<Scope, Failure> {
        let scope = Scope {
            place: place.clone(),
            source,
        };
        self.ledger().begin_source(&scope)?;
        self.read.borrow_mut().entry(scope.clone()).or_default();
        Ok(scope)
    }

    /// Notes how a part of a source went. Returns whether it is whole; what concerns all parts
    /// ends the source.
    pub(super) fn part(
        &self,
        scope: &Scope,
        part: &str,
        done: Result<(), Failure>,
    ) -> Result<bool, Failure> {
        match done {
            // What is gone was deleted after it was listed.
            Ok(()) | Err(Failure::Gone(_)) => Ok(true),
            Err(failure) if failure.is_fault() => {
                self.miss(scope, part, &failure)?;
                Ok(false)
            }
            Err(other) => Err(other),
        }
    }

    /// Ends a source. Only a whole one speaks for its days.
    pub(super) fn end(
        &self,
        scope: &Scope,
        is_whole: bool,
        first: NaiveDate,
    ) -> Result<(), Failure> {
        if is_whole {
            self.ledger().cover(&Covered {
                scope: scope.clone(),
                first,
                // Today goes on.
                last: self.today().pred_opt().unwrap_or(first),
            })?;
        }
        Ok(())
    }

    pub(super) fn miss(
        &self,
        scope: &Scope,
        part: &str,
        failure: &Failure,
    ) -> Result<(), CollectError> {
        if failure.is_fault() {
            self.has_faults.set(true);
        }
        let missing = NotCollected {
            scope: scope.clone(),
            part: part.to_owned(),
            reason: failure.to_string(),
        };
        self.ledger().keep_missing(&missing)?;
        self.missing.borrow_mut().push(missing);
        Ok(())
    }

    /// Notes how a whole source went; only what concerns every source goes further.
    fn settle(
        &self,
        place: &Place,
        source: Source,
        done: Result<(), Failure>,
    ) -> Result<(), CollectError> {
        let failure = match done {
            Ok(()) => return Ok(()),
            Err(Failure::Fatal(error)) => return Err(error),
            Err(failure) => failure,
        };
        if matches!(failure, Failure::RegionOff) && self.request.login.all_regions {
            let note = format!("{} is not enabled for {}.", place.region, place.account);
            let mut notes = self.notes.borrow_mut();
            if !notes.contains(&note) {
                notes.push(note);
            }
            return Ok(());
        }
        let scope = Scope {
            place: place.clone(),
            source,
        };
        self.ledger().begin_source(&scope)?;
        self.miss(&scope, "", &failure)
    }

    /// Hands over what could not be collected.
    pub(super) fn take_missing(&self) -> Vec<NotCollected> {
        self.missing.take()
    }

    async fn everything(&self) -> Result<Announcement, CollectError> {
        let accounts = self.accounts().await?;
        let mut inventories = Vec::new();
        for account in &accounts {
            for region in self.regions(account)? {
                let place = Place {
                    account: account.id.clone(),
                    region,
                };
                inventories.push((account, self.inventory(account, place).await?));
            }
        }
        let announcement = self.announcement(&accounts, &inventories)?;
        self.watch.announce(&announcement);
        if self.request.dry_run {
            return Ok(announcement);
        }
        let choice = &self.request.choice;
        for account in &accounts {
            if choice.has(Service::CostExplorer) && self.has_own_costs(account) {
                let place = Place {
                    account: account.id.clone(),
                    region: Region::global(),
                };
                let done = cost_explorer::collect(self, account).await;
                self.settle(&place, Source::CostExplorer, done)?;
            }
        }
        for (account, inventory) in &inventories {
            let (builds, pipelines, deployments, others) = tokio::join!(
                self.builds(account, inventory),
                self.pipelines(account, inventory),
                self.deployments(account, &inventory.place),
                self.others(account, &inventory.place),
            );
            builds.and(pipelines).and(deployments).and(others)?;
        }
        Ok(announcement)
    }

    /// The account that pays for an organization speaks for all of it.
    fn has_own_costs(&self, account: &Account) -> bool {
        self.request.login.organization_role.is_none() || !account.is_one_of_several
    }

    async fn builds(&self, account: &Account, inventory: &Inventory) -> Result<(), CollectError> {
        let place = &inventory.place;
        if let Some(projects) = &inventory.projects {
            let done = codebuild::builds(self, account, place, projects).await;
            self.settle(place, Source::Builds, done)?;
            let done = codebuild::fleets(self, account, place).await;
            self.settle(place, Source::Fleets, done)?;
        }
        Ok(())
    }

    async fn pipelines(
        &self,
        account: &Account,
        inventory: &Inventory,
    ) -> Result<(), CollectError> {
        let place = &inventory.place;
        if let Some(pipelines) = &inventory.pipelines {
            self.ledger().keep_pipelines(place, pipelines)?;
            let done = codepipeline::executions(self, account, place, pipelines).await;
            self.settle(place, Source::Pipelines, done)?;
            if self.request.choice.deep {
                let done = codepipeline::actions(self, account, place, pipelines).await;
                self.settle(place, Source::Actions, done)?;
            }
        }
        Ok(())
    }

    async fn deployments(&self, account: &Account, place: &Place) -> Result<(), CollectError> {
        if self.request.choice.has(Service::CodeDeploy) {
            let done = codedeploy::deployments(self, account, place).await;
            self.settle(place, Source::Deployments, done)?;
        }
        Ok(())
    }

    async fn others(&self, account: &Account, place: &Place) -> Result<(), CollectError> {
        let choice = &self.request.choice;
        if choice.deep && choice.has(Service::CloudTrail) {
            let done = cloudtrail::identities(self, account, place).await;
            self.settle(place, Source::Identities, done)?;
        }
        if choice.has(Service::CodeCommit) {
            let done = codecommit::repositories(self, account, place).await;
            self.settle(place, Source::Repositories, done)?;
        }
        Ok(())
    }

    async fn inventory(&self, account: &Account, place: Place) -> Result<Inventory, CollectError> {
        let choice = &self.request.choice;
        let mut inventory = Inventory {
            place,
            projects: None,
            pipelines: None,
        };
        let place = &inventory.place;
        if choice.has(Service::CodeBuild) {
            match codebuild::projects(self, account, place).await {
                Ok(projects) => inventory.projects = Some(projects),
                Err(failure) => self.settle(place, Source::Builds, Err(failure))?,
            }
        }
        if choice.has(Service::CodePipeline) {
            match codepipeline::pipelines(self, account, place).await {
                Ok(pipelines) => inventory.pipelines = Some(pipelines),
                Err(failure) => self.settle(place, Source::Pipelines, Err(failure))?,
            }
        }
        Ok(inventory)
    }

    fn announcement(
        &self,
        accounts: &[Account],
        inventories: &[(&Account, Inventory)],
    ) -> Result<Announcement, CollectError> {
        let choice = &self.request.choice;
        let mut plan = Announcement {
            accounts: accounts.len() as u64,
            places: inventories.len() as u64,
            ..Announcement::default()
        };
        if choice.has(Service::CostExplorer) {
            for account in accounts
                .iter()
                .filter(|account| self.has_own_costs(account))
            {
                let months = cost_explorer::open_months(self, account)?.len() as u64;
                plan.paid_calls += months * cost_explorer::REQUESTS_A_MONTH;
            }
        }
        plan.calls = plan.paid_calls;
        let days = (self.request.to - self.request.from).num_days();
        let months = days.max(0).cast_unsigned() / 31 + 1;
        for (_, inventory) in inventories {
            if let Some(projects) = &inventory.projects {
                plan.projects += projects.len() as u64;
                // A page of ids and the builds behind it; and the fleets.
                plan.calls += 2 * projects.len() as u64 + 1;
            }
            if let Some(pipelines) = &inventory.pipelines {
                plan.pipelines += pipelines.len() as u64;
                plan.calls += pipelines.len() as u64;
                if choice.deep {
                    let by_action = pipelines.iter().filter(|pipeline| pipeline.kind != "V1");
                    plan.calls += by_action.count() as u64;
                }
            }
            if choice.has(Service::CodeDeploy) {
                plan.calls += months;
            }
            if choice.deep && choice.has(Service::CloudTrail) {
                plan.calls += months.min(3);
            }
            plan.calls += u64::from(choice.has(Service::CodeCommit));
        }
        plan.seconds = plan.calls / u64::from(self.request.rate.max(1));
        plan.cost = Money::of(Decimal::from(plan.paid_calls), self.price);
        Ok(plan)
    }

    pub(super) fn regions(&self, account: &Account) -> Result<Vec<Region>, CollectError> {
        let login = &self.request.login;
        if login.all_regions {
            let of_partition = self
                .catalog
                .regions
                .values()
                .filter(|info| info.partition == account.partition);
            return Ok(of_partition.map(|info| info.id.clone()).collect());
        }
        if !login.regions.is_empty() {
            return Ok(login.regions.clone());
        }
        match account.config.region() {
            Some(region) => Ok(vec![Region::new(region.as_ref())]),
            None => Err(CollectError::NoRegion),
        }
    }

    /// Opens the accounts that are asked. Those that cannot be opened become gaps.
    pub(super) async fn accounts(&self) -> Result<Vec<Account>, CollectError> {
        let login = &self.request.login;
        let config = clients::load(login).await;
        let has_region = config
            .region()
            .is_some_and(|name| !name.as_ref().is_empty());
        if !has_region && !login.all_regions {
            return Err(CollectError::NoRegion);
        }
        let base = self.open(config, false).await.map_err(fatal)?;
        let roles = match &login.organization_role {
            None => login.roles.clone(),
            Some(name) => organizations::accounts(self, &base)
                .await
                .map_err(|failure| match failure {
                    Failure::Fatal(error) => error,
                    other => CollectError::NoOrganization(other.to_string()),
                })?
                .into_iter()
                .filter(|id| *id != base.id)
                .map(|id| Role {
                    arn: format!("arn:{}:iam::{id}:role/{name}", base.partition),
                    external_id: login.external_id.clone(),
                })
                .collect(),
        };
        if roles.is_empty() && login.organization_role.is_none() {
            return Ok(vec![base]);
        }
        let several = login.organization_role.is_some() || roles.len() > 1;
        let mut accounts = Vec::new();
        for role in &roles {
            *self
                .calls
                .borrow_mut()
                .entry(Operation::AssumeRole)
                .or_default() += 1;
            let config = clients::assume(&base.config, role).await;
            match self.open(config, several).await {
                Ok(account) => accounts.push(account),
                Err(Failure::Fatal(error @ (CollectError::Stopped | CollectError::Ledger(_)))) => {
                    return Err(error);
                }
                Err(_) => {
                    let account = role.arn.split(':').nth(4).unwrap_or(&role.arn);
                    let place = Place {
                        account: AccountId::new(account),
                        region: Region::global(),
                    };
                    self.settle(
                        &place,
                        Source::Account,
                        Err(Failure::Denied(Operation::AssumeRole)),
                    )?;
                }
            }
        }
        if login.organization_role.is_some() {
            // The account that lists them is one of them, and the one that pays.
            accounts.insert(0, base);
        }
        if accounts.is_empty() {
            return Err(CollectError::NoAccount);
        }
        for account in &accounts {
            let scope = Scope {
                place: Place {
                    account: account.id.clone(),
                    region: Region::global(),
                },
                source: Source::Account,
            };
            self.ledger().begin_source(&scope)?;
        }
        Ok(accounts)
    }

    /// Asks AWS who the credentials belong to. It is the first request: what is wrong with
    /// credentials, clock or network shows here, and soon.
    async fn open(&self, config: SdkConfig, is_one_of_several: bool) -> Result<Account, Failure> {
        let impatient = match config.region() {
            Some(name) if !name.as_ref().is_empty() => clients::impatient(&config),
            _ => clients::in_region(&clients::impatient(&config), &Region::new("us-east-1")),
        };
        let nowhere = Place {
            account: AccountId::new("?"),
            region: Region::global(),
        };
        let request = Sts::new(&impatient).get_caller_identity();
        let answer = self
            .ask(&nowhere, Operation::GetCallerIdentity, request.send())
            .await?;
        let partition = answer.arn().and_then(|arn| arn.split(':').nth(1));
        Ok(Account {
            id: AccountId::new(answer.account().unwrap_or_default()),
            partition: partition.unwrap_or("aws").to_owned(),
            is_one_of_several,
            config,
        })
    }
}

fn fatal(failure: Failure) -> CollectError {
    match failure {
        Failure::Fatal(error) => error,
        Failure::Denied(_) => CollectError::Refused("AccessDenied".to_owned()),
        Failure::Failed { why, .. } => CollectError::Unreachable(why),
        other => CollectError::Unreachable(other.to_string()),
    }
}
