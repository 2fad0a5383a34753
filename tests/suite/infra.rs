//! Infrastructure code is read as its tools write it: plans, states and previews, and what is none of
//! them. The fixtures are our own, in the shapes that Terraform's and Pulumi's sources and documentation
//! give: each has one trap or several.

use std::path::PathBuf;

use pipebill::{
    app::{App, DataSource, InfraCosts, InfraRequest, PricedResource},
    domain::{
        ids::{AccountId, Region},
        infra::{
            Action, Attribute, Feature, Form, Infra, Kind, Note, Pipeline, Project, Reason,
            Resource, TypeBasis,
        },
        money::Money,
        plan::PipelineType,
    },
    inputs::infra::{self, Foreign, InfraError, Options, Problem},
};

use crate::support::{dec, root};

fn path(name: &str) -> PathBuf {
    root().join("tests/fixtures/infra").join(name)
}

fn read(name: &str) -> Infra {
    infra::read(&path(name), &Options::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refused(name: &str) -> Foreign {
    match infra::read(&path(name), &Options::default()) {
        Err(InfraError::Foreign { what, .. }) => what,
        other => panic!("{name}: {other:?}"),
    }
}

fn find<'a>(resources: &'a [Resource], end: &str) -> &'a Resource {
    let found = resources.iter().find(|it| it.address.ends_with(end));
    found.unwrap_or_else(|| panic!("no {end}"))
}

fn project(resource: &Resource) -> &Project {
    match &resource.kind {
        Kind::Project(project) => project,
        other => panic!("{other:?}"),
    }
}

fn pipeline(resource: &Resource) -> &Pipeline {
    match &resource.kind {
        Kind::Pipeline(pipeline) => pipeline,
        other => panic!("{other:?}"),
    }
}

fn known(text: &str) -> Attribute<String> {
    Attribute::Known(text.to_owned())
}

fn region(resource: &Resource) -> &str {
    resource.region.known().map_or("", |region| region.as_str())
}

#[test]
fn a_plan_has_what_was_and_what_will_be() {
    let plan = read("terraform/changes.json");
    let before = plan.before.as_deref().expect("a plan has both");
    assert_eq!(
        (plan.form, before.len(), plan.after.len()),
        (Form::TerraformPlan, 4, 8)
    );
    let ignored: Vec<(&str, u32)> = plan
        .ignored
        .iter()
        .map(|(it, n)| (it.as_str(), *n))
        .collect();
    assert_eq!(
        ignored,
        [("aws_s3_bucket", 1), ("data.aws_codebuild_fleet", 1)]
    );

    let api = (find(before, ".api"), find(&plan.after, ".api"));
    assert_eq!(api.1.action, Action::Update);
    // What drifted is no change: the size before it is nowhere.
    assert_eq!(project(api.0).compute_type, known("BUILD_GENERAL1_SMALL"));
    assert_eq!(project(api.1).compute_type, known("BUILD_GENERAL1_LARGE"));

    let release = find(&plan.after, ".release");
    assert_eq!(release.action, Action::Replace);
    let stated = pipeline(find(before, ".release"));
    assert_eq!(
        (&stated.kind, stated.basis),
        (&Attribute::Known(PipelineType::V2), TypeBasis::Stated)
    );
    let silent = pipeline(release);
    assert_eq!(silent.kind, Attribute::Known(PipelineType::V1));
    assert_eq!(silent.basis, TypeBasis::ProviderDefault);
    // Source, two builds and a deployment; an approval and a custom action are free in V2.
    assert_eq!((silent.counts.all.low, silent.counts.billable.low), (6, 4));
    assert_eq!(silent.actions[1].project, known("api"));
    assert_eq!(
        silent.actions[2].project,
        Attribute::Unknown(Reason::AfterApply)
    );
    assert_eq!(
        silent.actions[5].region.known().map(Region::as_str),
        Some("eu-west-3")
    );

    let moved = find(&plan.after, "repository.new");
    assert_eq!(
        moved.previous_address.as_deref(),
        Some("aws_codecommit_repository.old")
    );
    assert_eq!(find(before, "repository.old").action, Action::NoOp);
    assert_eq!(
        moved.account.as_ref().map(AccountId::as_str),
        Some("123456789012")
    );

    let gone = find(before, ".ecs");
    assert_eq!(gone.action, Action::Delete);
    let Kind::DeploymentGroup { platform, .. } = &gone.kind else {
        panic!("{gone:?}");
    };
    assert_eq!(*platform, known("ECS"));
    assert!(matches!(find(&plan.after, ".tests").kind, Kind::Free));
    assert!(matches!(find(&plan.after, "widget.x").kind, Kind::Other));
}

#[test]
fn the_region_of_a_plan_is_that_of_the_provider() {
    let plan = read("terraform/changes.json");
    // A variable, an alias, a module whose region is handed in, an ARN.
    assert_eq!(region(find(&plan.after, ".api")), "eu-west-2");
    assert_eq!(region(find(&plan.after, ".paris[0]")), "eu-west-3");
    assert_eq!(region(find(&plan.after, "fleet.mac")), "eu-west-2");
    assert_eq!(region(find(&plan.after, "project.mac")), "eu-west-2");
    assert_eq!(region(find(&plan.after, "repository.new")), "eu-west-1");
    // One that is stated nowhere is not made up.
    let silent = read("terraform/forced.json");
    assert!(silent.after.iter().all(|it| it.region.is_absent()));
    let said = |note: &&Note| matches!(note, Note::RegionUnstated { .. });
    assert_eq!(silent.notes.iter().filter(said).count(), silent.after.len());
}

#[test]
fn a_project_of_a_new_fleet_names_it() {
    let plan = read("terraform/changes.json");
    let mac = project(find(&plan.after, "project.mac"));
    assert_eq!(
        mac.fleet,
        known(r#"module.ci["a.b"].aws_codebuild_fleet.mac"#)
    );
    let Kind::Fleet(fleet) = &find(&plan.after, "fleet.mac").kind else {
        panic!("a fleet");
    };
    assert_eq!(fleet.environment_type, known("MAC_ARM"));
    assert_eq!(fleet.base_capacity, Attribute::Known(1));
    assert_eq!(fleet.max_capacity, Attribute::Known(2));
}

#[test]
fn features_make_a_pipeline_v2_whatever_is_stated() {
    let plan = read("terraform/forced.json");
    let basis = |name: &str| pipeline(find(&plan.after, name)).basis;
    assert_eq!(basis(".commands"), TypeBasis::Forced(Feature::Commands));
    assert_eq!(basis(".mode"), TypeBasis::Forced(Feature::ExecutionMode));
    // V1 is stated, and it has triggers.
    assert_eq!(basis(".all"), TypeBasis::Forced(Feature::Triggers));
    let later = pipeline(find(&plan.after, ".later"));
    assert_eq!(later.incomplete, Attribute::Unknown(Reason::AfterApply));
}

#[test]
fn what_a_plan_left_out_stays() {
    let plan = read("terraform/targeted.json");
    assert!(plan.notes.contains(&Note::Targeted));
    assert_eq!(find(&plan.after, ".left").action, Action::NoOp);
    assert_eq!(find(&plan.after, ".made").action, Action::Create);
    assert_eq!(plan.before.map(|before| before.len()), Some(1));
    assert_eq!(read("terraform/errored.json").notes, [Note::PlanErrored]);
}

#[test]
fn nothing_sensitive_is_kept() {
    let plan = read("terraform/sensitive.json");
    let secret = find(&plan.after, ".secret");
    assert_eq!(secret.name, Attribute::Unknown(Reason::Sensitive));
    assert_eq!(
        project(secret).compute_type,
        Attribute::Unknown(Reason::Sensitive)
    );
    let preview = read("pulumi/preview.json");
    let wrapped = find(&preview.after, "::secret");
    assert_eq!(wrapped.name, Attribute::Unknown(Reason::Sensitive));
    assert_eq!(
        project(wrapped).compute_type,
        Attribute::Unknown(Reason::Sensitive)
    );
    for name in [
        "terraform/changes.json",
        "terraform/sensitive.json",
        "terraform/state-v4.tfstate",
        "terraform/state-v3.tfstate",
        "pulumi/preview.json",
        "pulumi/events.jsonl",
    ] {
        let text = format!("{:?}", read(name));
        for secret in ["hunter2", "secret-name"] {
            assert!(!text.contains(secret), "{name} keeps {secret}");
        }
    }
}

#[test]
fn a_state_says_what_there_is() {
    let state = read("terraform/state-v4.tfstate");
    assert_eq!(
        (state.form, state.before.is_none()),
        (Form::TerraformState, true)
    );
    assert_eq!(state.notes, [Note::StateOnly]);
    let first = find(
        &state.after,
        r#"module.ci.aws_codebuild_project.api["a.b"]"#,
    );
    assert_eq!(
        (region(first), &project(first).timeout),
        ("us-east-1", &Attribute::Known(120))
    );
    let hidden = project(find(&state.after, "api[1]"));
    assert_eq!(hidden.compute_type, Attribute::Unknown(Reason::Sensitive));
    // A provider that knew no types made the one; the other states it.
    assert_eq!(
        pipeline(find(&state.after, "codepipeline.p")).basis,
        TypeBasis::BeforeTypes
    );
    assert_eq!(
        pipeline(find(&state.after, "codepipeline.q")).basis,
        TypeBasis::Stated
    );
    assert_eq!(state.ignored.get("aws_iam_role"), Some(&2));

    let old = read("terraform/state-v3.tfstate");
    let project = project(find(&old.after, "module.ci.aws_codebuild_project.old"));
    assert_eq!(project.compute_type, known("BUILD_GENERAL1_SMALL"));
    assert_eq!(project.environment_type, known("LINUX_CONTAINER"));
    assert_eq!(project.timeout, Attribute::Known(60));
    assert_eq!(region(&old.after[0]), "eu-west-1");

    let shown = read("terraform/show-state.json");
    let Kind::Fleet(fleet) = &shown.after[0].kind else {
        panic!("a fleet");
    };
    let machine = fleet.configuration.known().expect("a configuration");
    assert_eq!(
        (&machine.vcpu, &machine.memory),
        (&Attribute::Known(0), &Attribute::Known(0))
    );
}

#[test]
fn files_as_shells_and_ci_leave_them() {
    for (name, notes) in [
        ("utf16.json", vec![]),
        ("wrapped.json", vec![Note::Wrapped]),
        ("trailing-commas.json", vec![Note::TrailingCommas]),
    ] {
        let plan = read(&format!("terraform/{name}"));
        assert_eq!(plan.notes, notes, "{name}");
        assert_eq!(
            (plan.after.len(), region(&plan.after[0])),
            (1, "eu-west-2"),
            "{name}"
        );
    }
}

#[test]
fn a_preview_of_pulumi_counts_what_is_replaced_once() {
    let preview = read("pulumi/preview.json");
    assert_eq!(preview.notes, [Note::UnchangedHidden { count: 3 }]);
    let before = preview.before.as_deref().expect("both sides");
    assert_eq!((before.len(), preview.after.len()), (2, 8));
    let moved = find(&preview.after, "::moved");
    assert_eq!(
        (moved.action, &moved.name),
        (Action::Replace, &known("new-name"))
    );
    assert_eq!(find(before, "::moved").name, known("old-name"));
    assert_eq!(region(find(&preview.after, "::api")), "us-west-2");
    assert_eq!(region(find(&preview.after, "::paris")), "eu-west-3");
    // A fleet that has no ARN yet is a fleet.
    let fleet = &project(find(&preview.after, "::on-fleet")).fleet;
    assert!(
        matches!(fleet, Attribute::Unknown(Reason::ResourceAttribute(_))),
        "{fleet:?}"
    );
    let pipeline = pipeline(find(&preview.after, "::p"));
    assert_eq!(
        (pipeline.basis, pipeline.counts.billable.high),
        (TypeBasis::ProviderDefault, 2)
    );
    assert_eq!(pipeline.actions[2].batch, Attribute::Known(true));
    let native = project(find(&preview.after, "::native"));
    assert_eq!(native.environment_type, known("ARM_CONTAINER"));
    assert_eq!(native.timeout, Attribute::Known(15));
}

#[test]
fn a_log_of_pulumi_is_read_as_far_as_it_goes() {
    let whole = read("pulumi/events.jsonl");
    assert_eq!((whole.after.len(), whole.notes.len()), (2, 0));
    assert_eq!(find(&whole.after, "::r").action, Action::Replace);
    assert_eq!(region(&whole.after[0]), "us-west-2");
    let cut = read("pulumi/events-cut.jsonl");
    assert_eq!(cut.after.len(), 1);
    assert!(
        matches!(cut.notes[..], [Note::LogCut { .. }]),
        "{:?}",
        cut.notes
    );
}

#[test]
fn what_cannot_be_priced_is_named() {
    assert_eq!(refused("terraform/messages.jsonl"), Foreign::PlanMessages);
    assert_eq!(refused("terraform/code.tf"), Foreign::TerraformCode);
    let rendered_first = infra::read(&path("terraform/jinja.yaml"), &Options::default());
    let said = rendered_first.unwrap_err().to_string();
    assert!(said.contains("line 2") && said.contains("Jinja"), "{said}");
    assert_eq!(
        refused("pulumi/without-states.json"),
        Foreign::PulumiWithoutStates
    );
    assert_eq!(refused("pulumi/stack.json"), Foreign::PulumiState);
    for (text, what) in [
        ("", Foreign::Empty),
        ("PK\u{3}\u{4}rest", Foreign::BinaryPlan),
        ("just words", Foreign::Unknown),
        ("{\"a\": 1}", Foreign::Unknown),
        (
            "{\"version\": 5, \"lineage\": \"x\"}",
            Foreign::StateVersion,
        ),
    ] {
        match infra::parse("x", text.as_bytes().to_vec()) {
            Err(InfraError::Foreign { what: found, .. }) => assert_eq!(found, what, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn damage_is_named_with_its_place() {
    let plan = "{\"planned_values\": {},\n \"resource_changes\": ";
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let deep = format!("{{\"resource_changes\": [{{\"change\": {{\"after\": {open}{close}}}}}]}}");
    for (text, problem, line) in [
        (plan.to_owned(), Problem::Cut, 2),
        (format!("{plan} oops}}"), Problem::NotJson, 2),
        (format!("{plan} 7}}"), Problem::Shape, 2),
        (deep, Problem::Depth, 1),
    ] {
        match infra::parse("x", text.clone().into_bytes()) {
            Err(InfraError::Malformed {
                problem: found,
                line: at,
                ..
            }) => assert_eq!((found, at), (problem, line), "{}", &text[..40]),
            other => panic!("{other:?}"),
        }
    }
}

/// Prices the code of `costs.json` with the month of the sample.
fn costs(usage: &[&str]) -> InfraCosts {
    let today = "2026-11-30".parse().expect("a day");
    let app = App::new(today, DataSource::Sample).expect("the sample opens");
    let request = InfraRequest {
        file: path("terraform/costs.json"),
        usage: usage.iter().map(|text| (*text).to_owned()).collect(),
        ..InfraRequest::default()
    };
    app.infra(&request).expect("it is priced")
}

fn priced<'a>(costs: &'a InfraCosts, end: &str) -> &'a PricedResource {
    let mut found = costs.resources.iter();
    found
        .find(|it| it.resource.address.ends_with(end))
        .expect("it is there")
}

#[test]
fn the_usage_of_the_ledger_is_rated_on_both_sides() {
    let costs = costs(&["brand-new=300x95s"]);
    assert_eq!(costs.month.to_string(), "2026-10");
    let cost = |end: &str| priced(&costs, end).after_cost.map(Money::amount);
    // AWS's list for us-east-1: Linux medium $0.01 and large $0.02 a minute, small $0.005; a small machine
    // of a fleet $0.003. The sample's bill has 3,315 minutes of ledger-core-build in October.
    let core = priced(&costs, ".core");
    assert_eq!(core.before_cost.map(Money::amount), Some(dec("33.15")));
    assert_eq!(cost(".core"), Some(dec("66.30")));
    // 95 s are two minutes of each of 300 builds. The rest of the month has drawn the free minutes.
    assert_eq!(cost(".fresh"), Some(dec("3")));
    // Two machines for 31 days, used or not.
    assert_eq!(
        cost("fleet.f"),
        Some(dec("0.003") * dec("2") * dec("44640"))
    );
    // 8,428 minutes at $0.002; the first 100 are free, and no other pipeline of the file draws them.
    let checkout = priced(&costs, ".checkout");
    assert_eq!(checkout.list.map(Money::amount), Some(dec("16.856")));
    assert_eq!(checkout.before_cost, checkout.after_cost);

    let before = costs.before.as_ref().expect("a plan has both sides");
    let difference = costs.after.cost.amount() - before.cost.amount();
    assert_eq!(difference, dec("33.15") + dec("3") + dec("267.84"));
    // A project that states no machine is never taken to be a small one.
    assert!(!costs.after.complete && !costs.is_complete());
    assert_eq!(cost(".silent"), None);
}

#[test]
fn usage_that_nobody_knows_is_needed() {
    let costs = costs(&[]);
    let status = |end: &str| {
        let used = priced(&costs, end).after.as_ref();
        used.map(|used| used.status.name())
    };
    assert_eq!(status(".fresh"), Some("needs_usage"));
    assert_eq!(status(".on_fleet"), Some("free"));
    assert_eq!(status(".silent"), Some("unknown"));
    assert_eq!(status(".core"), Some("priced"));
    assert_eq!(status("app.a"), None);
}

/// Nothing that is priced is no total of nothing, and what a file leaves out leaves every total open.
#[test]
fn what_is_not_known_is_no_zero() {
    let said = |costs: &InfraCosts| {
        let answer = pipebill::report::infra::answer(costs, String::new());
        let mut lines = answer.document.blocks.into_iter();
        lines.find_map(|block| match block {
            pipebill::report::Block::Lines(lines) => Some(lines.join("\n")),
            _ => None,
        })
    };
    let app = App::new("2026-11-30".parse().expect("a day"), DataSource::Sample).expect("it opens");
    let of = |file: PathBuf| {
        app.infra(&InfraRequest {
            file,
            region: Some("us-east-1".to_owned()),
            ..InfraRequest::default()
        })
    };
    let nothing = said(&of(path("terraform/changes.json")).expect("it is read")).expect("lines");
    assert!(
        nothing.contains("change: not known") && !nothing.contains("$0.00"),
        "{nothing}"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let template = folder.path().join("parent.yaml");
    let project = "  P:\n    Type: AWS::CodeBuild::ReportGroup\n";
    let nested =
        "  N:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: child.yaml}\n";
    for (text, is_complete) in [
        (project.to_owned(), true),
        (format!("{project}{nested}"), false),
    ] {
        std::fs::write(&template, format!("Resources:\n{text}")).expect("it is written");
        let costs = of(template.clone()).expect("it is read");
        assert_eq!(costs.is_complete(), is_complete, "{text}");
    }
    // By its name it is infrastructure, and a folder of something else is told what it lacks.
    let list = folder.path().join("list.json");
    std::fs::write(&list, "[]").expect("it is written");
    assert!(infra::is_infra(&list) && infra::is_infra(folder.path()));
    let lacks = of(folder.path().to_owned()).unwrap_err().to_string();
    assert!(lacks.contains("run `cdk synth`"), "{lacks}");
}
