//! Journals for the books: one entry for each payer, entity and month, in the words of each importer.
//!
//! The reference of an entry is made from what it says: the same input has the same reference, so an
//! importer that knows it already refuses it.

mod import;
mod plain_text;

use std::{collections::BTreeMap, io::Write};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    input::{Options, ReportError, ReportInput, WriteSummary},
    show::hex,
    text::clean,
};
use crate::domain::{
    catalog::Catalog,
    exchange::Exchange,
    finality::NotFinal,
    gl::{DateStyle, GlMapping},
    ids::Currency,
    journal::{Accrual, Entry, EntryKind, EntryLine, Journal, Rest, journal},
    period::Month,
    rating::RatedMonth,
};

pub(super) use import::{generic, netsuite, quickbooks, xero};
pub(super) use plain_text::{beancount, hledger};

/// Entries with what every importer asks about them.
struct Book<'a> {
    journal: Journal,
    mapping: &'a GlMapping,
    catalog: &'a Catalog,
    billed_in: Currency,
    exchange: Option<&'a Exchange>,
    today: NaiveDate,
    accrual: Accrual,
    /// Why months that are over are not final.
    not_final: BTreeMap<Month, String>,
}

impl<'a> Book<'a> {
    fn of(input: &ReportInput<'a>, options: &'a Options) -> Result<Self, ReportError> {
        let mapping = options.mapping.as_ref().ok_or(ReportError::NoMapping)?;
        let exchange = options.exchange.as_ref();
        let journal = journal(
            input.months,
            mapping,
            options.sharing,
            input.today,
            exchange,
            rest(input, options).as_ref(),
        );
        Ok(Self {
            journal,
            mapping,
            catalog: input.catalog,
            billed_in: input.currency().clone(),
            exchange,
            today: input.today,
            accrual: options.accrual,
            not_final: input.months.iter().filter_map(not_final).collect(),
        })
    }

    /// Returns what the amounts are in.
    fn currency(&self) -> &Currency {
        self.exchange
            .map_or(&self.billed_in, |exchange| &exchange.to)
    }

    /// Returns what the entry is known by.
    fn reference(&self, entry: &Entry) -> String {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update(text.as_bytes());
            digest.update([0]);
        };
        add(entry.payer.as_ref().map_or("", |payer| payer.as_str()));
        add(entry.entity.as_deref().unwrap_or_default());
        add(self.currency().as_str());
        for line in &entry.lines {
            add(&line.gl_account);
            add(line.cost_center.as_deref().unwrap_or_default());
            add(line.service.as_ref().map_or("", |service| service.as_str()));
            // A reversal belongs to its accrual.
            add(&line.amount.abs().to_string());
        }
        let kind = match entry.kind {
            EntryKind::Actual => "PB",
            EntryKind::Accrual => "PA",
            EntryKind::Reversal => "PR",
        };
        let month = entry.month.to_string().replace('-', "");
        format!("{kind}{month}-{}", &hex(&digest.finalize())[..8])
    }

    /// Says what the entry is.
    fn title(&self, entry: &Entry) -> String {
        let mut what = format!("{} code services {}", self.mapping.vendor, entry.month);
        if let Some(why) = self.not_final.get(&entry.month) {
            what += &format!(", not final: {why}");
        }
        match entry.kind {
            EntryKind::Actual => what,
            EntryKind::Accrual if self.journal.expected.is_some() => {
                format!("{what}, accrual as expected on {}", self.today)
            }
            EntryKind::Accrual => format!("{what}, accrual of the cost to {}", self.today),
            EntryKind::Reversal => format!("{what}, reversal of the accrual"),
        }
    }

    /// Says what a line is, and what it was before conversion.
    fn describe(&self, entry: &Entry, line: &EntryLine) -> String {
        let what = match &line.service {
            Some(service) => format!("{} {}", self.catalog.service_name(service), entry.month),
            None => self.title(entry),
        };
        match self.exchange {
            None => what,
            Some(exchange) => format!(
                "{what} ({} {} at {}, {}, {})",
                line.billed,
                exchange.from,
                super::exact(exchange.rate),
                exchange.date,
                exchange.source
            ),
        }
    }

    fn written(&self, rows: u64) -> WriteSummary {
        let totals = self.journal.entries.iter().map(|entry| {
            json!({
                "entry": self.reference(entry),
                "kind": entry.kind.name(),
                "billing_period": entry.month.to_string(),
                "date": entry.date.to_string(),
                "currency": self.currency().as_str(),
                "owed": entry.owed().to_string(),
            })
        });
        let left = json!({
            "suspense_account": &*self.mapping.suspense,
            "suspense_parts": self.journal.suspense_parts,
            "suspense": self.journal.suspense.to_string(),
            "unpriced_lines_not_posted": self.journal.unpriced_lines,
            "expected_beyond_cost_to_date": self.journal.expected.map(|rest| rest.to_string()),
        });
        WriteSummary {
            rows,
            control_totals: totals.chain([left]).collect(),
            notes: self.notes(),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.journal.suspense_parts > 0 {
            notes.push(format!(
                "{} parts, {} {}, match no rule and are posted to {}",
                self.journal.suspense_parts,
                self.journal.suspense,
                self.billed_in,
                self.mapping.suspense
            ));
        }
        match (self.accrual, self.journal.expected) {
            (Accrual::ToDate, _) => {}
            (Accrual::Expected, Some(rest)) => notes.push(format!(
                "the open month is accrued as expected: {} {} more than it has cost to date",
                rest.to_cents(),
                self.billed_in
            )),
            (Accrual::Expected, None) => notes.push(
                "the open month is accrued at its cost to date, because there is no forecast"
                    .to_owned(),
            ),
        }
        for (month, why) in &self.not_final {
            notes.push(format!("{month} is not final: {why}"));
        }
        if self.journal.unpriced_lines > 0 {
            notes.push(format!(
                "{} lines without a price are not posted",
                self.journal.unpriced_lines
            ));
        }
        notes
    }
}

/// Says why a month is not final, but for what an accrual says of itself.
fn not_final(month: &RatedMonth) -> Option<(Month, String)> {
    let bill = &month.rated.bill;
    let is_open = |why: &&NotFinal| matches!(why, NotFinal::Open { .. });
    let reasons = bill.finality.reasons.iter().filter(|why| !is_open(why));
    let mut why: Vec<String> = reasons.map(NotFinal::reason).collect();
    if why.is_empty() && !bill.gaps.is_empty() {
        why.push("usage is missing".to_owned());
    }
    (!why.is_empty()).then(|| (bill.month, why.join(" and ")))
}

/// What the rest of an open month is expected to add, if that is asked for and known.
fn rest(input: &ReportInput<'_>, options: &Options) -> Option<Rest> {
    if options.accrual == Accrual::ToDate {
        return None;
    }
    let mut bills = input.months.iter().map(|month| &month.rated.bill);
    let open = bills.find(|bill| bill.month.end() > input.today)?;
    let forecast = input.forecast?;
    let months = &forecast.result.months;
    let ahead = months.iter().find(|ahead| ahead.month == open.month)?;
    let ends = ahead.services.iter();
    Some(Rest {
        month: open.month,
        // The bill may have days that the forecast does not take for known: they count once.
        amount: ahead.total.p50 - forecast.discounts.net_usage(open),
        ends: ends
            .map(|(service, range)| (service.clone(), range.p50))
            .collect(),
    })
}

/// Splits a signed amount into debit and credit; the other side stays blank.
fn sides(amount: Decimal) -> (String, String) {
    if amount.is_sign_negative() && !amount.is_zero() {
        (String::new(), (-amount).to_string())
    } else {
        (amount.to_string(), String::new())
    }
}

fn styled(date: NaiveDate, style: DateStyle) -> String {
    let format = match style {
        DateStyle::Iso => "%Y-%m-%d",
        DateStyle::MonthFirst => "%m/%d/%Y",
        DateStyle::DayFirst => "%d/%m/%Y",
    };
    date.format(format).to_string()
}

/// Text of one line: what comes from tags must not begin another.
fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Writes the text of a file.
fn write_text(sink: &mut dyn Write, text: &str) -> Result<(), ReportError> {
    Ok(sink.write_all(text.as_bytes())?)
}
