//! `pipebill forecast`: where the month and the next ones end.

use rust_decimal::Decimal;

use super::{
    CommandError, Exit,
    output::Output,
    terms::{TermsArgs, budget, parse_dollars},
    usage::dimension,
};
use crate::{
    app::{App, ForecastRequest},
    domain::{allocation::Dimension, aws_forecast::AwsForecast},
    forecast::{
        Event, Forecast, ForecastOptions, Growth,
        calendar::{Calendar, Country},
    },
    report::{self, forecast::View},
};

/// Forecast this month's total and the months after, with an 80 % range
///
/// Forecasts usage, not cost: each meter with an ensemble weighted by past accuracy, pipelines and users
/// as whole units. 10,000 simulations are then rated with free tiers and whole-pipeline fees. P50 is the
/// median; P10 to P90 is an 80 % range.
///
/// Examples:
///   pipebill forecast --demo --budget 450
///   pipebill forecast --months 12 --by tag:team --growth 2%/month
///   pipebill forecast --with-aws
///   pipebill forecast --event 2026-12-20..2027-01-03=-60% --explain
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Months to forecast after the current one.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=36))]
    months: u32,
    /// Monthly budget: shows how likely each month exceeds it.
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<String>,
    /// Split each month by service, account, region, project, job, workflow, repository or tag:KEY.
    #[arg(long, value_name = "DIMENSION", value_parser = dimension)]
    by: Option<Dimension>,
    /// Known change over some days, e.g. 2026-12-20..2027-01-03=-60%. Repeatable.
    #[arg(long, value_name = "FROM..TO=PERCENT", value_parser = |text: &str| text.parse::<Event>())]
    event: Vec<Event>,
    /// Growth of all usage, e.g. 2%/month or 27%/year [default: none].
    #[arg(long, value_name = "PERCENT/month", allow_hyphen_values = true, value_parser = |text: &str| text.parse::<Growth>())]
    growth: Option<Growth>,
    /// Holiday calendars: US, GB, DE, FR, IN, JP, CA, AU, or none. Their effect is estimated from
    /// your history [default: US].
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    holidays: Vec<String>,
    /// Random seed; the same seed gives the same output.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Show the history, models and share of uncertainty of each driver, and all notes.
    #[arg(long)]
    explain: bool,
    /// Show how accurate the forecast was over the last twelve months.
    #[arg(long, conflicts_with_all = ["months", "budget", "by", "event", "growth", "explain"])]
    backtest: bool,
    /// Add Cost Explorer's forecast for comparison: two requests at $0.01 each.
    #[arg(long, conflicts_with = "backtest")]
    with_aws: bool,
    /// AWS configuration profile.
    #[arg(long, value_name = "NAME", requires = "with_aws")]
    profile: Option<String>,
    /// Limit for AWS request charges, in dollars.
    #[arg(long, value_name = "USD", requires = "with_aws", value_parser = parse_dollars)]
    max_api_cost: Option<Decimal>,
    /// Currency, if the ledger has several.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
}

impl Args {
    fn request(&self) -> Result<ForecastRequest, CommandError> {
        Ok(ForecastRequest {
            options: ForecastOptions {
                months: self.months,
                budget: budget(self.budget.as_deref())?,
                events: self.event.clone(),
                growth: self.growth.unwrap_or_default(),
                calendar: calendar(&self.holidays)?,
                by: self.by.clone(),
                seed: self.seed,
                ..ForecastOptions::default()
            },
            currency: self.currency.clone(),
            terms: self.terms.terms(),
        })
    }
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let request = args.request()?;
    if args.backtest {
        let (backtest, currency) = app.backtest(&request)?;
        output.show(&report::forecast_backtest::answer(&backtest, &currency))?;
        return Ok(Exit::Answered);
    }
    let forecast = app.forecast(&request)?;
    let aws = if args.with_aws {
        Some(ask_aws(args, app, output, &forecast)?)
    } else {
        None
    };
    output.show(&answer(&forecast, app, args.explain, aws.as_ref()))?;
    output.say_old_prices(forecast.oldest_price(), app.today);
    let was_answered = aws.is_none_or(|aws| aws.refused.is_none());
    Ok(Exit::of(forecast.is_complete() && was_answered, strict))
}

/// Has AWS forecast the same, after saying what it costs.
#[cfg(feature = "aws")]
fn ask_aws(
    args: &Args,
    app: &App,
    output: &Output,
    forecast: &Forecast,
) -> Result<AwsForecast, CommandError> {
    let request = crate::app::AwsForecastRequest {
        profile: args.profile.clone(),
        max_api_cost: args.max_api_cost,
    };
    let watch = super::progress::Progress::new(output);
    let announce = |requests, cost| output.say(&report::forecast::announcement(requests, cost));
    Ok(app.aws_forecast(forecast, &request, &watch, &announce)?)
}

#[cfg(not(feature = "aws"))]
fn ask_aws(_: &Args, _: &App, _: &Output, _: &Forecast) -> Result<AwsForecast, CommandError> {
    Err(CommandError::BadValue {
        flag: "--with-aws",
        problem: "this build cannot ask AWS: it was made without the feature `aws`".to_owned(),
    })
}

/// Lays a forecast out with what it rests on, and AWS's beside it.
fn answer(
    forecast: &Forecast,
    app: &App,
    explain: bool,
    aws: Option<&AwsForecast>,
) -> report::Answer<'static> {
    report::forecast::answer(
        &forecast.result,
        &View {
            explain,
            aws,
            ..View::of(forecast, &app.catalog)
        },
    )
}

fn calendar(codes: &[String]) -> Result<Calendar, CommandError> {
    if codes.is_empty() {
        return Ok(Calendar::of([Country::default()]));
    }
    if let [only] = codes
        && only == "none"
    {
        return Ok(Calendar::default());
    }
    let countries: Result<Vec<Country>, String> = codes.iter().map(|code| code.parse()).collect();
    countries
        .map(Calendar::of)
        .map_err(|problem| CommandError::BadValue {
            flag: "--holidays",
            problem,
        })
}
