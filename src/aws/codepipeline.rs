//! `CodePipeline`: pipelines, their runs, and the actions of V2 runs. Actions carry their
//! configuration; only the fields named in the translations here go any further.

use aws_sdk_codepipeline::{
    Client,
    types::{
        ActionExecutionDetail, ActionExecutionStatus, ExecutionType, PipelineExecutionStatus,
        PipelineExecutionSummary, PipelineSummary, SourceRevision, TriggerType,
    },
};
use sha2::{Digest, Sha256};

use super::{
    accounts::Account,
    error::Failure,
    listing::{Page, newest_first},
    operations::Operation,
    pages::Pages,
    run::Run,
    time, word,
};
use crate::{
    domain::{
        collection::Source,
        metering::from_events::{AccountRegion, Action, Execution, Pipeline},
    },
    ledger::{Fact, Listing},
};

/// Lists the pipelines of a place and keeps what they are.
pub(super) async fn pipelines(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
) -> Result<Vec<Pipeline>, Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let mut pages = Pages::default();
    let mut pipelines = Vec::new();
    loop {
        let request = client
            .list_pipelines()
            .max_results(1000)
            .set_next_token(pages.token());
        let answer = run
            .ask_page(place, Operation::ListPipelines, &pages, request.send())
            .await?;
        pipelines.extend(answer.pipelines().iter().filter_map(pipeline_from_sdk));
        if !pages.turn(Operation::ListPipelines, answer.next_token)? {
            break;
        }
    }
    Ok(pipelines)
}

/// Translates a pipeline. One with no stated type is V1.
fn pipeline_from_sdk(pipeline: &PipelineSummary) -> Option<Pipeline> {
    Some(Pipeline {
        name: pipeline.name()?.to_owned(),
        kind: pipeline
            .pipeline_type()
            .map_or_else(|| "V1".to_owned(), |kind| word(kind.as_str())),
        created: time(pipeline.created()),
    })
}

/// Collects the runs of the pipelines.
pub(super) async fn executions(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
    pipelines: &[Pipeline],
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Pipelines)?;
    let mut whole = true;
    for pipeline in pipelines {
        let fetch = async |_: &Listing, pages: &Pages| {
            let request = client
                .list_pipeline_executions()
                .pipeline_name(&pipeline.name)
                .max_results(100)
                .set_next_token(pages.token());
            let answer = run
                .ask_page(
                    place,
                    Operation::ListPipelineExecutions,
                    pages,
                    request.send(),
                )
                .await?;
            let mut page = Page {
                next: answer.next_token.clone(),
                ..Page::default()
            };
            for summary in answer.pipeline_execution_summaries() {
                if let Some(fact) = execution_from_sdk(summary) {
                    if let Fact::Execution(_, execution, _) = &fact {
                        page.saw(execution.started.timestamp_millis());
                    }
                    page.facts.push(fact);
                }
            }
            Ok(page)
        };
        let operation = Operation::ListPipelineExecutions;
        let done = newest_first(run, &scope, &pipeline.name, operation, fetch).await;
        whole &= run.part(&scope, &pipeline.name, done)?;
    }
    run.end(&scope, whole, run.oldest_kept())
}

/// Translates a run. Who started it, commit messages and addresses stay behind.
fn execution_from_sdk(summary: &PipelineExecutionSummary) -> Option<Fact> {
    let is_rollback = summary.execution_type() == Some(&ExecutionType::Rollback)
        || summary
            .trigger()
            .and_then(|trigger| trigger.trigger_type())
            .is_some_and(|kind| {
                matches!(
                    kind,
                    TriggerType::AutomatedRollback | TriggerType::ManualRollback
                )
            });
    let open = matches!(
        summary.status(),
        Some(PipelineExecutionStatus::InProgress | PipelineExecutionStatus::Stopping)
    );
    let execution = Execution {
        started: time(summary.start_time())?,
        revisions: digest(summary.source_revisions()),
        rollback: is_rollback,
    };
    let id = summary.pipeline_execution_id()?.to_owned();
    Some(Fact::Execution(id, execution, open))
}

/// Tells runs of the same revisions from others, without keeping the revisions.
fn digest(revisions: &[SourceRevision]) -> Option<Vec<u8>> {
    let mut lines: Vec<(&str, &str)> = revisions
        .iter()
        .filter_map(|revision| Some((revision.action_name(), revision.revision_id()?)))
        .collect();
    if lines.is_empty() {
        return None;
    }
    lines.sort_unstable();
    let mut hasher = Sha256::new();
    for (action, revision) in lines {
        hasher.update(action);
        hasher.update([0]);
        hasher.update(revision);
        hasher.update([0]);
    }
    Some(hasher.finalize()[..16].to_vec())
}

/// Collects the actions of the V2 pipelines.
pub(super) async fn actions(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
    pipelines: &[Pipeline],
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Actions)?;
    let mut whole = true;
    for pipeline in pipelines.iter().filter(|pipeline| pipeline.kind != "V1") {
        let fetch = async |_: &Listing, pages: &Pages| {
            let request = client
                .list_action_executions()
                .pipeline_name(&pipeline.name)
                .max_results(100)
                .set_next_token(pages.token());
            let answer = run
                .ask_page(
                    place,
                    Operation::ListActionExecutions,
                    pages,
                    request.send(),
                )
                .await?;
            let mut page = Page {
                next: answer.next_token.clone(),
                ..Page::default()
            };
            for detail in answer.action_execution_details() {
                if let Some(fact) = action_from_sdk(&pipeline.name, detail) {
                    if let Fact::Action(_, action) = &fact {
                        page.saw(action.started.timestamp_millis());
                    }
                    page.facts.push(fact);
                }
            }
            Ok(page)
        };
        let operation = Operation::ListActionExecutions;
        let done = newest_first(run, &scope, &pipeline.name, operation, fetch).await;
        whole &= run.part(&scope, &pipeline.name, done)?;
    }
    run.end(&scope, whole, run.oldest_kept())
}

/// Translates an action. Its configuration, variables and artifacts stay behind.
fn action_from_sdk(pipeline: &str, detail: &ActionExecutionDetail) -> Option<Fact> {
    let kind = detail.input().and_then(|input| input.action_type_id());
    let runs = detail.status() == Some(&ActionExecutionStatus::InProgress);
    let action = Action {
        pipeline: pipeline.to_owned(),
        started: time(detail.start_time())?,
        ended: time(detail.last_update_time()).filter(|_| !runs),
        category: kind.map_or_else(
            || "(not stated)".to_owned(),
            |kind| word(kind.category().as_str()),
        ),
        owner: kind.map_or_else(String::new, |kind| word(kind.owner().as_str())),
    };
    // An action that is retried keeps its execution and gets an id of its own.
    let id = detail.action_execution_id()?.to_owned();
    Some(Fact::Action(id, action))
}
