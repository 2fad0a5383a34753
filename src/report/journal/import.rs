//! Journals as CSV, with the columns that each importer asks for.

use std::io::Write;

use rust_decimal::Decimal;

use super::{Book, one_line, sides, styled};
use crate::{
    domain::{
        gl::DateStyle,
        ids::AccountId,
        journal::{Entry, EntryLine},
    },
    report::{
        csv::{Field, Rows},
        exact,
        input::{Options, ReportError, ReportInput, WriteSummary},
    },
};

type Made = Result<WriteSummary, ReportError>;

/// Writes a row for each line of each entry.
fn rows(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
    columns: &[&str],
    row: impl Fn(&Book<'_>, &Entry, &EntryLine) -> Result<Vec<Field>, ReportError>,
) -> Made {
    let book = Book::of(input, options)?;
    // An amount or account that the importer refuses is found before anything is written.
    let mut fields = Vec::new();
    for entry in &book.journal.entries {
        for line in &entry.lines {
            fields.push(row(&book, entry, line)?);
        }
    }
    let mut rows = Rows::new(sink, columns, options)?;
    for fields in fields {
        rows.push_fields(&fields)?;
    }
    let count = rows.finish()?;
    Ok(book.written(count))
}

fn text(text: impl AsRef<str>) -> Field {
    Field::Text(one_line(text.as_ref()))
}

fn optional(value: Option<&str>) -> Field {
    text(value.unwrap_or_default())
}

/// Debit and credit, the other side blank.
fn two_sides(amount: Decimal) -> [Field; 2] {
    let (debit, credit) = sides(amount);
    [debit, credit].map(Field::Number)
}

/// Writes the journal that any importer can be taught to read.
pub(in crate::report) fn generic(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Made {
    let columns = [
        "entry_id",
        "entry_kind",
        "posting_date",
        "period",
        "entity",
        "gl_account",
        "cost_center",
        "description",
        "debit",
        "credit",
        "currency",
        "billed_amount",
        "billed_currency",
        "fx_rate",
        "fx_rate_date",
        "fx_rate_source",
        "source_ref",
    ];
    rows(input, options, sink, &columns, |book, entry, line| {
        let [debit, credit] = two_sides(line.amount);
        let exchange = book.exchange;
        let what = line.service.as_ref().map_or_else(
            || book.title(entry),
            |service| format!("{} {}", book.catalog.service_name(service), entry.month),
        );
        Ok(vec![
            text(book.reference(entry)),
            text(entry.kind.name()),
            text(styled(entry.date, DateStyle::Iso)),
            text(entry.month.to_string()),
            optional(entry.entity.as_deref()),
            text(&line.gl_account),
            optional(line.cost_center.as_deref()),
            text(what),
            debit,
            credit,
            text(book.currency().as_str()),
            Field::Number(line.billed.to_string()),
            text(book.billed_in.as_str()),
            Field::Number(exchange.map_or(String::new(), |it| exact(it.rate))),
            text(exchange.map_or(String::new(), |it| it.date.to_string())),
            optional(exchange.map(|it| &*it.source)),
            optional(entry.payer.as_ref().map(AccountId::as_str)),
        ])
    })
}

/// Writes a journal for `QuickBooks` Online. A sub-account is `Parent:Child`.
pub(in crate::report) fn quickbooks(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Made {
    let columns = [
        "JournalNo",
        "JournalDate",
        "AccountName",
        "Debits",
        "Credits",
        "Description",
        "Name",
        "Location",
        "Class",
    ];
    rows(input, options, sink, &columns, |book, entry, line| {
        let [debit, credit] = two_sides(line.amount);
        let owed = line.service.is_none();
        Ok(vec![
            text(book.reference(entry)),
            text(styled(
                entry.date,
                book.mapping.dates.unwrap_or(DateStyle::MonthFirst),
            )),
            text(&line.gl_account),
            debit,
            credit,
            // The importer has no column for it.
            text(format!(
                "{}, in {}",
                book.describe(entry, line),
                book.currency()
            )),
            // Payables ask for a name.
            optional(owed.then_some(&*book.mapping.vendor)),
            optional(entry.entity.as_deref()),
            optional(line.cost_center.as_deref()),
        ])
    })
}

/// Writes manual journals for Xero: one for each narration, debits positive, credits negative.
pub(in crate::report) fn xero(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Made {
    let columns = [
        "*Narration",
        "*Date",
        "Description",
        "*AccountCode",
        "*TaxRate",
        "*Amount",
        "TrackingName1",
        "TrackingOption1",
        "TrackingName2",
        "TrackingOption2",
    ];
    rows(input, options, sink, &columns, |book, entry, line| {
        let tracking =
            |name: &str, value: Option<&str>| [optional(value.map(|_| name)), optional(value)];
        let [center, of_center] = tracking("Cost centre", line.cost_center.as_deref());
        let [entity, of_entity] = tracking("Entity", entry.entity.as_deref());
        // Xero knows accounts by a code of ten characters at most.
        if line.gl_account.chars().count() > 10 {
            return Err(ReportError::BadAccount {
                format: "xero",
                account: line.gl_account.to_string(),
                needs: "a code of at most 10 characters",
            });
        }
        Ok(vec![
            text(format!("{} {}", book.reference(entry), book.title(entry))),
            text(styled(
                entry.date,
                book.mapping.dates.unwrap_or(DateStyle::DayFirst),
            )),
            // The importer has no column for it.
            text(format!(
                "{}, in {}",
                book.describe(entry, line),
                book.currency()
            )),
            text(&line.gl_account),
            text(&book.mapping.tax_rate),
            Field::Number(line.amount.to_string()),
            center,
            of_center,
            entity,
            of_entity,
        ])
    })
}

/// Writes journal entries for `NetSuite`.
pub(in crate::report) fn netsuite(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Made {
    let columns = [
        "External ID",
        "Date",
        "Subsidiary",
        "Currency",
        "Memo",
        "Account",
        "Debit",
        "Credit",
        "Department",
        "Class",
        "Location",
    ];
    rows(input, options, sink, &columns, |book, entry, line| {
        // Ten digits before the point and two after it.
        if line.amount.abs() >= Decimal::from(10_000_000_000_u64) || line.amount.scale() > 2 {
            return Err(ReportError::BadAmount {
                format: "netsuite",
                amount: line.amount.to_string(),
            });
        }
        let [debit, credit] = two_sides(line.amount);
        Ok(vec![
            text(book.reference(entry)),
            text(styled(
                entry.date,
                book.mapping.dates.unwrap_or(DateStyle::MonthFirst),
            )),
            optional(entry.entity.as_deref()),
            text(book.currency().as_str()),
            text(book.describe(entry, line)),
            text(&line.gl_account),
            debit,
            credit,
            optional(line.cost_center.as_deref()),
            text(""),
            text(""),
        ])
    })
}
