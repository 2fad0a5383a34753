//! Which build ran which job: by the runner's name, else by label and time. One build ran at most one
//! job, and one job ran on at most one build.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::CiJob;
use crate::domain::metering::events::{AccountRegion, Build};

/// How far the clocks of two systems may be apart.
const SLACK: TimeDelta = TimeDelta::seconds(60);

/// The longest time between the start of a build and that of its job, where nobody says when the job
/// was made: a build may wait for eight hours.
const WAIT: TimeDelta = TimeDelta::hours(8);

/// A build that may have run a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobBuild {
    /// Where.
    pub place: AccountRegion,
    /// Its id: the project, a colon, and a UUID.
    pub id: String,
    /// The build.
    pub build: Build,
}

/// How a job was joined to its build.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum JoinedBy {
    /// The runner has the name of the build.
    Runner,
    /// The label names the project, and one build only fits in time.
    Label,
}

/// Why a job has no build.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NoBuild {
    /// It asked for CodeBuild, and no build that fits was collected.
    NotCollected,
    /// It asked for CodeBuild, and several builds fit.
    Ambiguous,
    /// An earlier attempt ran it: its runner is that of another job.
    Repeated,
    /// No runner ever took it: skipped, cancelled or still queued.
    NeverRan,
    /// It ran elsewhere: neither its labels nor its runner are those of CodeBuild.
    Elsewhere,
}

impl NoBuild {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::NotCollected,
        Self::Ambiguous,
        Self::Repeated,
        Self::NeverRan,
        Self::Elsewhere,
    ];

    /// Returns the code used in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotCollected => "no_build_collected",
            Self::Ambiguous => "several_builds_fit",
            Self::Repeated => "ran_in_an_earlier_attempt",
            Self::NeverRan => "never_ran",
            Self::Elsewhere => "not_on_codebuild",
        }
    }
}

/// What was joined, by position.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Join {
    /// For each job its build, or why it has none.
    pub jobs: Vec<Result<(usize, JoinedBy), NoBuild>>,
    /// For each build its job.
    pub builds: Vec<Option<usize>>,
}

/// Joins jobs and builds. The outcome depends on what they are, not on their order.
pub fn join(jobs: &[CiJob], builds: &[JobBuild]) -> Join {
    let mut found = Join {
        jobs: jobs.iter().map(|_| Err(NoBuild::Elsewhere)).collect(),
        builds: vec![None; builds.len()],
    };
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by(|&a, &b| jobs[a].cmp(&jobs[b]));
    let named = by_runner(jobs, builds, &order, &mut found);
    by_label(jobs, builds, &order, &named, &mut found);
    found
}

/// Joins by the runner's name. Returns the projects of which a build was found so.
fn by_runner<'b>(
    jobs: &[CiJob],
    builds: &'b [JobBuild],
    order: &[usize],
    found: &mut Join,
) -> BTreeSet<&'b str> {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, build) in builds.iter().enumerate() {
        by_name.entry(&build.id).or_default().push(at);
        if let Some((_, uuid)) = build.id.rsplit_once(':') {
            by_name.entry(uuid).or_default().push(at);
        }
    }
    let mut named = BTreeSet::new();
    for &job in order {
        if jobs[job].never_ran() {
            found.jobs[job] = Err(NoBuild::NeverRan);
            continue;
        }
        let runner = jobs[job].runner.as_deref();
        let of_name = runner
            .and_then(|runner| by_name.get(runner))
            .map_or(&[][..], Vec::as_slice);
        let project = jobs[job].project();
        let is_asked = |at: &&usize| Some(builds[**at].build.project.as_str()) == project;
        let build = match of_name {
            [only] => *only,
            // A UUID is of one build; of other names the label knows the project.
            several => match several.iter().filter(is_asked).collect::<Vec<_>>()[..] {
                [only] => *only,
                _ => continue,
            },
        };
        found.jobs[job] = match found.builds[build] {
            // Of a run that is tried again in part, the rest is listed again as it was.
            Some(_) => Err(NoBuild::Repeated),
            None => Ok((build, JoinedBy::Runner)),
        };
        found.builds[build].get_or_insert(job);
        named.insert(builds[build].build.project.as_str());
    }
    named
}

/// Joins what is left by project and time, as far as that leaves no choice.
fn by_label(
    jobs: &[CiJob],
    builds: &[JobBuild],
    order: &[usize],
    named: &BTreeSet<&str>,
    found: &mut Join,
) {
    let mut of_project: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, build) in builds.iter().enumerate() {
        if found.builds[at].is_none() {
            of_project.entry(&build.build.project).or_default().push(at);
        }
    }
    for of in of_project.values_mut() {
        of.sort_by_key(|&at| (builds[at].build.submitted, &builds[at].id));
    }
    let mut open: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (rank, &at) in order.iter().enumerate() {
        let job = &jobs[at];
        let (Err(NoBuild::Elsewhere), Some(project)) = (found.jobs[at], job.project()) else {
            continue;
        };
        found.jobs[at] = Err(NoBuild::NotCollected);
        // Where runners are named after builds, one of another name is another build.
        if named.contains(project) && job.runner.as_deref().is_some_and(is_uuid) {
            continue;
        }
        let of = of_project.get(project).map_or(&[][..], Vec::as_slice);
        let fitting = fitting(job, builds, of);
        if !fitting.is_empty() {
            found.jobs[at] = Err(NoBuild::Ambiguous);
            open.insert(rank, fitting);
        }
    }
    // What has one choice takes it, which may leave others with one.
    loop {
        let mut only: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (&rank, choices) in &mut open {
            choices.retain(|&build| found.builds[build].is_none());
            if let [build] = choices[..] {
                only.entry(build).or_default().push(rank);
            }
        }
        open.retain(|&rank, choices| {
            if choices.is_empty() {
                found.jobs[order[rank]] = Err(NoBuild::NotCollected);
            }
            !choices.is_empty()
        });
        let mut is_any = false;
        for (build, ranks) in only {
            if let [rank] = ranks[..] {
                found.builds[build] = Some(order[rank]);
                found.jobs[order[rank]] = Ok((build, JoinedBy::Label));
                open.remove(&rank);
                is_any = true;
            }
        }
        if !is_any {
            return;
        }
    }
}

/// Returns the builds of a project, by time, within which a job ran.
fn fitting(job: &CiJob, builds: &[JobBuild], of: &[usize]) -> Vec<usize> {
    let Some(started) = job.started else {
        return Vec::new();
    };
    // A build is started when its job is queued, and ends when that is done.
    let first: DateTime<Utc> = job.created.unwrap_or(started - WAIT) - SLACK;
    let begin = of.partition_point(|&at| builds[at].build.submitted < first);
    let of_time = of[begin..]
        .iter()
        .take_while(|&&at| builds[at].build.submitted <= started + SLACK);
    let is_within = |at: &&usize| match (builds[**at].build.ended, job.completed) {
        (Some(ended), Some(completed)) => completed <= ended + SLACK,
        (ended, _) => ended.is_none(),
    };
    of_time.filter(is_within).copied().collect()
}

/// Tells whether a name is a UUID, as builds have.
fn is_uuid(name: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = name.split('-');
    lengths.iter().all(|length| {
        let part = parts.next().unwrap_or_default();
        part.len() == *length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    }) && parts.next().is_none()
}
