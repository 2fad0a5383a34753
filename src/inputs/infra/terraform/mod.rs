//! Plans of Terraform and `OpenTofu`, formats 0.1 to 1.2: `show -json` of a saved plan.

mod config;
mod entries;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

pub(super) use self::state::{state_v3, state_v4, values};
use self::{
    config::{Configuration, Inputs},
    entries::{Change, Kept, Module, Planned},
};
use super::{
    attributes::{self, Class},
    error::InfraError,
    text::Json,
    tree::{Node, Tree},
};
use crate::domain::infra::{
    Action, Attribute, Exists, Form, Infra, Kind, Note, Reason, Resource, TypeBasis,
};

#[derive(Deserialize)]
struct Plan {
    planned_values: Option<Values>,
    resource_changes: Option<Kept<Change>>,
    prior_state: Option<PriorState>,
    #[serde(default)]
    configuration: Option<Configuration>,
    variables: Option<BTreeMap<String, Tree>>,
    errored: Option<bool>,
}

#[derive(Deserialize)]
struct PriorState {
    values: Option<Values>,
}

/// Values of every module.
#[derive(Deserialize, Default)]
struct Values {
    root_module: Option<Module>,
}

impl Values {
    /// Hands over every resource that is kept, module by module.
    fn resources(self) -> (Vec<Planned>, BTreeMap<String, u32>) {
        let (mut found, mut ignored) = (Vec::new(), BTreeMap::new());
        let mut modules: Vec<Module> = self.root_module.into_iter().collect();
        while let Some(module) = modules.pop() {
            let resources = module.resources.unwrap_or_default();
            found.extend(resources.kept);
            for (name, count) in resources.ignored {
                *ignored.entry(name).or_default() += count;
            }
            modules.extend(module.child_modules.unwrap_or_default());
        }
        found.sort_by(|a: &Planned, b| a.address.cmp(&b.address));
        (found, ignored)
    }
}

/// Reads a plan; the second value is where it ends.
pub(super) fn plan(json: Json<'_>) -> Result<(Infra, usize), InfraError> {
    let (plan, end) = json.read::<Plan>()?;
    let configuration = plan.configuration.unwrap_or_default();
    let inputs = Inputs {
        configuration: &configuration,
        variables: plan.variables.unwrap_or_default(),
    };
    let mut infra = Infra::new(Form::TerraformPlan);
    let mut before = Vec::new();
    if plan.errored == Some(true) {
        infra.note(Note::PlanErrored);
    }
    let (planned, planned_ignored) = plan.planned_values.unwrap_or_default().resources();
    let prior = plan.prior_state.and_then(|state| state.values);
    let (prior, prior_ignored) = prior.unwrap_or_default().resources();
    let changes = plan.resource_changes.unwrap_or_default();
    infra.ignored = if changes.kept.is_empty() && changes.ignored.is_empty() {
        if planned.is_empty() && planned_ignored.is_empty() {
            prior_ignored
        } else {
            planned_ignored
        }
    } else {
        changes.ignored
    };
    let mut known = BTreeSet::new();
    for entry in changes.kept {
        known.insert(entry.address.clone());
        known.extend(entry.previous_address.clone());
        change(entry, &inputs, &mut before, &mut infra);
    }
    let existed: BTreeSet<String> = prior.iter().map(|it| it.address.clone()).collect();
    for entry in planned {
        if known.insert(entry.address.clone()) {
            let is_there = existed.contains(&entry.address);
            let action = if is_there {
                Action::NoOp
            } else {
                Action::Create
            };
            let resource = standing(&entry, action, &inputs, TypeBasis::ProviderDefault);
            if is_there {
                before.push(resource.clone());
            }
            infra.after.push(resource);
        }
    }
    for entry in prior {
        // What `-target` left out stays as it is.
        if known.insert(entry.address.clone()) {
            infra.note(Note::Targeted);
            let resource = standing(&entry, Action::NoOp, &inputs, TypeBasis::BeforeTypes);
            before.push(resource.clone());
            infra.after.push(resource);
        }
    }
    infra.before = Some(before);
    for resource in &infra.after {
        if resource.region.is_absent() && !matches!(resource.kind, Kind::Free) {
            let address = resource.address.clone();
            infra.notes.push(Note::RegionUnstated { address });
        }
    }
    Ok((infra, end))
}

/// Reads a change into what was and what will be.
fn change(entry: Change, inputs: &Inputs<'_>, before: &mut Vec<Resource>, infra: &mut Infra) {
    let Some(change) = entry.values else {
        return;
    };
    let action = action(&change.actions.unwrap_or_default());
    let of = Described {
        type_name: &entry.type_name,
        class: entry.class,
        action,
        previous_address: entry.previous_address,
    };
    let deposed = entry.deposed.is_some();
    if change.before != Tree::Null {
        let address = match &of.previous_address {
            Some(previous) => previous,
            None => &entry.address,
        };
        let marks = (None, change.before_sensitive.as_ref());
        let mut was = of.resource(
            address,
            &change.before,
            marks,
            inputs,
            TypeBasis::BeforeTypes,
        );
        was.previous_address = None;
        if deposed {
            was.address.push_str(" (deposed)");
        }
        before.push(was);
    }
    let is_gone = action == Action::Delete || deposed;
    if !is_gone && (change.after != Tree::Null || change.after_unknown.is_some()) {
        let marks = (
            change.after_unknown.as_ref(),
            change.after_sensitive.as_ref(),
        );
        let default = TypeBasis::ProviderDefault;
        let will_be = of.resource(&entry.address, &change.after, marks, inputs, default);
        infra.after.push(will_be);
    }
}

/// Reads what a change does. What is forgotten stays where it is.
fn action(words: &[String]) -> Action {
    let has = |word: &str| words.iter().any(|it| it == word);
    match (has("create"), has("delete")) {
        (true, true) => Action::Replace,
        (true, false) if has("forget") => Action::Replace,
        (true, false) => Action::Create,
        (false, true) => Action::Delete,
        _ if has("update") => Action::Update,
        _ if has("read") => Action::Read,
        _ => Action::NoOp,
    }
}

/// What is known of a resource besides its values.
struct Described<'a> {
    type_name: &'a str,
    class: Class,
    action: Action,
    previous_address: Option<String>,
}

impl Described<'_> {
    fn resource(
        &self,
        address: &str,
        values: &Tree,
        (unknown, sensitive): (Option<&Tree>, Option<&Tree>),
        inputs: &Inputs<'_>,
        default: TypeBasis,
    ) -> Resource {
        let values = Node::new(values, unknown, sensitive);
        let (stated, account) = attributes::place(values);
        let (module, local) = config::split(address);
        let region = match stated {
            Attribute::Absent => inputs.region(&module, &local),
            Attribute::Unknown(Reason::AfterApply) => match inputs.region(&module, &local) {
                Attribute::Absent => stated,
                configured => configured,
            },
            stated => stated,
        };
        let mut kind = attributes::kind(self.class, values, default);
        inputs.name_references(&mut kind, address, &module, &local);
        Resource {
            address: address.to_owned(),
            type_name: self.type_name.to_owned(),
            name: attributes::name(values),
            account,
            region,
            action: self.action,
            previous_address: self.previous_address.clone(),
            exists: Exists::Yes,
            kind,
        }
    }
}

/// Reads a resource of planned or prior values.
fn standing(entry: &Planned, action: Action, inputs: &Inputs<'_>, default: TypeBasis) -> Resource {
    let of = Described {
        type_name: &entry.type_name,
        class: entry.class,
        action,
        previous_address: None,
    };
    let marks = (None, entry.sensitive_values.as_ref());
    of.resource(&entry.address, &entry.values, marks, inputs, default)
}
