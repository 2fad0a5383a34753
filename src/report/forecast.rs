//! A forecast for people and files.

use super::{Block, Cell, Column, Document, Table};
use crate::domain::{bill::Bill, money::Money};

/// What a forecast rests on, in words.
#[derive(Clone, Debug, Default)]
pub struct Basis {
    /// Notes below the table.
    pub notes: Vec<String>,
    /// How many days of the first month are actual usage.
    pub actual_days: i64,
}

/// Lays out a forecast: a row a month, the first one begun.
pub fn document(bills: &[Bill], basis: Basis, title: String) -> Document {
    const SERVICES: [(&str, &str, &str); 4] = [
        ("CodeBuild", "CodeBuild", "codebuild"),
        ("AWSCodePipeline", "CodePipeline", "codepipeline"),
        ("AWSCodeCommit", "CodeCommit", "codecommit"),
        ("AWSCodeDeploy", "CodeDeploy", "codedeploy"),
    ];
    let mut columns = vec![Column::new("Month", "month", 0)];
    columns.extend(
        (2..)
            .zip(SERVICES)
            .map(|(drop, (_, name, key))| Column::new(name, key, drop)),
    );
    columns.extend([
        Column::new("Other", "other", 6),
        Column::new("Total", "total", 0),
        Column::in_files("currency"),
        Column::in_files("complete"),
        Column::new("Known days", "known_days", 1),
    ]);
    let mut table = Table::new(columns);
    for (at, bill) in bills.iter().enumerate() {
        let by_service = bill.by_service();
        let known: Vec<Money> = SERVICES
            .iter()
            .map(|(code, ..)| by_service.get(&(*code).into()).copied().unwrap_or_default())
            .collect();
        let other = bill.total() - known.iter().copied().sum();
        let money = |amount: Money| Cell::Money(amount, bill.currency.clone());
        let mut row = vec![Cell::text(bill.month.to_string())];
        row.extend(known.into_iter().map(money));
        row.push(if other.is_zero() {
            Cell::Empty
        } else {
            money(other)
        });
        row.push(if bill.is_complete() {
            money(bill.total())
        } else {
            Cell::AtLeast(bill.total(), bill.currency.clone())
        });
        row.push(Cell::text(bill.currency.as_str()));
        row.push(Cell::text(bill.is_complete().to_string()));
        let days = if at == 0 { basis.actual_days } else { 0 };
        row.push(Cell::Number(days.into()));
        table.rows.push(row);
    }
    let blocks = vec![Block::Table(table), Block::Notes(basis.notes)];
    Document {
        schema: "pipebill.forecast/1",
        title,
        facts: Vec::new(),
        blocks,
    }
}
