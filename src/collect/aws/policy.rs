//! The least that a reader has to be allowed.

use serde_json::{Value, json};

use super::operations::{Choice, Operation, Service};

/// Returns an IAM policy with the actions of a collection and no others.
pub fn policy(choice: &Choice, role_name: Option<&str>) -> Value {
    let mut statements = Vec::new();
    let mut statement = |id: &str, actions: Vec<Operation>, resource: String| {
        if !actions.is_empty() {
            let mut actions: Vec<&str> = actions.into_iter().map(Operation::action).collect();
            actions.sort_unstable();
            statements.push(json!({
                "Sid": id,
                "Effect": "Allow",
                "Action": actions,
                "Resource": resource,
            }));
        }
    };
    let of = |service: &str| -> Vec<Operation> {
        let prefix = format!("{service}:");
        choice
            .operations()
            .filter(|operation| operation.action().starts_with(&prefix))
            .collect()
    };
    for (id, service) in [
        ("PipebillCostExplorer", "ce"),
        ("PipebillCodeBuild", "codebuild"),
        ("PipebillCodePipeline", "codepipeline"),
        ("PipebillCodeDeploy", "codedeploy"),
        ("PipebillCloudTrail", "cloudtrail"),
        ("PipebillCodeCommit", "codecommit"),
        ("PipebillOrganization", "organizations"),
    ] {
        statement(id, of(service), "*".to_owned());
    }
    let role = role_name.unwrap_or("pipebill-reader");
    statement(
        "PipebillAccounts",
        of("sts"),
        format!("arn:aws:iam::*:role/{role}"),
    );
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
