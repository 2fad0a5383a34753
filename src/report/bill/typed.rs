//! A bill for programs: `pipebill.bill/1`.

use crate::{
    domain::{
        bill::{self, Bill, LineItem},
        catalog::Catalog,
        tariff::PriceOrigin,
    },
    report::{
        Note, finality,
        json::Gap,
        value::{Amount, Calendar, Day, Known, Number, object},
    },
};

object! {
    /// A month rated: what it comes to, line by line, and what is not known of it.
    pub struct BillAnswer = "pipebill.bill/1" {
        /// The month.
        period: Calendar,
        /// What every amount is in.
        currency: String,
        /// What the lines with a price come to.
        total: Amount,
        /// What they would come to without free tier.
        list_total: Amount,
        /// Whether every line has a price without free tier.
        list_total_complete: bool,
        /// Whether everything has a price and nothing is missing.
        complete: bool,
        /// Whether AWS will not change the month any more; null if its source does not say.
        r#final: Option<bool>,
        /// Why it is not final.
        not_final: Vec<Note>,
        /// Whether some price is assumed to be that of another region.
        assumed: bool,
        /// The lines without a price.
        unpriced: Vec<UnpricedLine>,
        /// What is missing of the month.
        gaps: Vec<Gap>,
        /// What the export has of other services, which this bill leaves out.
        outside: Vec<Outside>,
        /// What was free.
        allowances: Vec<Allowance>,
        /// The lines.
        lines: Vec<Line>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

object! {
    /// Usage without a price.
    pub struct UnpricedLine {
        /// Why there is none, for programs.
        code: &'static str,
        /// Why there is none.
        text: String,
        /// AWS's code of the service.
        service: String,
        /// Its name.
        service_name: String,
        /// AWS's usage type.
        usage_type: String,
        /// Its name.
        meter: String,
        /// The region.
        region: String,
        /// The account, if it is known.
        account: Option<String>,
        /// The unit of the quantity.
        unit: &'static str,
        /// How much has no price.
        quantity: Number,
    }
}

object! {
    /// Charges of the export that are of other services.
    pub struct Outside {
        /// What the amount is in.
        currency: String,
        /// How many services.
        services: u64,
        /// What they were billed.
        cost: Amount,
    }
}

object! {
    /// Free units of the month.
    pub struct Allowance {
        /// What `--free-tier-used` calls it.
        id: String,
        /// Its name.
        name: String,
        /// The unit.
        unit: &'static str,
        /// How many there are.
        granted: Number,
        /// How many were used before.
        used_elsewhere: Number,
        /// How many this bill used.
        used: Number,
    }
}

object! {
    /// One charge.
    pub struct Line {
        /// AWS's code of the service.
        service: String,
        /// Its name.
        service_name: String,
        /// AWS's usage type.
        usage_type: String,
        /// Its name.
        meter: String,
        /// What kind of charge it is.
        kind: String,
        /// The region.
        region: String,
        /// Who pays, if it is known.
        payer: Option<String>,
        /// The account, if it is known.
        account: Option<String>,
        /// The unit of billed and covered; null where only costs are known.
        unit: Option<&'static str>,
        /// How much was used, before AWS's rounding.
        consumed: Option<Number>,
        /// The unit of consumed.
        consumed_unit: Option<&'static str>,
        /// How much of it is billed.
        billed: Option<Number>,
        /// How much of it is free.
        covered: Option<Number>,
        /// What makes it free.
        allowance: Option<String>,
        /// priced, partial or unpriced.
        status: &'static str,
        /// What it costs; null without any price.
        cost: Known<Amount>,
        /// What it would cost without free tier and discounts; null without any price.
        list_cost: Known<Amount>,
        /// What a discount takes off.
        discount: Amount,
        /// What AWS billed, if a bill says so.
        aws_cost: Option<Amount>,
        /// The price, and what it rests on.
        price: Option<PriceUsed>,
        /// Every multiplication.
        steps: Vec<Step>,
        /// How the quantity was metered.
        metering: Vec<String>,
        /// Where the usage is from.
        usage_from: Vec<String>,
    }
}

object! {
    /// What a price rests on.
    pub struct PriceUsed {
        /// Where it is from: flags, the bill, the catalogue, or another region.
        origin: &'static str,
        /// The region whose price is assumed.
        like: Option<String>,
        /// Its source.
        source: String,
        /// The file it is in.
        file: String,
        /// AWS's SKU.
        sku: Option<String>,
        /// The day it was stated.
        date: Option<Day>,
        /// high, medium or low.
        confidence: String,
    }
}

object! {
    /// One multiplication.
    pub struct Step {
        /// How much.
        quantity: Number,
        /// Times this price.
        unit_price: Number,
        /// Is this amount.
        amount: Amount,
    }
}

impl BillAnswer {
    /// Returns a bill as programs read it.
    pub(super) fn of(bill: &Bill, catalog: &Catalog, notes: &[Note]) -> Self {
        let money = |amount| Amount::new(amount, &bill.currency);
        Self {
            period: Calendar(bill.month),
            currency: bill.currency.to_string(),
            total: money(bill.total()),
            list_total: money(bill.list_total()),
            list_total_complete: bill.list_is_complete(),
            complete: bill.is_complete(),
            r#final: bill.is_final(),
            not_final: finality::typed(bill),
            assumed: bill.is_assumed(),
            unpriced: bill
                .unpriced()
                .map(|line| unpriced(line, catalog))
                .collect(),
            gaps: bill.gaps.iter().map(Gap::of).collect(),
            outside: bill
                .outside
                .iter()
                .map(|outside| Outside {
                    currency: outside.currency.to_string(),
                    services: outside.services as u64,
                    cost: Amount::new(outside.cost, &outside.currency),
                })
                .collect(),
            allowances: bill
                .allowances
                .iter()
                .map(|allowance| Allowance {
                    id: allowance.id.to_string(),
                    name: allowance.name.to_string(),
                    unit: allowance.unit.name(),
                    granted: Number(allowance.granted),
                    used_elsewhere: Number(allowance.used_elsewhere),
                    used: Number(allowance.drawn),
                })
                .collect(),
            lines: bill
                .lines
                .iter()
                .map(|line| self::line(line, bill, catalog))
                .collect(),
            notes: notes.to_vec(),
        }
    }
}

fn unpriced(line: &LineItem, catalog: &Catalog) -> UnpricedLine {
    let (quantity, reason) = line
        .unpriced
        .as_ref()
        .expect("only unpriced lines are asked");
    UnpricedLine {
        code: reason.code(),
        text: reason.reason(),
        service: line.key.meter.service.to_string(),
        service_name: catalog.service_name(&line.key.meter.service).to_owned(),
        usage_type: line.key.meter.usage_type.to_string(),
        meter: line.name.clone(),
        region: line.key.region.to_string(),
        account: line.key.account.as_ref().map(ToString::to_string),
        unit: quantity.unit.name(),
        quantity: Number(quantity.value),
    }
}

fn line(line: &LineItem, bill: &Bill, catalog: &Catalog) -> Line {
    let money = |amount| Amount::new(amount, &bill.currency);
    let known = |amount, is_unknown| {
        if is_unknown {
            Known::Not("unpriced")
        } else {
            Known::Is(money(amount))
        }
    };
    let usage = line.usage.as_ref();
    Line {
        service: line.key.meter.service.to_string(),
        service_name: catalog.service_name(&line.key.meter.service).to_owned(),
        usage_type: line.key.meter.usage_type.to_string(),
        meter: line.name.clone(),
        kind: line.kind.name().to_owned(),
        region: line.key.region.to_string(),
        payer: line.key.payer.as_ref().map(ToString::to_string),
        account: line.key.account.as_ref().map(ToString::to_string),
        unit: usage.map(|usage| usage.billed.unit.name()),
        consumed: usage.map(|usage| Number(usage.consumed.value)),
        consumed_unit: usage.map(|usage| usage.consumed.unit.name()),
        billed: usage.map(|usage| Number(usage.billed.value)),
        covered: usage.map(|usage| Number(usage.covered)),
        allowance: usage.and_then(|usage| usage.allowance.as_ref().map(ToString::to_string)),
        status: line.status(),
        // A line without any price has no cost; it does not cost nothing.
        cost: known(line.cost, line.status() == "unpriced"),
        list_cost: known(
            line.list_cost,
            line.list_is_partial && line.list_cost.is_zero(),
        ),
        discount: money(line.discount),
        aws_cost: line.aws_cost.map(money),
        price: line.price.as_ref().map(price),
        steps: line
            .steps
            .iter()
            .map(|step| Step {
                quantity: Number(step.quantity),
                unit_price: Number(step.unit_price),
                amount: money(step.amount),
            })
            .collect(),
        metering: line.metering.iter().map(ToString::to_string).collect(),
        usage_from: line.origins.iter().map(ToString::to_string).collect(),
    }
}

fn price(price: &bill::PriceUsed) -> PriceUsed {
    PriceUsed {
        origin: price.origin.name(),
        like: match &price.origin {
            PriceOrigin::Assumed(region) => Some(region.to_string()),
            _ => None,
        },
        source: price.source.title.to_string(),
        file: price.source.file.to_string(),
        sku: price.source.sku.as_ref().map(ToString::to_string),
        date: price.source.date.map(Day),
        confidence: price.source.confidence.to_string(),
    }
}
