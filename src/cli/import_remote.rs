//! What `pipebill import` brings in from AWS itself.

use std::{cell::RefCell, path::Path};

use super::{CommandError, import::Progress, output::Output};
use crate::{
    app::{App, Imported},
    aws::{Login, S3Url, TableRequest},
    domain::{import::TableAnnouncement, period::Month},
    exports::ImportOptions,
    inputs::resolve,
    report,
};

/// Credentials, region and mode.
#[derive(Debug, clap::Args)]
pub(super) struct CloudArgs {
    /// Athena workgroup [default: primary].
    #[arg(long, value_name = "NAME")]
    workgroup: Option<String>,
    /// Show Athena's query and its cost, or the S3 files to read, and stop.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Accept requester-pays charges: S3 bills requests and data transfer to these credentials'
    /// account.
    #[arg(long)]
    pub(super) requester_pays: bool,
    /// Region [default: the configured region].
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// AWS configuration profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl CloudArgs {
    fn login(&self, app: &App) -> Result<Login, CommandError> {
        let mut login = Login {
            profile: self.profile.clone(),
            ..Login::default()
        };
        if let Some(name) = &self.region {
            let region = resolve::region(&app.catalog, name);
            let region = region.map_err(|problem| CommandError::UnknownName {
                flag: "--region",
                problem,
            })?;
            login.regions.push(region);
        }
        Ok(login)
    }
}

fn bad<T>(flag: &'static str, problem: &str) -> Result<T, CommandError> {
    let problem = problem.to_owned();
    Err(CommandError::BadValue { flag, problem })
}

/// An export that is in no file.
pub(super) enum RemoteSource {
    /// A place in S3.
    S3(S3Url),
    /// A table of Athena: its database and its name.
    Table(String, String),
}

impl RemoteSource {
    /// Reads `s3://BUCKET/PREFIX` or `athena://DATABASE.TABLE`, one of so many exports.
    pub(super) fn parse(
        url: &str,
        exports: usize,
        requester_pays: bool,
    ) -> Result<Self, CommandError> {
        if exports > 1 {
            return bad(
                "FILE",
                "import one place or table at a time, and files apart",
            );
        }
        let Some(names) = url.strip_prefix("athena://") else {
            return match S3Url::parse(url) {
                Some(place) => Ok(Self::S3(S3Url {
                    requester_pays,
                    ..place
                })),
                None => bad("FILE", "a place is written as s3://BUCKET/PREFIX"),
            };
        };
        if requester_pays {
            return bad("--requester-pays", "it goes with s3://…");
        }
        let is_name = |name: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            (1..=255).contains(&name.len()) && name.chars().all(allowed)
        };
        match names.split_once('.') {
            Some((database, table)) if is_name(database) && is_name(table) => {
                Ok(Self::Table(database.to_owned(), table.to_owned()))
            }
            _ => bad(
                "FILE",
                "a table is written as athena://DATABASE.TABLE, with letters, digits, `_` and `-`",
            ),
        }
    }
}

/// An import from AWS.
pub(super) struct Import<'i> {
    pub(super) args: &'i CloudArgs,
    pub(super) app: &'i App,
    pub(super) options: &'i ImportOptions,
    pub(super) watch: &'i Progress,
    pub(super) output: &'i Output,
}

impl Import<'_> {
    /// Imports; nothing if it is only to be shown what it would take.
    pub(super) fn run(
        &self,
        from: &RemoteSource,
        month: Option<Month>,
        results: Option<&Path>,
    ) -> Result<Option<Imported>, CommandError> {
        let login = self.args.login(self.app)?;
        let (options, watch) = (self.options, self.watch);
        if let RemoteSource::S3(place) = from
            && place.requester_pays
        {
            self.output
                .say(&report::cloud::requester_pays(&place.bucket));
        }
        let (database, table) = match from {
            RemoteSource::S3(place) if self.args.dry_run => {
                let plan = self.app.plan_bucket(&login, place, options, &watch.stop)?;
                let document = report::cloud::plan(&place.to_string(), &plan.0, plan.1);
                self.output.show(&document)?;
                return Ok(None);
            }
            RemoteSource::S3(place) => {
                let stop = &watch.stop;
                let imported = self.app.import_bucket(&login, place, options, watch, stop);
                watch.bar.borrow().finish_and_clear();
                return Ok(Some(imported?));
            }
            RemoteSource::Table(database, table) => (database.clone(), table.clone()),
        };
        let Some(month) = month else {
            return bad("--month", "say which month to ask Athena for");
        };
        self.table(&TableRequest {
            login,
            database,
            table,
            month,
            workgroup: self.args.workgroup.clone(),
            output: results.and_then(Path::to_str).map(str::to_owned),
            today: self.app.today,
            dry_run: self.args.dry_run,
        })
    }

    fn table(&self, request: &TableRequest) -> Result<Option<Imported>, CommandError> {
        let announced = RefCell::new(None);
        let announce = |announcement: &TableAnnouncement| {
            self.output.say(&report::cloud::announcement(announcement));
            announced.replace(Some(announcement.sql.clone()));
        };
        let (options, watch) = (self.options, self.watch);
        let imported = self.app.import_table(request, options, watch, &announce);
        watch.bar.borrow().finish_and_clear();
        let imported = imported?;
        if let (true, Some(sql)) = (request.dry_run, announced.take()) {
            self.output.data(&format!("{sql}\n"))?;
        }
        Ok(imported.map(|(imported, scan)| {
            self.output.say(&report::cloud::scanned(&scan));
            imported
        }))
    }
}
