//! Usage from AWS itself, what it takes to be allowed to read it, and what is missing.

use std::time::Duration;

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{App, AppError, DataSource, Field};
use crate::{
    aws::{
        self, Login, Request, Role, S3Url,
        operations::{Choice, Extra, Service},
    },
    domain::{
        collection::{Check, Outcome, Remedy},
        ids::Region,
        period::Month,
    },
    ledger::Ledger,
};

/// As whom to ask AWS, and where.
#[derive(Clone, Debug, Default)]
pub struct LoginRequest {
    /// The regions, or `all`; else the configured one.
    pub regions: Vec<String>,
    /// The profile of AWS's configuration.
    pub profile: Option<String>,
    /// Roles of the accounts to read in place of the own one.
    pub roles: Vec<String>,
    /// What the roles' owners want to hear: one for all, or one for each.
    pub external_ids: Vec<String>,
    /// The role to take in each account of the organization, if it is to be read.
    pub organization_role: Option<String>,
}

/// What to ask AWS.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// From these services; else from the usual ones.
    pub services: Vec<Service>,
    /// Also what costs many calls.
    pub deep: bool,
    /// What other use cases ask.
    pub extras: Vec<Extra>,
}

/// What to collect.
#[derive(Clone, Debug)]
pub struct CollectRequest {
    /// As whom, and where.
    pub login: LoginRequest,
    /// What.
    pub asked: Asked,
    /// The first day; else that of the month twelve months ago.
    pub from: Option<NaiveDate>,
    /// The last day; else today.
    pub to: Option<NaiveDate>,
    /// Only says what it would take.
    pub dry_run: bool,
    /// What requests may cost, in dollars.
    pub max_api_cost: Option<Decimal>,
    /// Requests a second to one service of an account and region.
    pub rate: u32,
    /// How long to wait for an answer before asking again.
    pub timeout: Duration,
}

/// What to try before collecting.
#[derive(Clone, Debug, Default)]
pub struct DoctorRequest {
    /// As whom, and where.
    pub login: LoginRequest,
    /// What.
    pub asked: Asked,
}

/// What was tried, and what would mend what failed.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// What was tried.
    pub checks: Vec<Check>,
    /// The statements of a policy that allow what was denied.
    pub statements: Vec<Value>,
}

/// What a policy has to allow.
#[derive(Clone, Debug)]
pub enum PolicyRequest {
    /// Collecting.
    Collect {
        /// What.
        asked: Asked,
        /// Of every account of the organization.
        organization: bool,
        /// Of other accounts, by roles.
        roles: bool,
        /// The role that is taken in other accounts.
        role: String,
    },
    /// Importing from S3, or through Athena.
    Import {
        /// Where the exports lie.
        exports: S3Url,
        /// Where Athena writes its results, if it is asked.
        results: Option<S3Url>,
    },
}

impl Asked {
    /// Returns what is warned of before.
    pub fn warnings(&self) -> impl Iterator<Item = &'static str> {
        self.choice(false, false)
            .services
            .into_iter()
            .filter_map(Service::warning)
    }

    fn choice(&self, organization: bool, roles: bool) -> Choice {
        Choice {
            services: if self.services.is_empty() {
                Choice::default_services()
            } else {
                self.services.clone()
            },
            deep: self.deep,
            organization,
            roles,
            extras: self.extras.clone(),
        }
    }
}

impl App {
    /// Collects usage from AWS into the ledger.
    pub fn collect(
        &self,
        request: &CollectRequest,
        watch: &dyn aws::Watch,
    ) -> Result<Outcome, AppError> {
        let DataSource::File(ledger) = &self.source else {
            let problem = "the sample cannot be collected into";
            return Err(AppError::field(Field::DataSource, problem));
        };
        let asked = &request.asked;
        let has_builds = asked.services.is_empty() || asked.services.contains(&Service::CodeBuild);
        if asked.extras.contains(&Extra::Metrics) && !has_builds {
            let problem = "metrics are those of CodeBuild projects: name codebuild, too";
            return Err(AppError::field(Field::Services, problem));
        }
        let login = self.login(&request.login)?;
        let earliest = Month::of(self.today).first_day() - Months::new(12);
        let from = request.from.unwrap_or(earliest);
        let to = request.to.unwrap_or(self.today).min(self.today);
        if from > to {
            return Err(AppError::field(
                Field::From,
                format!("{from} is after {to}"),
            ));
        }
        let request = Request {
            choice: request.login.choice(&request.asked),
            from,
            to,
            dry_run: request.dry_run,
            max_api_cost: request.max_api_cost,
            rate: request.rate,
            timeout: request.timeout,
            ..self.usual_request(login)
        };
        let mut ledger = Ledger::open(ledger)?;
        Ok(aws::collect(&request, &self.catalog, &mut ledger, watch)?)
    }

    /// Tries what collecting needs.
    pub fn doctor(
        &self,
        request: &DoctorRequest,
        watch: &dyn aws::Watch,
    ) -> Result<Diagnosis, AppError> {
        let login = self.login(&request.login)?;
        let roles: Vec<String> = match &login.organization_role {
            Some(name) => vec![aws::role_anywhere(name)],
            None => login.roles.iter().map(|role| role.arn.clone()).collect(),
        };
        let request = Request {
            choice: request.login.choice(&request.asked),
            ..self.usual_request(login)
        };
        let checks = aws::doctor(&request, &self.catalog, watch)?;
        let lacks = checks.iter().filter_map(|check| match check.remedy {
            Some(Remedy::Allow(action)) => Some(action),
            _ => None,
        });
        let lacks: Vec<&str> = lacks.collect();
        let statements = aws::statements(&lacks, &roles);
        Ok(Diagnosis { checks, statements })
    }

    /// Returns the policy that allows reading, and no more.
    pub fn policy(request: &PolicyRequest) -> Value {
        match request {
            PolicyRequest::Collect {
                asked,
                organization,
                roles,
                role,
            } => aws::policy(
                &asked.choice(*organization, *roles),
                &[aws::role_anywhere(role)],
            ),
            PolicyRequest::Import { exports, results } => {
                aws::import_policy(exports, results.as_ref())
            }
        }
    }

    fn login(&self, stated: &LoginRequest) -> Result<Login, AppError> {
        let mut regions: Vec<Region> = Vec::new();
        for name in stated.regions.iter().filter(|name| *name != "all") {
            let region = self.region(name)?;
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        let ids = &stated.external_ids;
        let wrong = |problem: &str| AppError::field(Field::ExternalId, problem);
        if ids.len() > 1 && ids.len() != stated.roles.len() {
            return Err(wrong("give one for all roles, or one for each"));
        }
        if !ids.is_empty() && stated.roles.is_empty() && stated.organization_role.is_none() {
            return Err(wrong(&format!("it goes with {}", self.label(Field::Role))));
        }
        let mut roles = Vec::new();
        for (at, arn) in stated.roles.iter().enumerate() {
            if !arn.starts_with("arn:") || arn.split(':').count() < 6 {
                let problem = "a role is written as arn:aws:iam::ACCOUNT:role/NAME";
                return Err(AppError::field(Field::Role, problem));
            }
            roles.push(Role {
                arn: arn.clone(),
                external_id: ids.get(at).or(ids.first()).cloned(),
            });
        }
        Ok(Login {
            profile: stated.profile.clone(),
            regions,
            all_regions: stated.regions.iter().any(|region| region == "all"),
            roles,
            organization_role: stated.organization_role.clone(),
            external_id: ids.first().cloned(),
        })
    }

    /// Returns a request that asks as usual, about today.
    pub(super) fn usual_request(&self, login: Login) -> Request {
        Request {
            login,
            choice: Choice::default(),
            from: self.today,
            to: self.today,
            dry_run: false,
            max_api_cost: None,
            rate: 5,
            timeout: Duration::from_secs(30),
            now: now(self.today),
        }
    }
}

impl LoginRequest {
    fn choice(&self, asked: &Asked) -> Choice {
        asked.choice(self.organization_role.is_some(), !self.roles.is_empty())
    }
}

/// Returns the time of today, or the end of the day that was given for today.
fn now(today: NaiveDate) -> DateTime<Utc> {
    let now = Utc::now();
    if now.date_naive() == today {
        return now;
    }
    let midnight = (today + Days::new(1)).and_time(NaiveTime::MIN).and_utc();
    midnight - chrono::TimeDelta::milliseconds(1)
}
