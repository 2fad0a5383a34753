//! `pipebill doctor`: what is missing to collect.

use super::{
    CommandError, Exit,
    collect::{ChoiceArgs, ExtraArgs, LoginArgs, request},
    output::Output,
    progress::Progress,
};
use crate::{
    app::App,
    aws::{self, Request, operations::Service},
    domain::collection::Remedy,
    report,
};

/// Check the permissions `collect` needs and print fixes
///
/// Tests each permission with its cheapest call, in the first region of each account. This includes one
/// Cost Explorer request, which costs $0.01, unless --services excludes it; --forecast adds another.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    login: LoginArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    extra: ExtraArgs,
}

pub(super) fn run(args: &Args, app: &App, output: &Output) -> Result<Exit, CommandError> {
    let login = args.login.login(app)?;
    let choice = args.extra.add_to(args.login.choice(&args.choice));
    for warning in choice.services.iter().filter_map(|s| Service::warning(*s)) {
        output.say(&format!("warning: {warning}"));
    }
    let roles: Vec<String> = match &login.organization_role {
        Some(name) => vec![aws::role_anywhere(name)],
        None => login.roles.iter().map(|role| role.arn.clone()).collect(),
    };
    let request = Request {
        choice,
        ..request(app, login)
    };
    let checks = aws::doctor(&request, &app.catalog, &Progress::new(output))
        .map_err(crate::app::AppError::from)?;
    let lacks = checks.iter().filter_map(|check| match check.remedy {
        Some(Remedy::Allow(action)) => Some(action),
        _ => None,
    });
    let lacks: Vec<&str> = lacks.collect();
    let statements = aws::statements(&lacks, &roles);
    output.show(&report::collected::examination(&checks, &statements))?;
    let is_well = checks.iter().all(|check| check.found.is_ok());
    Ok(if is_well {
        Exit::Answered
    } else {
        Exit::CouldNot
    })
}
