//! `OpenMetrics` text, for Prometheus: a few series a month, told apart by period and service alone.

use std::io::Write;

use rust_decimal::Decimal;

use super::{
    exact,
    input::{Options, ReportError, ReportInput, WriteSummary},
    text::clean,
};
use crate::domain::{
    bill::{Bill, Pricing},
    money::Money,
};

/// A family in the making: its head is written with its first sample.
struct Family<'t> {
    name: String,
    text: &'t mut String,
    samples: u64,
}

impl<'t> Family<'t> {
    fn begin(text: &'t mut String, name: &str, unit: Option<&str>, help: &str) -> Self {
        // A unit is the end of the name.
        let name = unit.map_or(name.to_owned(), |unit| format!("{name}_{unit}"));
        *text += &format!("# TYPE {name} gauge\n");
        if let Some(unit) = unit {
            *text += &format!("# UNIT {name} {unit}\n");
        }
        *text += &format!("# HELP {name} {help}\n");
        Self {
            name,
            text,
            samples: 0,
        }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: Decimal) {
        let labels = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        *self.text += &format!("{}{{{labels}}} {}\n", self.name, exact(value));
        self.samples += 1;
    }
}

fn escaped(value: &str) -> String {
    clean(value)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Name, help and amount of a month, where it is known.
type Figure = (&'static str, &'static str, fn(&Bill) -> Option<Money>);

/// Writes the metrics.
pub(super) fn write(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let mut text = String::new();
    let mut samples = 0;
    let unit = input.currency().as_str().to_lowercase();
    let unit = Some(unit.as_str());
    let bills: Vec<&Bill> = input.months.iter().map(|month| &month.rated.bill).collect();

    let help = "What the month costs by our rating, after free units and discounts.";
    let mut family = Family::begin(&mut text, "pipebill_cost", unit, help);
    for bill in &bills {
        for (service, cost) in bill.by_service() {
            // No sample is better than a cost of 0 that nobody knows.
            if bill.pricing_of(&service) == Pricing::Unknown {
                continue;
            }
            let service = input.catalog.service_name(&service);
            let labels = [("period", &*bill.month.to_string()), ("service", service)];
            family.sample(&labels, cost.amount());
        }
    }
    samples += family.samples;

    let figures: [Figure; 2] = [
        (
            "pipebill_list_cost",
            "What the month would cost without free tier and discounts.",
            |bill| bill.list_is_complete().then(|| bill.list_total()),
        ),
        (
            "pipebill_aws_cost",
            "What AWS charged for the month.",
            Bill::aws_total,
        ),
    ];
    for (name, help, figure) in figures {
        let mut family = Family::begin(&mut text, name, unit, help);
        for bill in &bills {
            if let Some(amount) = figure(bill) {
                family.sample(&[("period", &bill.month.to_string())], amount.amount());
            }
        }
        samples += family.samples;
    }
    if let Some(exchange) = &options.exchange {
        let unit = exchange.to.as_str().to_lowercase();
        let help = format!(
            "The same at {} of {}, by {}.",
            exact(exchange.rate),
            exchange.date,
            escaped(&exchange.source)
        );
        let mut family = Family::begin(&mut text, "pipebill_converted_cost", Some(&unit), &help);
        for bill in &bills {
            let amount = exchange.convert(bill.total()).amount();
            family.sample(&[("period", &bill.month.to_string())], amount);
        }
        samples += family.samples;
    }

    let help = "Lines with a part that has no price, which no cost above contains.";
    let mut family = Family::begin(&mut text, "pipebill_unpriced_lines", None, help);
    for bill in &bills {
        let count = Decimal::from(bill.unpriced().count());
        family.sample(&[("period", &bill.month.to_string())], count);
    }
    samples += family.samples;

    let help = "1 if every line has a price and no usage is missing.";
    let mut family = Family::begin(&mut text, "pipebill_bill_complete", None, help);
    for bill in &bills {
        let complete = Decimal::from(u8::from(bill.is_complete()));
        family.sample(&[("period", &bill.month.to_string())], complete);
    }
    samples += family.samples;

    if let Some(forecast) = input.forecast {
        let help = "Where the month ends: half are below p50, eight in ten between p10 and p90.";
        let unit = forecast.currency.as_str().to_lowercase();
        let mut family = Family::begin(&mut text, "pipebill_forecast_cost", Some(&unit), help);
        for month in &forecast.result.months {
            let range = month.total;
            for (point, amount) in [("p10", range.p10), ("p50", range.p50), ("p90", range.p90)] {
                let labels = [("period", &*month.month.to_string()), ("point", point)];
                family.sample(&labels, amount.amount());
            }
        }
        samples += family.samples;
    }
    text += "# EOF\n";
    sink.write_all(text.as_bytes())?;
    Ok(WriteSummary {
        rows: samples,
        ..WriteSummary::default()
    })
}
