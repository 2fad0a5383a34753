//! The least that a reader has to be allowed.

use serde_json::{Value, json};

use super::operations::{Choice, Operation, Service};

/// Statements about every resource: their names, and the service of their actions. A service whose
/// resources can be named gets a statement below, as the roles of other accounts do.
const STATEMENTS: [(&str, &str); 8] = [
    ("PipebillCostExplorer", "ce"),
    ("PipebillCodeBuild", "codebuild"),
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
    let operations: Vec<Operation> = choice.operations().collect();
    json!({"Version": "2012-10-17", "Statement": statements(&operations, roles)})
}

/// Returns the statements that allow some operations.
pub fn statements(operations: &[Operation], roles: &[String]) -> Vec<Value> {
    let mut statements = Vec::new();
    let mut statement = |id: &str, service: &str, resource: Value| {
        let of_service = operations.iter().filter(|it| it.service() == service);
        let mut actions: Vec<&str> = of_service.map(|it| it.action()).collect();
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
