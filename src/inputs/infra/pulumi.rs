//! Previews of Pulumi: `preview --json`, and the log of events.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    attributes::{self, class},
    error::InfraError,
    text::Json,
    tree::{Node, Seen, Tree},
};
use crate::domain::{
    ids::Region,
    infra::{Action, Attribute, Exists, Form, Infra, Kind, Note, Reason, Resource, TypeBasis},
};

#[derive(Deserialize)]
struct Preview {
    config: Option<BTreeMap<String, Tree>>,
    steps: Option<Vec<Step>>,
    #[serde(rename = "changeSummary")]
    summary: Option<BTreeMap<String, u64>>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    op: String,
    #[serde(default)]
    urn: String,
    provider: Option<String>,
    #[serde(alias = "oldState")]
    old: Option<State>,
    #[serde(alias = "newState")]
    new: Option<State>,
}

#[derive(Deserialize)]
struct State {
    #[serde(rename = "type", default)]
    type_name: String,
    provider: Option<String>,
    #[serde(default)]
    inputs: Tree,
    #[serde(default)]
    outputs: Tree,
}

/// A line of the log.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "preludeEvent")]
    prelude: Option<Prelude>,
    #[serde(rename = "resourcePreEvent")]
    begins: Option<Metadata>,
    #[serde(rename = "resOutputsEvent")]
    ends: Option<Metadata>,
    #[serde(rename = "summaryEvent")]
    summary: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Prelude {
    config: Option<BTreeMap<String, Tree>>,
}

#[derive(Deserialize)]
struct Metadata {
    metadata: Step,
}

/// Reads a preview, and returns where it ends. There is none where the steps have no states.
pub(super) fn preview(json: Json<'_>) -> Result<Option<(Infra, usize)>, InfraError> {
    let (preview, end) = json.read::<Preview>()?;
    let steps = preview.steps.unwrap_or_default();
    let typed = |state: &Option<State>| state.as_ref().is_some_and(|it| !it.type_name.is_empty());
    if !steps.is_empty()
        && !steps
            .iter()
            .any(|step| typed(&step.old) || typed(&step.new))
    {
        return Ok(None);
    }
    let same = |op: &str| op == "same";
    let listed = steps.iter().filter(|step| same(&step.op)).count() as u64;
    let all = preview
        .summary
        .and_then(|summary| summary.get("same").copied());
    let mut infra = gathered(steps, &preview.config.unwrap_or_default());
    if let Some(count) = all
        .and_then(|all| all.checked_sub(listed))
        .filter(|it| *it > 0)
    {
        infra.note(Note::UnchangedHidden { count });
    }
    Ok(Some((infra, end)))
}

/// Reads a log of events, one a line. A log that ends too early is read as far as it goes.
pub(super) fn event_log(json: Json<'_>) -> Result<Infra, InfraError> {
    let (mut steps, mut config) = (Vec::new(), BTreeMap::new());
    let (mut open, mut is_summed_up) = (BTreeMap::new(), false);
    let (mut last, mut is_broken) = (json.lines_before as u64, false);
    for (at, line) in json.text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let event = match serde_json::from_str::<Event>(line) {
            Ok(event) => event,
            // The last line of a log that was cut.
            Err(error) if error.is_eof() && !steps.is_empty() => {
                is_broken = true;
                break;
            }
            Err(error) => {
                let lines_before = json.lines_before + at;
                return Err(Json {
                    lines_before,
                    ..json
                }
                .wrong(&error));
            }
        };
        last = (json.lines_before + at + 1) as u64;
        if let Some(given) = event.prelude.and_then(|prelude| prelude.config) {
            config.extend(given);
        }
        if let Some(Metadata { metadata }) = event.begins {
            *open
                .entry((metadata.op.clone(), metadata.urn.clone()))
                .or_insert(0_u32) += 1;
            steps.push(metadata);
        }
        if let Some(Metadata { metadata }) = event.ends {
            open.remove(&(metadata.op, metadata.urn));
        }
        is_summed_up |= event.summary.is_some();
    }
    // Replacing is a step without outputs of its own.
    open.retain(|(op, urn), _| !matches!(op.as_str(), "replace" | "same") && !urn.is_empty());
    let mut infra = gathered(steps, &config);
    if is_broken || !is_summed_up || !open.is_empty() {
        infra.note(Note::LogCut { line: last });
    }
    Ok(infra)
}

/// What the steps of one resource say together.
#[derive(Default)]
struct Gathered {
    ops: Vec<String>,
    provider: Option<String>,
    old: Option<State>,
    new: Option<State>,
}

/// Makes resources of steps: to replace one takes three.
fn gathered(steps: Vec<Step>, config: &BTreeMap<String, Tree>) -> Infra {
    let mut order = Vec::new();
    let mut by_urn: BTreeMap<String, Gathered> = BTreeMap::new();
    for step in steps {
        if !by_urn.contains_key(&step.urn) {
            order.push(step.urn.clone());
        }
        let of = by_urn.entry(step.urn).or_default();
        of.ops.push(step.op);
        let in_state = |state: &Option<State>| state.as_ref()?.provider.clone();
        let named = [step.provider, in_state(&step.new), in_state(&step.old)];
        let named = named.into_iter().flatten().find(|name| !name.is_empty());
        of.provider = of.provider.take().or(named);
        of.old = of.old.take().or(step.old);
        of.new = step.new.or(of.new.take());
    }
    let regions = provider_regions(&by_urn, config);
    let mut infra = Infra::new(Form::Pulumi);
    let mut before = Vec::new();
    for urn in order {
        let Some(of) = by_urn.remove(&urn) else {
            continue;
        };
        let typed = of.new.as_ref().or(of.old.as_ref());
        let type_name = typed.map_or("", |state| &state.type_name).to_owned();
        let type_name = if type_name.is_empty() {
            urn.split("::").nth(2).unwrap_or_default().to_owned()
        } else {
            type_name
        };
        let action = action(&of.ops);
        let Some(class) = terraform_name(&type_name).and_then(|name| class(&name)) else {
            if !type_name.starts_with("pulumi:") {
                infra.ignore(&type_name);
            }
            continue;
        };
        if action == Action::Read {
            infra.ignore(&type_name);
            continue;
        }
        let configured = regions.of(of.provider.as_deref(), &type_name);
        let resource = |state: &State| {
            let values = Node::new(&state.inputs, None, None);
            let outputs = Node::new(&state.outputs, None, None);
            let (own, account) = attributes::place(values);
            let (of_arn, arn_account) = attributes::place(outputs);
            let region = match (own, &configured, of_arn) {
                (Attribute::Absent, Attribute::Absent, of_arn) => of_arn,
                (Attribute::Absent, configured, _) => configured.clone(),
                (own, ..) => own,
            };
            let name = match (attributes::name(values), attributes::name(outputs)) {
                (Attribute::Absent, Attribute::Absent) => Attribute::Unknown(Reason::AfterApply),
                (Attribute::Absent, made) => made,
                (stated, _) => stated,
            };
            Resource {
                address: urn.clone(),
                type_name: type_name.clone(),
                name,
                account: account.or(arn_account),
                region,
                action,
                previous_address: None,
                exists: Exists::Yes,
                kind: attributes::kind(class, values, TypeBasis::ProviderDefault),
            }
        };
        let creates = matches!(action, Action::Create);
        before.extend(of.old.as_ref().filter(|_| !creates).map(resource));
        let unchanged = of.old.as_ref().filter(|_| action == Action::NoOp);
        let after = of.new.as_ref().or(unchanged);
        infra
            .after
            .extend(after.filter(|_| action != Action::Delete).map(resource));
        if of.old.is_none() && of.new.is_none() {
            // Something happens to it, and nobody says what it is.
            let attribute = "newState".to_owned();
            let address = urn.clone();
            infra.note(Note::Malformed { address, attribute });
        }
    }
    infra.before = Some(before);
    for resource in &infra.after {
        if resource.region.is_absent() && !matches!(resource.kind, Kind::Free) {
            let address = resource.address.clone();
            infra.notes.push(Note::RegionUnstated { address });
        }
    }
    infra
}

fn action(ops: &[String]) -> Action {
    let has = |words: &[&str]| ops.iter().any(|op| words.contains(&op.as_str()));
    if has(&[
        "replace",
        "create-replacement",
        "delete-replaced",
        "import-replacement",
    ]) {
        Action::Replace
    } else if has(&["create"]) {
        Action::Create
    } else if has(&["delete"]) {
        Action::Delete
    } else if has(&["update"]) {
        Action::Update
    } else if has(&["read", "read-replacement"]) {
        Action::Read
    } else {
        Action::NoOp
    }
}

/// Returns Terraform's name of a type, without that of the provider.
fn terraform_name(type_name: &str) -> Option<String> {
    let (package, rest) = type_name.split_once(':')?;
    let (module, name) = rest.split_once(':')?;
    if !matches!(package, "aws" | "aws-native") {
        return None;
    }
    let service = module.split('/').next()?;
    let mut snake = String::new();
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    Some(format!("{service}_{snake}"))
}

/// Regions of providers.
struct Regions {
    by_provider: BTreeMap<String, Attribute<Region>>,
    classic: Attribute<Region>,
    native: Attribute<Region>,
}

impl Regions {
    fn of(&self, provider: Option<&str>, type_name: &str) -> Attribute<Region> {
        // A reference to a provider is its URN and its id.
        let named = provider.and_then(|text| Some(text.rsplit_once("::")?.0));
        let stated = named.and_then(|urn| self.by_provider.get(urn));
        match stated {
            Some(region) if !region.is_absent() => region.clone(),
            _ if type_name.starts_with("aws-native:") && !self.native.is_absent() => {
                self.native.clone()
            }
            _ => self.classic.clone(),
        }
    }
}

fn provider_regions(
    by_urn: &BTreeMap<String, Gathered>,
    config: &BTreeMap<String, Tree>,
) -> Regions {
    let region = |tree: Option<&Tree>| {
        let Some(tree) = tree else {
            return Attribute::Absent;
        };
        match Node::new(tree, None, None).seen() {
            Seen::Value(Tree::Text(text)) => Attribute::Known(Region::new(text)),
            Seen::NotYet => Attribute::Unknown(Reason::AfterApply),
            Seen::Secret => Attribute::Unknown(Reason::Sensitive),
            Seen::Value(_) | Seen::Nothing => Attribute::Absent,
        }
    };
    let providers = by_urn
        .iter()
        .filter(|(urn, _)| urn.contains("pulumi:providers:aws"));
    let of_provider = |of: &Gathered| {
        let state = of.new.as_ref().or(of.old.as_ref());
        region(state.and_then(|state| state.inputs.get("region")))
    };
    Regions {
        by_provider: providers
            .map(|(urn, of)| (urn.clone(), of_provider(of)))
            .collect(),
        classic: region(config.get("aws:region")),
        native: region(config.get("aws-native:region")),
    }
}
