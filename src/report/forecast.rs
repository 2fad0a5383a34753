//! A forecast for people and files.

mod typed;

use rust_decimal::Decimal;

use super::{
    Answer, Block, Cell, Column, Document, Table,
    chart::{FanChart, FanMonth},
    show_money, words,
};
use crate::{
    domain::{
        allocation::Dimension,
        aws_forecast::AwsForecast,
        bill::LineItem,
        catalog::Catalog,
        costs::CostsOnly,
        discounts::Discounts,
        ids::{Currency, ServiceCode},
        money::Money,
        number::plain,
        percentiles::Percentiles,
        period::Month,
        quantity::Unit,
    },
    forecast::{DriverForecast, Forecast, ForecastResult},
};

/// How a forecast is laid out.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// What every amount is in.
    pub currency: Currency,
    /// Charges of the current month that are not usage.
    pub other_charges: Money,
    /// What the bills' discounts say of the months.
    pub discounts: &'a Discounts,
    /// What is continued as costs.
    pub costs: &'a CostsOnly,
    /// Names of services and meters.
    pub catalog: &'a Catalog,
    /// Show the drivers.
    pub explain: bool,
    /// Cost Explorer's own forecast.
    pub aws: Option<&'a AwsForecast>,
}

impl<'a> View<'a> {
    /// Returns the view of a forecast, without more than it shows by itself.
    pub fn of(forecast: &'a Forecast, catalog: &'a Catalog) -> Self {
        Self {
            currency: forecast.currency.clone(),
            other_charges: forecast.other_charges,
            discounts: &forecast.discounts,
            costs: &forecast.costs,
            catalog,
            explain: false,
            aws: None,
        }
    }
}

/// The services with a column of their own: code, keys of P10, P50 and P90.
const SERVICES: [(&str, [&str; 3]); 4] = [
    (
        "CodeBuild",
        ["codebuild_p10", "codebuild_p50", "codebuild_p90"],
    ),
    (
        "AWSCodePipeline",
        ["codepipeline_p10", "codepipeline_p50", "codepipeline_p90"],
    ),
    (
        "AWSCodeCommit",
        ["codecommit_p10", "codecommit_p50", "codecommit_p90"],
    ),
    (
        "AWSCodeDeploy",
        ["codedeploy_p10", "codedeploy_p50", "codedeploy_p90"],
    ),
];

pub use typed::ForecastAnswer;

/// Lays out a forecast: a row a month, or a row for each month and part.
pub fn answer(forecast: &ForecastResult, view: &View<'_>) -> Answer<'static> {
    let mut blocks = vec![Block::Table(table(forecast, view))];
    let nothing_is_known = !is_complete(forecast) && forecast.sum.p90.is_zero();
    if !nothing_is_known {
        blocks.push(Block::Fan(fan(forecast, view)));
    }
    let drivers = typed::drivers(forecast, view);
    if view.explain {
        blocks.push(Block::Heading("Basis of the forecast".to_owned()));
        let mut table = Table::of(&drivers);
        let first_whole = forecast.months.get(1).or(forecast.months.first());
        for column in &mut table.columns {
            match &*column.key {
                "driver" => {
                    let month = first_whole.map(|month| format!("Driver in {}", month.month));
                    column.heading = month.unwrap_or_default();
                }
                "history_text" => column.key = "history".into(),
                "methods_text" => column.key = "methods".into(),
                _ => {}
            }
        }
        blocks.push(Block::Table(table.detail("drivers")));
        blocks.push(Block::Lines(methods(forecast, view)));
    }
    // What AWS's columns mean comes first: five notes are seen.
    let mut notes = view.aws.map(words::forecast::of_aws).unwrap_or_default();
    notes.extend(words::forecast::notes(forecast, view));
    blocks.push(Block::Explained {
        notes: notes.clone(),
        all: view.explain,
    });
    let document = Document {
        title: format!("Forecast from {}", forecast.last_day),
        blocks,
    };
    let value = ForecastAnswer::of(forecast, view, drivers, notes);
    Answer::new(document, value)
}

/// Lays out the months, as files carry them.
pub(super) fn table(forecast: &ForecastResult, view: &View<'_>) -> Table {
    match &forecast.options.by {
        None => by_month(forecast, view),
        Some(by) => by_part(forecast, view, by),
    }
}

pub(super) fn is_complete(forecast: &ForecastResult) -> bool {
    forecast
        .months
        .iter()
        .all(|month| month.exact.is_complete())
}

/// Writes amounts; without the whole of what belongs to them they are at least so much.
fn amount(view: &View<'_>, is_whole: bool) -> impl Fn(Money) -> Cell {
    let currency = view.currency.clone();
    move |amount| {
        if is_whole {
            Cell::Money(amount, currency.clone())
        } else {
            Cell::AtLeast(amount, currency.clone())
        }
    }
}

fn by_month(forecast: &ForecastResult, view: &View<'_>) -> Table {
    let money = |amount: Money| Cell::Money(amount, view.currency.clone());
    let mut columns = vec![
        Column::new("Month", "month", 0),
        Column::new("P10", "p10", 0),
        Column::new("P50", "p50", 0),
        Column::new("P90", "p90", 0),
        Column::new("Over budget", "over_budget_percent", 1),
    ];
    columns.extend(aws_columns(view));
    for (drop, (code, [low, middle, high])) in (3..).zip(SERVICES) {
        columns.push(Column::in_files(low));
        columns.push(Column::new(service_name(view, code), middle, drop));
        columns.push(Column::in_files(high));
    }
    columns.extend([
        Column::in_files("other_p10"),
        Column::new("Other", "other_p50", 8),
        Column::in_files("other_p90"),
        Column::new("Known", "known", 9),
        Column::in_files("known_days"),
        Column::in_files("exact_at_median"),
        Column::in_files("complete"),
        Column::in_files("currency"),
    ]);
    let mut table = Table::new(columns);
    for month in &forecast.months {
        let total = amount(view, month.exact.is_complete());
        let is_whole = |of: &dyn Fn(&ServiceCode) -> bool| {
            let unpriced = |line: &LineItem| of(&line.key.meter.service);
            !month.exact.unpriced().any(unpriced)
        };
        let mut row = vec![Cell::text(month.month.to_string())];
        row.extend(range(month.total, &total));
        row.push(chance(month.over_budget));
        row.extend(aws_cells(view, month.month, &money));
        for (code, _) in SERVICES {
            let service = amount(view, is_whole(&|other| other.as_str() == code));
            let known = month.services.get(&ServiceCode::new(code)).copied();
            row.extend(optional(known, &service));
        }
        let is_around = |code: &ServiceCode| !SERVICES.iter().any(|(own, _)| code.as_str() == *own);
        row.extend(optional(month.around, &amount(view, is_whole(&is_around))));
        row.push(if month.known_days > 0 {
            total(month.known)
        } else {
            Cell::Empty
        });
        row.push(Cell::Count(month.known_days.into()));
        row.push(total(month.exact.total()));
        row.push(Cell::Flag(month.exact.is_complete()));
        row.push(Cell::text(view.currency.as_str()));
        table.rows.push(row);
    }
    if forecast.months.len() > 1 {
        let mut row = vec![Cell::text(format!("{} months", forecast.months.len()))];
        row.extend(range(forecast.sum, &amount(view, is_complete(forecast))));
        row.push(chance(forecast.ever_over_budget));
        row.resize(table.columns.len(), Cell::Empty);
        table.totals.push(row);
    }
    table
}

/// Cost Explorer's mean and interval, if they were asked for.
fn aws_columns(view: &View<'_>) -> Vec<Column> {
    match view.aws {
        Some(_) => vec![
            Column::new("AWS low", "aws_low", 2),
            Column::new("AWS", "aws_mean", 0),
            Column::new("AWS high", "aws_high", 2),
        ],
        None => Vec::new(),
    }
}

fn aws_cells(view: &View<'_>, month: Month, money: &impl Fn(Money) -> Cell) -> Vec<Cell> {
    let Some(aws) = view.aws else {
        return Vec::new();
    };
    match aws.months.get(&month) {
        Some(expected) => [expected.low, expected.mean, expected.high]
            .map(money)
            .to_vec(),
        None => vec![Cell::Empty; 3],
    }
}

/// Says what asking AWS costs, before it is asked.
pub fn announcement(requests: u32, cost: Money) -> String {
    format!(
        "forecast: {requests} requests to Cost Explorer, {}",
        show_money(cost, &Currency::new("USD"))
    )
}

fn range(range: Percentiles, money: &impl Fn(Money) -> Cell) -> [Cell; 3] {
    [range.p10, range.p50, range.p90].map(money)
}

fn optional(known: Option<Percentiles>, money: &impl Fn(Money) -> Cell) -> [Cell; 3] {
    known.map_or([Cell::Empty, Cell::Empty, Cell::Empty], |known| {
        range(known, money)
    })
}

fn by_part(forecast: &ForecastResult, view: &View<'_>, by: &Dimension) -> Table {
    let money = |amount: Money| Cell::Money(amount, view.currency.clone());
    let mut table = Table::new(vec![
        Column::new("Month", "month", 0),
        Column::new(by.heading(), "part", 0),
        Column::new("P10", "p10", 0),
        Column::new("P50", "p50", 0),
        Column::new("P90", "p90", 0),
        Column::new("Over budget", "over_budget_percent", 1),
        Column::in_files("currency"),
    ]);
    table.columns.extend(aws_columns(view));
    for month in &forecast.months {
        // Any part may have what has no price.
        let part_of = amount(view, month.exact.is_complete());
        let label = |name: &Option<String>| match (name, by) {
            (Some(name), Dimension::Service) => service_name(view, name),
            (Some(name), _) => name.clone(),
            (None, _) => by.residual(),
        };
        for (name, part) in &month.parts {
            let mut row = vec![Cell::text(month.month.to_string()), Cell::text(label(name))];
            row.extend(range(*part, &part_of));
            row.extend([Cell::Empty, Cell::text(view.currency.as_str())]);
            row.resize(table.columns.len(), Cell::Empty);
            table.rows.push(row);
        }
        let mut row = vec![Cell::text(month.month.to_string()), Cell::text("All")];
        row.extend(range(month.total, &part_of));
        row.extend([
            chance(month.over_budget),
            Cell::text(view.currency.as_str()),
        ]);
        row.extend(aws_cells(view, month.month, &money));
        table.rows.push(row);
    }
    table
}

fn chance(share: Option<Decimal>) -> Cell {
    share.map_or(Cell::Empty, Cell::Percent)
}

pub(super) fn service_name(view: &View<'_>, code: &str) -> String {
    let service = view.catalog.services.get(&ServiceCode::new(code));
    let name = service.map_or(code, |service| service.name.as_str());
    name.strip_prefix("AWS ").unwrap_or(name).to_owned()
}

fn fan(forecast: &ForecastResult, view: &View<'_>) -> FanChart {
    FanChart {
        past: Vec::new(),
        ahead: forecast
            .months
            .iter()
            .map(|month| FanMonth {
                month: month.month,
                known: month.known,
                p10: month.total.p10,
                p50: month.total.p50,
                p90: month.total.p90,
            })
            .collect(),
        budget: forecast.options.budget,
        currency: view.currency.clone(),
    }
}

fn driver_name(driver: &DriverForecast, view: &View<'_>) -> String {
    let meter = &driver.key.meter;
    let known = view
        .catalog
        .meter(&meter.service, meter.usage_type.as_str());
    let name = match known {
        Some(known) => known.name.clone(),
        None if meter.usage_type.as_str().is_empty() => {
            view.catalog.service_name(&meter.service).to_owned()
        }
        None => meter.usage_type.to_string(),
    };
    let unit = driver.unit.map_or("costs", Unit::plural);
    format!("{name}, {unit}")
}

/// How each of the drivers that matter was forecast.
fn methods(forecast: &ForecastResult, view: &View<'_>) -> Vec<String> {
    forecast
        .drivers
        .iter()
        .take(5)
        .map(|driver| {
            let key = &driver.key;
            let account = key.account.as_ref().map_or("", |account| account.as_str());
            let name = format!("{} {account} {}", driver_name(driver, view), key.region);
            if driver.by_month {
                return format!(
                    "{name}: whole units as they came and went in {} months.",
                    driver.history
                );
            }
            let mut text = format!("{name}: {}", weights(driver, 3));
            if let Some(holidays) = driver.holidays {
                text += &format!("; a holiday has {} % of an ordinary day", plain(holidays));
            }
            text.push('.');
            text
        })
        .collect()
}

/// The heaviest methods of a driver.
fn weights(driver: &DriverForecast, most: usize) -> String {
    let heaviest: Vec<String> = driver
        .methods
        .iter()
        .take(most)
        .map(|(method, weight)| format!("{method} {} %", plain(*weight)))
        .collect();
    heaviest.join(", ")
}
