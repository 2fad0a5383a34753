//! `pipebill forecast`: where the month and the next ones end.

use rust_decimal::Decimal;

use super::{
    CommandError, Exit,
    output::Output,
    terms::{TermsArgs, number, parse_dollars},
    usage::dimension,
};
use crate::{
    app::App,
    domain::{
        allocation::Dimension, aws_forecast::AwsForecast, money::Money, number::parse_quantity,
    },
    forecast::{
        Event, Forecast, ForecastOptions, Growth,
        calendar::{Calendar, Country},
    },
    ledger::Ledger,
    report::{self, forecast::View},
};

/// Forecast this month's end and the months after, with an honest range
///
/// Usage is forecast, never dollars: each meter by an ensemble weighed on its own past, active
/// pipelines and users as whole units. 10,000 possible futures are rated with free tiers and
/// whole-pipeline fees. P50 is the middle; eight months in ten end between P10 and P90.
///
/// Examples:
///   pipebill forecast --demo --budget 450
///   pipebill forecast --months 12 --by tag:team --growth 2%/month
///   pipebill forecast --with-aws
///   pipebill forecast --event 2026-12-20..2027-01-03=-60% --explain
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// How many months after the current one.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=36))]
    months: u32,
    /// What a month may cost: shows how likely each passes it.
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<String>,
    /// Share each month by service, account, region, project or tag:KEY.
    #[arg(long, value_name = "DIMENSION", value_parser = dimension)]
    by: Option<Dimension>,
    /// Days with more or less than usual, e.g. 2026-12-20..2027-01-03=-60%. Repeatable.
    #[arg(long, value_name = "FROM..TO=PERCENT", value_parser = |text: &str| text.parse::<Event>())]
    event: Vec<Event>,
    /// Growth of all usage, e.g. 2%/month or 27%/year. None is assumed.
    #[arg(long, value_name = "PERCENT/month", allow_hyphen_values = true, value_parser = |text: &str| text.parse::<Growth>())]
    growth: Option<Growth>,
    /// Countries whose holidays may show in usage (US, GB, DE, FR, IN, JP, CA, AU), or none. How much
    /// they show is learnt from your own past [default: US].
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    holidays: Vec<String>,
    /// Start the random numbers here; the same seed gives the same bytes.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Show what each driver's forecast rests on, and which one spreads the bill.
    #[arg(long)]
    explain: bool,
    /// Show how the forecast would have done on your last twelve months.
    #[arg(long, conflicts_with_all = ["months", "budget", "by", "event", "growth", "explain"])]
    backtest: bool,
    /// Put Cost Explorer's own forecast beside ours: two requests, which AWS charges $0.01 each.
    #[arg(long, conflicts_with = "backtest")]
    with_aws: bool,
    /// Ask AWS with this profile of its configuration.
    #[arg(long, value_name = "NAME", requires = "with_aws")]
    profile: Option<String>,
    /// Do not ask AWS if its requests cost more than this many dollars.
    #[arg(long, value_name = "USD", requires = "with_aws", value_parser = parse_dollars)]
    max_api_cost: Option<Decimal>,
    /// Which currency, if the ledger has several.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
}

impl Args {
    fn options(&self) -> Result<ForecastOptions, CommandError> {
        let budget = self
            .budget
            .as_deref()
            .map(|text| number("--budget", text.trim_start_matches('$'), parse_quantity))
            .transpose()?;
        Ok(ForecastOptions {
            months: self.months,
            budget: budget.map(Money::new),
            events: self.event.clone(),
            growth: self.growth.unwrap_or_default(),
            calendar: calendar(&self.holidays)?,
            by: self.by.clone(),
            seed: self.seed,
            ..ForecastOptions::default()
        })
    }
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let options = args.options()?;
    let ledger = app.ledger()?;
    let request = args.terms.request(app, args.currency.as_deref())?;
    if args.backtest {
        let (backtest, currency) = app.backtest(&ledger, &options, &request)?;
        output.show(&report::forecast_backtest::answer(&backtest, &currency))?;
        return Ok(Exit::Answered);
    }
    let forecast = app.forecast(&ledger, &options, &request)?;
    let complete = forecast
        .result
        .months
        .iter()
        .all(|month| month.exact.is_complete());
    let aws = if args.with_aws {
        Some(ask_aws(args, app, output, &ledger, &forecast)?)
    } else {
        None
    };
    let complete = complete && aws.as_ref().is_none_or(|aws| aws.refused.is_none());
    output.show(&answer(&forecast, app, args.explain, aws.as_ref()))?;
    let oldest = forecast.result.months.iter();
    let oldest = oldest.filter_map(|month| month.exact.oldest_price()).min();
    output.say_old_prices(oldest, app.today);
    Ok(Exit::of(complete, strict))
}

/// Has AWS forecast the same, after saying what it costs.
#[cfg(feature = "aws")]
fn ask_aws(
    args: &Args,
    app: &App,
    output: &Output,
    ledger: &Ledger,
    forecast: &Forecast,
) -> Result<AwsForecast, CommandError> {
    use super::{collect, progress::Progress};
    use crate::{app::DataSource, aws::Request};

    if matches!(app.source, DataSource::Sample) {
        return Err(CommandError::BadValue {
            flag: "--with-aws",
            problem: "the sample organization has no account that AWS could forecast".to_owned(),
        });
    }
    let (requests, cost) = app.aws_forecast_cost();
    let is_asked = args.max_api_cost.is_none_or(|most| cost.amount() <= most);
    if is_asked {
        output.say(&report::forecast::announcement(requests, cost));
    }
    let request = Request {
        max_api_cost: args.max_api_cost,
        ..collect::request(app, collect::anywhere(args.profile.as_deref()))
    };
    Ok(app.aws_forecast(ledger, forecast, &request, &Progress::new(output))?)
}

#[cfg(not(feature = "aws"))]
fn ask_aws(
    _: &Args,
    _: &App,
    _: &Output,
    _: &Ledger,
    _: &Forecast,
) -> Result<AwsForecast, CommandError> {
    Err(CommandError::BadValue {
        flag: "--with-aws",
        problem: "this build cannot ask AWS: it was made without the feature `aws`".to_owned(),
    })
}

/// Lays a forecast out with what it rests on, and AWS's beside it.
pub(super) fn answer(
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
