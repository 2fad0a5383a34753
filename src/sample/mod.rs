//! The sample organization: a bill to try everything on without an account.
//!
//! It is written as a CUR 2.0 export and read back by the importer of real ones, so a
//! demonstration runs through the same code as a customer's data. What the organization runs is in
//! `organization.toml`; this file turns it into days. Chance comes from a hash of resource
//! and day, never from the clock: the bytes are the same on every machine.

mod chance;
mod facts;
mod jobs;
mod metrics;
mod organization;
mod stored;
mod texts;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use chrono::{Datelike, Days, NaiveDate, Weekday};
use rust_decimal::Decimal;

use crate::domain::{
    metering::codepipeline::{V1Activity, v1_activity},
    number::plain,
    period::Month,
};

const ORGANIZATION: &str = include_str!("organization.toml");

/// The region whose usage types have no prefix in some services.
const HOME: &str = "us-east-1";

const COLUMNS: [&str; 22] = [
    "bill_billing_period_start_date",
    "bill_invoice_id",
    "bill_payer_account_id",
    "line_item_usage_account_id",
    "line_item_usage_account_name",
    "line_item_usage_start_date",
    "line_item_usage_end_date",
    "line_item_line_item_type",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_operation",
    "line_item_resource_id",
    "line_item_usage_amount",
    "line_item_currency_code",
    "line_item_unblended_rate",
    "line_item_unblended_cost",
    "line_item_line_item_description",
    "pricing_unit",
    "pricing_public_on_demand_rate",
    "pricing_public_on_demand_cost",
    "product_region_code",
    "resource_tags",
];

use chance::splitmix64;
pub use facts::keep_facts;
use organization::{Counts, Meter, Organization, Resource};
use texts::Exact;

/// Returns the day that every `--demo` command takes for today. The sample ends the day before.
pub fn today() -> NaiveDate {
    date(2026, 11, 21)
}

/// Returns the first day of the sample.
fn first_day() -> NaiveDate {
    date(2025, 10, 1)
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("the sample's dates exist")
}

/// Writes the whole sample as a CUR 2.0 CSV: days in order, the last month still open.
pub fn write_cur(out: &mut impl Write) -> io::Result<()> {
    let organization: Organization =
        toml::from_str(ORGANIZATION).expect("the embedded organization is read by the tests");
    let mut bill = BillWriter {
        csv: csv::Writer::from_writer(out),
        organization: &organization,
        free: BTreeMap::new(),
    };
    bill.csv.write_record(COLUMNS)?;
    let mut month = Month::of(first_day());
    while month.first_day() < today() {
        bill.month(month)?;
        month = month.next();
    }
    bill.csv.flush()
}

impl Resource {
    /// Returns a number in `0..sides` that depends on the resource, its member, the day and the
    /// question asked (`salt`), and on nothing else.
    fn roll(&self, member: i64, day: NaiveDate, salt: i64, sides: i64) -> i64 {
        let name = self.name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        let parts = [member, i64::from(day.num_days_from_ce()), salt];
        let hash = parts
            .into_iter()
            .fold(name, |h, part| splitmix64(h ^ part.unsigned_abs()));
        i64::try_from(hash % sides.unsigned_abs()).expect("a remainder is below its divisor")
    }

    /// Returns `percent` and up to `variation` more or less.
    fn vary(&self, member: i64, day: NaiveDate, salt: i64, variation: i64) -> i64 {
        100 - variation + self.roll(member, day, salt, 2 * variation + 1)
    }

    /// Returns the level in percent that growth has reached on a day.
    fn grown(&self, day: NaiveDate) -> i64 {
        100 + self.growth * (day - self.from.0).num_days() / 30
    }

    /// Counts the builds, runs or visits of one member on a day.
    fn events(&self, member: i64, day: NaiveDate, organization: &Organization) -> i64 {
        let shape = &organization.shape;
        let weekday = usize::try_from(day.weekday().num_days_from_monday()).expect("0 to 6");
        let seasons = organization.season.iter().filter(|season| {
            (season.from.0..season.until.0).contains(&day)
                && (season.team.is_none() || season.team == self.team)
        });
        let percent = seasons.fold(shape.week[weekday], |p, s| p * s.percent / 100);
        let variation = self.vary(member, day, 0, shape.variation);
        // In thousandths; what is left of a whole event happens as often as its share says.
        let events = self.per_working_day * percent * self.grown(day) * variation / 1000;
        events / 1000 + i64::from(self.roll(member, day, 1, 1000) < events % 1000)
    }

    /// How many seconds the n-th action of an event of a day takes.
    fn length(&self, day: NaiveDate, event: i64, action: i64, organization: &Organization) -> i64 {
        let nominal = self.seconds[usize::try_from(action).expect("few actions")];
        let variation = organization.shape.variation;
        let usual = nominal * self.vary(0, day, 1000 + event * 16 + action, variation) / 100;
        let slow = organization.slow.iter().filter(|slow| {
            slow.resource == self.name && (slow.from.0..slow.until.0).contains(&day)
        });
        slow.fold(usual, |seconds, slow| seconds * slow.percent / 100)
    }

    /// Counts the started units of all events of a day: each action is rounded up on its own.
    fn started(&self, events: i64, grain: i64, day: NaiveDate, organization: &Organization) -> i64 {
        let actions = (0_i64..).zip(&self.seconds);
        let each = |event: i64| {
            actions.clone().map(move |(action, _)| {
                let seconds = self.length(day, event, action, organization);
                (seconds + grain - 1) / grain
            })
        };
        (0..events).flat_map(each).sum()
    }

    fn tags(&self) -> String {
        let tags: BTreeMap<&str, &String> = [
            ("user_team", &self.team),
            ("user_env", &self.env),
            ("user_cost_center", &self.cost_center),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_ref()?)))
        .collect();
        serde_json::to_string(&tags).expect("text is JSON")
    }
}

struct BillWriter<'a, W: Write> {
    csv: csv::Writer<W>,
    organization: &'a Organization,
    /// What is left of the free units of the month.
    free: BTreeMap<String, Exact>,
}

/// One row of the bill.
struct Row<'a> {
    month: Month,
    day: NaiveDate,
    kind: &'a str,
    account: &'a str,
    region: &'a str,
    meter: &'a Meter,
    usage_type: &'a str,
    resource: &'a str,
    quantity: Decimal,
    rate: Option<Decimal>,
    cost: Decimal,
    description: &'a str,
    tags: &'a str,
}

impl<W: Write> BillWriter<'_, W> {
    fn month(&mut self, month: Month) -> io::Result<()> {
        let organization = self.organization;
        self.free.clone_from(&organization.pool);
        for used in &organization.used_elsewhere {
            if (used.from.0..used.until.0).contains(&month.first_day()) {
                let left = self.free.entry(used.pool.clone()).or_default();
                left.0 -= used.quantity.0;
            }
        }
        let mut active = BTreeSet::new();
        for day in month.days().filter(|&day| day < today()) {
            for (index, resource) in organization.resource.iter().enumerate() {
                if !(resource.from.0..resource.until.0).contains(&day) {
                    continue;
                }
                for member in 0..resource.members {
                    let (meter, quantity) = resource_day(organization, resource, member, day);
                    let once = organization.meter[meter].counts == Counts::Months;
                    if !quantity.is_zero() && (!once || active.insert((index, member, meter))) {
                        self.usage(month, day, resource, &organization.meter[meter], quantity)?;
                    }
                }
            }
        }
        for charge in &organization.charge {
            let due = charge
                .billed
                .map_or(month.end() <= today(), |billed| month.contains(billed.0));
            if due {
                let meter = &organization.meter[&charge.meter];
                self.row(&Row {
                    month,
                    day: charge.day.map_or(month.first_day(), |day| day.0),
                    kind: &charge.kind,
                    account: &charge.account,
                    region: HOME,
                    meter,
                    usage_type: &self.usage_type(meter, HOME),
                    resource: "",
                    quantity: Decimal::ONE,
                    rate: None,
                    cost: -charge.given_back.0,
                    description: &charge.description,
                    tags: "{}",
                })?;
            }
        }
        Ok(())
    }

    /// Writes a day of usage: what is still free this month, then what is charged.
    fn usage(
        &mut self,
        month: Month,
        day: NaiveDate,
        resource: &Resource,
        meter: &Meter,
        quantity: Decimal,
    ) -> io::Result<()> {
        let left = meter.pool.as_ref().and_then(|id| self.free.get_mut(id));
        let free = left.map_or(Decimal::ZERO, |left| {
            let free = quantity.min(left.0);
            left.0 -= free;
            free
        });
        let account = &self.organization.account[&resource.account];
        let arn = meter
            .arn
            .replace("{region}", &resource.region)
            .replace("{account}", &account.id)
            .replace("{name}", &resource.name);
        let prefixed = self.usage_type(meter, &resource.region);
        let global = meter.free_usage_type.as_deref();
        for (quantity, rate) in [(free, Decimal::ZERO), (quantity - free, meter.rate.0)] {
            if quantity.is_zero() {
                continue;
            }
            let is_free = rate.is_zero() && !meter.rate.0.is_zero();
            let global = global.filter(|_| is_free);
            let description = if is_free {
                format!("$0.00 per {} under the monthly free tier", meter.per)
            } else {
                format!("${} per {}", plain(rate), meter.per)
            };
            self.row(&Row {
                month,
                day,
                kind: "Usage",
                account: &resource.account,
                region: global.map_or(&resource.region, |_| ""),
                meter,
                usage_type: global.unwrap_or(&prefixed),
                resource: &arn,
                quantity,
                rate: Some(rate),
                cost: quantity * rate,
                description: &description,
                tags: &resource.tags(),
            })?;
        }
        Ok(())
    }

    fn usage_type(&self, meter: &Meter, region: &str) -> String {
        let prefix = match region {
            HOME if !meter.home_prefix => "",
            _ => &self.organization.region[region],
        };
        format!("{prefix}{}", meter.usage_type)
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        let midnight = |day: NaiveDate| format!("{day}T00:00:00.000Z");
        let account = &self.organization.account[row.account];
        let closed = row.month.end() <= today();
        let first = row.month.first_day();
        let invoice = format!("{}{:02}0417", first.year(), first.month());
        let text = |amount: Option<Decimal>| amount.map(plain).unwrap_or_default();
        let list_rate = row.rate.map(|_| row.meter.rate.0);
        self.csv.write_record([
            midnight(first).as_str(),
            if closed { &invoice } else { "" },
            &self.organization.payer.id,
            &account.id,
            &account.name,
            &midnight(row.day),
            &midnight(row.day + Days::new(1)),
            row.kind,
            &row.meter.service,
            row.usage_type,
            &row.meter.operation,
            row.resource,
            &plain(row.quantity),
            "USD",
            &text(row.rate),
            &plain(row.cost),
            row.description,
            &row.meter.unit,
            &text(list_rate),
            &text(list_rate.map(|rate| rate * row.quantity)),
            row.region,
            row.tags,
        ])?;
        Ok(())
    }
}

/// Returns what one member of a resource uses on a day, and the meter that counts it.
fn resource_day<'a>(
    organization: &'a Organization,
    resource: &'a Resource,
    member: i64,
    day: NaiveDate,
) -> (&'a str, Decimal) {
    let meter = &organization.meter[&resource.meter];
    let events = || resource.events(member, day, organization);
    let quantity = match meter.counts {
        Counts::Events => Decimal::from(events()),
        Counts::Months => Decimal::from(events().min(1)),
        Counts::Weeks if day.weekday() == Weekday::Mon => {
            (resource.quantity.0 * Decimal::new(resource.grown(day), 2)).normalize()
        }
        Counts::Weeks => Decimal::ZERO,
        Counts::Stored => stored::on(resource, day),
        Counts::Started => {
            Decimal::from(resource.started(events(), meter.grain, day, organization))
        }
    };
    let young = resource.from.0 > first_day()
        && v1_activity(resource.from.0, [day], Month::of(day)) == V1Activity::Trial;
    let trial = meter.trial.as_deref().filter(|_| young);
    (trial.unwrap_or(&resource.meter), quantity)
}

#[cfg(test)]
mod tests;
