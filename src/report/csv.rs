//! CSV of any table: RFC 4180, exact decimals, no totals, text that no spreadsheet will run.

use std::{borrow::Cow, fmt::Write as _, io::Write};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    Cell, Table,
    answer::{AnswerFormat, Rendered},
    input::{Options, ReportError},
    text::clean,
};
use crate::{
    domain::{exchange::Exchange, money::Money},
    unknown_name::UnknownName,
};

/// For spreadsheets: one table a file.
pub(super) const FORMAT: AnswerFormat = AnswerFormat {
    name: "csv",
    extension: "csv",
    about: "For spreadsheets: exact decimals, safe text",
    render: |answer, _| {
        if let Some(rows) = answer.rows() {
            return Ok(rows.into());
        }
        let tables = answer.document.tables();
        let mut tables = tables.map(|table| (table.name, render(table)));
        let first = tables.next().map(|(_, text)| text);
        Ok(Rendered {
            text: first.unwrap_or_default(),
            others: tables.collect(),
        })
    },
};

/// What the columns of a CSV for finance mean; it moves when one of them changes its meaning.
pub(super) const SCHEMA_VERSION: &str = "1";

/// Renders the file columns of a table.
pub fn render(table: &Table) -> String {
    to_text(|sink| write(table, &Options::default(), sink).map(drop))
}

/// Writes the file columns of a table. Returns how many rows it has.
pub(super) fn write(
    table: &Table,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<u64, ReportError> {
    let columns: Vec<usize> = table.file_columns().collect();
    let keys: Vec<&str> = columns.iter().map(|&at| &*table.columns[at].key).collect();
    let mut rows = Rows::new(sink, &keys, options)?;
    for row in &table.rows {
        let cells: Vec<Cell> = columns.iter().map(|&at| row[at].clone()).collect();
        rows.push(&cells)?;
    }
    rows.finish()
}

/// What an amount comes to in another currency, with the rate; empty without conversion.
pub(super) fn converted(amount: Option<Money>, exchange: Option<&Exchange>) -> [Cell; 5] {
    let (Some(amount), Some(exchange)) = (amount, exchange) else {
        return [const { Cell::Empty }; 5];
    };
    [
        Cell::Money(exchange.convert(amount), exchange.to.clone()),
        Cell::text(exchange.to.as_str()),
        Cell::Number(exchange.rate),
        Cell::Day(exchange.date),
        Cell::text(&*exchange.source),
    ]
}

/// Returns what a writer writes, as text.
pub(super) fn to_text(write: impl FnOnce(&mut dyn Write) -> Result<(), ReportError>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).expect("writing CSV to memory cannot fail");
    String::from_utf8(bytes).expect("fields are text")
}

/// Rows that go out one by one, so that memory does not grow with them.
pub(super) struct Rows<'s> {
    writer: csv::Writer<&'s mut dyn Write>,
    /// Which cells of a row go out, in this order.
    chosen: Vec<usize>,
    count: u64,
    /// Where a number becomes text.
    field: String,
}

impl<'s> Rows<'s> {
    /// Writes the header: the columns chosen, or all of them.
    pub(super) fn new(
        sink: &'s mut dyn Write,
        columns: &[impl AsRef<str>],
        options: &Options,
    ) -> Result<Self, ReportError> {
        let chosen: Vec<usize> = if options.columns.is_empty() {
            (0..columns.len()).collect()
        } else {
            let choose = |name: &String| {
                let position = columns.iter().position(|column| column.as_ref() == name);
                position.ok_or_else(|| ReportError::UnknownColumn {
                    name: UnknownName::new("column", name, columns.iter().map(AsRef::as_ref)),
                    known: columns
                        .iter()
                        .map(|name| name.as_ref().to_owned())
                        .collect(),
                })
            };
            options
                .columns
                .iter()
                .map(choose)
                .collect::<Result<_, _>>()?
        };
        if options.bom {
            sink.write_all("\u{feff}".as_bytes())?;
        }
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(sink);
        writer.write_record(chosen.iter().map(|&at| columns[at].as_ref()))?;
        Ok(Self {
            writer,
            chosen,
            count: 0,
            field: String::new(),
        })
    }

    /// Writes a row of cells, one for each column.
    pub(super) fn push(&mut self, cells: &[Cell]) -> Result<(), ReportError> {
        self.count += 1;
        for &at in &self.chosen {
            match &cells[at] {
                Cell::Text(text) => self.writer.write_field(guarded(text).as_bytes()),
                other => self.writer.write_field(other.exact()),
            }?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    /// Writes a row of slots, one for each column.
    pub(super) fn push_slots(&mut self, slots: &[Slot<'_>]) -> Result<(), ReportError> {
        self.count += 1;
        for &at in &self.chosen {
            self.field.clear();
            let written = match slots[at] {
                Slot::Text(text) => {
                    self.writer.write_field(guarded(text).as_bytes())?;
                    continue;
                }
                // As `plain` writes it.
                Slot::Number(number) if number.is_zero() => self.field.write_str("0"),
                Slot::Number(number) => write!(self.field, "{}", number.normalize()),
                Slot::Day(day) => write!(self.field, "{day}"),
                Slot::Empty => Ok(()),
            };
            written.expect("writing to memory cannot fail");
            self.writer.write_field(&self.field)?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    /// Writes a row of fields as they are written into memory, unguarded, by the place of their column.
    pub(super) fn push_with(
        &mut self,
        mut field_of: impl FnMut(usize, &mut String) -> std::fmt::Result,
    ) -> Result<(), ReportError> {
        self.count += 1;
        for &at in &self.chosen {
            self.field.clear();
            field_of(at, &mut self.field).expect("writing to memory cannot fail");
            self.writer.write_field(&self.field)?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    /// Writes a row of fields that stand as they are, one for each column.
    pub(super) fn push_fields(&mut self, fields: &[Field]) -> Result<(), ReportError> {
        self.count += 1;
        for &at in &self.chosen {
            match &fields[at] {
                Field::Text(text) => self.writer.write_field(guarded(text).as_bytes()),
                Field::Number(number) => self.writer.write_field(number),
            }?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    /// Returns how many rows were written.
    pub(super) fn finish(mut self) -> Result<u64, ReportError> {
        self.writer.flush()?;
        Ok(self.count)
    }
}

/// A cell that borrows what it shows.
#[derive(Clone, Copy)]
pub(super) enum Slot<'t> {
    /// Words, guarded.
    Text(&'t str),
    /// An exact number.
    Number(Decimal),
    /// A day.
    Day(NaiveDate),
    /// Nothing belongs here.
    Empty,
}

/// A field of a file whose numbers have a fixed number of decimal places.
pub(super) enum Field {
    /// Words, guarded.
    Text(String),
    /// A number as it is written.
    Number(String),
}

/// Puts an apostrophe before text that a spreadsheet would take for a formula. Numbers are not
/// text: a credit keeps its minus sign. Taking one leading apostrophe off restores the text, which is
/// why one that begins with an apostrophe gets another. Control characters, at which readers of CSV
/// stop, and bidirectional overrides are left out, as on a terminal.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
        return apostrophe(Cow::Borrowed(text));
    }
    let cleaned = clean(text);
    apostrophe(if cleaned == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(cleaned)
    })
}

fn apostrophe(text: Cow<'_, str>) -> Cow<'_, str> {
    let formula = |c: char| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '\n' | '\'' | '＝' | '＋' | '－' | '＠'
        )
    };
    // Spreadsheets skip leading spaces before they look.
    match text.trim_start_matches(' ').chars().next() {
        Some(first) if formula(first) => Cow::Owned(format!("'{text}")),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{ids::Currency, money::Money},
        report::Column,
    };

    #[test]
    fn formulas_are_text_and_credits_are_numbers() {
        let columns = vec![
            Column::new("Name", "name", 0),
            Column::new("Cost", "cost", 0),
        ];
        let mut table = Table::new(columns);
        let credit = Cell::Money(Money::new(Decimal::new(-125, 2)), Currency::new("USD"));
        for name in ["=1+1", "-2", "@x", "\tx", "plain", "a,b", "say \"hi\""] {
            table.rows.push(vec![Cell::text(name), credit.clone()]);
        }
        assert_eq!(
            render(&table),
            "name,cost\r\n'=1+1,-1.25\r\n'-2,-1.25\r\n'@x,-1.25\r\nx,-1.25\r\nplain,-1.25\r\n\
             \"a,b\",-1.25\r\n\"say \"\"hi\"\"\",-1.25\r\n"
        );
    }
}
