//! `pipebill policy`: what a reader has to be allowed.

use super::{
    CommandError, Exit,
    collect::{ChoiceArgs, ExtraArgs},
    output::Output,
};
use crate::{
    app::{App, PolicyRequest},
    aws::S3Url,
};

/// Print the least-privilege IAM policy for `collect`, or for imports from S3 or Athena
///
/// It allows exactly the actions that pipebill calls. Athena's own access on the caller's behalf has
/// separate statements.
///
/// Examples:
///   pipebill policy > policy.json
///   pipebill policy --organization --role-name pipebill-reader
///   pipebill policy --athena --exports s3://my-cur/exports --results s3://my-athena/pipebill
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[expect(
    clippy::doc_markdown,
    reason = "the comment is the help, where addresses stand bare"
)]
pub(super) struct Args {
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    extra: ExtraArgs,
    /// For collecting every account of the organization: the policy of the account that lists them.
    #[arg(long)]
    organization: bool,
    /// For collecting other accounts with --role-arn.
    #[arg(long)]
    roles: bool,
    /// Role to assume in the other accounts.
    #[arg(long, value_name = "NAME")]
    role_name: Option<String>,
    /// For `import athena://…` instead of `collect`.
    #[arg(long)]
    athena: bool,
    /// Location of the exports; without --athena, for `import s3://…` instead of `collect`.
    #[arg(long, value_name = "s3://BUCKET/PREFIX", value_parser = s3_url)]
    exports: Option<S3Url>,
    /// Location of Athena's results.
    #[arg(long, value_name = "s3://BUCKET/PREFIX", value_parser = s3_url, requires = "athena")]
    results: Option<S3Url>,
}

fn s3_url(text: &str) -> Result<S3Url, String> {
    S3Url::parse(text).ok_or_else(|| "a place is written as s3://BUCKET/PREFIX".to_owned())
}

/// A bucket whose name is to be filled in.
fn blank(bucket: &str) -> S3Url {
    S3Url {
        bucket: bucket.to_owned(),
        requester_pays: false,
        prefix: String::new(),
    }
}

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, CommandError> {
    let request = if args.athena || args.exports.is_some() {
        if args.athena && (args.exports.is_none() || args.results.is_none()) {
            output.say(
                "note: replace EXPORTS and RESULTS with your buckets, or name them with \
                 --exports and --results",
            );
        }
        let or_blank = |place: &Option<S3Url>, name| place.clone().unwrap_or_else(|| blank(name));
        PolicyRequest::Import {
            exports: or_blank(&args.exports, "EXPORTS"),
            results: args.athena.then(|| or_blank(&args.results, "RESULTS")),
        }
    } else {
        let role = args.role_name.as_deref();
        PolicyRequest::Collect {
            asked: args.choice.asked(args.extra.extras()),
            organization: args.organization,
            roles: args.roles,
            role: role.unwrap_or("pipebill-reader").to_owned(),
        }
    };
    let policy = App::policy(&request);
    let text = serde_json::to_string_pretty(&policy).expect("a policy is JSON");
    output.data(&format!("{text}\n"))?;
    Ok(Exit::Answered)
}
