//! Templates that belong together, and files of parameters.

use super::*;

#[test]
fn nested_stacks_on_disk_are_read_where_they_stand() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/infra/cfn/parent.yaml");
    let infra = read_files(&[file], &Options::default())
        .expect("it reads")
        .infra;
    // The child twice: once certain, once for live alone, there with the size of live.
    assert_eq!(
        project(&infra, "Unit/Build").compute_type,
        known("BUILD_GENERAL1_MEDIUM")
    );
    assert_eq!(project(&infra, "Unit/Build").timeout, Attribute::Known(45));
    assert_eq!(
        project(&infra, "Deploy/Build").compute_type,
        known("BUILD_GENERAL1_LARGE")
    );
    assert!(!resource(&infra, "Deploy/Build").exists.is_certain());
    assert_eq!(
        pipeline(&infra, "Flow").actions[0].project,
        known("Unit/Build")
    );
    let far = infra
        .notes
        .iter()
        .any(|note| matches!(note, Note::NestedElsewhere { address, .. } if address == "Far"));
    assert!(far, "{:?}", infra.notes);
}

#[test]
fn what_one_stack_exports_another_imports() {
    let file = |name: &str, text: &str| Template {
        file: PathBuf::from(name),
        bytes: text.as_bytes().to_vec(),
        ..Template::default()
    };
    let exporting = "Parameters: {Env: {Type: String, Default: dev}}\nResources: {}\nOutputs: {S: {Value: BUILD_GENERAL1_XLARGE, Export: {Name: !Sub '${Env}-size'}}}\n";
    let importing = one_project(
        "Type: LINUX_CONTAINER, ComputeType: !ImportValue dev-size",
        "",
    );
    let both = [file("a.yaml", exporting), file("b.yaml", &importing)];
    let read = |templates: &[Template]| {
        let reading = super::read(templates, &Options::default(), &nowhere);
        reading.expect("they read").infra
    };
    assert_eq!(
        project(&read(&both), "b.yaml/P").compute_type,
        known("BUILD_GENERAL1_XLARGE")
    );
    let missing = Attribute::Unknown(Reason::Import("dev-size".to_owned()));
    assert_eq!(project(&read(&both[1..]), "P").compute_type, missing);
}

#[test]
fn a_cdk_folder_is_read_with_its_manifest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/infra/cfn/cdk.out");
    assert!(crate::inputs::infra::cdk::is_output(&folder));
    let reading = crate::inputs::infra::cdk::read(&folder, &Options::default());
    let infra = reading.expect("it reads").infra;
    let machines = resource(&infra, "team-builds/Machines");
    assert_eq!(machines.name, known("team-builds"));
    assert_eq!(machines.account, Some(AccountId::new("012345678901")));
    assert_eq!(
        fleet(&infra, "team-builds/Machines").base_capacity,
        Attribute::Known(2)
    );
    let nested = resource(&infra, "team-builds/Nested/Api");
    assert_eq!(nested.region, Attribute::Known(Region::new("eu-west-2")));
    assert_eq!(resource(&infra, "Anywhere/Code").region, Attribute::Absent);
    assert!(
        matches!(&resource(&infra, "prod-api/Group").kind, Is::DeploymentGroup { platform, .. } if *platform == known("Lambda"))
    );
    // Of the nested stack's resource itself there is one; nothing else is of another service.
    assert_eq!(infra.ignored.values().sum::<u32>(), 1);
}

#[test]
fn parameter_files_have_three_shapes() {
    for text in [
        r#"[{"ParameterKey": "A", "ParameterValue": "01"}, {"ParameterKey": "B", "UsePreviousValue": true}]"#,
        r#"["A=01"]"#,
        r#"{"Parameters": {"A": "01", "B": {"Fn::GetParam": ["x", "y", "z"]}}, "Tags": {"t": "u"}}"#,
        r#"{"A": "01"}"#,
    ] {
        let read = read_parameters("p.json", text.as_bytes()).expect("it reads");
        assert_eq!(
            read,
            BTreeMap::from([("A".to_owned(), "01".to_owned())]),
            "{text}"
        );
    }
    let error = read_parameters("p.json", b"[1]").expect_err("it is refused");
    assert!(
        error
            .to_string()
            .starts_with("p.json, line 1: is not a parameter file"),
        "{error}"
    );
}
