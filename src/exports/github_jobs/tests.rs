use super::*;
use crate::{
    exports::{Unwatched, import_reader},
    pricing,
};

/// A job as the description of GitHub's REST API shows it, its steps cut short.
const JOB: &str = r#"{"id": 399444496, "run_id": 29679449,
  "run_url": "https://api.github.com/repos/octo-org/octo-repo/actions/runs/29679449",
  "node_id": "MDEyOldvcmtmbG93IEpvYjM5OTQ0NDQ5Ng==",
  "head_sha": "f83a356604ae3c5d03e1b46ef4d1ca77d64a90b0",
  "url": "https://api.github.com/repos/octo-org/octo-repo/actions/jobs/399444496",
  "html_url": "https://github.com/octo-org/octo-repo/runs/29679449/jobs/399444496",
  "status": "completed", "conclusion": "success",
  "started_at": "2020-01-20T17:42:40Z", "completed_at": "2020-01-20T17:44:39Z", "name": "build",
  "steps": [{"name": "Set up job", "status": "completed", "conclusion": "success", "number": 1,
    "started_at": "2020-01-20T09:42:40.000-08:00", "completed_at": null}],
  "check_run_url": "https://api.github.com/repos/octo-org/octo-repo/check-runs/399444496",
  "labels": ["self-hosted", "foo", "bar"], "runner_id": 1, "runner_name": "my runner",
  "runner_group_id": 2, "runner_group_name": "my runner group", "workflow_name": "CI",
  "head_branch": "main"}"#;

fn read(text: &str, skip_bad_rows: bool) -> Result<(Vec<CiJob>, Vec<String>), String> {
    let catalog = pricing::embedded().expect("the embedded prices");
    let options = ImportOptions {
        skip_bad_rows,
        ..ImportOptions::default()
    };
    let reader = std::io::Cursor::new(text.to_owned().into_bytes());
    import_reader("jobs.json", reader, &catalog, &options, &Unwatched)
        .map(|delivery| (delivery.jobs, delivery.notes))
        .map_err(|error| error.to_string())
}

fn with(changes: &[(&str, &str)]) -> String {
    let mut text = JOB.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

/// What a webhook posts has the job under its own key, one delivery for each change of it.
#[test]
fn deliveries_of_a_webhook_are_jobs() {
    let delivery = |job: &str| format!(r#"{{"action": "completed", "workflow_job": {job}}}"#);
    let queued = with(&[(r#""completed""#, r#""queued""#)]);
    let text = [delivery(&queued), delivery(JOB)].map(|text| text.replace('\n', " "));
    let (jobs, _) = read(&text.join("\n"), false).expect("they are deliveries");
    let status: Vec<_> = jobs.iter().map(|job| job.status.as_deref()).collect();
    assert_eq!(status, [Some("queued"), Some("completed")]);
    assert!(jobs.iter().all(|job| job.id == 399_444_496));
}

#[test]
fn a_job_is_read_as_github_describes_it() {
    let page = format!(r#"{{"total_count": 1, "jobs": [{JOB}]}}"#);
    let (jobs, _) = read(&page, false).expect("it is a page");
    let at = |text: &str| Some(text.parse::<DateTime<Utc>>().expect("a time"));
    let labels = ["self-hosted", "foo", "bar"];
    assert_eq!(
        jobs,
        [CiJob {
            host: "github.com".to_owned(),
            repository: "octo-org/octo-repo".to_owned(),
            run: 29_679_449,
            attempt: 1,
            id: 399_444_496,
            workflow: Some("CI".to_owned()),
            name: "build".to_owned(),
            runner: Some("my runner".to_owned()),
            labels: labels.map(str::to_owned).to_vec(),
            created: None,
            started: at("2020-01-20T17:42:40Z"),
            completed: at("2020-01-20T17:44:39Z"),
            status: Some("completed".to_owned()),
            conclusion: Some("success".to_owned()),
        }]
    );
}

#[test]
fn pages_lists_and_lines_are_the_same_jobs() {
    let other = with(&[("399444496", "7"), ("\"build\"", "\"test (ubuntu, 3.12)\"")]);
    let page = |jobs: &str| format!(r#"{{"total_count": 2, "jobs": [{jobs}]}}"#);
    let line = |text: &str| text.replace('\n', " ");
    let (first, second) = (page(JOB), page(&other));
    let both = read(&page(&format!("{JOB}, {other}")), false).expect("a page");
    assert_eq!(both.0.len(), 2);
    for (what, text) in [
        (
            "pages one after the other, as --paginate writes them",
            format!("{first}{second}"),
        ),
        (
            "pages in lines",
            format!("{}\n{}\n", line(&first), line(&second)),
        ),
        (
            "pages in a list, as --slurp writes them",
            format!("[{first},\n{second}]"),
        ),
        (
            "lists of pages one after the other: several runs",
            format!("[{first}]\n[{second}]"),
        ),
        (
            "a list of lists of pages",
            format!("[[{first}], [{second}]]"),
        ),
        (
            "jobs in lines, as --jq '.jobs[]' writes them",
            format!("{}\n{}\n", line(JOB), line(&other)),
        ),
        ("a list of jobs", format!("[{JOB}, {other}]")),
        (
            "lists of jobs, as --jq .jobs writes them",
            format!("[{JOB}]\n[{other}]\n"),
        ),
        (
            "only the jobs of a page",
            format!(r#"{{"jobs": [{JOB}, {other}]}}"#),
        ),
        ("with a mark in front", format!("\u{feff}{first}{second}")),
    ] {
        assert_eq!(read(&text, false).expect(what), both, "{what}");
    }
}

#[test]
fn what_github_leaves_out_is_not_made_up() {
    let text = with(&[
        ("\"my runner\"", "null"),
        (
            "\"completed_at\": \"2020-01-20T17:44:39Z\"",
            "\"completed_at\": null",
        ),
        (
            "\"completed\", \"conclusion\": \"success\",\n  \"started",
            "\"in_progress\", \"conclusion\": null,\n  \"started",
        ),
        ("[\"self-hosted\", \"foo\", \"bar\"]", "[]"),
        ("\"CI\"", "null"),
    ]);
    let (jobs, _) = read(&text, false).expect("it is a job");
    let [job] = &jobs[..] else { panic!("{jobs:?}") };
    assert_eq!(
        (&job.runner, &job.completed, &job.conclusion, &job.workflow),
        (&None, &None, &None, &None)
    );
    assert!(job.labels.is_empty());
}

#[test]
fn the_repository_is_in_any_of_the_addresses() {
    for (url, host, name) in [
        (
            "https://api.github.com/repos/o/r/actions/jobs/1",
            "github.com",
            "o/r",
        ),
        (
            "https://github.com/o/r/actions/runs/1/job/2",
            "github.com",
            "o/r",
        ),
        (
            "https://ghe.example.com/api/v3/repos/o/r/actions/runs/1",
            "ghe.example.com",
            "o/r",
        ),
        (
            "https://api.acme.ghe.com/repos/o/r.js/actions/jobs/1",
            "acme.ghe.com",
            "o/r.js",
        ),
    ] {
        let found = repository(url).unwrap_or_else(|| panic!("{url}"));
        assert_eq!((found.0.as_str(), found.1.as_str()), (host, name), "{url}");
    }
    assert_eq!(repository("o/r"), None);
}

#[test]
fn what_is_wrong_is_said_with_the_job_and_the_key() {
    let page = |job: &str| format!(r#"{{"total_count": 1, "jobs": [{job}]}}"#);
    for (text, says) in [
        (
            page(&with(&[("\"2020-01-20T17:42:40Z\"", "\"yesterday\"")])),
            "jobs.json, started_at of job 399444496 (build): `yesterday` is not a time such as 2026-10-31T12:00:00Z",
        ),
        (
            page(&with(&[("\"id\": 399444496", "\"id\": \"x\"")])),
            "jobs.json, id of job x (build): `x` is not a whole number",
        ),
        (
            page(&with(&[("\"name\": \"build\",", "")])),
            "jobs.json, name of job 399444496: there is no value",
        ),
        (
            r#"{"total_count": 1, "jobs": [{"id": 1, "run_id": 2, "name": "x"}]}"#.to_owned(),
            "jobs.json, url of job 1 (x): there is no value",
        ),
        (
            page("[1]"),
            "jobs.json, line 1: this is not as GitHub lists jobs",
        ),
        (
            page(JOB)[..200].to_owned(),
            "jobs.json, line 3: the JSON ends in the middle",
        ),
        (
            format!("{} nonsense", page(JOB)),
            "jobs.json, line 14: this is not JSON",
        ),
        (
            format!(r#"{}{{"message": "Not Found", "status": "404"}}"#, page(JOB)),
            "jobs.json is an error message: Not Found",
        ),
        (
            r#"{"message": "Bad credentials", "documentation_url": "x", "status": "401"}"#.to_owned(),
            r#"jobs.json is an error message: {"message": "Bad credentials", "documentation_url": "x", "status": "401"}"#,
        ),
        (
            r#"{"total_count": 1, "workflow_runs": [{"id": 1, "name": "CI"}]}"#.to_owned(),
            "jobs.json is a list of workflow runs, not of their jobs",
        ),
        (
            r#"{"jobs":[{"completedAt":"2026-10-01T00:00:00Z","databaseId":1,"name":"x","steps":[]}]}"#.to_owned(),
            "jobs.json is jobs as `gh run view` writes them, without labels and runner",
        ),
        (
            r#"[{"id": 7, "status": "success", "stage": "test", "name": "rspec", "pipeline": {"id": 6}, "web_url": "x"}]"#.to_owned(),
            "jobs.json is a list of GitLab's jobs, which are not read yet",
        ),
    ] {
        assert_eq!(read(&text, false).expect_err(&text), says);
    }
}

#[test]
fn bad_jobs_are_skipped_by_name_where_that_is_asked_for() {
    let bad = with(&[
        ("\"2020-01-20T17:42:40Z\"", "\"yesterday\""),
        ("399444496", "8"),
    ]);
    let page = format!(r#"{{"total_count": 2, "jobs": [{JOB}, {bad}]}}"#);
    let (jobs, notes) = read(&page, true).expect("one is good");
    assert_eq!(jobs.len(), 1);
    assert!(
        notes.iter().any(|note| note == "jobs.json: 1 row skipped"),
        "{notes:?}"
    );
    assert!(
        notes
            .iter()
            .any(|note| note.contains("started_at of job 8")),
        "{notes:?}"
    );
}

#[test]
fn a_run_without_jobs_is_an_answer() {
    let (jobs, _) = read(r#"{"total_count": 0, "jobs": []}"#, false).expect("an empty page");
    assert!(jobs.is_empty());
}
