//! `pipebill doctor`: what is missing to collect.

use super::{
    CommandError, Exit,
    collect::{ChoiceArgs, ExtraArgs, LoginArgs},
    output::Output,
    progress::Progress,
};
use crate::{
    app::{App, Diagnosis, DoctorRequest},
    report,
};

/// Check the permissions `collect` needs and print fixes
///
/// Tests each permission with its cheapest call, in the first region of each account. This includes one
/// Cost Explorer request, which costs $0.01, unless --services excludes it; --forecast adds another, and
/// --metrics one metric of CloudWatch, for a thousandth of that.
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
    let request = DoctorRequest {
        login: args.login.request(),
        asked: args.choice.asked(args.extra.extras()),
    };
    for warning in request.asked.warnings() {
        output.say(&format!("warning: {warning}"));
    }
    let Diagnosis { checks, statements } = app.doctor(&request, &Progress::new(output))?;
    output.show(&report::collected::examination(&checks, &statements))?;
    let is_well = checks.iter().all(|check| check.found.is_ok());
    Ok(if is_well {
        Exit::Answered
    } else {
        Exit::CouldNot
    })
}
