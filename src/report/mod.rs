//! What an answer looks like: a document of cells, and one file for each format.
//!
//! A cell keeps its exact value; only a renderer decides how it is shown. Nothing here computes a
//! price, and rounding happens for display alone.

pub mod allocation;
pub mod answer;
pub mod answer_formats;
pub mod bill;
pub mod chart;
pub mod check;
mod ci_jobs;
#[cfg(feature = "aws")]
pub mod cloud;
#[cfg(feature = "aws")]
pub mod collected;
mod comment;
pub mod compare;
pub mod csv;
mod finality;
pub mod finance;
pub mod focus;
pub mod forecast;
pub mod forecast_backtest;
pub mod formats;
pub mod imported;
pub mod infra;
pub mod input;
mod journal;
pub mod json;
pub mod manifest;
pub mod markdown;
mod openmetrics;
pub mod optimize;
pub mod page;
mod picture;
pub mod prices;
pub mod reconcile;
pub mod scenario_file;
pub mod schemas;
mod show;
mod slack;
mod summary_csv;
pub mod text;
pub mod usage;
pub mod value;
pub mod whatif;
pub mod why;
pub mod words;
mod xlsx;

use self::show::{currency_sign, exact, grouped, short_unit};
pub use self::show::{
    show_money, show_money_short, show_number, show_percent, show_quantity, signed_money,
};
use std::borrow::Cow;

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use answer::Answer;
pub use words::{Note, costs, discounts};

use crate::domain::{ids::Currency, money::Money, number::plain, quantity::Quantity};

/// A value in a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Words. They may come from tags and names, and are treated as hostile.
    Text(String),
    /// A number of things.
    Count(u64),
    /// A quantity with its unit.
    Quantity(Quantity),
    /// A number without unit.
    Number(Decimal),
    /// Percent, 100 for all of it.
    Percent(Decimal),
    /// A price per unit.
    Price(Decimal),
    /// An amount in a currency.
    Money(Money, Currency),
    /// An amount that is only a part, because something has no price.
    AtLeast(Money, Currency),
    /// A day.
    Day(NaiveDate),
    /// Yes or no.
    Flag(bool),
    /// Not known, and in a word why.
    Unknown(String),
    /// Nothing belongs here.
    Empty,
}

impl Cell {
    /// Returns a text cell.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the exact value for files: no separators, no currency sign, no exponent.
    pub fn exact(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Quantity(quantity) => plain(quantity.value),
            Self::Number(number) | Self::Percent(number) | Self::Price(number) => plain(*number),
            Self::Money(money, _) | Self::AtLeast(money, _) => money.to_string(),
            Self::Day(day) => day.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Unknown(_) | Self::Empty => String::new(),
        }
    }

    /// Returns the value as people read it.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => grouped(&count.to_string()),
            Self::Quantity(quantity) => show_quantity(*quantity),
            Self::Number(number) => grouped(&plain(number.round_dp(2))),
            Self::Percent(percent) => format!("{} %", grouped(&plain(percent.round_dp(0)))),
            Self::Price(price) => plain(*price),
            Self::Money(money, currency) => show_money(*money, currency),
            Self::AtLeast(money, currency) if money.is_zero() => {
                format!("{currency} unknown")
            }
            Self::AtLeast(money, currency) => format!("{} + ?", show_money(*money, currency)),
            Self::Day(day) => day.to_string(),
            Self::Flag(flag) => (if *flag { "yes" } else { "no" }).to_owned(),
            Self::Unknown(why) => why.clone(),
            Self::Empty => String::new(),
        }
    }

    fn is_number(&self) -> bool {
        !matches!(self, Self::Text(_) | Self::Day(_) | Self::Flag(_))
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<Decimal> for Cell {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<Quantity> for Cell {
    fn from(quantity: Quantity) -> Self {
        Self::Quantity(quantity)
    }
}

impl From<NaiveDate> for Cell {
    fn from(day: NaiveDate) -> Self {
        Self::Day(day)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Says how many there are of something.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(&count.to_string()))
}

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// What people read.
    pub heading: String,
    /// What files and JSON call it.
    pub key: Cow<'static, str>,
    /// Where it appears.
    pub visibility: Visibility,
    /// Narrow terminals drop the columns with the highest number first; 0 always stays.
    pub drop: u8,
}

/// Where a column appears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visibility {
    /// On paper and in files.
    Everywhere,
    /// For people only.
    Shown,
    /// In files only.
    Files,
}

impl Column {
    /// Returns a column for people and files.
    pub fn new(heading: impl Into<String>, key: impl Into<Cow<'static, str>>, drop: u8) -> Self {
        Self {
            heading: heading.into(),
            key: key.into(),
            visibility: Visibility::Everywhere,
            drop,
        }
    }

    /// Returns a column that only files carry.
    pub fn in_files(key: impl Into<Cow<'static, str>>) -> Self {
        let key = key.into();
        Self {
            heading: key.clone().into_owned(),
            key,
            visibility: Visibility::Files,
            drop: 0,
        }
    }

    /// Returns a column that only people see.
    pub fn shown(heading: impl Into<String>, drop: u8) -> Self {
        Self {
            heading: heading.into(),
            key: Cow::Borrowed(""),
            visibility: Visibility::Shown,
            drop,
        }
    }
}

/// Rows of cells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// What the files of further tables are called by; the first table has no name.
    pub name: &'static str,
    /// How many rows people see, if not all.
    pub most: Option<usize>,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, one cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// Sums for people; files carry none.
    pub totals: Vec<Vec<Cell>>,
}

impl Table {
    /// Returns a table without rows.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }

    /// Returns the positions of the columns that files carry.
    fn file_columns(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.columns.len()).filter(|&at| self.columns[at].visibility != Visibility::Shown)
    }

    /// Returns the positions of the columns that people see, without those where every row is
    /// empty.
    fn shown_columns(&self) -> Vec<usize> {
        let filled = |at: usize| {
            let mut rows = self.rows.iter().chain(&self.totals);
            self.rows.is_empty() || rows.any(|row| !row[at].shown().is_empty())
        };
        let shown = |at: &usize| self.columns[*at].visibility != Visibility::Files && filled(*at);
        (0..self.columns.len()).filter(shown).collect()
    }
}

/// A part of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// A table.
    Table(Table),
    /// A heading.
    Heading(String),
    /// Lines that stand as they are, one below the other.
    Lines(Vec<String>),
    /// Text whose lines are never broken: it is read in logs, or pasted.
    Verdict(String),
    /// Ranges as bars, for terminals and wikis.
    Fan(chart::FanChart),
    /// A chart, for terminals and wikis; alone in an answer, a picture too.
    Chart(chart::Drawing),
    /// A picture for files alone: people read the same in a table.
    Picture(chart::Drawing),
    /// What a reader should know about the figures.
    Notes(Vec<Note>),
    /// The same, all of it shown: the report of an import or a collection.
    All(Vec<Note>),
    /// The same, of which `--explain` shows all.
    Explained {
        /// The notes, the most important first.
        notes: Vec<Note>,
        /// All of them are shown.
        all: bool,
    },
}

/// An answer to one question, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// What was asked.
    pub title: String,
    /// The answer.
    pub blocks: Vec<Block>,
}

/// Rows of a further table that people see.
const DETAIL_ROWS: usize = 12;

impl Table {
    /// Names a further table, of which people see the first rows.
    #[must_use]
    pub fn detail(mut self, name: &'static str) -> Self {
        self.name = name;
        self.most = Some(DETAIL_ROWS);
        self
    }

    /// Puts a column before the others, with one text in all rows.
    #[must_use]
    pub fn labelled(mut self, column: Column, label: &str) -> Self {
        self.columns.insert(0, column);
        for row in self.rows.iter_mut().chain(&mut self.totals) {
            row.insert(0, Cell::text(label));
        }
        self
    }

    /// Returns one table of several with the same columns.
    pub fn joined(tables: impl IntoIterator<Item = Self>) -> Self {
        let mut tables = tables.into_iter();
        let mut joined = tables.next().unwrap_or_default();
        for table in tables {
            joined.rows.extend(table.rows);
            joined.totals.extend(table.totals);
        }
        joined
    }

    /// Leaves the table to files: what it says, people see elsewhere.
    #[must_use]
    pub fn for_files(mut self) -> Self {
        for column in &mut self.columns {
            column.visibility = Visibility::Files;
        }
        self
    }

    /// Returns the rows that people see, and a line about the others of a further table.
    fn seen(&self) -> (&[Vec<Cell>], Option<String>) {
        let most = self.most.unwrap_or(usize::MAX).min(self.rows.len());
        let more = self.rows.len() - most;
        let line = (more > 0 && !self.name.is_empty())
            .then(|| format!("and {more} more in --format json"));
        (&self.rows[..most], line)
    }

    /// Tells whether there is anything below the headings.
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.totals.is_empty()
    }
}

impl Document {
    /// Returns the picture that is a file of its own, where the answer has one.
    pub fn picture(&self) -> Option<chart::Chart> {
        let mut charts = self.blocks.iter().filter_map(|block| match block {
            Block::Chart(drawing) | Block::Picture(drawing) => Some(drawing),
            _ => None,
        });
        let only = charts.next()?;
        charts.next().is_none().then(|| only.chart())
    }

    /// Returns the tables, as files carry them.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Table(table) if table.file_columns().next().is_some() => Some(table),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
