//! The sheets of what is to come and of what the figures rest on.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_xlsxwriter::{
    Chart, ChartFormat, ChartLegendPosition, ChartLine, ChartLineDashType, ChartType, Worksheet,
    XlsxError,
};

use super::{BLUE, GREY, Looks, number, plain, tidy};
use crate::report::{
    exact,
    input::{Options, ReportInput},
    words,
};

pub(super) fn forecast(
    sheet: &mut Worksheet,
    input: &ReportInput<'_>,
    looks: &Looks,
) -> Result<(), XlsxError> {
    sheet.set_name("Forecast")?.set_screen_gridlines(false);
    sheet.set_landscape().set_print_fit_to_pages(1, 1);
    sheet.set_column_width(0, 14)?;
    let Some(forecast) = input.forecast else {
        return Ok(());
    };
    let result = &forecast.result;
    let title = format!("Forecast from {}", result.last_day);
    sheet.write_with_format(0, 0, title, &looks.title)?;
    let about = format!(
        "Amounts in {}. P50 is the median; P10 to P90 is an 80 % range.",
        forecast.currency
    );
    sheet.write_with_format(1, 0, about, &looks.note)?;
    sheet.write_with_format(3, 0, "Month", &looks.head)?;
    for (column, heading) in (1..).zip(["P10", "P50", "P90", "Known so far"]) {
        sheet.set_column_width(column, 14)?;
        sheet.write_with_format(3, column, heading, &looks.head_number)?;
    }
    let mut row = 3;
    for month in &result.months {
        row += 1;
        sheet.write_string(row, 0, month.month.to_string())?;
        let known = (month.known_days > 0).then_some(month.known);
        let cells = [
            Some(month.total.p10),
            Some(month.total.p50),
            Some(month.total.p90),
            known,
        ];
        for (column, amount) in (1..).zip(cells) {
            if let Some(amount) = amount {
                sheet.write_with_format(row, column, number(amount.amount()), &looks.money)?;
            }
        }
    }
    sheet.set_freeze_panes(4, 1)?;
    let mut chart = Chart::new(ChartType::Line);
    for (column, colour, dash) in [
        (3, GREY, ChartLineDashType::Dash),
        (2, BLUE, ChartLineDashType::Solid),
        (1, GREY, ChartLineDashType::Dash),
    ] {
        let mut line = ChartLine::new();
        line.set_color(colour).set_width(2).set_dash_type(dash);
        chart
            .add_series()
            .set_categories(("Forecast", 4, 0, row, 0))
            .set_values(("Forecast", 4, column, row, column))
            .set_name(("Forecast", 3, column))
            .set_format(ChartFormat::new().set_line(&line));
    }
    chart.title().set_name("Forecast month totals");
    tidy(&mut chart, &forecast.currency);
    chart.y_axis().set_min(0);
    chart.legend().set_position(ChartLegendPosition::Bottom);
    chart.set_alt_text("Median forecast of each month between its P10 and P90");
    chart.set_width(760).set_height(320);
    sheet.insert_chart(row + 2, 0, &chart)?;
    Ok(())
}

pub(super) fn assumptions(
    sheet: &mut Worksheet,
    input: &ReportInput<'_>,
    options: &Options,
    looks: &Looks,
) -> Result<(), XlsxError> {
    sheet.set_name("Assumptions")?.set_screen_gridlines(false);
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    for (column, width) in (0..).zip([24, 30, 16, 12, 14, 12, 40, 12, 12]) {
        sheet.set_column_width(column, width)?;
    }
    sheet.write_with_format(0, 0, "Sources of the figures", &looks.title)?;
    let mut row = 2;
    let mut say = |label: &str, text: String| -> Result<(), XlsxError> {
        sheet.write_with_format(row, 0, label, &looks.wrapped)?;
        sheet.merge_range(row, 1, row, 8, &plain(&text), &looks.wrapped)?;
        row += 1;
        Ok(())
    };
    say("Costs", "each line of a month at its price, after free units and stated discounts; exact decimals stand in the CSV beside".to_owned())?;
    say("Free units", format!("shared {}", options.sharing.name()))?;
    if let Some(exchange) = &options.exchange {
        say(
            "Exchange",
            format!(
                "1 {} = {} {}, {}, {}",
                exchange.from,
                exact(exchange.rate),
                exchange.to,
                exchange.date,
                exchange.source
            ),
        )?;
    }
    if let Some(forecast) = input.forecast {
        let forecast = &forecast.result;
        say(
            "Forecast",
            format!(
                "{} days of history, {} simulations, seed {}; usage only",
                forecast.history_days, forecast.options.paths, forecast.options.seed
            ),
        )?;
    }
    for month in input.months {
        let bill = &month.rated.bill;
        for line in bill.unpriced() {
            let (quantity, reason) = line
                .unpriced
                .as_ref()
                .expect("only unpriced lines are asked");
            let text = format!(
                "{quantity} of {} in {}: {}",
                line.key.meter,
                line.key.region,
                reason.reason()
            );
            say(&format!("{} unpriced", bill.month), text)?;
        }
        for gap in &bill.gaps {
            say(
                &format!("{} missing", bill.month),
                format!("{}: {}", gap.what, gap.reason),
            )?;
        }
        for note in words::bill::of_reading(bill) {
            say(&bill.month.to_string(), note.text)?;
        }
    }
    row += 1;
    let headings = [
        "Service",
        "Meter",
        "Region",
        "Unit price",
        "Per",
        "Origin",
        "Source",
        "Date",
        "Confidence",
    ];
    for (column, heading) in (0..).zip(headings) {
        sheet.write_with_format(row, column, heading, &looks.head)?;
    }
    for price in prices(input) {
        row += 1;
        for (column, text) in (0..).zip(&price.text) {
            // The fourth is the price.
            let column = if column < 3 { column } else { column + 1 };
            sheet.write_string(row, column, plain(text))?;
        }
        sheet.write_with_format(row, 3, number(price.unit_price), &looks.exact)?;
    }
    Ok(())
}

/// A price with where it comes from.
pub(super) struct PriceRow {
    pub(super) text: [String; 8],
    pub(super) unit_price: Decimal,
}

/// Every price that was used, once, with the last day it was stated for.
pub(super) fn prices(input: &ReportInput<'_>) -> Vec<PriceRow> {
    let lines = input
        .months
        .iter()
        .flat_map(|month| &month.rated.bill.lines);
    let mut prices: BTreeMap<([&str; 7], Decimal), Option<NaiveDate>> = BTreeMap::new();
    for line in lines {
        let (Some(price), Some(usage)) = (&line.price, &line.usage) else {
            continue;
        };
        for step in &line.steps {
            let words = [
                input.catalog.service_name(&line.key.meter.service),
                &line.name,
                line.key.region.as_str(),
                usage.billed.unit.name(),
                price.origin.name(),
                &*price.source.title,
                &*price.source.confidence,
            ];
            let date = prices.entry((words, step.unit_price)).or_default();
            *date = (*date).max(price.source.date);
        }
    }
    let row = |((words, unit_price), date): (([&str; 7], Decimal), Option<NaiveDate>)| {
        let [service, meter, region, unit, origin, source, confidence] = words.map(str::to_owned);
        let date = date.map_or(String::new(), |date| date.to_string());
        PriceRow {
            text: [
                service, meter, region, unit, origin, source, date, confidence,
            ],
            unit_price,
        }
    };
    prices.into_iter().map(row).collect()
}
