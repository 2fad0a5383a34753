//! What `pipebill import` brings in from AWS itself.

use std::path::Path;

use super::{CommandError, import::Progress, output::Output};
use crate::{
    app::{App, Imported},
    collect::{
        aws::{Login, TableRequest},
        exports::ImportOptions,
        stated,
    },
    domain::period::Month,
    report,
};

/// As whom to ask AWS, where, and how.
#[derive(Debug, clap::Args)]
pub(super) struct CloudArgs {
    /// Ask Athena in this workgroup [default: primary].
    #[arg(long, value_name = "NAME")]
    workgroup: Option<String>,
    /// Show the query and what it will take, and ask nothing that costs.
    #[arg(long)]
    dry_run: bool,
    /// Ask AWS in this region [default: the configured one].
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Use this profile of AWS's configuration.
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
            let region = stated::region(&app.catalog, name);
            let region = region.map_err(|problem| CommandError::UnknownName {
                flag: "--region",
                problem,
            })?;
            login.regions.push(region);
        }
        Ok(login)
    }

    /// Returns what to ask Athena for.
    pub(super) fn table(
        &self,
        url: &str,
        exports: usize,
        month: Option<Month>,
        results: Option<&Path>,
        app: &App,
    ) -> Result<TableRequest, CommandError> {
        let bad = |flag, problem: &str| {
            let problem = problem.to_owned();
            Err(CommandError::BadValue { flag, problem })
        };
        let is_name = |name: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            (1..=255).contains(&name.len()) && name.chars().all(allowed)
        };
        let path = url.strip_prefix("athena://").unwrap_or(url);
        let names = path.split_once('.');
        let Some((database, table)) = names.filter(|(a, b)| is_name(a) && is_name(b)) else {
            return bad(
                "FILE",
                "a table is written as athena://DATABASE.TABLE, with letters, digits, `_` and `-`",
            );
        };
        if exports > 1 {
            return bad("FILE", "import one table at a time, and files apart");
        }
        let Some(month) = month else {
            return bad("--month", "say which month to ask Athena for");
        };
        Ok(TableRequest {
            login: self.login(app)?,
            database: database.to_owned(),
            table: table.to_owned(),
            month,
            workgroup: self.workgroup.clone(),
            output: results.and_then(Path::to_str).map(str::to_owned),
            today: app.today,
            dry_run: self.dry_run,
        })
    }
}

/// Imports a month of a table; nothing if it is only to be shown.
pub(super) fn table(
    request: &TableRequest,
    app: &App,
    options: &ImportOptions,
    watch: &Progress,
    output: &Output,
) -> Result<Option<Imported>, CommandError> {
    let announced = std::cell::RefCell::new(None);
    let imported = app.import_table(request, options, watch, &|announcement| {
        output.say(&report::cloud::announcement(announcement));
        announced.replace(Some(announcement.sql.clone()));
    });
    watch.bar.borrow().finish_and_clear();
    let imported = imported?;
    if let (true, Some(sql)) = (request.dry_run, announced.take()) {
        output.data(&format!("{sql}\n"))?;
    }
    Ok(imported.map(|(imported, scan)| {
        output.say(&report::cloud::scanned(&scan));
        imported
    }))
}
