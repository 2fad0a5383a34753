//! What to do about what AWS refuses.

use super::{import::import_hint, ledger_hint};
use crate::{
    app::AppError,
    aws::{AthenaError, CollectError, DeniedBy, S3Error},
    exports::ImportError,
};

/// Returns what AWS's own words advise: who denied it, and whoever can lift that.
pub(super) fn aws_advice(error: &AppError) -> Option<String> {
    let denied_by = |by: &DeniedBy| format!("nothing was imported. {}", by.advice());
    match error {
        AppError::Collect(error)
        | AppError::S3(S3Error::Collect(error))
        | AppError::Athena(AthenaError::Collect(error)) => match error {
            CollectError::NoAccount { advice, .. }
            | CollectError::NoOrganization { advice, .. }
            | CollectError::NoPrices { advice, .. } => {
                // A sentence there, half of one here.
                let mut letters = advice.as_ref()?.chars();
                let first = letters.next()?.to_lowercase();
                Some(first.chain(letters).collect())
            }
            _ => None,
        },
        AppError::S3(S3Error::Denied { by, .. })
        | AppError::Athena(AthenaError::Denied { by, .. }) => by.as_ref().map(denied_by),
        AppError::Athena(AthenaError::QueryFailed(reason)) => {
            DeniedBy::read(reason).as_ref().map(denied_by)
        }
        _ => None,
    }
}

pub(super) fn collect_hint(error: &CollectError) -> Option<&'static str> {
    Some(match error {
        CollectError::NoCredentials => {
            "run `aws configure` or `aws sso login`, or name a profile with --profile"
        }
        CollectError::BadCredentials(_) => "check the profile, or name another with --profile",
        CollectError::NoRegion => "name one with --region, or set AWS_REGION",
        CollectError::Expired(_) => "log in again, e.g. `aws sso login`, and run the same again",
        CollectError::Refused(_) => {
            "check which credentials are used, or name a profile with --profile"
        }
        CollectError::ClockSkew { .. } => "set the clock and run the same again",
        CollectError::Unreachable(_) => {
            "check the network and its proxy; what was read before is kept"
        }
        CollectError::NoAccount { .. } => {
            "check the role, the external id and who may assume it: `pipebill policy --roles`"
        }
        CollectError::RegionOff(_) => {
            "enable it in the console (Account, AWS Regions), or name another with --region"
        }
        CollectError::NoOrganization { .. } => {
            "run it in the management account or a delegated administrator's, with what `pipebill policy \
             --organization` prints"
        }
        CollectError::NoPrices { .. } => {
            "nothing was changed; `pipebill policy --prices` has what it takes"
        }
        CollectError::Ledger(error) => return ledger_hint(error),
        CollectError::Stopped | CollectError::Runtime(_) => return None,
        CollectError::Costs(_) => "please report it; nothing of that month was kept",
    })
}

pub(super) fn s3_hint(error: &S3Error) -> Option<&'static str> {
    Some(match error {
        S3Error::Collect(error) => return collect_hint(error),
        S3Error::Denied { .. } => {
            "nothing was imported; `pipebill policy --exports s3://BUCKET/PREFIX` prints the \
             permissions it needs; a bucket that charges its requesters takes --requester-pays"
        }
        S3Error::Gone { .. } => "nothing was imported; check the bucket, the name and the region",
        S3Error::Replaced { .. } => {
            "nothing was imported; a delivery was being written: run the same again"
        }
        S3Error::Failed { .. } => {
            "nothing was imported; check the region (--region) and run the same again: the import resumes"
        }
    })
}

/// What to do about a failed query, by what Athena says in lower case.
const FAILED_QUERIES: [(&[&str], &str); 4] = [
    (
        &["lake formation", "lakeformation"],
        "nothing was imported; Lake Formation guards the table: have SELECT on it granted there",
    ),
    (
        &[
            "access denied",
            "accessdenied",
            "permission",
            "not authorized",
            "forbidden",
        ],
        "nothing was imported; `pipebill policy --athena` prints the permissions it needs",
    ),
    (
        &[
            "hive_bad",
            "hive_cannot",
            "hive_cursor",
            "hive_invalid",
            "hive_partition_",
            "invalid_cast",
            "cannot cast",
            "schema mismatch",
        ],
        "nothing was imported; the table does not fit its files: run its crawler again or recreate it, \
         or import the files themselves from s3://",
    ),
    (
        &[
            "exhausted",
            "timeout",
            "timed out",
            "internal_error",
            "slow down",
            "too_many",
            "throttl",
        ],
        "nothing was imported; run the same again, or import the files themselves from s3://",
    ),
];

pub(super) fn athena_hint(error: &AthenaError) -> Option<&'static str> {
    Some(match error {
        AthenaError::Collect(error) => return collect_hint(error),
        AthenaError::Import(ImportError::MissingColumns { .. }) => {
            "nothing was imported; the table is over an export without these columns: add them to \
             its query and deliver it again"
        }
        AthenaError::Import(ImportError::Unrecognised { .. }) => {
            "nothing was imported; name a table over a Cost and Usage Report or a FOCUS export"
        }
        AthenaError::Import(ImportError::Row { .. }) => {
            "nothing was imported; fix the export, or skip bad rows with --skip-bad-rows"
        }
        AthenaError::Import(error) => import_hint(error),
        AthenaError::Denied { .. } => {
            "nothing was imported; `pipebill policy --athena` prints the permissions it needs"
        }
        AthenaError::NoTable { .. } => {
            "check the names, the region (--region) and that a table was made over the export"
        }
        AthenaError::NoWorkgroup(_) => "name another with --workgroup; workgroups are by region",
        AthenaError::WorkgroupDisabled(_) => "enable it, or name another with --workgroup",
        AthenaError::NoOutput(_) => {
            "name a place with --output s3://BUCKET/PREFIX/, or in the workgroup if it overrides what \
             its users name"
        }
        AthenaError::QueryFailed(reason) => {
            let reason = reason.to_lowercase();
            let is_said = |words: &[&str]| words.iter().any(|word| reason.contains(word));
            let known = FAILED_QUERIES.iter().find(|(words, _)| is_said(words));
            known.map_or(
                "nothing was imported; --dry-run shows the query",
                |(_, hint)| hint,
            )
        }
        AthenaError::QueryCancelled(_) => {
            "nothing was imported; it was stopped by a person or by the workgroup's limit"
        }
        AthenaError::NoRows { .. } => {
            "nothing was imported; check the month, and that the table knows its folder: `MSCK \
             REPAIR TABLE` or the crawler brings new months in"
        }
        AthenaError::OtherColumns => "nothing was imported; please report it",
        AthenaError::Failed(_) => "nothing was imported; run the same again",
    })
}
