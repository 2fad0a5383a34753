//! CSV of any table: RFC 4180, exact decimals, no totals, text that no spreadsheet will run.

use super::{Cell, Table};

/// Renders the file columns of a table.
pub fn render(table: &Table) -> String {
    let columns: Vec<usize> = table.file_columns().collect();
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let written = "writing CSV to memory cannot fail";
    writer
        .write_record(columns.iter().map(|&at| table.columns[at].key))
        .expect(written);
    for row in &table.rows {
        writer
            .write_record(columns.iter().map(|&at| field(&row[at])))
            .expect(written);
    }
    String::from_utf8(writer.into_inner().expect(written)).expect("fields are text")
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
