//! `pipebill policy`: what a reader has to be allowed.

use super::{
    CommandError, Exit,
    collect::{ChoiceArgs, ExtraArgs},
    output::Output,
};
use crate::collect::aws;

/// Print the least-privilege IAM policy that `collect` needs
///
/// Every action it allows is called, and every call is allowed by it; the program reads both from
/// one table.
///
/// Examples:
///   pipebill policy > policy.json
///   pipebill policy --organization --role-name pipebill-reader
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    extra: ExtraArgs,
    /// For reading every account of the organization: the account that lists them.
    #[arg(long)]
    organization: bool,
    /// For reading other accounts by --role-arn.
    #[arg(long)]
    roles: bool,
    /// The role that is taken in other accounts.
    #[arg(long, value_name = "NAME")]
    role_name: Option<String>,
}

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, CommandError> {
    let choice = args.choice.choice(args.organization, args.roles);
    let choice = args.extra.add_to(choice);
    let role = args.role_name.as_deref().unwrap_or("pipebill-reader");
    let policy = aws::policy(&choice, &[aws::role_anywhere(role)]);
    let text = serde_json::to_string_pretty(&policy).expect("a policy is JSON");
    output.data(&format!("{text}\n"))?;
    Ok(Exit::Answered)
}
