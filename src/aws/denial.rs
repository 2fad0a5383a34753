//! Why AWS denies a call: which kind of policy does, and which one, as far as its message says.
//!
//! AWS documents the words of these messages, and that some services say less:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>. Of a message
//! only its kind of policy and that policy's name go any further: it repeats the caller, the resource
//! and more.

use std::fmt;

use super::operations::Operation;
use crate::domain::collection::Remedy;

/// A call that is denied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Denial {
    pub(super) operation: Operation,
    /// What denies it; nothing if it is just not allowed.
    pub(super) cause: Option<DeniedBy>,
}

impl Denial {
    /// Reads AWS's message.
    pub(super) fn new(operation: Operation, message: &str) -> Self {
        Self {
            operation,
            cause: DeniedBy::read(message),
        }
    }

    /// Says what would mend it.
    pub(super) fn remedy(&self) -> Remedy {
        let action = self.operation.action();
        match &self.cause {
            None => Remedy::Allow(action),
            Some(cause) => Remedy::Advice {
                advice: cause.advice(),
                action: Some(action),
            },
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "access denied to {}", self.operation.action())?;
        f.write_str(&named(self.cause.as_ref()))
    }
}

/// Says what denies something, behind what is denied.
pub(super) fn named(by: Option<&DeniedBy>) -> String {
    by.map_or_else(String::new, |by| format!(": {by}"))
}

/// What denies a call, where a policy that allows it would not help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeniedBy {
    kind: Kind,
    /// A statement denies it; otherwise none of the kind allows it.
    explicit: bool,
    /// Which policy, by its name or id.
    policy: Option<String>,
}

/// A kind of policy.
#[derive(PartialEq, Eq, Debug)]
struct KindInfo {
    /// As AWS's messages name it.
    phrase: &'static str,
    /// What we call it.
    title: &'static str,
    /// Who mends it; `{}` is where the policy is named.
    advice: &'static str,
}

type Kind = &'static KindInfo;

/// The kinds that AWS names. An identity-based policy that does not allow a call is no part of them:
/// that is what a statement mends.
static KINDS: [KindInfo; 8] = [
    KindInfo {
        phrase: "service control policy",
        title: "service control policy of the organization",
        advice: "The organization's administrators have to change its service control policy{}",
    },
    KindInfo {
        phrase: "resource control policy",
        title: "resource control policy of the organization",
        advice: "The organization's administrators have to change its resource control policy{}",
    },
    KindInfo {
        phrase: "permissions boundary",
        title: "permissions boundary of the role",
        advice: "Who set the permissions boundary{} of the role has to widen it",
    },
    KindInfo {
        phrase: "session policy",
        title: "session policy",
        advice: "Take the role, or log in, without the session policy{} that narrows it",
    },
    KindInfo {
        phrase: "vpc endpoint policy",
        title: "VPC endpoint policy",
        advice: "Who runs the VPC endpoint has to allow it in its policy{}, or call from elsewhere",
    },
    KindInfo {
        phrase: "role trust policy",
        title: "trust policy of the role",
        advice: "The role's owner has to let this identity take it, with --external-id if it asks for one",
    },
    KindInfo {
        phrase: "resource-based policy",
        title: "resource-based policy",
        advice: "The resource's owner has to change its policy{}",
    },
    KindInfo {
        phrase: "identity-based policy",
        title: "policy of the role",
        advice: "Remove the Deny from the policy{} of the role",
    },
];

/// Where a message only says that something denies it explicitly.
static UNNAMED: KindInfo = KindInfo {
    phrase: "",
    title: "policy that AWS does not name",
    advice: "Look for the Deny in the role's policies; in an organization ask its administrators for \
             their service control policies",
};

impl DeniedBy {
    /// Reads AWS's message. None if it names nothing but a permission that is not there.
    pub fn read(message: &str) -> Option<Self> {
        let explicit = message.split_once("with an explicit deny");
        let (rest, explicit) = match explicit {
            Some((_, rest)) => (rest, true),
            None => (message.split_once("because no ")?.1, false),
        };
        // S3 wraps its messages in a document.
        let rest = rest.split('<').next().unwrap_or_default();
        // What follows the kind is the policy, or the action.
        let named: String = rest.chars().take(40).collect::<String>().to_lowercase();
        let kind = KINDS.iter().find(|kind| named.contains(kind.phrase));
        let is_plain = |kind: Kind| kind.phrase == "identity-based policy" && !explicit;
        match kind {
            Some(kind) if is_plain(kind) => None,
            None if !explicit => None,
            kind => Some(Self {
                kind: kind.unwrap_or(&UNNAMED),
                explicit,
                policy: policy(rest),
            }),
        }
    }

    /// Says who mends it.
    pub fn advice(&self) -> String {
        let named = match &self.policy {
            Some(policy) => format!(" ({policy})"),
            None => String::new(),
        };
        let advice = self.kind.advice.replace("{}", &named);
        format!("{advice}; attaching a policy that allows it does not help")
    }
}

impl fmt::Display for DeniedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.kind.title;
        let (article, verb) = if self.explicit {
            ("a", "denies it")
        } else {
            ("no", "allows it")
        };
        match &self.policy {
            Some(policy) => write!(f, "{article} {title} ({policy}) {verb}"),
            None => write!(f, "{article} {title} {verb}"),
        }
    }
}

/// Returns the last part of a policy's ARN, which is its id in an organization and its name in IAM.
fn policy(text: &str) -> Option<String> {
    let is_of_arn = |c: char| c.is_ascii_alphanumeric() || "_+=.@-:/".contains(c);
    let (_, arn) = text.split_once("arn:")?;
    let arn = arn.split(|c| !is_of_arn(c)).next()?;
    let (_, name) = arn.rsplit_once('/')?;
    let name: String = name.trim_end_matches('.').chars().take(128).collect();
    (!name.is_empty()).then_some(name)
}

/// Shortens what AWS says to a line: control characters go, and of long words, which are ARNs and
/// encoded messages, the beginning stays.
pub(super) fn shortened(text: &str, most: usize) -> String {
    const LONGEST: usize = 100;
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words = text.split_whitespace().map(|word| {
        if word.chars().nth(LONGEST).is_none() {
            return word.to_owned();
        }
        let begin: String = word.chars().take(LONGEST / 2).collect();
        format!("{begin}…")
    });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as AWS documents them or as people report them, with what is read out of each.
    const MESSAGES: [(&str, Option<&str>); 13] = [
        // https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2322
        (
            "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: \
             waf-regional:GetWebACLForResource on resource: arn:aws:waf-regional:eu-west-1:111122223333:*/* \
             with an explicit deny in a service control policy",
            Some("a service control policy of the organization denies it"),
        ),
        // https://github.com/udacity/cd0157-Server-Deployment-and-Containerization/issues/47
        (
            "User: arn:aws:sts::111122223333:assumed-role/voclabs/user1 is not authorized to perform: \
             codebuild:CreateProject on resource: arn:aws:codebuild:us-west-2:111122223333:project/jwt with an \
             explicit deny in a service control policy (Service: AWSCodeBuild; Status Code: 400)",
            Some("a service control policy of the organization denies it"),
        ),
        // https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
        (
            "User: arn:aws:iam::123456789012:user/Matt is not authorized to perform: iam:ListRoles on \
             resource: arn:aws:iam::123456789012:role/* with an explicit deny in a service control policy: \
             arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd",
            Some("a service control policy of the organization (p-2kgnabcd) denies it"),
        ),
        // https://github.com/Optum/dce/issues/208
        (
            "User: arn:aws:sts::111122223333:assumed-role/OrganizationAccountAccessRole/0 is not authorized to \
             perform: ce:GetCostAndUsage on resource: arn:aws:ce:us-east-1:111122223333:/GetCostAndUsage with \
             an explicit deny",
            Some("a policy that AWS does not name denies it"),
        ),
        // The others: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        (
            "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: \
             codecommit:ListRepositories because no service control policy allows the \
             codecommit:ListRepositories action",
            Some("no service control policy of the organization allows it"),
        ),
        (
            "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: s3:GetObject on \
             resource: arn:aws:s3:::b with an explicit deny in a resource control policy",
            Some("a resource control policy of the organization denies it"),
        ),
        (
            "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: \
             codedeploy:ListDeployments because no permissions boundary allows the \
             codedeploy:ListDeployments action",
            Some("no permissions boundary of the role allows it"),
        ),
        (
            "is not authorized to perform: codepipeline:ListPipelines with an explicit deny in a permissions \
             boundary: arn:aws:iam::777788889999:policy/team/Narrow.",
            Some("a permissions boundary of the role (Narrow) denies it"),
        ),
        (
            "is not authorized to perform: codepipeline:ListPipelines because no session policy allows the \
             codepipeline:ListPipelines action",
            Some("no session policy allows it"),
        ),
        (
            "is not authorized to perform: codebuild:ListBuilds with an explicit deny in a VPC endpoint policy",
            Some("a VPC endpoint policy denies it"),
        ),
        (
            "is not authorized to perform: codebuild:ListBuilds with an explicit deny in an identity-based \
             policy: arn:aws:iam::777788889999:policy/NoBuilds",
            Some("a policy of the role (NoBuilds) denies it"),
        ),
        // A statement mends these.
        (
            "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: codebuild:ListBuilds \
             because no identity-based policy allows the codebuild:ListBuilds action",
            None,
        ),
        ("You don't have permissions to access this resource.", None),
    ];

    #[test]
    fn what_denies_a_call_is_read_from_the_words_of_aws() {
        for (message, expected) in MESSAGES {
            let read = DeniedBy::read(message).map(|by| by.to_string());
            assert_eq!(read.as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn only_a_missing_permission_is_mended_by_a_statement() {
        for (message, expected) in MESSAGES {
            let denial = Denial::new(Operation::ListBuilds, message);
            let is_statement = denial.remedy() == Remedy::Allow("codebuild:ListBuilds");
            assert_eq!(is_statement, expected.is_none(), "{message}");
        }
    }

    #[test]
    fn nothing_else_of_a_message_is_repeated() {
        let by = DeniedBy::read(
            "User: PLANTED with an explicit deny in a service control policy: \
             arn:aws:organizations::1:policy/o-1/service_control_policy/p-1\u{1b}[31m PLANTED",
        );
        let by = by.unwrap();
        assert_eq!(by.policy.as_deref(), Some("p-1"));
        assert!(!format!("{by} {}", by.advice()).contains("PLANTED"));
    }

    #[test]
    fn long_words_and_control_characters_of_aws_are_shortened() {
        let encoded = "e".repeat(900);
        let text = format!(
            "not authorized.\u{1b}[31m\nEncoded authorization failure message: {encoded} end"
        );
        let line = shortened(&text, 300);
        assert!(line.starts_with("not authorized. [31m Encoded"), "{line}");
        assert!(line.ends_with("e… end"), "{line}");
        assert!(line.len() < 160 && !line.contains('\u{1b}'), "{line}");
    }
}
