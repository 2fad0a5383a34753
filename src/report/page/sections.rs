//! What stands on the page around the pictures: figures, tables, method.

mod parts;

use self::parts::{lines, parts};
use serde::Serialize;

use super::{
    Figure, Section,
    pictures::{QUANTITIES, month_name, service_name},
    plain_text, reconciliation,
};
use crate::{
    domain::{
        bill::Bill, catalog::Catalog, exchange::Exchange, finality::NotFinal, money::Money,
        number::plain, overview::Change, percentiles::Percentiles, period::Month,
    },
    forecast::MonthForecast,
    report::{
        Cell,
        chart::Drawing,
        input::{ChartKind, ReportInput},
        show_money, signed_money, why,
    },
};

/// The top of the page.
#[derive(Debug, Serialize)]
pub(super) struct Head {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) verdict: String,
    /// Which amounts are in which currency, where there are two.
    pub(super) currencies: Option<String>,
    pub(super) figures: Vec<Figure>,
    pub(super) warnings: Vec<String>,
}

/// What a chart is called where there is none.
pub(super) fn subject(kind: &ChartKind) -> &'static str {
    match kind.name {
        "fan" => "Forecast",
        "services" => "Cost by service",
        "waterfall" => "What changed",
        "tornado" => "Cost drivers",
        "scenario" => "Scenario",
        _ => "Build minutes",
    }
}

/// A range as people read it.
fn between(input: &ReportInput<'_>, low: Money, high: Money) -> String {
    let currency = &input.bill().currency;
    format!(
        "{} to {}",
        show_money(low, currency),
        show_money(high, currency)
    )
}

fn total_cell(bill: &Bill) -> Cell {
    cell(bill.total(), bill, bill.is_complete())
}

/// An amount of a bill, or what is known of it.
fn cell(amount: Money, bill: &Bill, is_whole: bool) -> Cell {
    let currency = bill.currency.clone();
    if is_whole {
        Cell::Money(amount, currency)
    } else {
        Cell::AtLeast(amount, currency)
    }
}

/// What stands below an expected amount.
fn expected(input: &ReportInput<'_>, range: Percentiles, is_whole: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if is_whole || !range.p90.is_zero() {
        notes.push(between(input, range.p10, range.p90));
    }
    if !is_whole {
        notes.push("partly unknown".to_owned());
    }
    notes
}

fn figure(label: String, cell: &Cell, notes: Vec<String>) -> Figure {
    Figure {
        label,
        value: cell.shown(),
        exact: cell.exact(),
        notes,
        converted: None,
        amount: super::amount(cell),
    }
}

/// The month of the report in the forecast, if it is not over.
fn outlook_of<'a>(input: &ReportInput<'a>, month: Month) -> Option<&'a MonthForecast> {
    let forecast = &input.forecast?.result;
    if month.end() <= input.today {
        return None;
    }
    forecast.months.iter().find(|ahead| ahead.month == month)
}

/// The reported month against the one before, both for usage alone.
fn change(input: &ReportInput<'_>) -> Option<(Month, Change)> {
    let (month, before) = input.overview?.before?;
    let bill = input.bill();
    let now = match outlook_of(input, bill.month) {
        Some(ahead) => ahead.total.p50,
        // Part of a month says nothing against a whole one.
        None if bill.month.end() > input.today => return None,
        None => net_usage(input),
    };
    Some((month, Change::between(before, now)))
}

/// What the reported month charges for usage, less the discounts that recur.
fn net_usage(input: &ReportInput<'_>) -> Money {
    let bill = input.bill();
    let discounts = input.overview.map(|overview| &overview.discounts);
    discounts.map_or_else(|| bill.usage_total(), |discounts| discounts.net_usage(bill))
}

/// `3.8 % less than`.
fn compared(change: &Change) -> Option<String> {
    let percent = change.percent?;
    if percent.is_zero() {
        return Some("as much as".to_owned());
    }
    let word = if percent.is_sign_negative() {
        "less"
    } else {
        "more"
    };
    Some(format!("{} % {word} than", tenths(percent)))
}

/// Percent to a tenth, without its sign.
fn tenths(percent: rust_decimal::Decimal) -> String {
    crate::report::show_percent(percent.abs())
}

pub(super) fn head(input: &ReportInput<'_>, exchange: Option<&Exchange>) -> Head {
    let bill = input.bill();
    let month = month_name(bill.month);
    let ahead = outlook_of(input, bill.month);
    let change = change(input);
    let mut figures = Vec::new();
    let open = bill.month.end() > input.today;
    let mut notes = Vec::new();
    let until = bill.finality.reasons.iter().find_map(|why| match why {
        NotFinal::Open { until } => Some(*until),
        _ => None,
    });
    if let (true, Some(until)) = (open, until) {
        notes.push(match until {
            Some(day) => format!("usage to {day}"),
            None => "last day unknown".to_owned(),
        });
    } else if bill.list_is_complete() && bill.undiscounted_total() != bill.total() {
        let list = show_money(bill.undiscounted_total(), &bill.currency);
        notes.push(format!("{list} without free tier and discounts"));
    }
    if !bill.is_complete() {
        notes.push("partly unknown".to_owned());
    }
    let label = if open {
        format!("{month}, so far")
    } else {
        month.clone()
    };
    figures.push(figure(label, &total_cell(bill), notes));
    if let Some(ahead) = ahead {
        let is_whole = ahead.exact.is_complete();
        let mut notes = expected(input, ahead.total, is_whole);
        if let (Some(over), Some(budget)) = (ahead.over_budget, budget(input)) {
            let budget = show_money(budget, &bill.currency);
            notes.push(format!(
                "{} likely to exceed {budget}",
                Cell::Percent(over).shown()
            ));
        }
        let label = format!("{month}, month end");
        figures.push(figure(label, &cell(ahead.total.p50, bill, is_whole), notes));
    }
    if let Some((before, change)) = &change
        && let Some(percent) = change.percent
    {
        let sign = match percent {
            percent if percent.is_zero() => "",
            percent if percent.is_sign_negative() => "−",
            _ => "+",
        };
        figures.push(Figure {
            label: format!("Against {}", month_name(*before)),
            value: format!("{sign}{} %", tenths(percent)),
            exact: plain(percent),
            converted: None,
            amount: None,
            notes: vec![format!(
                "{} on {} for usage",
                signed_money(change.difference, &bill.currency),
                show_money(change.from, &bill.currency)
            )],
        });
    }
    if let Some(forecast) = input.forecast {
        let forecast = &forecast.result;
        if let [first, .., last] = &forecast.months[..] {
            let label = format!("{} to {}", short(first.month), short(last.month));
            let is_whole = forecast.months.iter().all(|m| m.exact.is_complete());
            let notes = expected(input, forecast.sum, is_whole).join(", ");
            let notes = vec![format!("{} months, {notes}", forecast.months.len())];
            figures.push(figure(
                label,
                &cell(forecast.sum.p50, bill, is_whole),
                notes,
            ));
        }
        if let (Some(ever), Some(budget)) = (forecast.ever_over_budget, budget(input))
            && forecast.months.len() > 1
        {
            let label = format!("Chance to exceed {}", show_money(budget, &bill.currency));
            let notes = vec!["in at least one of these months".to_owned()];
            figures.push(figure(label, &Cell::Percent(ever), notes));
        }
    }
    Head {
        title: "CI/CD cost report".to_owned(),
        subtitle: subtitle(input),
        verdict: verdict(input, change.as_ref()),
        figures,
        currencies: exchange.map(|exchange| {
            plain_text(&format!(
                "Billed in {from}; amounts in text and charts are in {from}. Figures and tables also show \
                 {to}, at {} of {} by {}.",
                plain(exchange.rate),
                exchange.date,
                exchange.source,
                from = exchange.from,
                to = exchange.to,
            ))
        }),
        warnings: warnings(bill, input.catalog),
    }
}

fn budget(input: &ReportInput<'_>) -> Option<Money> {
    input.forecast?.result.options.budget
}

/// `Nov 2026`.
fn short(month: Month) -> String {
    let name = month_name(month);
    let (word, year) = name.split_once(' ').unwrap_or((&name, ""));
    format!("{} {year}", &word[..3])
}

fn subtitle(input: &ReportInput<'_>) -> String {
    let bill = input.bill();
    let lines = || bill.lines.iter();
    let accounts: std::collections::BTreeSet<_> = lines()
        .filter_map(|line| line.key.account.as_ref())
        .collect();
    let regions: std::collections::BTreeSet<_> = lines().map(|line| &line.key.region).collect();
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    format!(
        "{} · {} · {} · {} · written {}",
        month_name(bill.month),
        bill.currency,
        count(accounts.len(), "account"),
        count(regions.len(), "region"),
        input.today
    )
}

fn verdict(input: &ReportInput<'_>, change: Option<&(Month, Change)>) -> String {
    let bill = input.bill();
    let show = |amount| show_money(amount, &bill.currency);
    let month = month_name(bill.month);
    let ahead = outlook_of(input, bill.month);
    let mut text = match ahead {
        Some(ahead) if !ahead.exact.is_complete() && ahead.total.p90.is_zero() => {
            format!("The forecast of {month} is not known: none of its usage has a known price.")
        }
        Some(ahead) if !ahead.exact.is_complete() => format!(
            "{month} is forecast at {} or more (80 % range: {} or more): some of its usage has no known \
             price.",
            show(ahead.total.p50),
            between(input, ahead.total.p10, ahead.total.p90)
        ),
        Some(ahead) => format!(
            "{month} is forecast at {} (80 % range: {}).",
            show(ahead.total.p50),
            between(input, ahead.total.p10, ahead.total.p90)
        ),
        None if bill.month.end() > input.today => {
            format!("{month} has cost {} so far.", total_cell(bill).shown())
        }
        None => format!("{month} cost {}.", total_cell(bill).shown()),
    };
    if let Some((before, change)) = change
        && let Some(words) = compared(change)
    {
        let before = month_name(*before);
        let from = show(change.from);
        let usage = net_usage(input);
        text += &if ahead.is_none() && usage != bill.total() {
            // A refund or a credit says nothing of what was used.
            format!(
                " Its usage cost {}: {words} that of {before}, {from}.",
                show(usage)
            )
        } else {
            format!(" That is {words} {before}, whose usage cost {from}.")
        };
    }
    text
}

/// What a reader of the total must know before the total.
fn warnings(bill: &Bill, catalog: &Catalog) -> Vec<String> {
    let mut warnings: Vec<String> = bill
        .gaps
        .iter()
        .map(|gap| format!("Missing: {}: {}.", gap.what, gap.reason))
        .collect();
    let mut unpriced: Vec<String> = bill
        .unpriced()
        .filter_map(|line| {
            let (quantity, why) = line.unpriced.as_ref()?;
            let service = service_name(catalog, &line.key.meter.service);
            Some(format!(
                "Not priced: {service}, {} in {}: {quantity}, {}.",
                line.name,
                line.key.region,
                why.reason()
            ))
        })
        .collect();
    unpriced.dedup();
    let more = unpriced.len().saturating_sub(5);
    unpriced.truncate(5);
    warnings.extend(unpriced);
    if more > 0 {
        warnings.push(format!("{more} more lines without a price."));
    }
    if bill.is_assumed() {
        warnings.push("Some prices are another region's, as requested.".to_owned());
    }
    warnings.iter().map(|warning| plain_text(warning)).collect()
}

/// A picture with what is to be said about it.
pub(super) fn around(id: &'static str, drawing: &Drawing, input: &ReportInput<'_>) -> Section {
    let mut section = Section::drawn(id, drawing);
    let note = match id {
        "fan" => Some(
            "The band is an 80 % range: 10 % of simulations end below it, 10 % above. Future \
             months are usage only, without credits, refunds and taxes.",
        ),
        "tornado" => Some(
            "Each meter varies alone, 20 % down and up, and the whole month is re-rated with its \
             free tier.",
        ),
        "calendar" => Some("As billed, in UTC; Lambda builds by the second."),
        _ => None,
    };
    section.notes.extend(note.map(str::to_owned));
    if id == "waterfall"
        && let Some(change) = input.overview.and_then(|overview| overview.change.as_ref())
    {
        section
            .notes
            .extend(why::below_the_picture(change, input.catalog));
    }
    if id == "tornado" {
        section.notes.extend(not_moved(input));
    }
    if id == "services" && input.bill().month.end() > input.today {
        let text = "The hatched month is incomplete.";
        section.notes.push(text.to_owned());
    }
    section
}

/// Names what of the moved month has costs and no quantities.
fn not_moved(input: &ReportInput<'_>) -> Option<String> {
    let overview = input.overview?;
    let month = overview.sensitivity.as_ref()?.month;
    let (_, bill) = overview.months.iter().find(|(known, _)| *known == month)?;
    let lines = bill.as_ref()?.costs_only();
    let names: std::collections::BTreeSet<String> = lines
        .map(|line| service_name(input.catalog, &line.key.meter.service))
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    (!names.is_empty()).then(|| {
        format!(
            "Not varied: {}: the export has costs but no quantities; {QUANTITIES}.",
            names.join(", ")
        )
    })
}

/// The tables of the page; what is missing with its reason.
pub(super) fn tables(input: &ReportInput<'_>, absent: &mut Vec<(String, String)>) -> Vec<Section> {
    let mut sections = Vec::new();
    match parts(input) {
        Ok(section) => sections.push(section),
        Err(why) => absent.push(("Top projects and pipelines".to_owned(), why)),
    }
    sections.push(lines(input));
    match reconciliation::section(input) {
        Ok(section) => sections.push(section),
        Err(why) => absent.push(("Reconciliation with AWS's bill".to_owned(), why)),
    }
    sections
}
