//! What the resources of a stack are in the model: projects, fleets, pipelines, deployment groups.

use std::rc::Rc;

use super::{
    document::Node,
    evaluate::{Evaluator, Resolved, TooMuch},
    query::Presence,
    value::Value,
    world::Choices,
};
use crate::domain::{
    ids::Region,
    infra::{
        Action, Attribute, ComputeConfiguration, Exists, Fleet, Infra, Kind, Note, Project, Reason,
        Resource,
    },
};

/// Environment types as the API has them.
const ENVIRONMENT_TYPES: [&str; 12] = [
    "LINUX_CONTAINER",
    "LINUX_GPU_CONTAINER",
    "ARM_CONTAINER",
    "WINDOWS_CONTAINER",
    "WINDOWS_SERVER_2019_CONTAINER",
    "WINDOWS_SERVER_2022_CONTAINER",
    "LINUX_LAMBDA_CONTAINER",
    "ARM_LAMBDA_CONTAINER",
    "LINUX_EC2",
    "ARM_EC2",
    "WINDOWS_EC2",
    "MAC_ARM",
];

/// Services whose every resource is accounted for.
const SERVICES: [&str; 4] = [
    "AWS::CodeBuild::",
    "AWS::CodePipeline::",
    "AWS::CodeDeploy::",
    "AWS::CodeCommit::",
];

/// Resources of them that cost nothing.
const FREE: [&str; 6] = [
    "AWS::CodeBuild::ReportGroup",
    "AWS::CodeBuild::SourceCredential",
    "AWS::CodePipeline::CustomActionType",
    "AWS::CodePipeline::Webhook",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentConfig",
];

/// A resource that is being read.
pub(super) struct Subject<'s> {
    pub(super) stack: usize,
    pub(super) address: String,
    /// Its properties.
    pub(super) properties: Resolved,
    /// The worlds in which it exists.
    pub(super) starts: &'s [Choices],
}

impl Evaluator {
    /// Writes down every resource of a stack.
    pub(super) fn describe(&mut self, stack: usize, infra: &mut Infra) -> Result<(), TooMuch> {
        let this = Rc::clone(&self.stacks[stack]);
        let before = infra.after.len();
        for (id, resource) in this
            .root
            .get("Resources")
            .map(Node::entries)
            .unwrap_or_default()
        {
            if id.starts_with("Fn::") {
                self.unexpanded(stack, id, resource, infra)?;
                continue;
            }
            let type_name = resource
                .get("Type")
                .and_then(Node::as_text)
                .unwrap_or_default();
            let is_ours = SERVICES
                .iter()
                .any(|service| type_name.starts_with(service));
            if type_name.ends_with("::MODULE") {
                infra.note(Note::NestedElsewhere {
                    address: this.address(id),
                    location: type_name.to_owned(),
                });
            }
            let is_function = type_name == "AWS::Serverless::Function";
            if !is_ours {
                infra.ignore(type_name);
            }
            if !is_ours && !is_function && type_name != "AWS::CloudFormation::StackSet" {
                continue;
            }
            let Some(presence) = self.presence(stack, resource)? else {
                if is_ours {
                    infra.note(Note::NotCreated {
                        address: this.address(id),
                        condition: self.condition_that_fails(stack, resource),
                    });
                }
                continue;
            };
            if is_function {
                self.deployment_preference(stack, id, resource, &presence, infra)?;
            } else if is_ours {
                self.resource(stack, id, type_name, resource, presence, infra)?;
            } else {
                self.stack_set(stack, id, resource, infra)?;
            }
        }
        if this.region.is_none() && this.parent.is_none() && infra.after.len() > before {
            infra.note(Note::RegionUnstated {
                address: if this.prefix.is_empty() {
                    this.file.clone()
                } else {
                    this.prefix.clone()
                },
            });
        }
        Ok(())
    }

    fn condition_that_fails(&self, stack: usize, resource: &Node) -> String {
        let own = resource.get("Condition").and_then(Node::as_text);
        if let Some(own) = own {
            return own.to_owned();
        }
        let parent = self.stacks[stack].parent.clone();
        let around = parent.and_then(|(outer, id)| {
            let around = self.stacks[outer].resource(&id)?;
            Some(self.condition_that_fails(outer, around))
        });
        around.unwrap_or_default()
    }

    /// A resource of the model, before what it is.
    pub(super) fn entry(
        &self,
        stack: usize,
        id: &str,
        type_name: &str,
        exists: Exists,
        kind: Kind,
    ) -> Resource {
        let this = &self.stacks[stack];
        Resource {
            address: this.address(id),
            type_name: type_name.to_owned(),
            name: Attribute::Absent,
            account: this.account.clone(),
            region: this.region.clone().into(),
            action: Action::Create,
            previous_address: None,
            exists,
            kind,
        }
    }

    fn resource(
        &mut self,
        stack: usize,
        id: &str,
        type_name: &str,
        resource: &Node,
        presence: Presence,
        infra: &mut Infra,
    ) -> Result<(), TooMuch> {
        let Presence { exists, starts } = presence;
        let subject = Subject {
            stack,
            address: self.stacks[stack].address(id),
            properties: match resource.get("Properties") {
                Some(properties) => Resolved::Node(stack, properties.clone()),
                None => Resolved::Absent,
            },
            starts: &starts,
        };
        let name_key = match type_name {
            "AWS::CodeDeploy::DeploymentGroup" => "DeploymentGroupName",
            "AWS::CodeDeploy::Application" => "ApplicationName",
            "AWS::CodeDeploy::DeploymentConfig" => "DeploymentConfigName",
            "AWS::CodeCommit::Repository" => "RepositoryName",
            _ => "Name",
        };
        let name = self.text_at(&subject.properties, &[name_key], &starts)?;
        let kind = match type_name {
            "AWS::CodeBuild::Project" => Kind::Project(Box::new(self.project(&subject, infra)?)),
            "AWS::CodeBuild::Fleet" => Kind::Fleet(Box::new(self.fleet(&subject, infra)?)),
            "AWS::CodePipeline::Pipeline" => Kind::Pipeline(Box::new(self.pipeline(&subject)?)),
            "AWS::CodeDeploy::DeploymentGroup" => self.deployment_group(&subject)?,
            "AWS::CodeCommit::Repository" => Kind::Repository,
            name if FREE.contains(&name) => Kind::Free,
            _ => Kind::Other,
        };
        let mut entry = self.entry(stack, id, type_name, exists, kind);
        entry.name = name;
        infra.after.push(entry);
        Ok(())
    }

    fn project(&mut self, subject: &Subject<'_>, infra: &mut Infra) -> Result<Project, TooMuch> {
        let (of, starts) = (&subject.properties, subject.starts);
        let environment_type = self.text_at(of, &["Environment", "Type"], starts)?;
        let compute_type = self.text_at(of, &["Environment", "ComputeType"], starts)?;
        Ok(Project {
            environment_type: required(spelt(environment_type, &subject.address, infra)),
            compute_type: required(compute_type),
            image: required(self.text_at(of, &["Environment", "Image"], starts)?),
            fleet: self.target_at(
                of,
                &["Environment", "Fleet", "FleetArn"],
                starts,
                "AWS::CodeBuild::Fleet",
            )?,
            timeout: self.number_at(of, &["TimeoutInMinutes"], starts, Some(60))?,
            batch: self.presence_at(of, &["BuildBatchConfig"], starts)?,
            docker_server: self.text_at(
                of,
                &["Environment", "DockerServer", "ComputeType"],
                starts,
            )?,
            auto_retry: self.number_at(of, &["AutoRetryLimit"], starts, Some(0))?,
            privileged: self.flag_at(of, &["Environment", "PrivilegedMode"], starts)?,
        })
    }

    fn fleet(&mut self, subject: &Subject<'_>, infra: &mut Infra) -> Result<Fleet, TooMuch> {
        let (of, starts) = (&subject.properties, subject.starts);
        let environment_type = self.text_at(of, &["EnvironmentType"], starts)?;
        let compute_type = required(self.text_at(of, &["ComputeType"], starts)?);
        let is_stated = self.presence_at(of, &["ComputeConfiguration"], starts)?;
        let mut configuration = Attribute::Absent;
        if !is_stated.is_absent() {
            let number = |this: &mut Self, key: &str| {
                this.number_at(of, &["ComputeConfiguration", key], starts, None)
            };
            let stated = ComputeConfiguration {
                vcpu: number(self, "vCpu")?,
                memory: number(self, "memory")?,
                disk: number(self, "disk")?,
                machine_type: self.text_at(of, &["ComputeConfiguration", "machineType"], starts)?,
                instance_type: self.text_at(
                    of,
                    &["ComputeConfiguration", "instanceType"],
                    starts,
                )?,
            };
            configuration = Attribute::Known(stated);
        }
        if compute_type
            .known()
            .is_some_and(|name| name == "ATTRIBUTE_BASED_COMPUTE")
        {
            let is_nothing = |value: &Attribute<u32>| value.known().is_none_or(|value| *value == 0);
            let leaves_all = configuration
                .known()
                .is_none_or(|stated: &ComputeConfiguration| {
                    is_nothing(&stated.vcpu)
                        && is_nothing(&stated.memory)
                        && is_nothing(&stated.disk)
                });
            if leaves_all {
                configuration = Attribute::Unknown(Reason::ChosenByAws);
            }
        }
        Ok(Fleet {
            environment_type: required(spelt(environment_type, &subject.address, infra)),
            compute_type,
            configuration,
            base_capacity: required(self.number_at(of, &["BaseCapacity"], starts, None)?),
            max_capacity: self.number_at(
                of,
                &["ScalingConfiguration", "MaxCapacity"],
                starts,
                None,
            )?,
            overflow: self.text_at(of, &["OverflowBehavior"], starts)?,
        })
    }

    /// A stack set makes stacks elsewhere: named, if there may be something of the four services in it.
    fn stack_set(
        &mut self,
        stack: usize,
        id: &str,
        resource: &Node,
        infra: &mut Infra,
    ) -> Result<(), TooMuch> {
        let properties = resource.get("Properties");
        let body = properties.and_then(|all| all.get("TemplateBody"));
        let location = match (body, properties.and_then(|all| all.get("TemplateURL"))) {
            (Some(body), _) => {
                let text = self.value(stack, body)?.sketch();
                if !SERVICES.iter().any(|service| text.contains(service)) {
                    return Ok(());
                }
                "TemplateBody".to_owned()
            }
            (None, Some(url)) => self.value(stack, url)?.sketch(),
            (None, None) => return Ok(()),
        };
        infra.note(Note::NestedElsewhere {
            address: self.stacks[stack].address(id),
            location,
        });
        Ok(())
    }

    /// A loop whose list is not known, or a macro in the place of resources: what is in it is named.
    fn unexpanded(
        &mut self,
        stack: usize,
        key: &Rc<str>,
        node: &Node,
        infra: &mut Infra,
    ) -> Result<(), TooMuch> {
        let address = self.stacks[stack].address(key);
        if !key.starts_with("Fn::ForEach::") {
            let name = node.get("Name").and_then(Node::as_text).unwrap_or(key);
            infra.note(Note::Macro {
                name: name.to_owned(),
            });
            return Ok(());
        }
        infra.note(Note::LoopUnknown { address });
        let [_, list, body] = node.items() else {
            return Ok(());
        };
        let answers = self.ask(&[Choices::new()], |this| this.value(stack, list))?;
        let mut parameters = answers.parameters;
        for (_, value) in &answers.each {
            if let Some(unknown) = value.first_unknown() {
                parameters.extend(unknown.parameters.iter().cloned());
            }
        }
        for (id, resource) in body.entries() {
            if id.starts_with("Fn::ForEach::") {
                self.unexpanded(stack, id, resource, infra)?;
                continue;
            }
            let type_name = resource
                .get("Type")
                .and_then(Node::as_text)
                .unwrap_or_default();
            if !SERVICES
                .iter()
                .any(|service| type_name.starts_with(service))
            {
                infra.ignore(type_name);
                continue;
            }
            let exists = Exists::Maybe {
                conditions: Vec::new(),
                parameters: parameters.iter().cloned().collect(),
            };
            let kind = if FREE.contains(&type_name) {
                Kind::Free
            } else {
                Kind::Other
            };
            infra
                .after
                .push(self.entry(stack, id, type_name, exists, kind));
        }
        Ok(())
    }

    /// Returns where an action runs, if that is not where its pipeline is.
    pub(super) fn region_of(
        &mut self,
        stack: usize,
        action: &Resolved,
        starts: &[Choices],
    ) -> Result<Attribute<Region>, TooMuch> {
        let own = self.stacks[stack].pseudo("Region").sketch();
        let mut answers = self.values_at(action, &["Region"], starts)?;
        for (_, value) in &mut answers.each {
            if value.sketch() == own {
                *value = Value::Absent;
            }
        }
        Ok(self.merge(answers, None, |value| value.as_text().map(Region::from)))
    }
}

/// What AWS requires and the file leaves out is not known, and no default takes its place.
fn required<T>(attribute: Attribute<T>) -> Attribute<T> {
    if attribute.is_absent() {
        Attribute::Unknown(Reason::Missing)
    } else {
        attribute
    }
}

/// Reads an environment type that is spelt in another way than the API's, as `linuxContainer` is.
fn spelt(written: Attribute<String>, address: &str, infra: &mut Infra) -> Attribute<String> {
    let letters = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_uppercase()).collect()
    };
    let mut read = |text: String| {
        let same = ENVIRONMENT_TYPES
            .iter()
            .find(|known| letters(known) == letters(&text));
        match same {
            Some(known) if *known != text => {
                infra.note(Note::TypeAlias {
                    address: address.to_owned(),
                    written: text,
                    read: (*known).to_owned(),
                });
                (*known).to_owned()
            }
            _ => text,
        }
    };
    match written {
        Attribute::Known(text) => Attribute::Known(read(text)),
        Attribute::Depends {
            parameters,
            choices,
        } => Attribute::Depends {
            parameters,
            choices: choices.into_iter().map(read).collect(),
        },
        other => other,
    }
}
