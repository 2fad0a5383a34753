//! What is collected from whom, source by source, and what it will take.

use std::cell::RefCell;

use rust_decimal::Decimal;

use super::{
    CollectError,
    accounts::Account,
    cloudtrail, cloudwatch, codebuild, codecommit, codedeploy, codepipeline, cost_explorer,
    error::Failure,
    operations::{Extra, Service},
    run::Run,
    runners,
};
use crate::domain::{
    collection::{Announcement, Source},
    ids::Region,
    metering::from_events::{AccountRegion, Pipeline},
    money::Money,
};

/// Places that are read at a time. What is kept does not depend on it.
const SIDE_BY_SIDE: usize = 4;

/// Does some work for each of many, a few at a time and begun in their order. The first error ends
/// all of it.
async fn for_each_concurrent<T>(
    many: &[T],
    work: impl AsyncFn(&T) -> Result<(), CollectError>,
) -> Result<(), CollectError> {
    let queue = RefCell::new(many.iter());
    let worker = async || -> Result<(), CollectError> {
        loop {
            let next = queue.borrow_mut().next();
            match next {
                Some(one) => Box::pin(work(one)).await?,
                None => return Ok(()),
            }
        }
    };
    let [a, b, c, d]: [_; SIDE_BY_SIDE] = std::array::from_fn(|_| worker());
    tokio::try_join!(a, b, c, d).map(drop)
}

/// What a place has, before its usage is read.
struct Inventory {
    place: AccountRegion,
    projects: Option<Vec<String>>,
    /// The projects may not be listed; what needs none of them is asked for all the same.
    projects_denied: bool,
    pipelines: Option<Vec<Pipeline>>,
}

impl Run<'_> {
    pub(super) async fn everything(&self) -> Result<Announcement, CollectError> {
        let accounts = self.accounts().await?;
        let mut places = Vec::new();
        for account in &accounts {
            for region in self.regions(account)? {
                let account_id = account.id.clone();
                places.push((
                    account,
                    AccountRegion {
                        account: account_id,
                        region,
                    },
                ));
            }
        }
        let inventories = RefCell::new(Vec::new());
        for_each_concurrent(&places, async |(account, place)| {
            let inventory = self.inventory(account, place.clone()).await?;
            inventories.borrow_mut().push((*account, inventory));
            Ok(())
        })
        .await?;
        let mut inventories = inventories.into_inner();
        inventories.sort_by(|(_, a), (_, b)| a.place.cmp(&b.place));
        let announcement = self.announcement(&accounts, &inventories)?;
        self.watch.announce(&announcement);
        if self.request.dry_run {
            return Ok(announcement);
        }
        let choice = &self.request.choice;
        for account in &accounts {
            if choice.has(Service::CostExplorer) && self.has_own_costs(account) {
                let place = AccountRegion {
                    account: account.id.clone(),
                    region: Region::global(),
                };
                let done = cost_explorer::collect(self, account).await;
                self.settle(&place, Source::CostExplorer, done)?;
            }
        }
        for_each_concurrent(&inventories, async |(account, inventory)| {
            tokio::try_join!(
                self.builds(account, inventory),
                self.pipelines(account, inventory),
                self.deployments(account, &inventory.place),
                self.others(account, &inventory.place),
            )?;
            Ok(())
        })
        .await?;
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
            if self.request.choice.extras.contains(&Extra::Metrics) {
                let done = cloudwatch::collect(self, account, place, projects).await;
                self.settle(place, Source::Metrics, done)?;
            }
            let done = runners::runners(self, account, place, projects).await;
            self.settle(place, Source::Runners, done)?;
        }
        if inventory.projects.is_some() || inventory.projects_denied {
            let done = codebuild::sandboxes(self, account, place).await;
            self.settle(place, Source::Sandboxes, done)?;
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

    async fn deployments(
        &self,
        account: &Account,
        place: &AccountRegion,
    ) -> Result<(), CollectError> {
        if self.request.choice.has(Service::CodeDeploy) {
            let done = codedeploy::deployments(self, account, place).await;
            self.settle(place, Source::Deployments, done)?;
        }
        Ok(())
    }

    async fn others(&self, account: &Account, place: &AccountRegion) -> Result<(), CollectError> {
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

    async fn inventory(
        &self,
        account: &Account,
        place: AccountRegion,
    ) -> Result<Inventory, CollectError> {
        let choice = &self.request.choice;
        let mut inventory = Inventory {
            place,
            projects: None,
            projects_denied: false,
            pipelines: None,
        };
        let place = &inventory.place;
        if choice.has(Service::CodeBuild) {
            match codebuild::projects(self, account, place).await {
                Ok(projects) => inventory.projects = Some(projects),
                Err(failure) => {
                    inventory.projects_denied = matches!(failure, Failure::Denied(_));
                    self.settle(place, Source::Builds, Err(failure))?;
                }
            }
        }
        if choice.has(Service::CodePipeline) {
            match codepipeline::pipelines(self, account, place).await {
                Ok(pipelines) => inventory.pipelines = Some(pipelines),
                Err(failure) => {
                    // Without the pipelines there is nothing whose actions could be listed.
                    if let (Failure::Denied(denial), true) = (&failure, choice.deep) {
                        let denied = Failure::Denied(denial.clone());
                        self.settle(place, Source::Actions, Err(denied))?;
                    }
                    self.settle(place, Source::Pipelines, Err(failure))?;
                }
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
                // A page of ids and the builds behind it; all builds, the sandboxes and the fleets.
                plan.calls += 2 * projects.len() as u64 + 3;
                if choice.extras.contains(&Extra::Metrics) {
                    let place = &inventory.place;
                    let batches = cloudwatch::batches(self, place, projects)?;
                    let metrics: u64 = batches.iter().map(cloudwatch::Batch::metrics).sum();
                    let price = cloudwatch::price(self, &place.region).unwrap_or_default();
                    plan.calls += batches.len() as u64;
                    plan.metrics += metrics;
                    plan.metrics_cost += Money::of(Decimal::from(metrics), price);
                }
                plan.calls += projects.len().div_ceil(codebuild::BATCH) as u64;
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
}
