//! What AWS refuses, each kind in its own words and with its own remedy: the rest is collected, and the
//! next run goes on.
//!
//! The messages are those of public reports, named beside each.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::double::{Double, content, place, said};

/// A message as it is since policies are named:
/// <https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns>.
const BY_ORGANIZATION: &str = "User: arn:aws:sts::111111111111:assumed-role/PLANTED/x is not authorized to \
     perform: x:Y on resource: arn:aws:x:us-east-1:111111111111:PLANTED with an explicit deny in a service \
     control policy: arn:aws:organizations::222222222222:policy/o-aaaa/service_control_policy/p-2kgnabcd";

fn refused(code: &str, message: &str) -> Value {
    json!({"kind": "code", "code": code, "message": message})
}

/// Once AWS answers again the ledger is what it would have been.
fn goes_on(double: &Double, ledger: &Path, flags: &[&str]) {
    double.faults(json!({}));
    double.collect(ledger, flags, 0);
    let (_folder, anew) = place();
    double.collect(&anew, flags, 0);
    assert!(content(ledger) == content(&anew));
}

#[test]
fn the_organization_denies_and_only_the_organization_can_lift_it() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let denied = refused("AccessDeniedException", BY_ORGANIZATION);
    let faults = json!({
        "ce.GetCostAndUsage": denied,
        "codepipeline.ListPipelines": denied,
        "codebuild.ListProjects": denied,
    });
    double.faults(faults.clone());
    let (_folder, ledger) = place();
    let told = double.collect(&ledger, &["--deep"], 0);
    for expected in [
        "Not collected: CodePipeline pipelines in us-east-1, account 111111111111: access denied to \
         codepipeline:ListPipelines: a service control policy of the organization (p-2kgnabcd) denies it.",
        "The organization's administrators have to change its service control policy (p-2kgnabcd); attaching \
         a policy that allows it does not help. Denied: ce:GetCostAndUsage, codebuild:ListProjects, \
         codepipeline:ListPipelines.",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(
        !told.contains("pipebill policy") && !told.contains("PLANTED"),
        "{told}"
    );
    // What does not need the denied calls is there: fleets need no projects.
    let partial = content(&ledger);
    assert!(!partial["target"].is_empty() && !partial["identity"].is_empty());
    assert!(
        partial["covered"]
            .iter()
            .any(|row| row.contains("|fleets|"))
    );
    let missing: Vec<&String> = partial["not_collected"].iter().collect();
    assert_eq!(missing.len(), 4, "{missing:?}");
    assert!(
        missing
            .iter()
            .all(|row| row.contains("(p-2kgnabcd) denies it"))
    );
    double.collect(&ledger, &["--deep", "--strict"], 4);
    goes_on(&double, &ledger, &["--deep"]);

    double.faults(faults);
    let output = double.run(&ledger, &["doctor"]);
    let ill = said(&output);
    assert_eq!(output.status.code(), Some(1), "{ill}");
    assert!(
        ill.contains("does not help. Denied: ce:GetCostAndUsage, codebuild:ListProjects"),
        "{ill}"
    );
    assert!(
        !ill.contains("\"Effect\"") && !ill.contains("PLANTED"),
        "{ill}"
    );
}

#[test]
fn an_account_in_no_organization_is_not_sent_to_the_management_account() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    for command in ["collect", "doctor"] {
        // https://github.com/duo-labs/cloudmapper/issues/733
        double.faults(json!({"organizations.ListAccounts": refused(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.",
        )}));
        let flags = [command, "--organization", "--role-name", "Reader"];
        let output = double.run(&ledger, &flags);
        let told = said(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.contains("the account is not in an organization"),
            "{told}"
        );
        assert!(told.contains("hint: leave --organization out"), "{told}");
        assert!(!told.contains("management account"), "{told}");
        // https://github.com/aws-samples/aws-iam-access-key-auto-rotation/issues/10
        double.faults(json!({"organizations.ListAccounts": refused(
            "AccessDeniedException", "You don't have permissions to access this resource.",
        )}));
        let told = said(&double.run(&ledger, &flags));
        assert!(
            told.contains("access denied to organizations:ListAccounts"),
            "{told}"
        );
        assert!(told.contains("run it in the management account"), "{told}");
        double.faults(json!({"organizations.ListAccounts": refused("AccessDeniedException", BY_ORGANIZATION)}));
        let told = said(&double.run(&ledger, &flags));
        assert!(
            told.contains("service control policy (p-2kgnabcd); attaching"),
            "{told}"
        );
    }
    goes_on(&double, &ledger, &["--services", "codebuild"]);
}

#[test]
fn a_role_that_may_not_be_taken_says_who_denies_it() {
    let Some(double) = Double::start("small") else {
        return;
    };
    double.faults(json!({"sts.AssumeRole": refused("AccessDenied", BY_ORGANIZATION)}));
    let (_folder, ledger) = place();
    let flags = [
        "--organization",
        "--role-name",
        "Reader",
        "--services",
        "codebuild",
    ];
    let told = double.collect(&ledger, &flags, 0);
    assert!(
        told.contains("access denied to sts:AssumeRole: a service control policy of the organization (p-2kgnabcd)"),
        "{told}"
    );
    assert!(!told.contains("PLANTED"), "{told}");
    // The only one that is asked for.
    let role = [
        "collect",
        "--role-arn",
        "arn:aws:iam::222222222222:role/Reader",
    ];
    let output = double.run(&ledger, &role);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for expected in [
        "no account could be opened: access denied to sts:AssumeRole: a service control policy",
        "hint: the organization's administrators have to change its service control policy (p-2kgnabcd)",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn cost_explorer_says_why_it_has_no_costs() {
    let Some(double) = Double::start("small") else {
        return;
    };
    for (code, message, reason, advice) in [
        // https://github.com/aws-samples/aws-cost-explorer-report/issues/15
        (
            "AccessDeniedException",
            "User not enabled for cost explorer access",
            "Not collected: Cost Explorer of account 111111111111: Cost Explorer is not enabled for the account.",
            "Open Cost Explorer once in the billing console",
        ),
        // https://github.com/intuit/costBuddy/issues/5
        (
            "DataUnavailableException",
            "Data is not available. Please try to adjust the time period. If just enabled Cost Explorer, \
             data might not be ingested yet",
            "Not collected: Cost Explorer of account 111111111111: 2025-11 to 2026-11, 13 in all: Cost Explorer \
             has no data of these days yet (DataUnavailableException).",
            "Cost Explorer takes a day after it is first opened",
        ),
        // AWS's model: "The requested report expired. Update the date interval and try again."
        (
            "BillExpirationException",
            "The requested report expired. Update the date interval and try again.",
            "13 in all: Cost Explorer no longer has these days (BillExpirationException).",
            "Leave these months out with --from, or import their Cost and Usage Report",
        ),
        // https://github.com/redhat-performance/cloud-governance/pull/1011
        (
            "ValidationException",
            "To retrieve data beyond the past 14 months, your start date needs to be the first day of the month.",
            "13 in all: Cost Explorer no longer has these days (ValidationException).",
            "Leave these months out with --from",
        ),
    ] {
        double.faults(json!({"ce.GetCostAndUsage": refused(code, message)}));
        let (_folder, ledger) = place();
        let told = double.collect(&ledger, &[], 0);
        assert!(told.contains(reason), "{reason}: {told}");
        assert!(told.contains(advice), "{advice}: {told}");
        assert!(!told.contains(message), "{told}");
        assert_eq!(content(&ledger)["build"].len(), 10, "{code}");
        double.collect(&ledger, &["--strict"], 4);
        let ill = said(&double.run(&ledger, &["doctor"]));
        assert!(ill.contains(advice) && !ill.contains("\"Effect\""), "{ill}");
        goes_on(&double, &ledger, &[]);
    }
}

#[test]
fn months_that_cost_explorer_lacks_leave_the_others() {
    let Some(double) = Double::start("small") else {
        return;
    };
    // November and October take four requests each.
    double.faults(json!({"ce.GetCostAndUsage": {
        "kind": "code", "code": "BillExpirationException", "message": "", "after": 9,
    }}));
    let (_folder, ledger) = place();
    let told = double.collect(&ledger, &[], 0);
    assert!(
        told.contains("2025-11 to 2026-09, 11 in all: Cost Explorer no longer has"),
        "{told}"
    );
    let bill = said(&double.run(&ledger, &["bill", "--month", "2026-10", "--strict"]));
    assert!(!bill.contains("Missing"), "{bill}");
    goes_on(&double, &ledger, &[]);
}

#[test]
fn what_stays_throttled_is_named_and_its_place_is_kept() {
    let Some(double) = Double::start("large:1,250,0,0") else {
        return;
    };
    // https://github.com/boto/botocore/issues/1820 and
    // https://github.com/awslabs/aws-codebuild-jenkins-plugin/issues/31
    double.faults(json!({
        "codebuild.ListBuildsForProject": {"kind": "throttle", "after": 3},
        "ce.GetCostAndUsage": {"kind": "throttle", "code": "LimitExceededException"},
    }));
    let (_folder, ledger) = place();
    let mut command = double.command(
        &ledger,
        &[
            "collect",
            "--rate",
            "10000",
            "--services",
            "codebuild,cost-explorer",
        ],
    );
    let output = command.env("AWS_RETRY_MODE", "standard").output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for expected in [
        "p0000: codebuild:ListBuildsForProject was throttled 8 times over (ThrottlingException)",
        "13 in all: ce:GetCostAndUsage was throttled 8 times over (LimitExceededException)",
        "Run the same again later, or slower: --rate 1",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    // After the first month nobody asks on.
    assert_eq!(double.operations()["ce.GetCostAndUsage"], 8);
    double.faults(json!({}));
    double.collect(&ledger, &["--services", "codebuild,cost-explorer"], 0);
    assert!(content(&ledger)["not_collected"].is_empty());
    // The third page, then two at the top for what is new.
    assert_eq!(double.operations()["codebuild.ListBuildsForProject"], 3);
    assert_eq!(content(&ledger)["build"].len(), 250);
}

#[test]
fn a_region_that_is_not_enabled_is_told_from_wrong_credentials() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    // Refused there by STS as well: https://github.com/remotion-dev/github-unwrapped-2022/issues/34
    let told = double.collect(&ledger, &["--region", "ap-east-1"], 0);
    assert!(
        told.contains("CodeBuild builds in ap-east-1, account 111111111111: the region is not enabled for the account"),
        "{told}"
    );
    assert!(told.contains("Enable the region for the account"), "{told}");
    assert!(
        !content(&ledger)["slice"].is_empty(),
        "costs are of no region"
    );
    let ill = said(&double.run(&ledger, &["doctor", "--region", "ap-east-1"]));
    assert!(ill.contains("Enable the region for the account"), "{ill}");
    // So it is where exports are asked for.
    let import = [
        "import",
        "athena://billing.cur2",
        "--month",
        "2026-10",
        "--region",
        "ap-east-1",
    ];
    let told = said(&double.run(&ledger, &import));
    assert!(
        told.contains("the region ap-east-1 is not enabled for the account"),
        "{told}"
    );
    // Credentials that nobody knows are refused as before.
    let mut command = double.command(&ledger, &["collect", "--region", "ap-east-1"]);
    let output = command
        .env("AWS_ACCESS_KEY_ID", "UNKNOWN")
        .output()
        .unwrap();
    assert!(
        said(&output).contains("refuses the credentials"),
        "{}",
        said(&output)
    );
}

/// Sends one request by hand, for what the program does not ask.
fn asked(double: &Double, operation: &str, request: &Value) -> (u16, Value) {
    let body = request.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", double.port)).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: double\r\nConnection: close\r\nContent-Length: {}\r\n\
         X-Amz-Target: CodeBuild_20161006.{operation}\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential=AKIDTEST/20261122/us-east-1/codebuild/aws4_request, SignedHeaders=x, Signature=x\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// Two hundred and fifty builds of a project that is there, and as many of one that was deleted.
const DELETED: &str = "large:2,250,0,0,1";

#[test]
fn no_listing_is_asked_for_in_an_order() {
    let Some(double) = Double::start(DELETED) else {
        return;
    };
    // What the double refuses is what AWS was seen to refuse:
    // https://github.com/aws/aws-cli/issues/5863
    for (operation, more) in [
        ("ListBuilds", json!({})),
        ("ListBuildsForProject", json!({"projectName": "p0000"})),
    ] {
        let request = |fields: Value| {
            let mut request = more.clone();
            request
                .as_object_mut()
                .unwrap()
                .extend(fields.as_object().unwrap().clone());
            request
        };
        let (_, first) = asked(&double, operation, &request(json!({})));
        let token = &first["nextToken"];
        let (status, refused) = asked(
            &double,
            operation,
            &request(json!({"sortOrder": "DESCENDING", "nextToken": token})),
        );
        assert_eq!(status, 400, "{refused}");
        assert_eq!(refused["__type"], "InvalidInputException");
        assert_eq!(
            refused["message"],
            "Sort order can't be specified when passing a nextToken"
        );
        let (status, _) = asked(&double, operation, &request(json!({"nextToken": token})));
        assert_eq!(status, 200);
    }
    double.faults(json!({}));
    let (_folder, ledger) = place();
    double.collect(&ledger, &["--services", "codebuild"], 0);
    let builds = content(&ledger)["build"].clone();
    let of = |project: &str| {
        builds
            .iter()
            .filter(|row| row.contains(&format!("{project}:")))
            .count()
    };
    assert_eq!((of("p0000"), of("p0001")), (250, 250));
    let is_ordered = |name: &String| name.to_lowercase().contains("sort") || name == "order";
    for call in double.log() {
        let request = call["request"].as_object().unwrap();
        assert!(!request.keys().any(is_ordered), "{call}");
    }
}

/// Forgets everything but the newest page of the list of all builds, with a token to go on from.
fn at_token(ledger: &Path, token: &str) {
    let connection = Connection::open(ledger).unwrap();
    let changed = connection.execute(
        "UPDATE listing SET pass_cursor = ?1 WHERE source = 'builds' AND resource = '' AND pass_cursor IS NOT NULL",
        [token],
    );
    assert_eq!(
        changed.unwrap(),
        1,
        "it was stopped within the list of all builds"
    );
}

#[test]
fn the_builds_of_deleted_projects_are_whole_from_a_kept_token_too() {
    let Some(double) = Double::start(DELETED) else {
        return;
    };
    let flags = ["--services", "codebuild"];
    let (_folder, whole) = place();
    double.collect(&whole, &flags, 0);
    let builds = content(&whole)["build"].clone();
    assert_eq!(builds.len(), 500);
    let stopped = json!({"codebuild.ListBuilds": {
        "kind": "code", "code": "ExpiredTokenException", "status": 403, "after": 3,
    }});
    let (_, first) = asked(&double, "ListBuilds", &json!({"sortOrder": "DESCENDING"}));
    let taken_in_order = first["nextToken"].as_str().unwrap().to_owned();
    // The pages that are left, then two at the top for what is new.
    for (token, most) in [
        // As it was kept.
        (None, 5),
        // Taken for a list in an order, as earlier versions did.
        (Some(taken_in_order.as_str()), 6),
        // Forgotten by AWS: it begins anew.
        (Some("bm8gc3VjaCB0b2tlbg=="), 8),
    ] {
        double.faults(stopped.clone());
        let (_folder, ledger) = place();
        double.collect(&ledger, &flags, 1);
        let partial: BTreeSet<String> = content(&ledger)["build"].clone();
        assert!(partial.len() < 500, "{token:?}");
        if let Some(token) = token {
            at_token(&ledger, token);
        }
        double.faults(json!({}));
        double.collect(&ledger, &flags, 0);
        assert!(content(&ledger)["build"] == builds, "{token:?}");
        let asked = double.operations()["codebuild.ListBuilds"];
        assert!(asked <= most, "{token:?}: {asked} requests");
        assert!(content(&ledger)["not_collected"].is_empty());
    }
}

#[test]
fn an_order_refused_with_a_token_is_a_gap_that_the_next_run_fills() {
    let Some(double) = Double::start(DELETED) else {
        return;
    };
    let flags = ["--services", "codebuild"];
    double.faults(json!({"codebuild.ListBuilds": {
        "kind": "code", "code": "InvalidInputException", "after": 3,
        "message": "Sort order can't be specified when passing a nextToken",
    }}));
    let (_folder, ledger) = place();
    for _ in 0..2 {
        let told = double.collect(&ledger, &flags, 1);
        assert!(
            told.contains(
                "projects that were deleted: codebuild:ListBuilds refuses the order of its pages"
            ),
            "{told}"
        );
    }
    double.faults(json!({}));
    double.collect(&ledger, &flags, 0);
    assert_eq!(content(&ledger)["build"].len(), 500);
    assert!(content(&ledger)["not_collected"].is_empty());
}

#[test]
fn a_guard_over_regions_is_one_line_and_each_region_a_gap() {
    let Some(double) = Double::start("small") else {
        return;
    };
    double.faults(
        json!({"codepipeline.ListPipelines": refused("AccessDeniedException", BY_ORGANIZATION)}),
    );
    let (_folder, ledger) = place();
    let regions = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1"];
    let flags = regions.iter().flat_map(|region| ["--region", region]);
    let flags: Vec<&str> = ["--services", "codepipeline"]
        .into_iter()
        .chain(flags)
        .collect();
    let told = double.collect(&ledger, &flags, 0);
    assert!(
        told.contains("Not collected: CodePipeline pipelines in 4 regions, account 111111111111: access denied"),
        "{told}"
    );
    assert_eq!(told.matches("Not collected").count(), 1, "{told}");
    let missing = &content(&ledger)["not_collected"];
    assert!(
        regions
            .iter()
            .all(|region| missing.iter().any(|row| row.contains(region))),
        "{missing:?}"
    );
}
