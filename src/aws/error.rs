//! Why AWS did not answer: what stops a collection, and what only leaves a gap.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use thiserror::Error;

use super::{
    attempts::seconds_ahead,
    clients::ATTEMPTS,
    denial::{Denial, shortened},
    operations::Operation,
};
use crate::{
    domain::{collection::Remedy, ids::Region, services::METRICS_READ},
    exports::ImportError,
    ledger::LedgerError,
};

/// Why nothing more can be collected. What was read before is kept.
#[derive(Debug, Error)]
pub enum CollectError {
    /// No credentials were found.
    #[error("no AWS credentials were found")]
    NoCredentials,
    /// The profile or the credentials in it cannot be used.
    #[error("the AWS credentials cannot be loaded: {0}")]
    BadCredentials(String),
    /// No region was named.
    #[error("no AWS region was named")]
    NoRegion,
    /// The credentials were good once.
    #[error("the AWS credentials have expired ({0})")]
    Expired(String),
    /// AWS does not know the credentials.
    #[error("AWS refuses the credentials ({0})")]
    Refused(String),
    /// The clock is wrong.
    #[error("AWS refuses the signature: this machine's clock {}", skew(*.minutes))]
    ClockSkew {
        /// By how much, if the answer says so; ahead is positive.
        minutes: Option<i64>,
    },
    /// Nobody answers.
    #[error("cannot reach AWS: {0}")]
    Unreachable(String),
    /// A role cannot be assumed, and its account is the only one asked for.
    #[error("no account could be opened{}", reason(why.as_deref()))]
    NoAccount {
        /// Why.
        why: Option<String>,
        /// What would mend it, where AWS says more than that it is denied.
        advice: Option<String>,
    },
    /// The region is not switched on for the account.
    #[error("the region {0} is not enabled for the account")]
    RegionOff(Region),
    /// The accounts of the organization cannot be listed.
    #[error("cannot list the accounts of the organization: {why}")]
    NoOrganization {
        /// Why.
        why: String,
        /// What would mend it, where AWS says more than that it is denied.
        advice: Option<String>,
    },
    /// The Query API does not answer.
    #[error("AWS's prices cannot be queried: {why}")]
    NoPrices {
        /// Why.
        why: String,
        /// What would mend it, where AWS says more than that it is denied.
        advice: Option<String>,
    },
    /// The user wants no more.
    #[error("stopped: what was read is kept, and the next run resumes")]
    Stopped,
    /// The threads of the network cannot be started.
    #[error("cannot start the network runtime")]
    Runtime(#[source] std::io::Error),
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An answer of Cost Explorer makes no sense.
    #[error("unreadable response from Cost Explorer: {0}")]
    Costs(#[from] ImportError),
}

fn reason(why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| format!(": {why}"))
}

fn skew(minutes: Option<i64>) -> String {
    match minutes {
        Some(minutes) if minutes > 0 => format!("is {minutes} minutes ahead"),
        Some(minutes) => format!("is {} minutes behind", -minutes),
        None => "is wrong".to_owned(),
    }
}

/// Why a request has no answer.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// Everything stops.
    #[error(transparent)]
    Fatal(#[from] CollectError),
    /// The credentials may not do this.
    #[error("{0}")]
    Denied(Denial),
    /// The account is alone.
    #[error("the account is not in an organization")]
    NoOrganization,
    /// Cost Explorer was never opened for the account.
    #[error("Cost Explorer is not enabled for the account")]
    CostExplorerOff,
    /// Cost Explorer has nothing of these days yet.
    #[error("Cost Explorer has no data of these days yet (DataUnavailableException)")]
    NoCosts,
    /// Cost Explorer has nothing of these days any more.
    #[error("Cost Explorer no longer has these days ({0})")]
    CostsExpired(&'static str),
    /// Cost Explorer has seen too little to forecast from.
    #[error("Cost Explorer has too little history to forecast from (DataUnavailableException)")]
    TooYoung,
    /// The region is not switched on for the account.
    #[error("the region is not enabled for the account")]
    RegionOff,
    /// The account has not signed up for the service.
    #[error("the account is not signed up for {}", .0.service())]
    NotSignedUp(Operation),
    /// Asked too often, by us or by others.
    #[error("{} was throttled {ATTEMPTS} times over ({code})", operation.action())]
    Throttled {
        /// Which.
        operation: Operation,
        /// In AWS's word.
        code: String,
    },
    /// AWS refuses the order of a listing on a page in the middle of it.
    #[error("{} refuses the order of its pages", .0.action())]
    OrderRefused(Operation),
    /// AWS no longer knows the page token.
    #[error("{} no longer accepts the page token", .0.action())]
    StaleToken(Operation),
    /// AWS no longer knows the thing.
    #[error("{} found nothing of that name", .0.action())]
    Gone(Operation),
    /// Nobody answers there, and nobody ever did.
    #[error("no response from {}: {why}", operation.action())]
    Unreached {
        /// Which.
        operation: Operation,
        /// In a word.
        why: String,
    },
    /// A page names itself as the next one.
    #[error("{} repeats a page token", .0.action())]
    RepeatedToken(Operation),
    /// The money for requests is spent.
    #[error("stopped before passing --max-api-cost")]
    TooDear,
    /// CodeBuild measures no builds in the region.
    #[error("CodeBuild publishes no CPU and memory metrics in this region")]
    NotMeasured,
    /// What would be spent cannot be said.
    #[error("the price of {METRICS_READ} in this region is unknown, so nothing was requested")]
    UnknownPrice,
    /// Retried in vain, or not worth it.
    #[error("{} failed: {why}", operation.action())]
    Failed {
        /// Which.
        operation: Operation,
        /// In a word.
        why: String,
    },
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Fatal(error.into())
    }
}

impl Failure {
    /// Tells whether the source failed, rather than being out of reach by somebody's will.
    pub(super) fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Failed { .. }
                | Self::Throttled { .. }
                | Self::OrderRefused(_)
                | Self::RepeatedToken(_)
                | Self::StaleToken(_)
                | Self::Gone(_)
        )
    }

    /// Says what would mend it, where asking again would not.
    pub(super) fn remedy(&self) -> Option<Remedy> {
        let advice = match self {
            Self::Denied(denial) => return Some(denial.remedy()),
            Self::NoOrganization => {
                "Leave --organization out; --role-arn reads other accounts individually"
            }
            Self::CostExplorerOff => {
                "Open Cost Explorer once in the billing console and wait a day; in an organization its \
                 management account has to open it, and to let members use it"
            }
            Self::NoCosts => {
                "Cost Explorer takes a day after it is first opened; then run `pipebill collect` again"
            }
            Self::CostsExpired(_) => {
                "Leave these months out with --from, or import their Cost and Usage Report: `pipebill \
                 import FILE`"
            }
            Self::RegionOff => {
                "Enable the region for the account (in the console: Account, AWS Regions), or name \
                 others with --region"
            }
            Self::NotSignedUp(_) => {
                "Finish signing the account up, or leave the service out with --services"
            }
            Self::Throttled { .. } => "Run the same again later, or slower: --rate 1",
            Self::OrderRefused(_) => {
                "Run the same again, which starts that list again; please report it if it persists"
            }
            _ => return None,
        };
        Some(Remedy::Advice {
            advice: advice.to_owned(),
            action: None,
        })
    }

    /// Returns [`Self::remedy`] as a hint, where it is more than a policy that allows the call.
    pub(super) fn advice(&self) -> Option<String> {
        self.remedy().and_then(Remedy::advice)
    }

    /// Says why an account cannot be opened that is the only one.
    pub(super) fn of_only_account(self) -> CollectError {
        match self {
            Self::Fatal(error) => error,
            Self::Denied(_) => CollectError::NoAccount {
                advice: self.advice(),
                why: Some(self.to_string()),
            },
            Self::Failed { why, .. } => CollectError::Unreachable(why),
            other => CollectError::Unreachable(other.to_string()),
        }
    }

    /// Says what an error of the SDK means. Only its code is ever shown: messages repeat what was
    /// in the request, and more.
    pub(super) fn of<E>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let failed = |why: String| Self::Failed { operation, why };
        match error {
            SdkError::ConstructionFailure(_) => failed("the request cannot be built".to_owned()),
            SdkError::TimeoutError(_) => failed("no answer in time".to_owned()),
            SdkError::DispatchFailure(failure) => {
                let text = chain(error);
                // Loading credentials is part of sending.
                if text.contains("no providers in chain provided credentials")
                    || text.contains("no credentials found in chain")
                    || text.contains("the credential provider was not enabled")
                {
                    return CollectError::NoCredentials.into();
                }
                if text.contains("AccessDenied") {
                    return Self::Denied(Denial::new(Operation::AssumeRole, &text));
                }
                if text.contains("oad credentials")
                    || text.contains("credentials provider")
                    || text.contains("credential")
                {
                    return CollectError::BadCredentials(last(error)).into();
                }
                if failure.is_timeout() {
                    return CollectError::Unreachable("no answer in time".to_owned()).into();
                }
                CollectError::Unreachable(last(error)).into()
            }
            SdkError::ResponseError(response) => {
                let status = response.raw().status().as_u16();
                failed(format!("an answer that cannot be read (HTTP {status})"))
            }
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or_default();
                let message = service.err().message().unwrap_or_default();
                let status = service.raw().status().as_u16();
                Self::of_code(operation, code, message, status, service.raw())
            }
            _ => failed("for an unknown reason".to_owned()),
        }
    }

    fn of_code(
        operation: Operation,
        code: &str,
        message: &str,
        status: u16,
        response: &HttpResponse,
    ) -> Self {
        let code: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(60)
            .collect();
        let about_time = message.contains("Signature expired")
            || message.contains("Signature not yet current")
            || message.contains("clock");
        match code.as_str() {
            "RequestTimeTooSkewed" | "RequestExpired" => {
                return CollectError::ClockSkew {
                    minutes: minutes_ahead(response),
                }
                .into();
            }
            "SignatureDoesNotMatch" | "InvalidSignatureException" | "AuthFailure" if about_time => {
                return CollectError::ClockSkew {
                    minutes: minutes_ahead(response),
                }
                .into();
            }
            "ExpiredToken" | "ExpiredTokenException" => {
                return CollectError::Expired(code).into();
            }
            // A region that is not switched on refuses credentials that are good elsewhere.
            "UnrecognizedClientException" | "InvalidClientTokenId"
                if operation != Operation::GetCallerIdentity =>
            {
                return Self::RegionOff;
            }
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "AuthFailure"
            | "IncompleteSignature"
            | "MissingAuthenticationToken" => return CollectError::Refused(code).into(),
            "AccessDeniedException" | "AccessDenied"
                if message.to_lowercase().contains("not enabled for cost") =>
            {
                return Self::CostExplorerOff;
            }
            "AccessDeniedException"
            | "AccessDenied"
            | "UnauthorizedOperation"
            | "NotAuthorized"
            | "NotAuthorizedException" => return Self::Denied(Denial::new(operation, message)),
            "AWSOrganizationsNotInUseException" => return Self::NoOrganization,
            "SubscriptionRequiredException" | "OptInRequired" => {
                return Self::NotSignedUp(operation);
            }
            "InvalidNextTokenException"
            | "InvalidNextToken"
            | "InvalidContinuationTokenException"
            | "RequestChangedException" => return Self::StaleToken(operation),
            "InvalidInputException" if message.contains("ort order can't be specified") => {
                return Self::OrderRefused(operation);
            }
            "DataUnavailableException" if operation == Operation::GetCostForecast => {
                return Self::TooYoung;
            }
            "DataUnavailableException" => return Self::NoCosts,
            "BillExpirationException" => {
                return Self::CostsExpired("BillExpirationException");
            }
            "ValidationException"
                if operation == Operation::GetCostAndUsage && message.contains("14 months") =>
            {
                return Self::CostsExpired("ValidationException");
            }
            "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "SlowDown" => return Self::Throttled { operation, code },
            _ if code.contains("Throttl") => return Self::Throttled { operation, code },
            "ResourceNotFoundException"
            | "PipelineNotFoundException"
            | "DeploymentDoesNotExistException" => return Self::Gone(operation),
            _ => {}
        }
        let why = if code.is_empty() {
            format!("HTTP {status}")
        } else {
            format!("{code} (HTTP {status})")
        };
        Self::Failed { operation, why }
    }
}

/// Returns how far our clock is off, if that is why the signature was refused.
fn minutes_ahead(response: &HttpResponse) -> Option<i64> {
    let minutes = seconds_ahead(response)? / 60;
    Some(minutes).filter(|minutes| minutes.abs() >= 2)
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    text
}

/// Returns the innermost cause, which names the thing that is wrong.
fn last(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    shortened(&error.to_string(), 300)
}
