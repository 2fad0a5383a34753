//! Who is asked: the own account, those behind roles, those of an organization; and in which regions.

use aws_config::SdkConfig;
use aws_sdk_organizations::{Client as Organizations, types::AccountState};
use aws_sdk_sts::Client as Sts;

use super::{
    CollectError, Role, clients, denial::Denial, error::Failure, operations::Operation,
    pages::Pages, run::Run,
};
use crate::domain::{
    collection::{Scope, Source},
    ids::{AccountId, Region},
    metering::from_events::AccountRegion,
};

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

impl Run<'_> {
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
        let config = clients::load(&self.request.login, self.request.timeout).await;
        let has_region = config
            .region()
            .is_some_and(|name| !name.as_ref().is_empty());
        if !has_region && !login.all_regions {
            return Err(CollectError::NoRegion);
        }
        let base = self
            .open(config, false)
            .await
            .map_err(Failure::of_only_account)?;
        let roles = match &login.organization_role {
            None => login.roles.clone(),
            Some(name) => active_accounts(self, &base)
                .await
                .map_err(|failure| match failure {
                    Failure::Fatal(error) => error,
                    other => CollectError::NoOrganization {
                        why: other.to_string(),
                        advice: other.advice(),
                    },
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
            self.count(Operation::AssumeRole);
            let config = clients::assume(&base.config, role).await;
            match self.open(config, several).await {
                Ok(account) => accounts.push(account),
                Err(Failure::Fatal(error @ (CollectError::Stopped | CollectError::Ledger(_)))) => {
                    return Err(error);
                }
                Err(failure) => {
                    // Whatever else is wrong with a role, it cannot be taken.
                    let denied = match failure {
                        denied @ Failure::Denied(_) => denied,
                        _ => Failure::Denied(Denial::new(Operation::AssumeRole, "")),
                    };
                    let account = role.arn.split(':').nth(4).unwrap_or(&role.arn);
                    let place = AccountRegion {
                        account: AccountId::new(account),
                        region: Region::global(),
                    };
                    self.settle(&place, Source::Account, Err(denied))?;
                }
            }
        }
        if login.organization_role.is_some() {
            // The account that lists them is one of them, and the one that pays.
            accounts.insert(0, base);
        }
        if accounts.is_empty() {
            let missing = self.take_missing().pop();
            return Err(CollectError::NoAccount {
                why: missing.as_ref().map(|missing| missing.reason.clone()),
                advice: missing.and_then(|missing| missing.remedy?.advice()),
            });
        }
        for account in &accounts {
            let scope = Scope {
                place: AccountRegion {
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
        let nowhere = AccountRegion {
            account: AccountId::new("?"),
            region: Region::global(),
        };
        let ask = async |config: SdkConfig| {
            let request = Sts::new(&config).get_caller_identity();
            self.ask(&nowhere, Operation::GetCallerIdentity, request.send())
                .await
        };
        let impatient = clients::impatient(&config);
        let elsewhere = clients::elsewhere(&impatient);
        let answer = match config.region() {
            Some(name) if !name.as_ref().is_empty() => match (ask(impatient).await, elsewhere) {
                // A region that is not enabled refuses credentials that are good elsewhere.
                (Err(Failure::Fatal(CollectError::Refused(_))), Some(elsewhere)) => {
                    ask(elsewhere).await?
                }
                (answer, _) => answer?,
            },
            _ => ask(clients::in_region(&impatient, &Region::new("us-east-1"))).await?,
        };
        let partition = answer.arn().and_then(|arn| arn.split(':').nth(1));
        Ok(Account {
            id: AccountId::new(answer.account().unwrap_or_default()),
            partition: partition.unwrap_or("aws").to_owned(),
            is_one_of_several,
            config,
        })
    }
}

/// Lists the accounts that are active.
async fn active_accounts(run: &Run<'_>, base: &Account) -> Result<Vec<AccountId>, Failure> {
    let region = Region::new(match base.partition.as_str() {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    });
    let place = AccountRegion {
        account: base.id.clone(),
        region,
    };
    let client = Organizations::new(&base.in_region(&place.region));
    let mut pages = Pages::default();
    let mut accounts = Vec::new();
    loop {
        let request = client.list_accounts().set_next_token(pages.token());
        let answer = run
            .ask_page(&place, Operation::ListAccounts, &pages, request.send())
            .await?;
        for account in answer.accounts() {
            let is_closed = matches!(
                account.state(),
                Some(AccountState::Suspended | AccountState::Closed)
            );
            if let Some(id) = account.id().filter(|_| !is_closed) {
                accounts.push(AccountId::new(id));
            }
        }
        if !pages.turn(Operation::ListAccounts, answer.next_token)? {
            accounts.sort();
            return Ok(accounts);
        }
    }
}
