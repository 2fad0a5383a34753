//! Cost Explorer's own forecast: two requests, and only sums come back.

use aws_sdk_costexplorer::{
    Client,
    operation::get_cost_forecast::builders::GetCostForecastFluentBuilder,
    types::{
        DateInterval, Dimension, DimensionValues, Expression, ForecastResult, Granularity, Metric,
    },
};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    CollectError, Request, Watch,
    accounts::Account,
    cost_explorer,
    error::Failure,
    operations::Operation,
    run::{Run, price_of_a_request},
};
use crate::{
    domain::{
        aws_forecast::{Answered, Expected},
        catalog::Catalog,
        ids::AccountId,
        metering::from_events::AccountRegion,
        money::Money,
        number::parse_decimal,
        period::Month,
        services::CODEBUILD,
    },
    ledger::Ledger,
};

/// The days to the end of the month, and the months.
const REQUESTS: u32 = 2;

/// As many in a hundred futures are to end within the interval, as between P10 and P90.
const LEVEL: i32 = 80;

/// What Cost Explorer is asked to forecast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The services, by the names that it has for them.
    pub services: Vec<String>,
    /// The accounts; all that it sees if none is named.
    pub accounts: Vec<AccountId>,
    /// The end of the current month.
    pub month_end: NaiveDate,
    /// The end of the last month.
    pub end: NaiveDate,
}

/// What asking for a forecast costs: how many requests, and their price.
pub fn forecast_cost(catalog: &Catalog, today: NaiveDate) -> (u32, Money) {
    let price = price_of_a_request(catalog, today);
    (REQUESTS, Money::of(Decimal::from(REQUESTS), price))
}

/// Asks Cost Explorer for its forecast. Returns the answer, or why there is none.
pub fn expected(
    request: &Request,
    subject: &Subject,
    catalog: &Catalog,
    watch: &dyn Watch,
) -> Result<Result<Answered, String>, CollectError> {
    let (_, cost) = forecast_cost(catalog, request.now.date_naive());
    if request
        .max_api_cost
        .is_some_and(|most| cost.amount() > most)
    {
        return Ok(Err(Failure::TooDear.to_string()));
    }
    let mut ledger = Ledger::in_memory()?;
    Run::with(request, catalog, &mut ledger, watch, async |run| {
        let accounts = run.accounts().await?;
        let account = accounts
            .first()
            .expect("one is opened, or none is an error");
        match ask(run, account, subject).await {
            Ok(answered) => Ok(Ok(answered)),
            Err(Failure::Fatal(error)) => Err(error),
            Err(failure) => Ok(Err(failure.to_string())),
        }
    })
}

async fn ask(run: &Run<'_>, account: &Account, subject: &Subject) -> Result<Answered, Failure> {
    Ok(Answered {
        days: one(run, account, subject, Granularity::Daily, subject.month_end).await?,
        months: one(run, account, subject, Granularity::Monthly, subject.end).await?,
    })
}

/// Asks for the rest of a month: the cheapest request there is.
pub(super) async fn try_out(run: &Run<'_>, account: &Account) -> Result<(), Failure> {
    let subject = Subject {
        services: vec![CODEBUILD.to_owned()],
        accounts: Vec::new(),
        month_end: Month::of(run.today()).end(),
        end: Month::of(run.today()).end(),
    };
    one(
        run,
        account,
        &subject,
        Granularity::Daily,
        subject.month_end,
    )
    .await
    .map(drop)
}

/// Sends one request.
async fn one(
    run: &Run<'_>,
    account: &Account,
    subject: &Subject,
    granularity: Granularity,
    end: NaiveDate,
) -> Result<Vec<Expected>, Failure> {
    let place = AccountRegion {
        account: account.id.clone(),
        region: cost_explorer::region(&account.partition),
    };
    let client = Client::new(&account.in_region(&place.region));
    run.spend()?;
    let request = request(&client, granularity, (run.today(), end), subject);
    let operation = Operation::GetCostForecast;
    let answer = run.ask(&place, operation, request.send()).await?;
    let results = answer.forecast_results_by_time();
    let read: Option<Vec<Expected>> = results.iter().map(expected_from_sdk).collect();
    read.ok_or_else(|| Failure::Failed {
        operation,
        why: "an answer that cannot be read".to_owned(),
    })
}

fn request(
    client: &Client,
    granularity: Granularity,
    (from, end): (NaiveDate, NaiveDate),
    subject: &Subject,
) -> GetCostForecastFluentBuilder {
    let days = DateInterval::builder()
        .start(from.to_string())
        .end(end.to_string())
        .build()
        .expect("both days are set");
    let one_of = |dimension: Dimension, values: Vec<String>| {
        let values = DimensionValues::builder()
            .key(dimension)
            .set_values(Some(values))
            .build();
        Expression::builder().dimensions(values).build()
    };
    let mut filter = Expression::builder()
        .and(one_of(Dimension::Service, subject.services.clone()))
        .and(one_of(Dimension::RecordType, vec!["Usage".to_owned()]));
    if !subject.accounts.is_empty() {
        let accounts = subject.accounts.iter().map(ToString::to_string).collect();
        filter = filter.and(one_of(Dimension::LinkedAccount, accounts));
    }
    client
        .get_cost_forecast()
        .time_period(days)
        .granularity(granularity)
        .metric(Metric::UnblendedCost)
        .prediction_interval_level(LEVEL)
        .filter(filter.build())
}

fn expected_from_sdk(result: &ForecastResult) -> Option<Expected> {
    let money = |text: Option<&str>| Some(Money::new(parse_decimal(text?).ok()?));
    let mean = money(result.mean_value())?;
    Some(Expected {
        from: result.time_period()?.start().get(..10)?.parse().ok()?,
        mean,
        low: money(result.prediction_interval_lower_bound()).unwrap_or(mean),
        high: money(result.prediction_interval_upper_bound()).unwrap_or(mean),
    })
}
