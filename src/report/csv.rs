//! CSV of any table: RFC 4180, exact decimals, no totals, text that no spreadsheet will run.

use std::io::Write;

use super::{
    Cell, Table,
    formats::{Options, ReportError},
};

/// Renders the file columns of a table.
pub fn render(table: &Table) -> String {
    let columns: Vec<usize> = table.file_columns().collect();
    to_text(|sink| {
        let keys: Vec<&str> = columns.iter().map(|&at| table.columns[at].key).collect();
        let mut rows = Rows::new(sink, &keys, &Options::default())?;
        for row in &table.rows {
            let cells: Vec<Cell> = columns.iter().map(|&at| row[at].clone()).collect();
            rows.push(&cells)?;
        }
        rows.finish().map(drop)
    })
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
}

impl<'s> Rows<'s> {
    /// Writes the header: the columns chosen, or all of them.
    pub(super) fn new(
        sink: &'s mut dyn Write,
        columns: &[&'static str],
        options: &Options,
    ) -> Result<Self, ReportError> {
        let chosen: Vec<usize> = if options.columns.is_empty() {
            (0..columns.len()).collect()
        } else {
            let choose = |name: &String| {
                let position = columns.iter().position(|column| column == name);
                position.ok_or_else(|| ReportError::UnknownColumn {
                    name: name.clone(),
                    nearest: nearest(name, columns),
                    known: columns.to_vec(),
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
        writer.write_record(chosen.iter().map(|&at| columns[at]))?;
        Ok(Self {
            writer,
            chosen,
            count: 0,
        })
    }

    /// Writes a row of cells, one for each column.
    pub(super) fn push(&mut self, cells: &[Cell]) -> Result<(), ReportError> {
        self.count += 1;
        let fields = self.chosen.iter().map(|&at| field(&cells[at]));
        Ok(self.writer.write_record(fields)?)
    }

    /// Returns how many rows were written.
    pub(super) fn finish(mut self) -> Result<u64, ReportError> {
        self.writer.flush()?;
        Ok(self.count)
    }
}

fn nearest(name: &str, columns: &[&'static str]) -> Option<&'static str> {
    let alike = |column: &&'static str| strsim::jaro_winkler(name, column);
    let (column, score) = columns
        .iter()
        .map(|column| (*column, alike(column)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (score > 0.75).then_some(column)
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => guarded(text),
        other => other.exact(),
    }
}

/// Puts an apostrophe before text that a spreadsheet would take for a formula. Numbers are not
/// text: a credit keeps its minus sign. Taking one leading apostrophe off restores the original,
/// which is why text that begins with one gets another.
pub fn guarded(text: &str) -> String {
    let formula = |c: char| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '\'' | '＝' | '＋' | '－' | '＠'
        )
    };
    // Spreadsheets skip leading spaces before they look.
    match text.trim_start_matches(' ').chars().next() {
        Some(first) if formula(first) => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{ids::Currency, money::Money},
        report::Column,
    };
    use rust_decimal::Decimal;

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
            "name,cost\r\n'=1+1,-1.25\r\n'-2,-1.25\r\n'@x,-1.25\r\n'\tx,-1.25\r\nplain,-1.25\r\n\
             \"a,b\",-1.25\r\n\"say \"\"hi\"\"\",-1.25\r\n"
        );
    }
}
