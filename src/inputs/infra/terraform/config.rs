//! What the configuration of a plan says beyond values: regions of providers, and which resource an unknown
//! value refers to.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::entries::{Kept, Typed};
use crate::{
    domain::{
        ids::Region,
        infra::{Attribute, Kind, Reason},
    },
    inputs::infra::{attributes::Class, tree::Tree},
};

/// The configuration of a plan.
#[derive(Deserialize, Default)]
pub(super) struct Configuration {
    provider_config: Option<BTreeMap<String, Provider>>,
    root_module: Option<ConfigModule>,
}

#[derive(Deserialize)]
struct Provider {
    module_address: Option<String>,
    expressions: Option<Tree>,
}

#[derive(Deserialize, Default)]
struct ConfigModule {
    resources: Option<Kept<ConfigResource>>,
    module_calls: Option<BTreeMap<String, ModuleCall>>,
    variables: Option<BTreeMap<String, Tree>>,
}

#[derive(Deserialize)]
struct ModuleCall {
    expressions: Option<BTreeMap<String, Tree>>,
    module: Option<ConfigModule>,
}

#[derive(Deserialize)]
struct ConfigResource {
    #[serde(default)]
    address: String,
    mode: Option<String>,
    #[serde(rename = "type", default)]
    type_name: String,
    provider_config_key: Option<String>,
    #[serde(default)]
    expressions: Tree,
}

impl Typed for ConfigResource {
    fn type_name(&self) -> (&str, bool) {
        (&self.type_name, self.mode.as_deref() == Some("data"))
    }

    fn set_class(&mut self, _: Class) {}
}

/// The configuration with the values of its variables.
pub(super) struct Inputs<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) variables: BTreeMap<String, Tree>,
}

/// Splits an address into the names of its modules and the resource in the last of them, without the keys
/// of `count` and `for_each`.
pub(super) fn split(address: &str) -> (Vec<String>, String) {
    let (mut parts, mut part) = (vec![], String::new());
    let (mut depth, mut in_text, mut is_escaped) = (0_u32, false, false);
    for c in address.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' => in_text = !in_text,
            '[' if !in_text => depth += 1,
            ']' if !in_text => depth = depth.saturating_sub(1),
            '.' if depth == 0 && !in_text => parts.push(std::mem::take(&mut part)),
            c if depth == 0 && !in_text => part.push(c),
            _ => {}
        }
    }
    parts.push(part);
    let mut modules = Vec::new();
    let mut parts = &parts[..];
    while let [word, name, rest @ ..] = parts
        && word == "module"
    {
        modules.push(name.clone());
        parts = rest;
    }
    (modules, parts.join("."))
}

impl Inputs<'_> {
    fn module(&self, path: &[String]) -> Option<&ConfigModule> {
        let root = self.configuration.root_module.as_ref()?;
        path.iter().try_fold(root, |module, name| {
            module.module_calls.as_ref()?.get(name)?.module.as_ref()
        })
    }

    fn resource(&self, module: &[String], local: &str) -> Option<&ConfigResource> {
        let resources = &self.module(module)?.resources.as_ref()?.kept;
        resources.iter().find(|resource| resource.address == local)
    }

    /// Returns the region of the provider of a resource.
    pub(super) fn region(&self, module: &[String], local: &str) -> Attribute<Region> {
        let key = self.resource(module, local);
        let key = key.and_then(|resource| resource.provider_config_key.as_deref());
        let Some((provider, at)) = self.provider(key.unwrap_or("aws")) else {
            return Attribute::Absent;
        };
        let region = provider
            .expressions
            .as_ref()
            .and_then(|it| it.get("region"));
        match region {
            Some(expression) => self.evaluate(expression, &at),
            None => Attribute::Absent,
        }
    }

    /// Finds a provider by the key of a resource. Older versions write the name of the module that uses it,
    /// and the provider stands in a module above.
    fn provider(&self, key: &str) -> Option<(&Provider, Vec<String>)> {
        let known = self.configuration.provider_config.as_ref()?;
        let (module, name) = key.rsplit_once(':').unwrap_or(("", key));
        let mut module = module;
        loop {
            let found = if module.is_empty() {
                known.get(name)
            } else {
                known.get(&format!("{module}:{name}"))
            };
            if let Some(found) = found
                && (module.is_empty() || found.expressions.is_some())
            {
                let at = found.module_address.as_deref().unwrap_or_default();
                let (path, _) = split(&format!("{at}.x"));
                return Some((found, path));
            }
            if module.is_empty() {
                return None;
            }
            module = module
                .rsplit_once(".module.")
                .map_or("", |(outer, _)| outer);
        }
    }

    /// Evaluates an expression as far as constants and variables go.
    fn evaluate(&self, expression: &Tree, module: &[String]) -> Attribute<Region> {
        self.text(expression, module, 0).map_or(
            Attribute::Unknown(Reason::Function("provider".to_owned())),
            |text| Attribute::Known(Region::new(text)),
        )
    }

    fn text(&self, expression: &Tree, module: &[String], depth: usize) -> Option<String> {
        if let Some(constant) = expression.get("constant_value").and_then(Tree::text) {
            return Some(constant.to_owned());
        }
        let mut references = expression.references();
        let (only, more) = (references.next()?, references.next());
        let name = only.strip_prefix("var.").filter(|_| more.is_none())?;
        let default = || {
            let variables = self.module(module)?.variables.as_ref()?;
            Some(variables.get(name)?.get("default")?.text()?.to_owned())
        };
        let Some((last, above)) = module.split_last() else {
            let given = self.variables.get(name).and_then(|it| it.get("value"));
            return given
                .and_then(Tree::text)
                .map(str::to_owned)
                .or_else(default);
        };
        let call = self.module(above)?.module_calls.as_ref()?.get(last)?;
        match call.expressions.as_ref().and_then(|given| given.get(name)) {
            Some(given) if depth < 64 => self.text(given, above, depth + 1),
            Some(_) => None,
            None => default(),
        }
    }

    /// Names the resource that an unknown fleet or project is, by its address.
    pub(super) fn name_references(
        &self,
        kind: &mut Kind,
        address: &str,
        module: &[String],
        local: &str,
    ) {
        let Some(resource) = self.resource(module, local) else {
            return;
        };
        let within = address
            .rfind("aws_codebuild_project.")
            .or(address.rfind("aws_codepipeline."))
            .map_or("", |at| &address[..at]);
        let name =
            |attribute: &mut Attribute<String>, expression: Option<&Tree>, type_name: &str| {
                let is_unknown = matches!(attribute, Attribute::Unknown(Reason::AfterApply));
                let Some(expression) = expression.filter(|_| is_unknown) else {
                    return;
                };
                let of_type = |text: &&str| text.starts_with(type_name);
                // The shortest is the resource itself, the others are its attributes.
                if let Some(found) = expression
                    .references()
                    .filter(of_type)
                    .min_by_key(|it| it.len())
                {
                    *attribute = Attribute::Known(format!("{within}{found}"));
                }
            };
        let expressions = &resource.expressions;
        match kind {
            Kind::Project(project) => {
                let fleet = expressions
                    .get("environment")
                    .and_then(|it| it.get("fleet")?.get("fleet_arn"));
                name(&mut project.fleet, fleet, "aws_codebuild_fleet.");
            }
            Kind::Pipeline(pipeline) => {
                let items = |tree: Option<&Tree>| match tree {
                    Some(Tree::List(items)) => items.clone(),
                    Some(Tree::Map(map)) => vec![Tree::Map(map.clone())],
                    _ => Vec::new(),
                };
                let stages = items(expressions.get("stage"));
                let written: Vec<Tree> = stages
                    .iter()
                    .flat_map(|stage| items(stage.get("action")))
                    .collect();
                // Stages that are generated are written once and stand several times.
                if written.len() == pipeline.actions.len() {
                    for (action, written) in pipeline.actions.iter_mut().zip(&written) {
                        let configuration = written.get("configuration");
                        name(&mut action.project, configuration, "aws_codebuild_project.");
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_dots_and_brackets_in_their_keys() {
        for (address, modules, local) in [
            ("aws_x.a", vec![], "aws_x.a"),
            ("module.m.aws_x.a[0]", vec!["m"], "aws_x.a"),
            (
                r#"module.m["a.b]"].module.n[3].aws_x.a["c\".d"]"#,
                vec!["m", "n"],
                "aws_x.a",
            ),
            ("", vec![], ""),
            ("module", vec![], "module"),
        ] {
            let (found, rest) = split(address);
            assert_eq!(
                (found, rest.as_str()),
                (modules.iter().map(|it| (*it).to_owned()).collect(), local)
            );
        }
    }
}
