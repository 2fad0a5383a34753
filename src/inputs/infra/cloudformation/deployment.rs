//! `CodeDeploy`: which platform a group deploys to, and the groups that SAM brings.

use std::rc::Rc;

use super::{
    document::Node,
    evaluate::{Evaluator, Resolved, TooMuch},
    query::Presence,
    resources::Subject,
    value::{Value, Why},
};
use crate::domain::infra::{Attribute, Exists, Infra, Kind, Reason};

impl Evaluator {
    /// A deployment group has the platform of its application, which may be of another stack.
    pub(super) fn deployment_group(&mut self, subject: &Subject<'_>) -> Result<Kind, TooMuch> {
        let (of, starts) = (&subject.properties, subject.starts);
        let mut on_premises = self.presence_at(of, &["OnPremisesInstanceTagFilters"], starts)?;
        if on_premises.is_absent() {
            on_premises = self.presence_at(of, &["OnPremisesTagSet"], starts)?;
        }
        let name = self.values_at(of, &["ApplicationName"], starts)?;
        let mut name = name.each.into_iter().map(|(_, name)| name);
        let first = name.next().unwrap_or(Value::Absent);
        if name.all(|other| other == first)
            && let Some((stack, application)) = self.application(subject.stack, &first)?
        {
            let platform = self.text_at(
                &Resolved::Node(stack, application),
                &["Properties", "ComputePlatform"],
                starts,
            )?;
            let platform = if platform.is_absent() {
                Attribute::Known("Server".to_owned())
            } else {
                platform
            };
            return Ok(Kind::DeploymentGroup {
                platform,
                on_premises,
            });
        }
        let has = |this: &mut Self, keys: &[&str]| -> Result<bool, TooMuch> {
            for key in keys {
                if !this.presence_at(of, &[key], starts)?.is_absent() {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let is_ecs = has(self, &["ECSServices"])?;
        let servers = ["AutoScalingGroups", "Ec2TagFilters", "Ec2TagSet"];
        let platform = if is_ecs {
            Attribute::Known("ECS".to_owned())
        } else if has(self, &servers)? || !on_premises.is_absent() {
            Attribute::Known("Server".to_owned())
        } else {
            Attribute::Unknown(Reason::ResourceAttribute(first.sketch()))
        };
        Ok(Kind::DeploymentGroup {
            platform,
            on_premises,
        })
    }

    /// Finds the application that a name means: what a reference names, or one of that name.
    fn application(
        &mut self,
        stack: usize,
        name: &Value,
    ) -> Result<Option<(usize, Node)>, TooMuch> {
        let is_one = |node: &Node| {
            node.get("Type").and_then(Node::as_text) == Some("AWS::CodeDeploy::Application")
        };
        if let Some(unknown) = name.first_unknown()
            && let Why::Resource { stack, id, .. } = &unknown.why
        {
            let found = self.stacks.get(*stack).and_then(|stack| stack.resource(id));
            return Ok(found
                .filter(|node| is_one(node))
                .map(|node| (*stack, node.clone())));
        }
        let order = std::iter::once(stack).chain((0..self.stacks.len()).filter(|at| *at != stack));
        for at in order {
            let this = Rc::clone(&self.stacks[at]);
            for (_, node) in this
                .root
                .get("Resources")
                .map(Node::entries)
                .unwrap_or_default()
            {
                if is_one(node) {
                    let named = self.along(at, node, &["Properties", "ApplicationName"])?;
                    let named = self.finish(&named)?;
                    if named != Value::Absent && named.sketch() == name.sketch() {
                        return Ok(Some((at, node.clone())));
                    }
                }
            }
        }
        Ok(None)
    }

    /// A function of SAM that is deployed gradually brings an application and a group of `CodeDeploy`.
    pub(super) fn deployment_preference(
        &mut self,
        stack: usize,
        id: &str,
        function: &Node,
        presence: &Presence,
        infra: &mut Infra,
    ) -> Result<(), TooMuch> {
        let this = Rc::clone(&self.stacks[stack]);
        let globals = this.root.get("Globals").and_then(|all| all.get("Function"));
        let of = |node: &Node| Resolved::Node(stack, node.clone());
        let own = function.get("Properties").map_or(Resolved::Absent, of);
        let shared = globals.map_or(Resolved::Absent, of);
        let (key, starts) = ("DeploymentPreference", &presence.starts);
        let mut is_there = self.presence_at(&own, &[key], starts)?;
        let mut enabled = self.flag_at(&own, &[key, "Enabled"], starts)?;
        if is_there.is_absent() {
            is_there = self.presence_at(&shared, &[key], starts)?;
        }
        if enabled.is_absent() {
            enabled = self.flag_at(&shared, &[key, "Enabled"], starts)?;
        }
        if is_there.is_absent() || enabled.known() == Some(&false) {
            return Ok(());
        }
        let is_certain =
            is_there.known().is_some() && (enabled.is_absent() || enabled.known().is_some());
        let exists = match (&presence.exists, is_certain) {
            (exists, true) => exists.clone(),
            (Exists::Maybe { .. }, false) => presence.exists.clone(),
            (Exists::Yes, false) => Exists::Maybe {
                conditions: Vec::new(),
                parameters: match (enabled, is_there) {
                    (Attribute::Depends { parameters, .. }, _)
                    | (_, Attribute::Depends { parameters, .. }) => parameters,
                    _ => Vec::new(),
                },
            },
        };
        let application = "ServerlessDeploymentApplication";
        if !infra
            .after
            .iter()
            .any(|one| one.address == this.address(application))
        {
            infra.after.push(self.entry(
                stack,
                application,
                "AWS::CodeDeploy::Application",
                exists.clone(),
                Kind::Free,
            ));
        }
        let kind = Kind::DeploymentGroup {
            platform: Attribute::Known("Lambda".to_owned()),
            on_premises: Attribute::Absent,
        };
        let group = format!("{id}DeploymentGroup");
        let entry = self.entry(
            stack,
            &group,
            "AWS::CodeDeploy::DeploymentGroup",
            exists,
            kind,
        );
        infra.after.push(entry);
        Ok(())
    }
}
