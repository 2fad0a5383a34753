//! Templates with the traps of real ones; each expectation is arithmetic of the template beside it.

mod files;
mod laws;
mod refusals;

use std::{io, path::Path};

use super::*;
use crate::domain::infra::Kind as Is;
use crate::domain::infra::{
    Attribute, Exists, Feature, Fleet, Note, Pipeline, Project, Range, Reason, Resource, TypeBasis,
};

fn nowhere(_: &Path) -> io::Result<Vec<u8>> {
    Err(io::Error::from(io::ErrorKind::NotFound))
}

fn try_read(text: &str, given: &[(&str, &str)]) -> Result<Reading, TemplateError> {
    let template = Template {
        file: PathBuf::from("t.yaml"),
        bytes: text.as_bytes().to_vec(),
        ..Template::default()
    };
    let options = Options {
        parameters: given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Options::default()
    };
    read(&[template], &options, &nowhere)
}

fn reading(text: &str, given: &[(&str, &str)]) -> Infra {
    try_read(text, given).expect("the template reads").infra
}

fn refused(text: &str) -> String {
    let error = try_read(text, &[]).expect_err("the template is refused");
    error.to_string()
}

fn resource<'i>(infra: &'i Infra, address: &str) -> &'i Resource {
    let mut all = infra.after.iter();
    all.find(|one| one.address == address)
        .unwrap_or_else(|| panic!("{address} is in {:?}", infra.after))
}

fn project<'i>(infra: &'i Infra, address: &str) -> &'i Project {
    match &resource(infra, address).kind {
        Is::Project(project) => project,
        other => panic!("{other:?} is no project"),
    }
}

fn pipeline<'i>(infra: &'i Infra, address: &str) -> &'i Pipeline {
    match &resource(infra, address).kind {
        Is::Pipeline(pipeline) => pipeline,
        other => panic!("{other:?} is no pipeline"),
    }
}

fn fleet<'i>(infra: &'i Infra, address: &str) -> &'i Fleet {
    match &resource(infra, address).kind {
        Is::Fleet(fleet) => fleet,
        other => panic!("{other:?} is no fleet"),
    }
}

fn known(text: &str) -> Attribute<String> {
    Attribute::Known(text.to_owned())
}

fn depends<T>(parameters: &[&str], choices: Vec<T>) -> Attribute<T> {
    Attribute::Depends {
        parameters: parameters.iter().map(ToString::to_string).collect(),
        choices,
    }
}

fn range(low: u32, high: u32) -> Range {
    Range { low, high }
}

/// A project with an environment, and more properties.
fn one_project(environment: &str, more: &str) -> String {
    format!(
        "Resources:\n  P:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Environment: {{Image: i, {environment}}}\n{more}"
    )
}

/// A pipeline with one stage of actions, and more properties.
fn one_pipeline(actions: &[&str], more: &str) -> String {
    let actions: String = actions
        .iter()
        .map(|line| format!("            - {line}\n"))
        .collect();
    format!(
        "Resources:\n  F:\n    Type: AWS::CodePipeline::Pipeline\n    Properties:\n{more}      Stages:\n        - Name: All\n          Actions:\n{actions}"
    )
}

const BUILD: &str = "{Name: b, ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: 1}, Configuration: {ProjectName: p}}";
const COPY: &str = "{Name: c, ActionTypeId: {Category: Deploy, Owner: AWS, Provider: S3}}";
const ASK: &str = "{Name: a, ActionTypeId: {Category: Approval, Owner: AWS, Provider: Manual}}";
const OWN: &str = "{Name: o, ActionTypeId: {Category: Test, Owner: Custom, Provider: !Ref Tool}, Configuration: {ProjectName: theirs}}";

const ENV: &str = "Parameters:\n  Env: {Type: String, AllowedValues: [alpha, beta, prod]}\n  Size: {Type: String}\nConditions:\n  IsBeta: !Equals [!Ref Env, beta]\n  IsProd: !Equals [prod, !Ref Env]\n  NotProd: !Not [{Condition: IsProd}]\n";

#[test]
fn conditions_that_exclude_each_other_are_counted_together() {
    // Always two; beta adds a copy, and all but prod a build: alpha 3, beta 4, prod 2.
    let text = format!(
        "{ENV}{}",
        one_pipeline(
            &[
                BUILD,
                &format!("!If [IsBeta, {COPY}, !Ref AWS::NoValue]"),
                &format!(
                    "!If [NotProd, {}, !Ref AWS::NoValue]",
                    BUILD.replace("Name: b", "Name: n")
                ),
                ASK,
            ],
            "",
        )
    );
    let infra = reading(&text, &[]);
    let found = pipeline(&infra, "F");
    assert_eq!(found.counts.all, range(2, 4));
    assert_eq!(found.counts.billable, range(1, 3));
    assert_eq!(found.incomplete, Attribute::Absent);
    let exists: Vec<_> = found
        .actions
        .iter()
        .map(|one| (one.name.as_str(), one.exists.clone()))
        .collect();
    let maybe = |condition: &str| Exists::Maybe {
        conditions: vec![condition.to_owned()],
        parameters: vec!["Env".to_owned()],
    };
    let expected = [
        ("b", Exists::Yes),
        ("c", maybe("IsBeta")),
        ("n", maybe("NotProd")),
        ("a", Exists::Yes),
    ];
    let mut sorted = exists.clone();
    sorted.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(sorted, expected);
    for (env, count) in [("alpha", 3), ("beta", 4), ("prod", 2)] {
        let infra = reading(&text, &[("Env", env)]);
        assert_eq!(
            pipeline(&infra, "F").counts.all,
            range(count, count),
            "{env}"
        );
    }
}

#[test]
fn many_undecided_conditions_still_give_bounds() {
    // Twenty conditions have a million cases; each action is there or not.
    let conditions: String = (0..20)
        .map(|at| format!("  C{at}: !Equals [!Ref P{at}, x]\n"))
        .collect();
    let actions: Vec<String> = (0..20)
        .map(|at| format!("!If [C{at}, {BUILD}, !Ref 'AWS::NoValue']"))
        .collect();
    let mut lines: Vec<&str> = actions.iter().map(String::as_str).collect();
    lines.extend([COPY, ASK]);
    let text = format!("Conditions:\n{conditions}{}", one_pipeline(&lines, ""));
    let infra = reading(&text, &[]);
    let found = pipeline(&infra, "F");
    assert_eq!(found.counts.all, range(2, 22));
    assert_eq!(found.counts.billable, range(1, 21));
    assert_eq!(found.actions.len(), 22);
    assert_eq!(found.incomplete, Attribute::Absent);
}

#[test]
fn a_whole_stage_or_a_property_may_be_left_out() {
    let stage = |name: &str| format!("{{Name: {name}, Actions: [{BUILD}, {ASK}]}}");
    let text = format!(
        "{ENV}Resources:\n  F:\n    Type: AWS::CodePipeline::Pipeline\n    Properties:\n      Stages:\n        - {}\n        - !If [IsProd, {}, !Ref 'AWS::NoValue']\n      Triggers: !If [IsProd, [{{ProviderType: x}}], !Ref 'AWS::NoValue']\n",
        stage("one"),
        stage("two")
    );
    let found = reading(&text, &[]);
    let found = pipeline(&found, "F");
    // One stage of two actions, or two.
    assert_eq!(found.counts.all, range(2, 4));
    assert_eq!(found.counts.billable, range(1, 2));
    assert_eq!(found.basis, TypeBasis::NewStack);
    let live = reading(&text, &[("Env", "prod")]);
    assert_eq!(
        pipeline(&live, "F").basis,
        TypeBasis::Forced(Feature::Triggers)
    );
}

#[test]
fn custom_actions_and_approvals_are_not_billed() {
    let text = format!(
        "Parameters:\n  Tool: {{Type: String}}\n{}",
        one_pipeline(&[COPY, OWN, OWN, ASK], "      PipelineType: V2\n")
    );
    let infra = reading(&text, &[]);
    let found = pipeline(&infra, "F");
    assert_eq!(
        (found.counts.all, found.counts.billable),
        (range(4, 4), range(1, 1))
    );
    assert_eq!(found.basis, TypeBasis::Stated);
    assert_eq!(found.actions[1].provider, depends(&["Tool"], vec![]));
}

#[test]
fn what_only_v2_has_makes_a_pipeline_v2() {
    let scan = "{Name: s, ActionTypeId: {Category: Invoke, Owner: AWS, Provider: InspectorScan}}";
    let infra = reading(
        &one_pipeline(&[COPY, scan], "      PipelineType: V1\n"),
        &[],
    );
    let found = pipeline(&infra, "F");
    assert_eq!(
        found.kind,
        Attribute::Known(crate::domain::plan::PipelineType::V2)
    );
    assert_eq!(found.basis, TypeBasis::Forced(Feature::InspectorScan));
    let infra = reading(&one_pipeline(&[COPY], "      ExecutionMode: QUEUED\n"), &[]);
    assert_eq!(
        pipeline(&infra, "F").basis,
        TypeBasis::Forced(Feature::ExecutionMode)
    );
}

#[test]
fn an_action_runs_elsewhere_only_if_its_region_is_another() {
    let copy = |region: &str| COPY.replace("{Name", &format!("{{Region: {region}, Name"));
    let text = one_pipeline(&[&copy("!Ref AWS::Region"), &copy("us-west-2")], "");
    let infra = reading(&text, &[]);
    let regions: Vec<_> = pipeline(&infra, "F")
        .actions
        .iter()
        .map(|one| one.region.clone())
        .collect();
    assert_eq!(
        regions,
        [
            Attribute::Absent,
            Attribute::Known(Region::new("us-west-2"))
        ]
    );
}

#[test]
fn a_size_is_never_guessed() {
    // No environment; no value; a list of allowed ones; a map whose single key nobody chose.
    let infra = reading(
        "Resources:\n  P: {Type: 'AWS::CodeBuild::Project', Properties: {}}\n",
        &[],
    );
    assert_eq!(
        project(&infra, "P").compute_type,
        Attribute::Unknown(Reason::Missing)
    );
    let text = format!(
        "{ENV}{}",
        one_project("Type: LINUX_CONTAINER, ComputeType: !Ref Size", "")
    );
    assert_eq!(
        project(&reading(&text, &[]), "P").compute_type,
        depends(&["Size"], vec![])
    );
    let given = reading(&text, &[("Size", "BUILD_GENERAL1_LARGE")]);
    assert_eq!(
        project(&given, "P").compute_type,
        known("BUILD_GENERAL1_LARGE")
    );
    let text = text.replace(
        "Size: {Type: String}",
        "Size: {Type: String, AllowedValues: [S, L]}",
    );
    let both = vec!["S".to_owned(), "L".to_owned()];
    assert_eq!(
        project(&reading(&text, &[]), "P").compute_type,
        depends(&["Size"], both)
    );
    let text = format!(
        "Parameters:\n  Env: {{Type: String}}\nMappings:\n  Sizes:\n    prod: {{Size: BUILD_GENERAL1_LARGE}}\n{}",
        one_project(
            "Type: ARM_CONTAINER, ComputeType: !FindInMap [Sizes, !Ref Env, Size]",
            ""
        )
    );
    assert_eq!(
        project(&reading(&text, &[]), "P").compute_type,
        depends(&["Env"], vec![])
    );
    let given = reading(&text, &[("Env", "prod")]);
    assert_eq!(
        project(&given, "P").compute_type,
        known("BUILD_GENERAL1_LARGE")
    );
}

#[test]
fn a_resource_exists_by_its_condition() {
    let text = format!(
        "{ENV}{}",
        one_project(
            "Type: LINUX_CONTAINER, ComputeType: !If [IsBeta, S, L]",
            "    Condition: NotProd\n"
        )
    );
    let maybe = reading(&text, &[]);
    assert_eq!(
        resource(&maybe, "P").exists,
        Exists::Maybe {
            conditions: vec!["NotProd".to_owned()],
            parameters: vec!["Env".to_owned()]
        }
    );
    let none = reading(&text, &[("Env", "prod")]);
    assert!(none.after.is_empty());
    let expected = Note::NotCreated {
        address: "P".to_owned(),
        condition: "NotProd".to_owned(),
    };
    assert!(none.notes.contains(&expected), "{:?}", none.notes);
    assert_eq!(
        resource(&reading(&text, &[("Env", "beta")]), "P").exists,
        Exists::Yes
    );
}

#[test]
fn an_attribute_has_only_the_values_its_resource_can_exist_with() {
    let text = format!(
        "{ENV}{}",
        one_project(
            "Type: LINUX_CONTAINER, ComputeType: !If [IsProd, L, S]",
            "    Condition: NotProd\n"
        )
    );
    assert_eq!(project(&reading(&text, &[]), "P").compute_type, known("S"));
}

#[test]
fn scalars_stay_text_and_types_are_read_as_written() {
    let text = "AWSTemplateFormatVersion: 2010-09-09\nParameters:\n  Account: {Type: Number, Default: 012345678901}\n  Stop: {Type: Boolean, Default: Yes}\n  Names: {Type: String, Default: [one]}\n  Size: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /size}\nConditions:\n  Same: !And [!Equals ['012345678901', !Ref Account], !Equals ['Yes', !Ref Stop], !Equals [one, !Ref Names]]\nResources:\n  P:\n    Type: AWS::CodeBuild::Project\n    Condition: Same\n    Properties:\n      Name: !Sub '${Account}-x${!y}'\n      TimeoutInMinutes: 480\n      BuildBatchConfig: {ServiceRole: r}\n      Environment: {Type: linuxContainer, ComputeType: !Ref Size, Image: '{{resolve:ssm:/secret/path}}'}\n";
    let infra = reading(text, &[]);
    let found = project(&infra, "P");
    assert_eq!(resource(&infra, "P").name, known("012345678901-x${y}"));
    assert_eq!(found.timeout, Attribute::Known(480));
    assert_eq!(found.batch, Attribute::Known(true));
    assert_eq!(found.environment_type, known("LINUX_CONTAINER"));
    assert!(
        infra
            .notes
            .iter()
            .any(|note| matches!(note, Note::TypeAlias { .. }))
    );
    assert_eq!(
        found.compute_type,
        Attribute::Unknown(Reason::SsmParameter("/size".to_owned()))
    );
    assert_eq!(
        found.image,
        Attribute::Unknown(Reason::DynamicReference("ssm".to_owned()))
    );
    assert!(!format!("{infra:?}").contains("secret/path"));
}

#[test]
fn functions_come_to_what_aws_documents() {
    // The examples of the function reference of the CloudFormation user guide, read 2026-12-01.
    for (expression, expected) in [
        ("!Join [':', [a, b, c]]", "a:b:c"),
        ("!Select ['1', [apples, grapes, oranges]]", "grapes"),
        ("!Select [2, !Split ['|', 'a|b|c']]", "c"),
        ("!Base64 AWS CloudFormation", "QVdTIENsb3VkRm9ybWF0aW9u"),
        (
            "!Sub ['www.${Domain}', {Domain: example.com}]",
            "www.example.com",
        ),
        ("!Sub ['${A}', {A: !Ref List}]", "[\"x\",\"y\"]"),
        ("{'Fn::Length': [1, 2, 3]}", "3"),
        ("{'Fn::Length': !Ref List}", "2"),
        (
            "{'Fn::ToJsonString': {key1: value1, key2: !Ref One}}",
            "{\"key1\":\"value1\",\"key2\":\"1\"}",
        ),
        (
            "!Select [1, !Cidr ['192.168.0.0/24', 6, 5]]",
            "192.168.0.32/27",
        ),
        ("!FindInMap [M, a, nope, {DefaultValue: other}]", "other"),
        ("!If [Yes, '1', '2']", "1"),
    ] {
        let text = format!(
            "Parameters:\n  List: {{Type: CommaDelimitedList, Default: 'x, y'}}\n  One: {{Type: Number, Default: 1}}\nMappings: {{M: {{a: {{b: c}}}}}}\nConditions: {{Yes: !Or [!Equals [1, 2], !Equals [a, a]]}}\nResources:\n  R: {{Type: 'AWS::CodeCommit::Repository', Properties: {{RepositoryName: {expression}}}}}\n"
        );
        assert_eq!(
            resource(&reading(&text, &[]), "R").name,
            known(expected),
            "{expression}"
        );
    }
}

#[test]
fn loops_are_written_out_or_named() {
    let text = "Transform: AWS::LanguageExtensions\nParameters:\n  Names: {Type: CommaDelimitedList}\nResources:\n  Fn::ForEach::Projects:\n    - Name\n    - !Ref Names\n    - Build${Name}:\n        Type: AWS::CodeBuild::Project\n        Properties:\n          Name: !Sub 'p-${Name}'\n          Environment: {Type: LINUX_CONTAINER, Image: i, ComputeType: !Ref Name}\n";
    let infra = reading(text, &[("Names", "A,B")]);
    assert_eq!(infra.after.len(), 2);
    assert_eq!(resource(&infra, "BuildB").name, known("p-B"));
    assert_eq!(project(&infra, "BuildA").compute_type, known("A"));
    let open = reading(text, &[]);
    assert_eq!(open.after.len(), 1);
    assert!(!open.after[0].exists.is_certain());
    assert!(
        open.notes
            .iter()
            .any(|note| matches!(note, Note::LoopUnknown { .. }))
    );
}

#[test]
fn fleets_and_their_projects_name_each_other() {
    let text = "Resources:\n  M:\n    Type: AWS::CodeBuild::Fleet\n    Properties: {BaseCapacity: 1, EnvironmentType: LINUX_CONTAINER, ComputeType: ATTRIBUTE_BASED_COMPUTE, ComputeConfiguration: {vCpu: 0, memory: 0, disk: 0}, ScalingConfiguration: {MaxCapacity: 3}, OverflowBehavior: ON_DEMAND}\n  P:\n    Type: AWS::CodeBuild::Project\n    Properties: {Environment: {Type: LINUX_CONTAINER, Image: i, ComputeType: BUILD_GENERAL1_SMALL, Fleet: {FleetArn: !GetAtt M.Arn}, DockerServer: {ComputeType: BUILD_GENERAL1_SMALL}}}\n";
    let infra = reading(text, &[]);
    let machines = fleet(&infra, "M");
    assert_eq!(
        machines.configuration,
        Attribute::Unknown(Reason::ChosenByAws)
    );
    assert_eq!(
        (&machines.base_capacity, &machines.max_capacity),
        (&Attribute::Known(1), &Attribute::Known(3))
    );
    assert_eq!(project(&infra, "P").fleet, known("M"));
    assert_eq!(
        project(&infra, "P").docker_server,
        known("BUILD_GENERAL1_SMALL")
    );
}

#[test]
fn a_function_that_is_deployed_gradually_brings_a_group() {
    let text = "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {DeploymentPreference: {Type: Canary10Percent5Minutes}}}\nResources:\n  A: {Type: 'AWS::Serverless::Function', Properties: {}}\n  B: {Type: 'AWS::Serverless::Function', Properties: {DeploymentPreference: {Enabled: false}}}\n";
    let infra = reading(text, &[]);
    // One application, and the group of A; B switches it off.
    assert_eq!(infra.after.len(), 2);
    assert!(
        matches!(&infra.after[1].kind, Is::DeploymentGroup { platform, .. } if *platform == known("Lambda"))
    );
    assert_eq!(infra.ignored["AWS::Serverless::Function"], 2);
}
