//! How a page came about: what its figures rest on, and what they leave out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Grid, pictures::month_name, plain_text};
use crate::{
    domain::{bill::Bill, exchange::Exchange, number::plain},
    report::{Cell, Column, Table, forecast::View, input::ReportInput, words},
};

/// How the figures came about.
#[derive(Debug, Serialize)]
pub(super) struct Method {
    words: Vec<String>,
    prices: Grid,
    notes: Vec<String>,
}

pub(super) fn method(input: &ReportInput<'_>, exchange: Option<&Exchange>) -> Method {
    let bill = input.bill();
    let mut words = vec![
        "Usage comes from the bill or AWS's APIs. It is rounded as AWS rounds it, reduced by the free \
         tier, priced by day and summed exactly; only displayed amounts are rounded to cents. The \
         page's data elements and the data files have the exact values."
            .to_owned(),
    ];
    let mut notes: Vec<String> = Vec::new();
    if let Some(forecast) = input.forecast {
        words.push(
            "Usage is forecast, not cost: each meter with an ensemble weighted by past accuracy, and \
             thousands of simulations are rated with free tiers and whole-pipeline fees."
                .to_owned(),
        );
        notes.extend(words::all(&words::forecast::notes(
            &forecast.result,
            &View::of(forecast, input.catalog),
        )));
    }
    if let Some(exchange) = exchange {
        notes.push(format!(
            "Converted amounts: 1 {} = {} {} on {} ({}). Other amounts are as billed.",
            exchange.from,
            plain(exchange.rate),
            exchange.to,
            exchange.date,
            exchange.source
        ));
    }
    notes.extend(words::all(&words::bill::other_services("Excluded", bill)));
    notes.extend(words::all(&words::bill::of_reading(bill)));
    if let Some(overview) = input.overview {
        for (month, bill) in &overview.months {
            if let Some(bill) = bill
                && !bill.is_complete()
                && *month != input.bill().month
            {
                notes.push(format!(
                    "{} is partial: {} gaps, {} unpriced lines.",
                    month_name(*month),
                    bill.gaps.len(),
                    bill.unpriced().count()
                ));
            }
        }
    }
    Method {
        words,
        prices: Grid::of(&prices(bill), "The prices of the month".to_owned()),
        notes: notes.iter().map(|note| plain_text(note)).collect(),
    }
}

/// Where a price is from: its layer, its document, the day of that and how sure it is.
type Source<'b> = (&'static str, &'b str, Option<chrono::NaiveDate>, &'b str);

/// Each source of prices, its date and how much rests on it.
fn prices(bill: &Bill) -> Table {
    let mut table = Table::new(vec![
        Column::new("Prices from", "origin", 0),
        Column::new("Source", "source", 0),
        Column::new("As of", "date", 0),
        Column::new("Confidence", "confidence", 0),
        Column::new("Lines", "lines", 0),
    ]);
    let mut sources: BTreeMap<Source<'_>, u64> = BTreeMap::new();
    let mut without = 0;
    for line in &bill.lines {
        let Some(price) = &line.price else {
            without += u64::from(line.unpriced.is_some());
            continue;
        };
        let source = &price.source;
        let key = (
            price.origin.name(),
            source.title.as_ref(),
            source.date,
            source.confidence.as_ref(),
        );
        *sources.entry(key).or_default() += 1;
    }
    for ((origin, title, date, confidence), lines) in sources {
        table.rows.push(vec![
            Cell::text(origin),
            Cell::text(title),
            date.map_or(Cell::Empty, Cell::Day),
            Cell::text(confidence),
            Cell::Count(lines),
        ]);
    }
    if without > 0 {
        table.rows.push(vec![
            Cell::text("none"),
            Cell::text("no price is known"),
            Cell::Empty,
            Cell::Empty,
            Cell::Count(without),
        ]);
    }
    table
}
