//! `pipebill doctor`: what is missing to collect.

use std::time::Duration;

use super::{
    CommandError, Exit,
    collect::{ChoiceArgs, LoginArgs, now},
    output::Output,
    progress::Progress,
};
use crate::{
    app::App,
    collect::aws::{self, Request, operations::Service},
    report,
};

/// Try what `collect` needs, one line each, and say what would fix it
///
/// Each permission is tried with its cheapest call, in the first region of each account. One request
/// to Cost Explorer is among them and costs $0.01, unless --services leaves it out.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    login: LoginArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
}

pub(super) fn run(args: &Args, app: &App, output: &Output) -> Result<Exit, CommandError> {
    let login = args.login.login(app)?;
    let choice = args.login.choice(&args.choice);
    for warning in choice.services.iter().filter_map(|s| Service::warning(*s)) {
        output.say(&format!("warning: {warning}"));
    }
    let request = Request {
        login,
        choice,
        from: app.today,
        to: app.today,
        dry_run: false,
        max_api_cost: None,
        rate: 5,
        timeout: Duration::from_secs(30),
        now: now(app.today),
    };
    let checks = aws::doctor(&request, &app.catalog, &Progress::new(output))
        .map_err(crate::app::AppError::from)?;
    output.document(&report::collected::examination(&checks))?;
    let is_well = checks.iter().all(|check| check.found.is_ok());
    Ok(if is_well {
        Exit::Answered
    } else {
        Exit::CouldNot
    })
}
