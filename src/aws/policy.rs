//! The least that a reader has to be allowed.

use serde_json::{Value, json};

use super::{
    operations::{Choice, Needed, Operation, Service},
    s3_url::S3Url,
};

/// Statements about every resource: their names, and the service of their actions. A service whose
/// resources can be named gets a statement below, as the roles of other accounts do.
const STATEMENTS: [(&str, &str); 9] = [
    ("PipebillCostExplorer", "ce"),
    ("PipebillCodeBuild", "codebuild"),
    ("PipebillCloudWatch", "cloudwatch"),
    ("PipebillCodePipeline", "codepipeline"),
    ("PipebillCodeDeploy", "codedeploy"),
    ("PipebillCloudTrail", "cloudtrail"),
    ("PipebillCodeCommit", "codecommit"),
    ("PipebillPrices", "pricing"),
    ("PipebillOrganization", "organizations"),
];

/// Returns an IAM policy with the actions of a collection and no others. `roles` are those of other
/// accounts that it may take.
pub fn policy(choice: &Choice, roles: &[String]) -> Value {
    let actions: Vec<&str> = choice.operations().map(Operation::action).collect();
    json!({"Version": "2012-10-17", "Statement": statements(&actions, roles)})
}

/// Returns the statements that allow some actions.
pub fn statements(allowed: &[&str], roles: &[String]) -> Vec<Value> {
    let mut statements = Vec::new();
    let mut statement = |id: &str, service: &str, resource: Value| {
        let is_of_service = |action: &&str| action.split(':').next() == Some(service);
        let mut actions: Vec<&str> = allowed.iter().copied().filter(is_of_service).collect();
        actions.sort_unstable();
        actions.dedup();
        if !actions.is_empty() {
            statements.push(json!({
                "Sid": id,
                "Effect": "Allow",
                "Action": actions,
                "Resource": resource,
            }));
        }
    };
    for (id, service) in STATEMENTS {
        statement(id, service, json!("*"));
    }
    let roles = match roles {
        [only] => json!(only),
        several => json!(several),
    };
    statement("PipebillAccounts", "sts", roles);
    statements
}

/// Returns the role of a name in every account.
pub fn role_anywhere(name: &str) -> String {
    format!("arn:aws:iam::*:role/{name}")
}

/// Returns an IAM policy for importing: from S3, and with a place for results through Athena. Athena
/// looks the table up, reads the export and writes its results in the name of who asks it.
pub fn import_policy(exports: &S3Url, results: Option<&S3Url>) -> Value {
    let mut statements = Vec::new();
    let mut statement = |id: &str, actions: Vec<Operation>, resource: &str| {
        let actions: Vec<&str> = actions.into_iter().map(Operation::action).collect();
        statements.push(json!({
            "Sid": id,
            "Effect": "Allow",
            "Action": actions,
            "Resource": resource,
        }));
    };
    let bucket = |url: &S3Url| format!("arn:aws:s3:::{}", url.bucket);
    let objects = |url: &S3Url| match url.prefix.as_str() {
        "" => format!("{}/*", bucket(url)),
        prefix => format!("{}/{prefix}/*", bucket(url)),
    };
    if results.is_some() {
        let athena = Operation::needed_by(Needed::Athena).collect();
        statement("PipebillAthena", athena, "*");
        let tables = Operation::needed_by(Needed::AthenaForTables).collect();
        statement("PipebillAthenaTables", tables, "*");
    }
    let mut listing = vec![Operation::ListBucket];
    if results.is_some() {
        listing.push(Operation::GetBucketLocation);
    }
    statement("PipebillExports", listing, &bucket(exports));
    let reading = vec![Operation::GetObject];
    statement("PipebillExportObjects", reading, &objects(exports));
    if let Some(results) = results {
        let place = vec![Operation::GetBucketLocation];
        statement("PipebillAthenaResults", place, &bucket(results));
        let both = vec![Operation::GetObject, Operation::PutObject];
        statement("PipebillAthenaResultObjects", both, &objects(results));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

impl Service {
    /// Says what collecting a service brings along, where that may surprise.
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::CodeCommit => Some(
                "CodeCommit counts whoever calls it: collecting from it makes this identity an \
                 active user of the month",
            ),
            _ => None,
        }
    }
}
