//! `pipebill prices`: the catalogue, looked at.

use std::path::PathBuf;

use clap::Subcommand;

use super::{CommandError, Exit, output::Output};
#[cfg(feature = "aws")]
use super::{collect, progress::Progress};
#[cfg(feature = "aws")]
use crate::app::PricesFrom;
#[cfg(feature = "aws")]
use crate::domain::ids::ServiceCode;
use crate::{
    app::App,
    domain::{catalog::Catalog, ids::Region},
    inputs::resolve,
    report::prices,
    unknown_name::UnknownName,
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
            let filter = prices::Filter {
                service: match service {
                    Some(name) => Some(resolve::service(catalog, name).map_err(|problem| {
                        CommandError::UnknownName {
                            flag: "--service",
                            problem,
                        }
                    })?),
                    None => None,
                },
                region: match region {
                    Some(name) => Some(known_region(catalog, name)?),
                    None => None,
                },
            };
            output.show(&prices::list(catalog, &filter, app.today))?;
        }
        PricesCommand::Regions { region } => {
            let region = match region {
                Some(name) => Some(known_region(catalog, name)?),
                None => None,
            };
            output.show(&prices::regions(catalog, region.as_ref(), app.today))?;
        }
        PricesCommand::Show { name } => {
            let (service, usage_type) = match catalog.compute(name) {
                Some(compute) => (
                    compute.meter.service.clone(),
                    Some(compute.meter.usage_type.to_string()),
                ),
                None => match resolve::split_meter(catalog, name) {
                    (Some(service), usage_type) => {
                        let (_, meter) = catalog.locate(&service, usage_type, None);
                        (service, Some(meter.usage_type.to_string()))
                    }
                    (None, name) => {
                        let service = resolve::service(catalog, name).map_err(|problem| {
                            CommandError::UnknownName {
                                flag: "NAME",
                                problem,
                            }
                        })?;
                        (service, None)
                    }
                },
            };
            let service = &catalog.services[&service];
            if let Some(usage_type) = &usage_type
                && catalog.meter(&service.code, usage_type).is_none()
            {
                let known = service
                    .meters
                    .iter()
                    .map(|info| info.meter.usage_type.as_str());
                let problem = UnknownName::new("usage type", usage_type, known);
                return Err(CommandError::UnknownName {
                    flag: "NAME",
                    problem,
                });
            }
            output.show(&prices::show(catalog, service, usage_type.as_deref()))?;
        }
        PricesCommand::Import { files } => {
            let (lists, contradictions) = app.import_prices(files)?;
            output.show(&prices::imported(&lists, &contradictions))?;
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
            let unknown = |flag, problem| CommandError::UnknownName { flag, problem };
            let mut services: Vec<ServiceCode> = service
                .iter()
                .map(|name| resolve::service(catalog, name))
                .collect::<Result<_, _>>()
                .map_err(|problem| unknown("--service", problem))?;
            if services.is_empty() {
                let all = catalog.services.values();
                let all = all.filter(|service| service.list.is_some());
                services = all.map(|service| service.code.clone()).collect();
            }
            let mut regions: Vec<Region> = region
                .iter()
                .map(|name| known_region(catalog, name))
                .collect::<Result<_, _>>()?;
            if regions.is_empty() {
                let all = catalog.regions.values();
                let all = all.filter(|region| region.partition != "aws-cn");
                regions = all.map(|region| region.id.clone()).collect();
            }
            let watch = Progress::new(output);
            let from = match from {
                PriceSource::Page => PricesFrom::Page(base_url.as_deref()),
                PriceSource::Bulk => PricesFrom::Bulk(base_url.as_deref()),
                PriceSource::Query => {
                    let login = collect::anywhere(profile.as_deref());
                    PricesFrom::Query(Box::new(collect::request(app, login)), &watch)
                }
            };
            let updated = app.update_prices(&services, &regions, &from)?;
            output.show(&prices::updated(&updated, catalog))?;
        }
        PricesCommand::Verify => {
            let (document, any_old) = prices::verify(catalog, app.today);
            output.show(&document)?;
            if any_old {
                output.say("warning: some prices were stated more than a year ago");
            }
            return Ok(Exit::of(!any_old, strict));
        }
    }
    Ok(Exit::Answered)
}

fn known_region(catalog: &Catalog, name: &str) -> Result<Region, CommandError> {
    resolve::region(catalog, name).map_err(|problem| CommandError::UnknownName {
        flag: "--region",
        problem,
    })
}
