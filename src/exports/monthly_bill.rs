//! The bill of a month as CSV, as the console's Bills page offers it and older buckets have it.
//!
//! One row for each account and usage type, then rows that sum them up. An organization may have its
//! charges twice, by linked account and for the payer: which rows count is told by the totals.

use std::collections::{BTreeMap, BTreeSet};

use csv::{ByteRecord, StringRecord};
use rust_decimal::Decimal;

use super::{
    ImportError, ImportOptions, RowFault,
    aggregate::Fault,
    charge_rows::Charges,
    layout::{self, MONTHLY_BILL},
    open::{Guarded, Stream},
    rows::Rows,
    skip::{self, Skipped},
    values::{number, shown},
};
use crate::domain::{
    catalog::Catalog,
    export::{ExportKind, FileRead},
};

/// Columns that no other file has together.
const OWN: [&str; 8] = [
    "BillingPeriodStartDate",
    "CostBeforeTax",
    "CurrencyCode",
    "PayerAccountId",
    "RecordType",
    "TotalCost",
    "UsageQuantity",
    "UsageType",
];

/// Tells whether a header is that of a monthly bill.
pub(super) fn is_one(header: &[String]) -> bool {
    OWN.iter().all(|name| place(header, name).is_some())
}

fn place(header: &[String], name: &str) -> Option<usize> {
    header
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
}

/// Whose rows of a statement are counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Family {
    Linked,
    Payer,
    /// What makes the rows add up to the total, or a kind that is not known.
    Rest,
}

/// What a statement is of: payer, month, currency.
type Statement = (String, String, String);

/// A row of charges.
struct Charge {
    line: u64,
    family: Family,
    statement: Statement,
    record: StringRecord,
    total: Decimal,
}

/// What total rows say.
#[derive(Default)]
struct Totals {
    statement: Option<Decimal>,
    invoices: Option<Decimal>,
    accounts: Option<Decimal>,
}

/// Where the columns stand.
struct Places {
    record_type: usize,
    period: usize,
    payer: usize,
    currency: usize,
    total: usize,
    cost: usize,
    quantity: usize,
    credits: Option<usize>,
    tax: Option<usize>,
    account: Option<usize>,
    invoice: Option<usize>,
    description: Option<usize>,
    service: Option<usize>,
}

impl Places {
    fn of(header: &[String]) -> Self {
        let at = |name| place(header, name);
        let must = |name| at(name).unwrap_or_default();
        Self {
            record_type: must("RecordType"),
            period: must("BillingPeriodStartDate"),
            payer: must("PayerAccountId"),
            currency: must("CurrencyCode"),
            total: must("TotalCost"),
            cost: must("CostBeforeTax"),
            quantity: must("UsageQuantity"),
            credits: at("Credits"),
            tax: at("TaxAmount"),
            account: at("LinkedAccountId"),
            invoice: at("InvoiceID"),
            description: at("ItemDescription"),
            service: at("ProductCode"),
        }
    }
}

/// Reads the bill.
pub(super) fn read(
    stream: &mut Stream<'_>,
    text: &mut Rows<Guarded<'_>>,
    header: &[String],
    catalog: &Catalog,
    options: &ImportOptions,
) -> Result<FileRead, ImportError> {
    let bound = layout::bind(&MONTHLY_BILL, header);
    let origin = format!("{} {}", bound.label(), stream.short_name());
    let file = stream.name().to_owned();
    let places = Places::of(header);
    let error = |line, (field, fault): Fault| ImportError::Row {
        file: file.clone(),
        line,
        column: field.and_then(|field: usize| header.get(field)).cloned(),
        fault,
    };
    let mut skipped = Skipped::new(options.skip_bad_rows);
    let mut notes = Vec::new();
    let mut charges = Vec::new();
    let mut totals: BTreeMap<Statement, Totals> = BTreeMap::new();
    let mut rows = 0;
    while let Some(row) = stream.row(text)? {
        let mut record = ByteRecord::new();
        row.copy_to(&mut record);
        rows += 1;
        stream.tick(rows)?;
        let line = stream.line();
        let read = match StringRecord::from_byte_record(record) {
            Ok(record) => {
                let read = places.read(line, header.len(), &record, &mut totals);
                read.map_err(|fault| (fault, skip::line(&record)))
            }
            Err(bad) => {
                let fault = (Some(bad.utf8_error().field()), RowFault::NotText);
                Err((fault, skip::line(&bad.into_byte_record())))
            }
        };
        match read {
            Ok(charge) => charges.extend(charge),
            Err((fault, row)) => skipped.add(error(line, fault), 1, row)?,
        }
    }
    let counted = counted(&charges, &totals, &file, skipped.is_any(), &mut notes)?;
    let mut gather = Charges::new(&bound, &origin, catalog, options);
    gather.is_text = true;
    for charge in &charges {
        if !counted.contains(&(charge.statement.clone(), charge.family)) {
            continue;
        }
        let added = places.parts(charge).and_then(|parts| {
            let mut count = 1;
            for part in parts {
                gather.row(&part, count)?;
                count = 0;
            }
            Ok(())
        });
        if let Err(fault) = added {
            let row = skip::line(&charge.record);
            skipped.add(error(charge.line, fault), 1, row)?;
        }
    }
    let (skipped, bad_rows) = skipped.note(&file, &mut notes);
    let gather = gather.gather;
    Ok(FileRead {
        kind: ExportKind::MonthlyBill,
        grouping: String::new(),
        jobs: Vec::new(),
        rows,
        kept: gather.kept(),
        slices: gather.finish(0, &mut notes),
        skipped,
        bad_rows,
        notes,
        name: file,
    })
}

impl Places {
    /// Reads a row of charges; one of totals is kept with them.
    fn read(
        &self,
        line: u64,
        width: usize,
        record: &StringRecord,
        totals: &mut BTreeMap<Statement, Totals>,
    ) -> Result<Option<Charge>, Fault> {
        if record.len() != width {
            let found = record.len();
            return Err((
                None,
                RowFault::FieldCount {
                    expected: width,
                    found,
                },
            ));
        }
        let text = |field: usize| record.get(field).unwrap_or_default().trim();
        let total = text(self.total);
        let total = number(total).map_err(|fault| (Some(self.total), fault))?;
        let statement = (
            text(self.payer).to_owned(),
            text(self.period).to_owned(),
            text(self.currency).to_owned(),
        );
        let record_type = text(self.record_type);
        let family = match record_type {
            "LinkedLineItem" => Family::Linked,
            "PayerLineItem" | "LineItem" => Family::Payer,
            "" => return Err((Some(self.record_type), RowFault::Missing)),
            kind if kind.ends_with("Total") => {
                let known = totals.entry(statement).or_default();
                let sum = match kind {
                    "StatementTotal" => &mut known.statement,
                    "InvoiceTotal" => &mut known.invoices,
                    "AccountTotal" => &mut known.accounts,
                    _ => return Ok(None),
                };
                *sum = Some(sum.unwrap_or_default() + total);
                return Ok(None);
            }
            _ => Family::Rest,
        };
        Ok(Some(Charge {
            line,
            family,
            statement,
            record: record.clone(),
            total,
        }))
    }

    /// Takes a row apart: what was used, the credits on it and the tax on it are charges of their own.
    fn parts(&self, charge: &Charge) -> Result<Vec<ByteRecord>, Fault> {
        let text = |field: usize| charge.record.get(field).unwrap_or_default().trim();
        let amount = |field: Option<usize>| match field.map(text) {
            None | Some("") => Ok(Decimal::ZERO),
            Some(text) => number(text).map_err(|fault| (field, fault)),
        };
        let cost = amount(Some(self.cost))?;
        let (mut credits, tax) = (amount(self.credits)?, amount(self.tax)?);
        let is_total =
            |credits: Decimal| (cost + credits + tax - charge.total).abs() <= Decimal::new(1, 5);
        if !is_total(credits) && is_total(-credits) {
            credits = -credits;
        }
        if !is_total(credits) {
            let parts = (cost + credits + tax).normalize().to_string();
            let total = charge.total.normalize().to_string();
            return Err((None, RowFault::Parts { parts, total }));
        }
        let kind = match charge.family {
            Family::Rest => text(self.record_type),
            _ if cost < Decimal::ZERO => self.kind_of_less(charge),
            _ => "Usage",
        };
        let has_quantity = !text(self.quantity).is_empty();
        let is_there = !cost.is_zero() || has_quantity || (credits.is_zero() && tax.is_zero());
        let all = [
            (kind, cost, is_there),
            ("Credit", credits, !credits.is_zero()),
            ("Tax", tax, !tax.is_zero()),
        ];
        let there = all.into_iter().filter(|(_, _, is_there)| *is_there);
        Ok(there
            .map(|(kind, cost, _)| self.row(charge, kind, cost))
            .collect())
    }

    /// Says what kind of charge takes something off.
    fn kind_of_less(&self, charge: &Charge) -> &'static str {
        let text = self.description.and_then(|field| charge.record.get(field));
        let text = text.unwrap_or_default().to_lowercase();
        let kinds = [("discount", "Discount"), ("refund", "Refund")];
        let known = kinds.iter().find(|(word, _)| text.contains(word));
        known.map_or("Credit", |(_, kind)| kind)
    }

    fn row(&self, charge: &Charge, kind: &str, cost: Decimal) -> ByteRecord {
        let text = |field: usize| charge.record.get(field).unwrap_or_default().trim();
        let cost = cost.to_string();
        let day = text(self.period).replace('/', "-");
        let fields = (0..charge.record.len()).map(|field| match field {
            _ if field == self.record_type => kind,
            _ if field == self.cost => &cost,
            _ if field == self.period => &day,
            // The payer's own rows name no linked account.
            _ if Some(field) == self.account && text(field).is_empty() => text(self.payer),
            _ if Some(field) == self.invoice && text(field) == "Estimated" => "",
            _ if Some(field) == self.service
                && charge.family == Family::Rest
                && text(field).is_empty() =>
            {
                text(self.record_type)
            }
            // A credit or tax uses nothing.
            _ if field == self.quantity && kind != "Usage" => "",
            _ => text(field),
        });
        let record: StringRecord = fields.collect();
        record.into_byte_record()
    }
}

/// Finds which rows add up to the total rows.
fn counted(
    charges: &[Charge],
    totals: &BTreeMap<Statement, Totals>,
    file: &str,
    is_any_skipped: bool,
    notes: &mut Vec<String>,
) -> Result<BTreeSet<(Statement, Family)>, ImportError> {
    use Family::{Linked, Payer, Rest};
    let mut sums: BTreeMap<&Statement, BTreeMap<Family, (Decimal, u64)>> = BTreeMap::new();
    for charge in charges {
        let sums = sums.entry(&charge.statement).or_default();
        let sum = sums.entry(charge.family).or_default();
        *sum = (sum.0 + charge.total, sum.1 + 1);
    }
    let mut counted = BTreeSet::new();
    for (statement, sums) in sums {
        let of = |families: &[Family]| -> Decimal {
            families
                .iter()
                .filter_map(|family| Some(sums.get(family)?.0))
                .sum()
        };
        let rows: u64 = sums.values().map(|(_, rows)| rows).sum();
        // Totals are in cents, rows in millionths.
        let tolerance =
            Decimal::new(1, 2) + Decimal::new(i64::try_from(rows).unwrap_or(i64::MAX), 6);
        let known = totals.get(statement);
        let said = known.and_then(|known| known.statement.or(known.invoices).or(known.accounts));
        let all = [Linked, Payer, Rest];
        let choices: [&[Family]; 5] = [&all, &[Linked, Rest], &[Payer, Rest], &[Linked], &[Payer]];
        let families = match said {
            Some(said) => {
                let is_it = |families: &&&[Family]| (of(families) - said).abs() <= tolerance;
                match choices.iter().find(is_it) {
                    Some(families) => families,
                    None if is_any_skipped => &choices[0],
                    None => {
                        return Err(ImportError::TotalsDiffer {
                            file: file.to_owned(),
                            sum: of(&all).normalize().to_string(),
                            total: said.normalize().to_string(),
                            currency: shown(&statement.2),
                        });
                    }
                }
            }
            // Both say the same.
            None if sums.contains_key(&Linked) && of(&[Linked]) == of(&[Payer]) => &choices[1],
            None => &choices[0],
        };
        if said.is_none() {
            notes.push(format!(
                "{file}: no total row says what {} adds up to, so that no row is missing cannot be checked",
                shown(&statement.1)
            ));
        }
        let twice = all.iter().filter(|family| !families.contains(family));
        let twice: u64 = twice.filter_map(|family| Some(sums.get(family)?.1)).sum();
        if twice > 0 {
            notes.push(format!(
                "{file}: {} left out, the total is without them: they say again what others say",
                super::values::rows(twice)
            ));
        }
        counted.extend(families.iter().map(|family| (statement.clone(), *family)));
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_known_by_its_own_names() {
        let header: Vec<String> = OWN.iter().map(|name| name.to_lowercase()).collect();
        assert!(is_one(&header));
        assert!(!is_one(&header[1..]));
    }
}
