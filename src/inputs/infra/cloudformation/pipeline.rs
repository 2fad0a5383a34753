//! Pipelines: their actions in every world, so that how many there are is counted and not guessed.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    document::{Kind, Node},
    evaluate::{Evaluator, Resolved, TooMuch},
    query::Presence,
    resources::Subject,
    value::{Unknown, Value},
    world::{Answers, Choices},
};
use crate::domain::{
    infra::{ActionCounts, Attribute, Exists, Feature, Pipeline, PipelineAction, Range, TypeBasis},
    plan::PipelineType,
};

/// What only stages of V2 have.
const STAGE_CONDITIONS: [&str; 3] = ["BeforeEntry", "OnSuccess", "OnFailure"];

/// An action in one world.
#[derive(Clone)]
struct Item {
    stage: String,
    action: Resolved,
    /// The names of the conditions in front of it.
    conditions: Vec<Rc<str>>,
    billable: Option<bool>,
}

/// The stages of a pipeline in one world.
#[derive(Default)]
struct Shape {
    items: Vec<Item>,
    features: BTreeSet<Feature>,
    unknown: Option<Unknown>,
}

impl Evaluator {
    /// Reads a pipeline.
    pub(super) fn pipeline(&mut self, subject: &Subject<'_>) -> Result<Pipeline, TooMuch> {
        let whole = self.ask(subject.starts, |this| this.shape(subject, None))?;
        let mut groups = Vec::new();
        if whole.is_cut {
            // Too many cases together: each action by itself gives bounds that hold as well.
            for part in self.parts(subject)? {
                groups.push(self.ask(subject.starts, |this| this.shape(subject, Some(&part)))?);
            }
        }
        if groups.is_empty() {
            groups.push(whole);
        }
        let mut actions = Vec::new();
        let mut counts = ActionCounts::default();
        let mut incomplete = Attribute::Absent;
        for answers in &groups {
            for (item, worlds) in found(&answers.each) {
                let is_always = worlds.len() == answers.each.len() && !answers.is_cut;
                let exists = if is_always {
                    Exists::Yes
                } else {
                    self.decided_by(subject, &item.conditions)?
                };
                let starts = Presence::starts(worlds);
                actions.push(self.action(subject, &item, exists, &starts)?);
            }
            let shapes = || answers.each.iter().map(|(_, shape)| shape);
            add(
                &mut counts.all,
                shapes().map(|shape| {
                    let count = shape.items.len();
                    (count, count)
                }),
            );
            add(
                &mut counts.billable,
                shapes().map(|shape| {
                    let free = shape
                        .items
                        .iter()
                        .filter(|item| item.billable == Some(false));
                    let billed = shape
                        .items
                        .iter()
                        .filter(|item| item.billable == Some(true));
                    (billed.count(), shape.items.len() - free.count())
                }),
            );
            if incomplete.is_absent() {
                incomplete = self.unknown_part(answers);
            }
        }
        let (kind, basis) = self.pipeline_type(subject, &groups)?;
        Ok(Pipeline {
            kind,
            basis,
            actions,
            counts,
            incomplete,
        })
    }

    /// Tells which conditions and parameters decide whether an action exists.
    fn decided_by(
        &mut self,
        subject: &Subject<'_>,
        conditions: &[Rc<str>],
    ) -> Result<Exists, TooMuch> {
        let mut parameters = BTreeSet::new();
        for name in conditions {
            let name = Node::of_text(0, name);
            let decided = self.ask(subject.starts, |this| this.condition(subject.stack, &name))?;
            parameters.extend(decided.parameters);
        }
        Ok(Exists::Maybe {
            conditions: conditions.iter().map(ToString::to_string).collect(),
            parameters: parameters.into_iter().collect(),
        })
    }

    /// Returns why stages or actions are not known, if some are not.
    fn unknown_part(&self, answers: &Answers<Shape>) -> Attribute<()> {
        let unknown = answers
            .each
            .iter()
            .find_map(|(_, shape)| shape.unknown.clone());
        match unknown {
            Some(unknown) => {
                let alone = Answers {
                    each: vec![(Choices::new(), Value::Unknown(unknown))],
                    parameters: BTreeSet::new(),
                    is_cut: false,
                };
                self.merge(alone, None, |_| Some(()))
            }
            None if answers.is_cut => Attribute::Depends {
                parameters: answers.parameters.iter().cloned().collect(),
                choices: Vec::new(),
            },
            None => Attribute::Absent,
        }
    }

    /// Returns the stages as lists of stages with one action each, as far as they are written out.
    fn parts(&mut self, subject: &Subject<'_>) -> Result<Vec<Resolved>, TooMuch> {
        let mut parts = Vec::new();
        let stages = self.at(&subject.properties, "Stages")?;
        let Resolved::Node(stack, stages) = stages else {
            return Ok(parts);
        };
        let list = |line: usize, items: Vec<Node>| Node {
            line,
            kind: Kind::List(items.into()),
        };
        for stage in stages.items() {
            let actions = stage.get("Actions").map(Node::items).unwrap_or_default();
            if stage.function().is_some() || actions.is_empty() {
                parts.push(Resolved::Node(stack, list(stage.line, vec![stage.clone()])));
                continue;
            }
            for action in actions {
                let one = stage.entries().iter().map(|(key, value)| {
                    let is_actions = &**key == "Actions";
                    let alone = || list(action.line, vec![action.clone()]);
                    (
                        Rc::clone(key),
                        if is_actions { alone() } else { value.clone() },
                    )
                });
                let one = Node {
                    line: stage.line,
                    kind: Kind::Map(one.collect()),
                };
                parts.push(Resolved::Node(stack, list(stage.line, vec![one])));
            }
        }
        Ok(parts)
    }

    /// Reads the stages and actions in this world.
    fn shape(&mut self, subject: &Subject<'_>, part: Option<&Resolved>) -> Result<Shape, TooMuch> {
        let mut shape = Shape::default();
        let properties = match &subject.properties {
            Resolved::Node(stack, node) => self.resolve(*stack, node)?,
            other => other.clone(),
        };
        for (key, feature) in [
            ("Triggers", Feature::Triggers),
            ("Variables", Feature::Variables),
        ] {
            let list = self.at(&properties, key)?;
            if let Ok(items) = self.elements(&list)?
                && !items.is_empty()
            {
                shape.features.insert(feature);
            }
        }
        let mode = self.at(&properties, "ExecutionMode")?;
        if let Value::Text(mode) = self.finish(&mode)?
            && ["QUEUED", "PARALLEL"].contains(&&*mode)
        {
            shape.features.insert(Feature::ExecutionMode);
        }
        let stages = match part {
            Some(part) => part.clone(),
            None => self.at(&properties, "Stages")?,
        };
        if matches!(stages, Resolved::Absent) {
            let missing = Value::unknown(crate::domain::infra::Reason::Missing, "${Stages}");
            shape.unknown = missing.first_unknown().cloned();
            return Ok(shape);
        }
        let stages = match self.elements(&stages)? {
            Ok(stages) => stages,
            Err(unknown) => {
                shape.unknown = Some(unknown);
                return Ok(shape);
            }
        };
        for (stage, conditions) in stages {
            self.stage(&stage, &conditions, &mut shape)?;
        }
        Ok(shape)
    }

    fn stage(
        &mut self,
        stage: &Resolved,
        conditions: &[Rc<str>],
        shape: &mut Shape,
    ) -> Result<(), TooMuch> {
        for key in STAGE_CONDITIONS {
            if !matches!(self.at(stage, key)?, Resolved::Absent) {
                shape.features.insert(Feature::StageConditions);
            }
        }
        let name = self.at(stage, "Name")?;
        let name = self.finish(&name)?.sketch();
        let actions = self.at(stage, "Actions")?;
        let actions = match self.elements(&actions)? {
            Ok(actions) => actions,
            Err(unknown) => {
                shape.unknown.get_or_insert(unknown);
                return Ok(());
            }
        };
        for (action, own) in actions {
            if let Resolved::Value(Value::Unknown(unknown)) = &action {
                shape.unknown.get_or_insert_with(|| unknown.clone());
                continue;
            }
            let identity = self.at(&action, "ActionTypeId")?;
            let mut texts = [None, None, None];
            for (at, key) in ["Category", "Owner", "Provider"].into_iter().enumerate() {
                let part = self.at(&identity, key)?;
                texts[at] = match self.finish(&part)? {
                    Value::Text(text) => Some(text.to_string()),
                    _ => None,
                };
            }
            let [category, owner, provider] = texts;
            if let (Some(category), Some(provider)) = (&category, &provider)
                && let Some(feature) = Feature::of_provider(category, provider)
            {
                shape.features.insert(feature);
            }
            let billable = PipelineAction {
                category: category.into(),
                owner: owner.into(),
                ..PipelineAction::default()
            }
            .is_billable();
            let mut conditions = conditions.to_vec();
            conditions.extend(own);
            shape.items.push(Item {
                stage: name.clone(),
                action,
                conditions,
                billable,
            });
        }
        Ok(())
    }

    /// Reads one action, in the worlds that have it.
    fn action(
        &mut self,
        subject: &Subject<'_>,
        item: &Item,
        exists: Exists,
        starts: &[Choices],
    ) -> Result<PipelineAction, TooMuch> {
        let of = &item.action;
        let name = self.values_at(of, &["Name"], starts)?;
        let name = name.each.first().map(|(_, name)| name.sketch());
        let provider = self.text_at(of, &["ActionTypeId", "Provider"], starts)?;
        // Actions of other tools have projects of their own.
        let project = if provider.known().is_none_or(|name| name == "CodeBuild") {
            let path = ["Configuration", "ProjectName"];
            self.target_at(of, &path, starts, "AWS::CodeBuild::Project")?
        } else {
            Attribute::Absent
        };
        Ok(PipelineAction {
            stage: item.stage.clone(),
            name: name.unwrap_or_default(),
            category: self.text_at(of, &["ActionTypeId", "Category"], starts)?,
            owner: self.text_at(of, &["ActionTypeId", "Owner"], starts)?,
            provider,
            region: self.region_of(subject.stack, of, starts)?,
            project,
            batch: self.flag_at(of, &["Configuration", "BatchEnabled"], starts)?,
            exists,
        })
    }

    /// Tells which price model holds. What only V2 has makes a pipeline V2, whatever is stated.
    fn pipeline_type(
        &mut self,
        subject: &Subject<'_>,
        groups: &[Answers<Shape>],
    ) -> Result<(Attribute<PipelineType>, TypeBasis), TooMuch> {
        let stated = self.text_at(&subject.properties, &["PipelineType"], subject.starts)?;
        let stated = stated.and_then(|text| match text.as_str() {
            "V1" => Some(PipelineType::V1),
            "V2" => Some(PipelineType::V2),
            _ => None,
        });
        let is_v2 = stated.known() == Some(&PipelineType::V2);
        let has_one = |(_, shape): &(Choices, Shape)| !shape.features.is_empty();
        let in_all = groups
            .iter()
            .any(|group| !group.is_cut && group.each.iter().all(has_one));
        let mut shapes = groups.iter().flat_map(|group| &group.each);
        let feature = shapes.find_map(|(_, shape)| shape.features.first());
        Ok(match (stated, feature) {
            (stated, _) if is_v2 => (stated, TypeBasis::Stated),
            (_, Some(feature)) if in_all => (
                Attribute::Known(PipelineType::V2),
                TypeBasis::Forced(*feature),
            ),
            (Attribute::Absent, _) => (Attribute::Known(PipelineType::V2), TypeBasis::NewStack),
            (Attribute::Known(stated), Some(_)) => {
                let choices = vec![stated, PipelineType::V2];
                let parameters = Vec::new();
                let kind = Attribute::Depends {
                    parameters,
                    choices,
                };
                (kind, TypeBasis::Stated)
            }
            (stated, _) => (stated, TypeBasis::Stated),
        })
    }
}

/// Lists every action of any world once, in order, with the worlds that have it.
fn found(shapes: &[(Choices, Shape)]) -> Vec<(Item, Vec<Choices>)> {
    let mut all: Vec<(Key, Item, Vec<Choices>)> = Vec::new();
    for (choices, shape) in shapes {
        // Where the action before stands, so that one of this world alone comes after it.
        let mut after = 0;
        for item in &shape.items {
            let key = Key::of(item);
            if let Some(at) = all.iter().position(|(other, ..)| *other == key) {
                all[at].2.push(choices.clone());
                after = at + 1;
            } else {
                all.insert(after, (key, item.clone(), vec![choices.clone()]));
                after += 1;
            }
        }
    }
    all.into_iter()
        .map(|(_, item, worlds)| (item, worlds))
        .collect()
}

/// What makes an action the same in two worlds: the place where it is written.
#[derive(PartialEq)]
enum Key {
    Written(usize, usize),
    Made(String),
}

impl Key {
    fn of(item: &Item) -> Self {
        match &item.action {
            Resolved::Node(stack, node) => Self::Written(*stack, node.entries().as_ptr().addr()),
            Resolved::Value(value) => Self::Made(format!("{}/{}", item.stage, value.sketch())),
            Resolved::Absent => Self::Made(item.stage.clone()),
        }
    }
}

/// Adds the fewest and the most of several cases.
fn add(range: &mut Range, counts: impl Iterator<Item = (usize, usize)>) {
    let (mut low, mut high) = (None, 0);
    for (fewest, most) in counts {
        low = Some(low.map_or(fewest, |low: usize| low.min(fewest)));
        high = high.max(most);
    }
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    range.low = range.low.saturating_add(count(low.unwrap_or(0)));
    range.high = range.high.saturating_add(count(high));
}
