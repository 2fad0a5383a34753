//! `pipebill prices`: the catalogue, looked at.

use std::path::PathBuf;

use clap::Subcommand;

#[cfg(feature = "aws")]
use super::progress::Progress;
use super::{CommandError, Exit, output::Output};
#[cfg(feature = "aws")]
use crate::app::{PricesFrom, UpdatePricesRequest};
use crate::{
    app::{App, PricesRequest},
    report::prices,
};

/// Show, import and update prices
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: PricesCommand,
}

#[derive(Debug, Subcommand)]
enum PricesCommand {
    /// List prices with their age and confidence
    List {
        /// Service, e.g. codebuild.
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        /// Region; prices that apply everywhere are always shown.
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
    },
    /// Show what is offered in each region
    Regions {
        /// Region.
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
    },
    /// Show the prices and rules of a service, meter or compute type
    Show {
        /// Service, e.g. codepipeline; meter, e.g. CodeBuild:Build-Min:Linux:g1.small; or compute
        /// type, e.g. arm1.small.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Import an AWS price list: a service's index.csv or index.json, or a pricing page's file
    ///
    /// Imported prices override the embedded ones. Importing a service and region again replaces their
    /// imported prices. The files are public, no account needed:
    /// <https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/CodeBuild/current/index.csv>
    Import {
        /// Price list files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Fetch and import AWS's price lists and show what changed; no account needed
    ///
    /// All or nothing: on any error, no price changes. Fetched prices override the embedded ones. Days
    /// before a price change keep the old price.
    #[cfg(feature = "aws")]
    Update {
        /// Service, e.g. codebuild. Repeatable [default: all].
        #[arg(long, value_name = "SERVICE")]
        service: Vec<String>,
        /// Region. Repeatable [default: all but China].
        #[arg(long, value_name = "REGION")]
        region: Vec<String>,
        /// Fetch from this address instead of AWS: up to /pricing/2.0, or with --from bulk up to
        /// /offers/v1.0/aws.
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
        /// Source: the files behind AWS's pricing pages, the bulk price list, or the Query API
        /// (needs credentials and pricing:GetProducts).
        #[arg(long, value_enum, default_value_t)]
        from: PriceSource,
        /// AWS configuration profile for the Query API.
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
    },
    /// Show the age of the prices in use; warns after a year
    Verify,
}

/// Where prices are fetched from.
#[cfg(feature = "aws")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
enum PriceSource {
    /// The files behind the pricing pages: one per service.
    #[default]
    Page,
    /// The bulk price list, the authoritative source: one file per service and region; slower.
    Bulk,
    /// The Query API.
    Query,
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let catalog = &app.catalog;
    match &args.command {
        PricesCommand::List { service, region } => {
            let (service, region) = app.prices(&PricesRequest {
                service: service.clone(),
                region: region.clone(),
            })?;
            let filter = prices::Filter { service, region };
            output.show(&prices::list(catalog, &filter, app.today))?;
        }
        PricesCommand::Regions { region } => {
            let (_, region) = app.prices(&PricesRequest {
                service: None,
                region: region.clone(),
            })?;
            output.show(&prices::regions(catalog, region.as_ref(), app.today))?;
        }
        PricesCommand::Show { name } => {
            let (service, usage_type) = app.priced(name)?;
            let service = &catalog.services[&service];
            output.show(&prices::show(catalog, service, usage_type.as_deref()))?;
        }
        PricesCommand::Import { files } => {
            let (lists, contradictions) = app.import_prices(files)?;
            output.show(&prices::imported(&lists, &contradictions, catalog))?;
            return Ok(Exit::of(contradictions.is_empty(), strict));
        }
        #[cfg(feature = "aws")]
        PricesCommand::Update {
            service,
            region,
            base_url,
            from,
            profile,
        } => {
            let request = UpdatePricesRequest {
                services: service.clone(),
                regions: region.clone(),
                from: match from {
                    PriceSource::Page => PricesFrom::Page(base_url.clone()),
                    PriceSource::Bulk => PricesFrom::Bulk(base_url.clone()),
                    PriceSource::Query => PricesFrom::Query(profile.clone()),
                },
            };
            let updated = app.update_prices(&request, &Progress::new(output))?;
            output.show(&prices::updated(&updated, catalog))?;
        }
        PricesCommand::Verify => {
            let (document, any_old) = prices::verify(catalog, app.today);
            output.show(&document)?;
            if any_old {
                output.say("warning: some prices are over a year old");
            }
            return Ok(Exit::of(!any_old, strict));
        }
    }
    Ok(Exit::Answered)
}
