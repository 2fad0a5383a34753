//! The CSV that finance imports: a row a line, exact amounts, stable columns, no totals.
//!
//! Columns are only ever added at the end; `schema_version` changes when one changes meaning.
//! What a reader would add up to check the file stands in a manifest beside it.

use std::io::Write;

use chrono::NaiveDate;
use serde_json::json;

use super::{
    Cell, Table,
    csv::{self, SCHEMA_VERSION, Slot, converted},
    input::{Content, Options, ReportError, ReportInput, WriteSummary},
    summary_csv,
};
use crate::domain::{
    bill::{Bill, LineItem},
    exchange::Exchange,
    ids::AccountId,
    money::Money,
    reconcile::{reconcile, totals},
};

pub(super) const COLUMNS: [&str; 30] = [
    "schema_version",
    "billing_period",
    "charge_kind",
    "payer_account_id",
    "account_id",
    "service",
    "usage_type",
    "description",
    "region",
    "usage_start",
    "usage_end",
    "unit",
    "billed_quantity",
    "covered_quantity",
    "unit_price",
    "list_cost",
    "discount",
    "cost",
    "currency",
    "status",
    "aws_cost",
    "price_origin",
    "price_source",
    "price_date",
    "price_confidence",
    "converted_cost",
    "converted_currency",
    "fx_rate",
    "fx_rate_date",
    "fx_rate_source",
];

/// Renders the lines of a bill.
pub fn render(bill: &Bill) -> String {
    csv::to_text(|sink| {
        let period = bill.month.to_string();
        let mut rows = csv::Rows::new(sink, &COLUMNS, &Options::default())?;
        for line in &bill.lines {
            rows.push_slots(&slots(line, bill, &period, None))?;
        }
        rows.finish().map(drop)
    })
}

/// Writes what `--content` asks for.
pub(super) fn write(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    match options.content() {
        Content::Lines => lines(input, options, sink),
        Content::Summary => summary_csv::summary(input, options, sink),
        Content::Allocation => summary_csv::allocation(input, options, sink),
        Content::Forecast => future(input, options, sink),
        Content::Reconciliation => reconciliation(input, options, sink),
    }
}

/// Writes bills, one month after the other.
fn lines(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let mut rows = csv::Rows::new(sink, &COLUMNS, options)?;
    let mut written = WriteSummary::default();
    for month in input.months {
        let bill = &month.rated.bill;
        let period = bill.month.to_string();
        for line in &bill.lines {
            rows.push_slots(&slots(line, bill, &period, options.exchange.as_ref()))?;
        }
        written.control_totals.push(json!({
            "billing_period": bill.month.to_string(),
            "currency": bill.currency.as_str(),
            "rows": bill.lines.len(),
            "list_cost": bill.list_total().to_string(),
            "cost": bill.total().to_string(),
            "aws_cost": bill.aws_total().map(|cost| cost.to_string()),
            "converted_cost": options.exchange.as_ref().map(|it| it.convert(bill.total()).to_string()),
        }));
    }
    written.rows = rows.finish()?;
    Ok(written)
}

/// Writes a row for each month to come.
fn future(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let Some(forecast) = input.forecast else {
        return Ok(WriteSummary::default());
    };
    let mut table = super::forecast::table(
        &forecast.result,
        &super::forecast::View::of(forecast, input.catalog),
    );
    let amounts = [
        ("p10", "converted_p10"),
        ("p50", "converted_p50"),
        ("p90", "converted_p90"),
    ];
    convert(&mut table, &amounts, options.exchange.as_ref());
    let totals = json!({
        "currency": forecast.currency.as_str(),
        "sum_p10": forecast.result.sum.p10.to_string(),
        "sum_p50": forecast.result.sum.p50.to_string(),
        "sum_p90": forecast.result.sum.p90.to_string(),
    });
    Ok(WriteSummary {
        rows: csv::write(&table, options, sink)?,
        control_totals: vec![totals],
        ..WriteSummary::default()
    })
}

/// Writes each line beside what AWS charged, with the causes of the difference.
fn reconciliation(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let mut all: Option<Table> = None;
    let mut written = WriteSummary::default();
    for month in input.months {
        let comparisons = reconcile(&month.rated, &month.records);
        let bill = &month.rated.bill;
        let [ours, aws, difference, unexplained] = totals(&comparisons);
        written.control_totals.push(json!({
            "period": bill.month.to_string(),
            "currency": bill.currency.as_str(),
            "ours": ours.to_string(),
            "aws": aws.to_string(),
            "difference": difference.to_string(),
            "unexplained": unexplained.to_string(),
        }));
        let lines = super::reconcile::lines(bill, &comparisons, input.catalog);
        let table = Table::of(&lines);
        match &mut all {
            Some(all) => all.rows.extend(table.rows),
            None => all = Some(table.clone()),
        }
    }
    if let Some(mut table) = all {
        let amounts = [
            ("ours", "converted_ours"),
            ("aws", "converted_aws"),
            ("difference", "converted_difference"),
        ];
        convert(&mut table, &amounts, options.exchange.as_ref());
        written.rows = csv::write(&table, options, sink)?;
    }
    Ok(written)
}

/// Adds what amounts of a table come to in another currency, and the rate; empty without conversion.
fn convert(
    table: &mut Table,
    amounts: &[(&'static str, &'static str)],
    exchange: Option<&Exchange>,
) {
    let at = |key: &str| table.columns.iter().position(|column| column.key == key);
    let places: Vec<Option<usize>> = amounts.iter().map(|(key, _)| at(key)).collect();
    let rate = [
        "converted_currency",
        "fx_rate",
        "fx_rate_date",
        "fx_rate_source",
    ];
    let new = amounts.iter().map(|(_, key)| *key).chain(rate);
    table.columns.extend(new.map(super::Column::in_files));
    for row in &mut table.rows {
        let exact = |place: &Option<usize>| match place.map(|at| &row[at]) {
            Some(Cell::Money(amount, _) | Cell::AtLeast(amount, _)) => Some(*amount),
            _ => None,
        };
        let found: Vec<Option<Money>> = places.iter().map(exact).collect();
        for amount in &found {
            let [converted, ..] = converted(*amount, exchange);
            row.push(converted);
        }
        let any = found.into_iter().flatten().next();
        let [_, rate @ ..] = converted(any, exchange);
        row.extend(rate);
    }
}

/// Lays a line out, a slot for each of [`COLUMNS`], without a copy of anything: there may be a million.
pub(super) fn slots<'l>(
    line: &'l LineItem,
    bill: &'l Bill,
    period: &'l str,
    exchange: Option<&'l Exchange>,
) -> [Slot<'l>; COLUMNS.len()] {
    let usage = line.usage.as_ref();
    let price = line.price.as_ref();
    let id = |id: &'l Option<AccountId>| optional(id.as_ref().map(AccountId::as_str));
    let money = |amount: Money| Slot::Number(amount.amount());
    let day = |day: Option<NaiveDate>| day.map_or(Slot::Empty, Slot::Day);
    let unpriced = line.status() == "unpriced";
    let exchange = exchange.filter(|_| !unpriced);
    let one_price = line.steps.first().filter(|first| {
        let mut steps = line.steps.iter();
        steps.all(|step| step.unit_price == first.unit_price)
    });
    [
        Slot::Text(SCHEMA_VERSION),
        Slot::Text(period),
        Slot::Text(line.kind.name()),
        id(&line.key.payer),
        id(&line.key.account),
        Slot::Text(line.key.meter.service.as_str()),
        Slot::Text(line.key.meter.usage_type.as_str()),
        Slot::Text(&line.name),
        Slot::Text(line.key.region.as_str()),
        Slot::Day(line.days.0),
        Slot::Day(line.days.1),
        optional(usage.map(|usage| usage.billed.unit.name())),
        usage.map_or(Slot::Empty, |usage| Slot::Number(usage.billed.value)),
        usage.map_or(Slot::Empty, |usage| Slot::Number(usage.covered)),
        one_price.map_or(Slot::Empty, |step| Slot::Number(step.unit_price)),
        if line.list_is_partial {
            Slot::Empty
        } else {
            money(line.list_cost)
        },
        money(line.discount),
        if unpriced {
            Slot::Empty
        } else {
            money(line.cost)
        },
        Slot::Text(bill.currency.as_str()),
        Slot::Text(line.status()),
        line.aws_cost.map_or(Slot::Empty, money),
        optional(price.map(|price| price.origin.name())),
        optional(price.map(|price| &*price.source.title)),
        day(price.and_then(|price| price.source.date)),
        optional(price.map(|price| &*price.source.confidence)),
        exchange.map_or(Slot::Empty, |it| money(it.convert(line.cost))),
        optional(exchange.map(|it| it.to.as_str())),
        exchange.map_or(Slot::Empty, |it| Slot::Number(it.rate)),
        day(exchange.map(|it| it.date)),
        optional(exchange.map(|it| &*it.source)),
    ]
}

fn optional(text: Option<&str>) -> Slot<'_> {
    text.map_or(Slot::Empty, Slot::Text)
}
