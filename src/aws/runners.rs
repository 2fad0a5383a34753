//! Which projects of CodeBuild run jobs of a CI system, as their webhooks say.

use aws_sdk_codebuild::{
    Client,
    types::{Project, ProjectSource, SourceType, Webhook, WebhookBuildType, WebhookFilterType},
};

use super::{accounts::Account, codebuild::BATCH, error::Failure, operations::Operation, run::Run};
use crate::domain::{ci_jobs::RunnerOf, collection::Source, metering::from_events::AccountRegion};

/// The event on which a project runs a job: of GitHub Actions and GitLab alike.
const JOB_QUEUED: &str = "WORKFLOW_JOB_QUEUED";

/// Looks which of the projects of a place run jobs. Of what else a project is nothing stays.
pub(super) async fn runners(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
    projects: &[String],
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Runners)?;
    let mut runners = Vec::new();
    for names in projects.chunks(BATCH) {
        let request = client.batch_get_projects().set_names(Some(names.to_vec()));
        let operation = Operation::BatchGetProjects;
        let answer = run.ask(place, operation, request.send()).await?;
        runners.extend(answer.projects().iter().filter_map(runner_from_sdk));
    }
    run.read(&scope, runners.len());
    run.ledger().keep_runners(place, &runners)?;
    run.end(&scope, true, run.today())
}

/// Translates a project that runs jobs: its name, and of whom. Environment variables, the secret of the
/// webhook and all else stay behind.
fn runner_from_sdk(project: &Project) -> Option<(String, RunnerOf)> {
    let webhook = project.webhook()?;
    let runs_for = match webhook.build_type() {
        Some(WebhookBuildType::RunnerBuildkiteBuild) => RunnerOf::Buildkite,
        _ if !takes_jobs(webhook) => return None,
        _ => match project.source().map(ProjectSource::r#type) {
            Some(SourceType::Github | SourceType::GithubEnterprise) => RunnerOf::GitHubActions,
            Some(SourceType::Gitlab | SourceType::GitlabSelfManaged) => RunnerOf::GitLab,
            _ => RunnerOf::Unknown,
        },
    };
    Some((project.name()?.to_owned(), runs_for))
}

/// Tells whether a job that is queued starts a build.
fn takes_jobs(webhook: &Webhook) -> bool {
    let filters = webhook.filter_groups().iter().flatten();
    let mut events = filters.filter(|filter| *filter.r#type() == WebhookFilterType::Event);
    events.any(|filter| {
        filter
            .pattern()
            .split(',')
            .any(|event| event.trim() == JOB_QUEUED)
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_codebuild::types::WebhookFilter;

    use super::*;

    fn project(source: SourceType, events: &str, builds: Option<WebhookBuildType>) -> Project {
        let filter = WebhookFilter::builder()
            .r#type(WebhookFilterType::Event)
            .pattern(events)
            .build()
            .expect("both are set");
        let webhook = Webhook::builder()
            .filter_groups(vec![filter])
            .set_build_type(builds)
            .secret("s3cret")
            .build();
        let source = ProjectSource::builder().r#type(source).build();
        let source = source.expect("the type is set");
        Project::builder()
            .name("ci")
            .source(source)
            .webhook(webhook)
            .build()
    }

    #[test]
    fn a_project_is_a_runner_by_the_event_of_its_webhook() {
        use RunnerOf::{Buildkite, GitHubActions, GitLab};
        let buildkite = Some(WebhookBuildType::RunnerBuildkiteBuild);
        for (source, events, builds, runs_for) in [
            (
                SourceType::Github,
                "WORKFLOW_JOB_QUEUED",
                None,
                Some(GitHubActions),
            ),
            (
                SourceType::Gitlab,
                "PUSH, WORKFLOW_JOB_QUEUED",
                None,
                Some(GitLab),
            ),
            (SourceType::Github, "PUSH", None, None),
            (SourceType::NoSource, "", buildkite, Some(Buildkite)),
            (
                SourceType::Bitbucket,
                "WORKFLOW_JOB_QUEUED",
                None,
                Some(RunnerOf::Unknown),
            ),
        ] {
            let found = runner_from_sdk(&project(source, events, builds));
            assert_eq!(found.map(|(_, of)| of), runs_for, "{events}");
        }
    }
}
