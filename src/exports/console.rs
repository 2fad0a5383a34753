//! Cost Explorer's CSV file, as its console offers it in any language and by any grouping.
//!
//! A column for each group, a row for each day or month, a row and a column of totals. Its words are
//! those of the reader's console, so it is told by its shape: units stand in brackets, the total
//! column is the sum of the others, the total row has no date.

mod grouping;
pub(super) mod header;
mod total;

use chrono::{Datelike, NaiveDate};
use csv::{ByteRecord, StringRecord};
use rust_decimal::Decimal;

use self::{
    grouping::Grouping,
    header::{has_units, money, unit},
    total::{tolerance, total_column},
};
use super::{
    ImportError, ImportOptions, RowFault,
    aggregate::{Aggregator, Fault},
    cost_explorer::{Sum, add},
    open::{Guarded, Stream},
    rows::Rows,
    skip::{self, Skipped},
    stranger::Stranger,
    values::{day, is_account, number, shown},
};
use crate::domain::{
    catalog::Catalog,
    export::{ExportKind, FileRead},
    period::Month,
};

/// Says in what unit a download of quantities is: the console offers it in the same form.
pub(super) fn quantities(catalog: &Catalog, header: &[String]) -> Option<Stranger> {
    let is_one = has_units(header)
        && (header[0].is_empty()
            || grouping::is_heading(&header[0])
            || header[1..].iter().any(|name| {
                unit(name).is_some_and(|(label, _)| grouping::is_usage_type(catalog, label))
            }));
    let (_, unit) = header
        .get(1)
        .and_then(|name| unit(name))
        .filter(|_| is_one)?;
    Some(Stranger::Quantities(shown(unit)))
}

/// Tells whether a row stands above the header: grouped by account, newer downloads have the account
/// IDs there and their names in the header.
pub(super) fn is_above_the_header(row: &[String]) -> bool {
    let mut others = row
        .iter()
        .skip(1)
        .filter(|cell| !cell.is_empty())
        .peekable();
    others.peek().is_some() && others.all(|cell| is_account(cell))
}

/// A column of costs.
struct Costs<'h> {
    field: usize,
    label: &'h str,
    currency: &'h str,
}

/// A row of amounts, by column of costs.
struct Amounts {
    line: u64,
    day: NaiveDate,
    /// By the hour: several rows are of one day.
    has_time: bool,
    costs: Vec<Option<Decimal>>,
    row: String,
}

/// Reads the file: a column for each group, a row for each day or month.
pub(super) fn read(
    stream: &mut Stream<'_>,
    text: &mut Rows<Guarded<'_>>,
    header: &[String],
    catalog: &Catalog,
    options: &ImportOptions,
) -> Result<FileRead, ImportError> {
    let origin = format!("{} {}", ExportKind::CostExplorerCsv, stream.short_name());
    let mut gather = Aggregator::new(ExportKind::CostExplorerCsv, &origin, catalog, options);
    let mut notes = Vec::new();
    let columns: Vec<Costs<'_>> = header
        .iter()
        .enumerate()
        .skip(1)
        .filter_map(|(field, name)| {
            let (label, currency) = money(name)?;
            Some(Costs {
                field,
                label,
                currency,
            })
        })
        .collect();
    let mut table = Table::read(stream, text, header, &columns, options)?;
    let total = total_column(&table, &columns, catalog);
    let grouping = Grouping::of(stream.name(), &header[0], &columns, total, catalog)?;

    // The file does not say whether it is by day or by month; months begin on their first day.
    let monthly = table
        .amounts
        .iter()
        .all(|row| row.day.day() == 1 && !row.has_time);
    let covers = |row: &Amounts| {
        let last = if monthly {
            Month::of(row.day).last_day()
        } else {
            row.day
        };
        (row.day, last)
    };
    let rows: Vec<_> = table.amounts.iter().map(|row| &row.costs).collect();
    let visible = tolerance(&rows).max(Decimal::new(5, 3));
    let mut unnamed = Vec::new();
    for row in &table.amounts {
        let days = covers(row);
        // A day that has nothing is stated too: it replaces what was known of it.
        gather.bucket(None, Month::of(row.day), days);
        let mut sum = Decimal::ZERO;
        for (column, cost) in columns.iter().zip(&row.costs) {
            let is_total = total == Some(column.field) && grouping != Grouping::None;
            let Some(cost) = cost.filter(|_| !is_total) else {
                continue;
            };
            sum += cost;
            let added = add(&mut gather, days, grouping.sum(column, cost));
            if let Err(fault) = added {
                table.skipped.add(
                    row_error(stream, row.line, header, fault),
                    1,
                    row.row.clone(),
                )?;
            }
        }
        let said = columns
            .iter()
            .position(|column| total == Some(column.field));
        let said = said
            .and_then(|at| row.costs[at])
            .filter(|_| grouping != Grouping::None);
        // The columns are rounded one by one, so only what a reader could see counts.
        let Some(said) = said.filter(|said| (said - sum).abs() > visible) else {
            continue;
        };
        let rest = said - sum;
        let of_whom = if rest > Decimal::ZERO {
            let currency = columns.last().map_or("", |column| column.currency);
            let rest = Sum::unnamed(rest, currency);
            // The fault of such a sum could only be its currency, which has been read.
            if add(&mut gather, days, rest).is_ok() {
                unnamed.push(days);
            }
            "; the rest is of services that it does not name"
        } else {
            ""
        };
        notes.push(format!(
            "{}, line {}: the total is {said}, the columns add up to {sum}{of_whom}",
            stream.name(),
            row.line
        ));
    }
    table.note_the_total_row(stream.name(), &columns, total, &mut notes);
    note_the_columns(stream.name(), header, grouping, &columns, total, &mut notes);
    let (skipped, bad_rows) = table.skipped.note(stream.name(), &mut notes);
    let kept = gather.kept();
    let mut slices = gather.finish(0, &mut notes);
    for slice in &mut slices {
        slice.standing.services_unknown =
            !grouping.names_services() || unnamed.contains(&slice.covers);
    }
    Ok(FileRead {
        name: stream.name().to_owned(),
        kind: ExportKind::CostExplorerCsv,
        grouping: header[0].to_lowercase(),
        jobs: Vec::new(),
        rows: table.rows,
        kept,
        slices,
        skipped,
        bad_rows,
        notes,
    })
}

/// Says what is not read of the columns, and what they do not tell.
fn note_the_columns(
    file: &str,
    header: &[String],
    grouping: Grouping,
    columns: &[Costs<'_>],
    total: Option<usize>,
    notes: &mut Vec<String>,
) {
    let ignored: Vec<String> = header[1..]
        .iter()
        .filter(|name| !name.is_empty() && money(name).is_none())
        .map(|name| shown(name))
        .collect();
    if !ignored.is_empty() {
        notes.push(format!(
            "{file}: columns without a currency left out: {}",
            ignored.join(", ")
        ));
    }
    let regroup = "group by Service or Usage type and download again";
    match grouping {
        Grouping::None => notes.push(format!(
            "{file}: not grouped, so the services are not known: counted, not kept; {regroup}"
        )),
        Grouping::Other => notes.push(format!(
            "{file}: grouped by {}, so the services are not known: counted, not kept; {regroup}",
            shown(&header[0])
        )),
        Grouping::Service | Grouping::UsageType => {
            if let (None, [_, .., last]) = (total, columns) {
                notes.push(format!(
                    "{file}: no column is the sum of the others, so none is a total: {} is counted too",
                    shown(last.label)
                ));
            }
        }
    }
}

fn row_error(
    stream: &Stream<'_>,
    line: u64,
    header: &[String],
    (field, fault): Fault,
) -> ImportError {
    ImportError::Row {
        file: stream.name().to_owned(),
        line,
        column: field.and_then(|field| header.get(field)).cloned(),
        fault,
    }
}

/// The rows of the file.
struct Table {
    amounts: Vec<Amounts>,
    /// The first row without a date.
    total: Option<Vec<Option<Decimal>>>,
    skipped: Skipped,
    rows: u64,
}

impl Table {
    fn read(
        stream: &mut Stream<'_>,
        text: &mut Rows<Guarded<'_>>,
        header: &[String],
        columns: &[Costs<'_>],
        options: &ImportOptions,
    ) -> Result<Self, ImportError> {
        let mut table = Self {
            amounts: Vec::new(),
            total: None,
            skipped: Skipped::new(options.skip_bad_rows),
            rows: 0,
        };
        let (mut others, mut dates) = (Vec::new(), Vec::new());
        while let Some(row) = stream.row(text)? {
            let mut record = ByteRecord::new();
            row.copy_to(&mut record);
            table.rows += 1;
            stream.tick(table.rows)?;
            let line = stream.line();
            let record = match StringRecord::from_byte_record(record) {
                Ok(record) => record,
                Err(bad) => {
                    let fault = (Some(bad.utf8_error().field()), RowFault::NotText);
                    let row = skip::line(&bad.into_byte_record());
                    table
                        .skipped
                        .add(row_error(stream, line, header, fault), 1, row)?;
                    continue;
                }
            };
            let first = record.get(0).unwrap_or_default().trim();
            if record.len() != header.len() {
                let (expected, found) = (header.len(), record.len());
                let fault = (None, RowFault::FieldCount { expected, found });
                let error = row_error(stream, line, header, fault);
                table.skipped.add(error, 1, skip::line(&record))?;
            } else if let Some(day) = day(first) {
                if let Err(fault) = table.add(line, day, first.len() > 10, &record, columns) {
                    let error = row_error(stream, line, header, fault);
                    table.skipped.add(error, 1, skip::line(&record))?;
                }
            } else if is_date_of_another_form(first) {
                dates.push((line, record));
            } else {
                let costs = amounts(&record, columns);
                if table.total.is_none() {
                    table.total = Some(costs.unwrap_or_default());
                } else {
                    others.push((line, costs, record));
                }
            }
        }
        // One such date is a slip; where all are, the file is of a spreadsheet.
        for (line, record) in dates {
            let first = shown(record.get(0).unwrap_or_default().trim());
            let fault = if table.amounts.is_empty() {
                RowFault::DateForm(first)
            } else {
                RowFault::Date(first)
            };
            let error = row_error(stream, line, header, (Some(0), fault));
            table.skipped.add(error, 1, skip::line(&record))?;
        }
        // Whoever joins files has their totals too: they say what was said before.
        for (line, costs, record) in others {
            if !costs.is_ok_and(|costs| table.is_told(&costs)) {
                let first = record.get(0).unwrap_or_default().trim();
                let fault = (Some(0), RowFault::Date(shown(first)));
                let error = row_error(stream, line, header, fault);
                table.skipped.add(error, 1, skip::line(&record))?;
            }
        }
        Ok(table)
    }

    fn add(
        &mut self,
        line: u64,
        day: NaiveDate,
        has_time: bool,
        record: &StringRecord,
        columns: &[Costs<'_>],
    ) -> Result<(), Fault> {
        let is_there = |row: &Amounts| row.day == day && !(row.has_time && has_time);
        if self.amounts.iter().any(is_there) {
            return Err((Some(0), RowFault::Twice(day.to_string())));
        }
        let costs = amounts(record, columns)?;
        self.amounts.push(Amounts {
            line,
            day,
            has_time,
            costs,
            row: skip::line(record),
        });
        Ok(())
    }

    /// Returns what the rows add up to in a column.
    fn sum(&self, at: usize) -> Decimal {
        let costs = self.amounts.iter().filter_map(|row| row.costs[at]);
        costs.sum()
    }

    /// Tells whether a row without a date says what the total row or the rows above it say.
    fn is_told(&self, costs: &[Option<Decimal>]) -> bool {
        let is_near = |a: Decimal, b: Decimal| (a - b).abs() < Decimal::new(1, 2);
        self.total.as_deref() == Some(costs)
            || costs
                .iter()
                .enumerate()
                .all(|(at, cost)| is_near(cost.unwrap_or_default(), self.sum(at)))
    }

    /// Says where the total row has another sum than the rows: some are not there.
    fn note_the_total_row(
        &self,
        file: &str,
        columns: &[Costs<'_>],
        total: Option<usize>,
        notes: &mut Vec<String>,
    ) {
        let at = columns
            .iter()
            .position(|column| Some(column.field) == total);
        let Some(said) = self
            .total
            .as_ref()
            .filter(|said| said.len() == columns.len())
        else {
            return;
        };
        let sum = |of: &dyn Fn(usize) -> Decimal| match at {
            Some(at) => of(at),
            None => (0..columns.len()).map(of).sum(),
        };
        let rows = sum(&|at| self.sum(at));
        let said = sum(&|at| said[at].unwrap_or_default());
        if (rows - said).abs() >= Decimal::new(1, 2) {
            notes.push(format!(
                "{file}: the total row says {said}, the rows below add up to {rows}: some may be missing"
            ));
        }
    }
}

fn amounts(record: &StringRecord, columns: &[Costs<'_>]) -> Result<Vec<Option<Decimal>>, Fault> {
    let amount = |column: &Costs<'_>| {
        let text = record.get(column.field).unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        number(text)
            .map(Some)
            .map_err(|fault| (Some(column.field), fault))
    };
    columns.iter().map(amount).collect()
}

/// Tells whether the first field of a row is a date, or the number of one, that AWS does not write:
/// `01/10/2026`, `Oct 2026`, `2026年10月`, `46000`. What a total row is called has no such digits.
fn is_date_of_another_form(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 4 || text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_total_row_is_called_is_no_date() {
        for text in [
            "01/10/2026",
            "Oct 2026",
            "2026年10月",
            "1.10.26",
            "46000",
            "2026-13-01",
        ] {
            assert!(is_date_of_another_form(text), "{text}");
        }
        for text in [
            "Total",
            "Servicio en total",
            "サービス の合計",
            "team2 total",
            "",
        ] {
            assert!(!is_date_of_another_form(text), "{text}");
        }
    }
}
