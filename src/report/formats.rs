//! The formats of `pipebill report`: each is a row of [`FORMATS`], facts and a writer.
//!
//! A writer gets everything a report can be made from and writes one file, text or binary, to any
//! place. What it returns goes into the manifest.

use std::io::{self, Write};

use chrono::NaiveDate;
use serde_json::Value;
use thiserror::Error;

use super::{
    finance,
    page::{self, Template, pictures::Kind},
};
use crate::{
    domain::{
        allocation::{Dimension, Policy},
        catalog::Catalog,
        overview::Overview,
        period::Month,
        rating::RatedMonth,
    },
    forecast::Forecast,
};

/// What a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Names of services and meters.
    pub catalog: &'a Catalog,
    /// The day that counts as today.
    pub today: NaiveDate,
    /// The months, in order, at least one.
    pub months: &'a [RatedMonth],
    /// Where usage goes from here, if a format of the report asks for it.
    pub forecast: Option<&'a Forecast>,
    /// The months around, if a format of the report asks for them.
    pub overview: Option<&'a Overview>,
    /// The sample organization, not the user's.
    pub sample: bool,
}

impl Material<'_> {
    /// Returns what the files are named after: `2026-10`, or `2026-01-to-2026-06`.
    pub fn period(&self) -> String {
        let months: Vec<Month> = self.months.iter().map(|m| m.rated.bill.month).collect();
        match months[..] {
            [first, .., last] => format!("{first}-to-{last}"),
            [only] => only.to_string(),
            [] => String::new(),
        }
    }
}

/// How one file is asked for. A format uses what concerns it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What costs are shared by; nothing for a row a line.
    pub by: Vec<Dimension>,
    /// How free units and costs are shared.
    pub sharing: Policy,
    /// Which columns, in which order; all where none is named.
    pub columns: Vec<String>,
    /// Begin with a byte-order mark, as some spreadsheets want it.
    pub bom: bool,
    /// Which chart, for a picture.
    pub chart: Option<&'static Kind>,
    /// A template in place of the one in the program.
    pub template: Option<Template>,
}

/// What a writer wrote.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Written {
    /// Rows, where the format has rows.
    pub rows: u64,
    /// What a reader would add up to check the file.
    pub control_totals: Vec<Value>,
}

/// Writes a report's material as one file.
pub type Writer = fn(&Material<'_>, &Options, &mut dyn Write) -> Result<Written, ReportError>;

/// A format of reports.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What `--format` calls it.
    pub name: &'static str,
    /// What its files end with, after the period; `.csv`, `-focus.csv`. The part after the point
    /// chooses the first format with it where none is named.
    pub ending: &'static str,
    /// What it is for, in a line of the help.
    pub about: &'static str,
    /// It is no text, and not for a terminal.
    pub binary: bool,
    /// Tells whether it needs a forecast.
    pub needs_forecast: fn(&Options) -> bool,
    /// It shows the months around the reported ones.
    pub needs_overview: bool,
    /// Its writer.
    pub write: Writer,
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

/// Every format of `pipebill report`, in the order of the help.
pub const FORMATS: &[Format] = &[
    Format {
        name: "html",
        ending: ".html",
        about: "a page for people: figures, charts, tables; one file, no script",
        binary: false,
        needs_forecast: always,
        needs_overview: true,
        write: page::write,
    },
    Format {
        name: "pdf",
        ending: ".pdf",
        about: "the page on paper, printed by a Chromium on this machine",
        binary: true,
        needs_forecast: always,
        needs_overview: true,
        write: page::write_pdf,
    },
    Format {
        name: "svg",
        ending: ".svg",
        about: "one picture, chosen by --chart",
        binary: false,
        needs_forecast: draws_a_forecast,
        needs_overview: true,
        write: page::write_svg,
    },
    Format {
        name: "csv",
        ending: ".csv",
        about: "for spreadsheets: a row a line, exact decimals, safe text",
        binary: false,
        needs_forecast: never,
        needs_overview: false,
        write: finance::write,
    },
];

fn never(_: &Options) -> bool {
    false
}

fn always(_: &Options) -> bool {
    true
}

fn draws_a_forecast(options: &Options) -> bool {
    options.chart.is_some_and(Kind::needs_forecast)
}

/// Returns the format of this name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Returns the format whose files end like this one.
pub fn by_extension(extension: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| {
        let (_, own) = format.ending.rsplit_once('.').unwrap_or_default();
        own.eq_ignore_ascii_case(extension)
    })
}

/// Why a report has no file.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The place does not take it.
    #[error("cannot write the report")]
    Write(#[from] io::Error),
    /// A column that the file does not have.
    #[error("--columns: there is no column `{name}`{}", nearest.map(|it| format!(", did you mean `{it}`?")).unwrap_or_default())]
    UnknownColumn {
        /// What was asked for.
        name: String,
        /// What it may have meant.
        nearest: Option<&'static str>,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// A picture of nothing in particular.
    #[error("a picture shows one chart")]
    WhichChart,
    /// The chart has no data.
    #[error("--chart {chart}: {why}")]
    NothingToDraw {
        /// Which.
        chart: &'static str,
        /// Why.
        why: String,
    },
    /// A template is broken.
    #[error("{place}: {problem}")]
    Template {
        /// File and line.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// No browser prints.
    #[error("there is no Chromium to print with")]
    NoBrowser,
    /// The browser does not print.
    #[error("{program} does not print: {problem}")]
    Browser {
        /// Which program.
        program: String,
        /// What it says.
        problem: String,
    },
}

impl From<csv::Error> for ReportError {
    fn from(error: csv::Error) -> Self {
        Self::Write(match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })
    }
}
